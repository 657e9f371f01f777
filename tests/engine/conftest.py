"""Networks, data and processes for the tests of the engine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp import MLP, SGD, BatchNorm
from fastmlp.engine import Trainer, plan

WATCHDOG = 120  # seconds until a process counts as hung


@pytest.fixture
def all_threads(monkeypatch):
    """Let networks of any size use as many threads as they are given."""
    monkeypatch.setattr(plan, "PARALLEL_FLOP", 0)
    monkeypatch.setattr(plan, "EPOCH_FLOP", 0)


@pytest.fixture(scope="session")
def problem():
    """Rows X (n, width) of a dtype and labels y (n,)."""

    def make(n, width, classes, dtype="float32", seed=0):
        rng = np.random.default_rng(seed)
        kind = np.dtype(dtype)
        if kind.kind == "f":
            X = rng.uniform(0, 1, (n, width)).astype(kind)
        else:
            X = rng.integers(0, min(255, np.iinfo(kind).max), (n, width), kind, endpoint=True)
        return X, rng.integers(0, classes, n)

    return make


@pytest.fixture(scope="session")
def run_epoch():
    """One epoch on all rows in a fixed shuffled order; returns the costs and the order."""

    def run(net, X, y, batch_size, threads, rate=0.1, decay=0.01):
        trainer = Trainer(net.network, X, y.astype(np.int64), batch_size, SGD(rate, weight_decay=decay), threads)
        order = np.random.default_rng(1).permutation(len(X))
        return trainer.run_epoch(order), order

    return run


@pytest.fixture(scope="session")
def gradient_of_step():
    """What a plain step on all rows takes from the parameters at rate 1: arrays by their kinds; the network stays."""

    def of(net, X, targets, clip_norm=None, threads=2, **arguments):
        before = net.snapshot()
        optimizer = SGD(1.0, clip_norm=clip_norm)
        Trainer(net.network, X, targets, len(X), optimizer, threads, **arguments).run_epoch(np.arange(len(X)))
        arrays = net.views_of(before - net.snapshot())
        net.restore(before)
        return [array for name in ("weights", "biases", "gammas", "betas") for array in arrays[name]]

    return of


@pytest.fixture(scope="session")
def targets_of():
    """Targets (n, n_outputs) that fit an output function, class indices for softmax."""

    def make(net, n, seed=7):
        rng, shape = np.random.default_rng(seed), (n, net.n_outputs)
        if net.output == "softmax":
            return rng.integers(0, net.n_outputs, n)
        drawn = {
            "logistic": rng.integers(0, 2, shape),
            "identity": rng.standard_normal(shape),
            "exp": rng.poisson(1.0, shape),
        }
        return drawn[net.output].astype(net.dtype)

    return make


@pytest.fixture(scope="session")
def in_process():
    """Run a script in a process of its own, bounded by the watchdog; returns what it printed as JSON.

    Nothing may stand on stderr.
    """

    def run(script, *arguments, **environment):
        # a script of a file's name would lie in sys.path; warnings are errors there, too
        command = [sys.executable, "-P", "-W", "error", "-c", script, *map(str, arguments)]
        folder = str(Path(__file__).parent.parent)
        settings = os.environ | {"PYTHONPATH": os.pathsep.join([folder, *sys.path]), **environment}
        result = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=WATCHDOG, check=False)
        assert (result.returncode, result.stderr) == (0, "")
        return json.loads(result.stdout)

    return run


NORMS = {
    "none": None,
    "after": BatchNorm(),
    "after_affine": BatchNorm(affine=True),
    "before": BatchNorm(placement="before_relu"),
    "before_affine": BatchNorm(placement="before_relu", affine=True),
}


@pytest.fixture(params=list(NORMS))
def norm(request):
    """Every way to normalise, and none."""
    return NORMS[request.param]


@pytest.fixture(scope="session")
def network(perturb):
    """A network whose biases, γ and β are not at their starting values."""

    def make(widths, batch_norm=None, dtype="float32", **arguments):
        return perturb(MLP(widths, batch_norm=batch_norm, dtype=dtype, **arguments))

    return make
