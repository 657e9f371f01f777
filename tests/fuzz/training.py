"""Short trainings: the same bits for every layout and number of threads, and parameters close to the float64 twin's."""

import warnings
from dataclasses import replace

import numpy as np
from networks import all_arrays, digest
from reference_network import Network
from reference_rules import LEARNED, Steps

import fastmlp
from fastmlp.loop import NOT_FINITE
from fuzz.cases import dense, refuses, trainings

CASES = trainings()
TWIN = {"float64": 1e-8, "float32": 2e-3}  # distance from the twin, relative to the largest number of an array
KINKED = ("relu", "leaky_relu")


def check(case):
    """Check one training."""
    X, y = case.data.array(case.net.widths[0]), case.net.targets(case.data.rows)
    if not case.data.fits(case.net.widths[0], case.net.dtype):
        assert refuses(lambda: _train(case, X, y, case.threads)), "taken, though not finite"
        return
    before = [dense(X).tobytes(), y.tobytes()]
    trained, history = _train(case, X, y, case.threads)
    assert [dense(X).tobytes(), y.tobytes()] == before, "the data were changed"
    assert all(np.isfinite(array).all() for array in all_arrays(trained)), "a parameter is not finite"
    assert all(array.min(initial=0) >= 0 for array in trained.running_vars), "a variance is negative"
    plain = np.ascontiguousarray(case.data.numbers(case.net.widths[0]))
    again, other = _train(case, plain, y, 1 if case.threads > 1 else 2)
    assert (digest(trained), history.steps, history.stopped_because) == (
        digest(again), other.steps, other.stopped_because,
    ), "other bits"  # fmt: skip
    if history.stopped_because != NOT_FINITE:
        assert history.epochs == case.epochs
        if _has_a_twin(case):
            _compare(case, trained, plain, y)


def _train(case, X, y, threads):
    net = case.net.make()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="the cost", category=RuntimeWarning)
        history = fastmlp.train(
            net, X, y, validation=None, optimizer=case.optimizer, loss=case.loss, sample_weight=case.sample_weight(),
            batch_size=case.batch_size, epochs=case.epochs, threads=threads, progress=False,
            matmul_precision=case.matmul_precision,
        )  # fmt: skip
    return net, history


def _has_a_twin(case):
    """Whether the twin can be compared: rounding must change little, and the twin must have all options of the case."""
    return (
        case.data.moderate
        and case.matmul_precision == "float32"
        and case.optimizer.clip_norm is None
        and case.net.dropout == 0
        and (case.net.batch_norm is None or min(case.data.rows, case.batch_size) > 3)
        and (case.net.batch_norm is None or case.data.values == "usual")
    )


def _compare(case, trained, X, y):
    """Compare with the twin. If a ReLU's input is about 0 in float32, compare a float64 network instead."""
    if not _is_far(case, trained, X, y):
        return
    kinked = case.net.activation in KINKED or case.loss.kernel == "absolute_error"
    assert case.net.dtype == "float32" and kinked, "far from the twin"  # noqa: PT018
    exact = replace(case, net=replace(case.net, dtype="float64"))
    assert not _is_far(exact, _train(exact, X, y, case.threads)[0], X, y), "far from the twin, in float64"


def _is_far(case, trained, X, y):
    """Whether the network is farther from the twin than a twin whose initial weights have some rounding errors."""
    with np.errstate(all="ignore"):  # the training may diverge
        twin, costs = _trained_twin(case, case.net.make(), X, y)
    if not np.isfinite(costs).all() or max(costs) > 1e4:
        return False  # in a diverging training each step multiplies the distance
    distance = _distance(trained, twin)
    if distance < TWIN[case.net.dtype]:
        return False
    moved = case.net.make()
    for weight in moved.weights:
        weight *= 1 + 20 * np.finfo(weight.dtype).eps * np.random.default_rng(0).standard_normal(weight.shape)
    return distance > 10 * _distance(_trained_twin(case, moved, X, y)[0], twin)


def _trained_twin(case, net, X, y):
    twin, formula = Network(net, case.loss), Steps(case.optimizer)
    weights = case.sample_weight()
    weights = np.ones(len(X)) if weights is None else weights.astype(np.float64)
    rng, costs = np.random.default_rng(0), []
    for _ in range(case.epochs):
        order = rng.permutation(len(X))
        for start in range(0, len(X), case.batch_size):
            rows = order[start : start + case.batch_size]
            costs.append(_step(twin, formula, X[rows], y[rows], weights[rows]))
    return twin, costs


def _step(twin, formula, X, y, weights):
    if weights.sum() == 0:  # the gradient is 0 too, and the update rule takes its step nevertheless
        gradients = {name: [np.zeros_like(array) for array in getattr(twin, name)] for name in LEARNED}
        cost = 0.0
    else:
        cost = twin.data_cost(X, y, training=True, weights=weights)
        found = twin.gradients(X, y, weights=weights)
        gradients = {name: getattr(found, name) for name in LEARNED}
    twin._move_running_statistics(X)
    formula.step({name: getattr(twin, name) for name in LEARNED}, gradients)
    return cost


def _distance(net, twin):
    names = (*LEARNED, "running_means", "running_vars")
    pairs = [pair for name in names for pair in zip(getattr(net, name), getattr(twin, name), strict=True)]
    return max(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()) for found, expected in pairs)
