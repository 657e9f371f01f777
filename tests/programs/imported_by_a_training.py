"""Train a small network and print the names of all modules that the process has imported, as one JSON document."""

import json
import sys

import numpy as np

from fastmlp import MLP, train

rng = np.random.default_rng(0)
train(MLP([5, 4, 3]), rng.standard_normal((20, 5)), rng.integers(0, 3, 20), progress=False)
print(json.dumps(list(sys.modules)))
