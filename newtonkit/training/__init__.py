"""Training on mini-batches: the first-order rules, and L-BFGS, on sampled gradients of a loss over data."""

from newtonkit.training.history import TrainingHistory
from newtonkit.training.run import Update
from newtonkit.training.state import TrainingState
from newtonkit.training.train import train

__all__ = ["TrainingHistory", "TrainingState", "Update", "train"]
