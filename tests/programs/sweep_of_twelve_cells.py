"""Run a sweep of twelve cells into a folder (first argument) by jobs (second argument)."""

import sys
from pathlib import Path

import numpy as np

from fastmlp.experiments import Grid, run_sweep

rng = np.random.default_rng(0)
X = rng.integers(0, 256, size=(600, 12)).astype(np.uint8)
y = rng.integers(0, 3, size=600)
grid = Grid(batch_sizes=(60, 120), decays=(0.1, 0.2, 0.3, 0.4), learning_rate=0.002, epochs=2)
result = run_sweep(
    (X, y, X[:100], y[:100]),
    Path(sys.argv[1]),
    grid=grid,
    jobs=int(sys.argv[2]),
    finished=lambda cell, figures, known: print("cell", flush=True),
)
print("trained", result.trained, flush=True)
