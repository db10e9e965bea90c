"""Training on mini-batches: the first-order rules, and L-BFGS, on sampled gradients of a loss over data."""

from newtonkit.training.history import TrainingHistory
from newtonkit.training.run import TrainingState, Update
from newtonkit.training.train import train

__all__ = ["TrainingHistory", "TrainingState", "Update", "train"]
