"""Train multilayer perceptrons fast on multicore CPUs.

An `MLP` is a network; `train` trains it and returns a `History`, and `train_many` trains many at once; `load` reads
what `MLP.save` wrote. The parts of a training are small objects: optimizers (`SGD`, `Adam`, `AdamW`) with rates from
`fastmlp.schedules` and `RateMultipliers`, `fastmlp.losses`, `fastmlp.init`, `BatchNorm` and `EarlyStopping`.
`fastmlp.datasets` reads data, and `fastmlp.kernels` is the arithmetic.

Imported by their own names:

- `fastmlp.sklearn`: estimators in place of scikit-learn's
- `fastmlp.loggers`: callbacks that pass the records of a training on
- `fastmlp.plots`: figures from histories and networks
- `fastmlp.guide`: coming from scikit-learn, PyTorch or Keras
- `fastmlp.examples`: programs to run and to start from
"""

import importlib
from typing import TYPE_CHECKING, Any

from fastmlp import init, losses, schedules
from fastmlp.batchnorm import BatchNorm
from fastmlp.history import History
from fastmlp.loading import load
from fastmlp.many import train_many
from fastmlp.mlp import MLP
from fastmlp.multipliers import RateMultipliers
from fastmlp.optimizers import SGD, Adam, AdamW
from fastmlp.stopping import EarlyStopping
from fastmlp.system.version import VERSION
from fastmlp.train import train

if TYPE_CHECKING:
    from fastmlp import datasets, kernels

__version__ = VERSION
__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "BatchNorm",
    "EarlyStopping",
    "History",
    "RateMultipliers",
    "datasets",
    "init",
    "kernels",
    "load",
    "losses",
    "schedules",
    "train",
    "train_many",
]


def __getattr__(name: str) -> Any:
    if name in ("datasets", "kernels"):  # imported at their first use, as few programs need them
        return importlib.import_module(f"fastmlp.{name}")
    raise AttributeError(f"module 'fastmlp' has no attribute {name!r}")
