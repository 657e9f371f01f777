"""Networks and data for the tests of the engine, and functions that run the engine."""

import numpy as np
from networks import perturb

from fastmlp import MLP, SGD
from fastmlp.engine import StepOptions, Trainer
from fastmlp.engine.plan import make_plan
from fastmlp.network import Architecture
from fastmlp.network.parameters import LEARNED


def problem(n, width, classes, dtype="float32", seed=0):
    """Rows X (n, width) of a dtype and labels y (n,)."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        X = rng.uniform(0, 1, (n, width)).astype(kind)
    else:
        X = rng.integers(0, min(255, np.iinfo(kind).max), (n, width), kind, endpoint=True)
    return X, rng.integers(0, classes, n)


def run_epoch(net, X, y, batch_size, threads, rate=0.1, decay=0.01):
    """Run one epoch on all rows in a fixed shuffled order; return the costs and the order."""
    trainer = Trainer(net.network, X, y.astype(np.int64), batch_size, SGD(rate, weight_decay=decay), threads)
    order = np.random.default_rng(1).permutation(len(X))
    return trainer.run_epoch(order), order


def plan_of(widths, dtype, batch_norm, batch, *, factors=False, **options):
    """The plan of a network with ReLU."""
    architecture = Architecture(tuple(widths), "relu", "softmax", (), batch_norm, 1.0, np.dtype(dtype), factors)
    return make_plan(architecture, batch, **options)


def gradient_of_step(net, X, targets, clip_norm=None, threads=2, sample_weight=None, **options):
    """What a plain SGD step with rate 1 on all rows subtracts: arrays by their kinds. The network is not changed."""
    before = net.snapshot()
    optimizer = SGD(1.0, clip_norm=clip_norm)
    trainer = Trainer(
        net.network, X, targets, len(X), optimizer, threads, options=StepOptions(**options), sample_weight=sample_weight
    )
    trainer.run_epoch(np.arange(len(X)))
    arrays = net.views_of(before - net.snapshot())
    net.restore(before)
    return [array for name in LEARNED for array in arrays[name]]


def targets_of(net, n, seed=7):
    """Targets (n, n_outputs) that fit an output function, class indices for softmax."""
    rng, shape = np.random.default_rng(seed), (n, net.n_outputs)
    if net.output == "softmax":
        return rng.integers(0, net.n_outputs, n)
    drawn = {
        "logistic": rng.integers(0, 2, shape),
        "identity": rng.standard_normal(shape),
        "exp": rng.poisson(1.0, shape),
    }
    return drawn[net.output].astype(net.dtype)


def network(widths, batch_norm=None, dtype="float32", **arguments):
    """A network whose biases, γ and β are not at their starting values."""
    return perturb(MLP(widths, batch_norm=batch_norm, dtype=dtype, **arguments))
