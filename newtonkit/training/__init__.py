"""Training on mini-batches: the first-order rules, and L-BFGS, on sampled gradients of a loss over data."""

from newtonkit.training.history import TrainingHistory
from newtonkit.training.state import TrainingState
from newtonkit.training.train import train
from newtonkit.training.update import Update

__all__ = ["TrainingHistory", "TrainingState", "Update", "train"]
