"""Training through the fixed points of the chemistry; gradients need PyTorch (pip install 'nn2crn[train]')."""

from nn2crn.training.harden import Hardened, harden
from nn2crn.training.options import Equilibrium, Evolution, Training
from nn2crn.training.train import Trained, train

__all__ = ["Equilibrium", "Evolution", "Hardened", "Trained", "Training", "harden", "train"]
