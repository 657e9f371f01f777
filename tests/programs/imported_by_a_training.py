"""Train a small network; print what modules were imported before, and all of them, as one JSON document."""

import json
import sys

import numpy as np

from fastmlp import MLP, train
from fastmlp.engine import Trainer, evaluate  # noqa: F401 - imports the engine, as a first training does

rng = np.random.default_rng(0)
before = list(sys.modules)
train(MLP([5, 4, 3]), rng.standard_normal((20, 5)), rng.integers(0, 3, 20), progress=False)
print(json.dumps([before, list(sys.modules)]))
