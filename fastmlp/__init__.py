"""Train multilayer perceptrons fast on multicore CPUs."""

from fastmlp import datasets, init, kernels
from fastmlp.batchnorm import BatchNorm
from fastmlp.history import History
from fastmlp.mlp import MLP
from fastmlp.optimizers import SGD
from fastmlp.stopping import EarlyStopping
from fastmlp.storage import load
from fastmlp.train import train

__version__ = "0.1.0"
__all__ = ["MLP", "SGD", "BatchNorm", "EarlyStopping", "History", "datasets", "init", "kernels", "load", "train"]
