"""Memory: data are not copied, buffers hold a few mini-batches, and nothing is written outside the buffers."""

import tracemalloc

import numpy as np
import pytest
from engine_runs import network, problem, targets_of
from networks import digest

from fastmlp import MLP, SGD, Adam, BatchNorm, train
from fastmlp.engine import Trainer, evaluate, outputs

WIDTHS, BATCH = (784, 40, 20, 10), 500
SMALL = 400_000  # bytes for Python's own objects and the imports of a first call


@pytest.fixture(params=["uint8", "float32", "float64", "int16"])
def mapped(request, tmp_path):
    """Labels, and a data set in a sparse file of 31 to 63 MB."""
    dtype = np.dtype(request.param)
    n = 40_000 if dtype.itemsize == 1 else 10_000
    X = np.memmap(tmp_path / "x.raw", dtype, "w+", shape=(n, WIDTHS[0]))
    X[::100] = 1
    y = np.arange(n) % WIDTHS[-1]
    return np.memmap(tmp_path / "x.raw", dtype, "r", shape=X.shape), y


def _peak(function, *arguments, **keywords):
    function(*arguments, **keywords)  # a first call, because imports and compiled code stay in memory
    tracemalloc.start()
    try:
        function(*arguments, **keywords)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("placement", [None, "before_relu"])
def test_training(mapped, placement):
    X, y = mapped
    net = MLP(WIDTHS, batch_norm=None if placement is None else BatchNorm(placement, affine=True))
    settings = {"optimizer": SGD(0.01), "batch_size": BATCH, "epochs": 1, "threads": 2, "progress": False}
    peak = _peak(train, net, X, y, validation=0.1, **settings)
    # activations, their gradients, and with batch norm the normalised values
    mini_batch = 4 * BATCH * (WIDTHS[0] + 3 * sum(WIDTHS[1:]))
    parameters = 4 * net.n_parameters
    indices = 8 * len(X)
    # the order of an epoch and the split, or one chunk of 4 MB of booleans while the data are checked
    allowed = 2 * mini_batch + 6 * parameters + 4 * indices + 4 * SMALL
    assert allowed < X.nbytes / 2, "the bound must notice a copy of the data"
    assert peak < allowed


def test_prediction_and_evaluation(mapped):
    X, y = mapped
    net = MLP(WIDTHS)
    result = 4 * len(X) * WIDTHS[-1]
    order = 8 * len(X)
    assert _peak(net.predict_proba, X, threads=2) < result + order + 8 * net.n_parameters * 4 + 4 * SMALL
    assert _peak(net.cost, X, y, threads=2) < order + 8 * net.n_parameters * 4 + 4 * SMALL


def test_nothing_stays():
    X, y = problem(2000, 300, 10, "uint8")
    net = MLP([300, 200, 10])
    settings = {"batch_size": 500, "epochs": 2, "threads": 2, "progress": False}
    train(net, X, y, **settings)
    tracemalloc.start()
    left = []
    for _ in range(4):
        train(net, X, y, **settings)
        left.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    # the network keeps its parameters as the last evaluation packed them; further trainings keep no more memory
    assert left[0] < 2 * 4 * net.n_parameters + SMALL
    assert left[3] - left[0] < SMALL < 3 * 4 * net.n_parameters


# ---- guard zones

GUARD = 1024  # elements


def _guarded(array, value):
    """Copy the array between two zones of a value, on a cache line; return the whole buffer and the array."""
    whole = np.full(array.size + 2 * GUARD + 64, value, array.dtype)
    skip = -whole.ctypes.data % 64 // array.itemsize
    inner = whole[skip + GUARD : skip + GUARD + array.size]
    inner[:] = array
    return inner, [whole[: skip + GUARD], whole[skip + GUARD + array.size :]]


def _guard_buffers(trainer):
    """Put zones around every buffer of a trainer; return them."""
    zones = []
    # zones of NaN: a value that is read from a zone spreads
    for holder, names, value in (
        (trainer.workspace, ("rows", "statistics", "sums", "costs", "gradient_squares"), np.nan),
        (trainer.workspace, ("control", "arrivals"), -1),
        (trainer.packed, ("buffer",), np.nan),
        (trainer, ("state",) if trainer.state is not None else (), np.nan),
    ):
        for name in names:
            inner, beside = _guarded(getattr(holder, name), value)
            setattr(holder, name, inner)
            zones += beside
    return zones


def _check_guards(make, order):
    """Check that zones beside the buffers change no bit and stay unchanged. `make` returns a network and a trainer."""
    results = []
    for guarded in (True, False):
        net, trainer = make()
        zones = _guard_buffers(trainer) if guarded else []
        costs = trainer.run_epoch(order)
        results.append((digest(net), costs.tobytes()))
        assert net.is_finite()
        for zone in zones:
            assert (np.isnan(zone) if zone.dtype.kind == "f" else zone == -1).all()
    assert results[0] == results[1]


@pytest.mark.parametrize("widths", [(5, 3), (33, 17, 20, 18), (16, 16, 16, 16), (1, 40, 1, 9)], ids=str)
@pytest.mark.parametrize("batch_size", [1, 30, 97, 600])
def test_nothing_is_written_beside_the_buffers(widths, batch_size, norm, dtype, all_threads):
    X, y = problem(601, widths[0], widths[-1], "uint8")

    def make():
        net = network(widths, norm, dtype, input_scale=1 / 255)
        return net, Trainer(net.network, X, y, batch_size, SGD(0.05), 3)

    _check_guards(make, np.arange(601))


@pytest.mark.parametrize("widths", [(5, 3), (33, 17, 20, 18), (1, 40, 1, 9)], ids=str)
@pytest.mark.parametrize("batch_size", [1, 97])
def test_nor_by_activations_dropout_clipping_and_moments(widths, batch_size, norm, dtype, all_threads):
    X, _ = problem(201, widths[0], 2, "uint8")

    def make():
        net = network(widths, norm, dtype, input_scale=1 / 255, activation="gelu", output="logistic", dropout=0.3)
        optimizer, weights = Adam(0.01, clip_norm=0.5), np.ones(201)
        return net, Trainer(net.network, X, targets_of(net, 201), batch_size, optimizer, 3, sample_weight=weights)

    _check_guards(make, np.arange(201))


@pytest.mark.parametrize(
    ("optimizer", "functions"),
    [(SGD(0.05), {}), (Adam(0.01, clip_norm=0.5), {"activation": "logistic", "dropout": 0.3})],
    ids=["plain", "all"],
)
def test_rows_beyond_the_batch_may_hold_anything(optimizer, functions, norm, dtype):
    X, y = problem(45, 20, 3, "uint8")
    nets = []
    for garbage in (0.0, np.nan):
        net = network([20, 17, 9, 3], norm, dtype, input_scale=1 / 255, **functions)
        trainer = Trainer(net.network, X, y, 9, optimizer, 1)
        lanes = trainer.plan.lanes
        trainer.workspace.rows.reshape(-1, trainer.plan.stride // lanes, lanes)[:, 9:] = garbage
        trainer.run_epoch(np.arange(45))
        nets.append(digest(net))
    assert nets[0] == nets[1]


def test_prediction_writes_nothing_beside_its_result(dtype):
    X, y = problem(200, 21, 18, "uint8")
    net = network([21, 17, 18], None, dtype, input_scale=1 / 255)
    before, labels = X.copy(), y.copy()
    outputs(net.network, X, 3)
    evaluate(net.network, X, y, np.arange(0, 200, 3), 3)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(y, labels)
