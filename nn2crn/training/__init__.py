"""Training through the fixed points of the chemistry; gradients need PyTorch (pip install 'nn2crn[train]')."""

from nn2crn.training.options import Evolution, Training
from nn2crn.training.train import Trained, train

__all__ = ["Evolution", "Trained", "Training", "train"]
