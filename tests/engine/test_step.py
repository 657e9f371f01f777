"""Every network, batch size and data type: a few steps equal those of the naive float64 network."""

import itertools

import numpy as np
import pytest
from closeness import assert_close
from engine_runs import network, problem, run_epoch
from networks import digest
from reference_network import Network

from fastmlp import MLP, SGD, BatchNorm, train
from fastmlp.engine import Trainer, evaluate, outputs
from fastmlp.kernels.gather import DTYPES

AFFINE = {
    "none": None,
    "after": BatchNorm(placement="after_relu", affine=True),
    "before": BatchNorm(placement="before_relu", affine=True),
}


def check(net, X, y, batch_size, threads=2, factor=10.0):
    """Compare an epoch of the engine with the reference: parameters, costs, and predictions after it."""
    expected = Network(net)
    costs, order = run_epoch(net, X, y, batch_size, threads)
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    their_costs = [expected.step(X[rows].astype(np.float64), y[rows], 0.1, 0.01) for rows in batches]
    assert_close(costs, np.array(their_costs), net.dtype, factor)
    ours = [*net.weights, *net.biases, *net.gammas, *net.betas, *net.running_means, *net.running_vars]
    theirs = [*expected.parameters(), *expected.running_means, *expected.running_vars]
    for array, twin in zip(ours, theirs, strict=True):
        assert_close(array, twin, net.dtype, factor)
    trained = Network(net)
    assert_close(outputs(net.network, X, threads)[0], trained.outputs(X), net.dtype, factor)
    cost, accuracy = evaluate(net.network, X, y, None, threads)
    assert_close(cost, trained.cost(X, y), net.dtype, factor)
    assert accuracy == (outputs(net.network, X, 1)[0].argmax(axis=1) == y).mean()


@pytest.mark.parametrize("width", [1, 7, 16, 17, 1000])
def test_widths(width, norm, dtype, all_threads):
    X, y = problem(90, 5, 3)
    check(network([5, width, 3], norm, dtype), X, y, 40)


@pytest.mark.parametrize("width", [1, 7, 16, 17, 1000])
def test_widths_of_the_input(width, dtype):
    X, y = problem(50, width, 3, "uint8")
    check(network([width, 9, 3], None, dtype, input_scale=1 / 255), X, y, 20)


@pytest.mark.parametrize(("name", "placement"), [("float32", "none"), ("float64", "after"), ("float64", "before")])
def test_very_wide(name, placement):
    X, y = problem(40, 4096, 3, "uint8")
    check(network([4096, 7, 4096, 3], AFFINE[placement], name, input_scale=1 / 255), X, y, 40)


@pytest.mark.parametrize("depth", range(1, 7))
def test_depths(depth, norm, dtype):
    widths = [6, *itertools.islice(itertools.cycle([17, 8, 33, 5]), depth - 1), 4]
    X, y = problem(90, 6, 4)
    check(network(widths, norm, dtype), X, y, 45, factor=20.0)


@pytest.mark.parametrize("classes", [1, 2, 16, 17, 32, 100])
def test_classes(classes, dtype):
    X, y = problem(130, 6, classes)
    check(network([6, 9, classes], None, dtype), X, y, 60)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 97, 113, 129, 149, 150])
@pytest.mark.parametrize("placement", list(AFFINE))
def test_batches(batch_size, placement, all_threads):
    # features of a batch of one or two rows may have no variance; a larger eps keeps rounding errors small there
    norm = AFFINE[placement]
    if norm is not None and batch_size < 10:
        norm = BatchNorm(placement=norm.placement, affine=True, eps=0.1)
    X, y = problem(150, 6, 4)
    check(network([6, 17, 20, 4], norm, "float64"), X, y, batch_size, threads=3, factor=100.0)


@pytest.mark.parametrize("batch_size", [63, 64, 65, 513, 700, 1031])
def test_batches_with_blocks_of_more_rows(batch_size, norm, all_threads):
    X, y = problem(1031, 6, 4)
    check(network([6, 9, 17, 4], norm, "float64"), X, y, batch_size, threads=5, factor=20.0)


# ---- data


@pytest.mark.parametrize("stored", [*DTYPES, np.dtype(bool), np.dtype(np.float16)], ids=str)
def test_data_types(stored, dtype):
    X, y = problem(70, 21, 3, "uint8")
    X = (X % 128).astype(stored) if stored.kind != "b" else X > 127
    if stored.kind == "i":
        X[::3] *= -1
    scale = 1 / (128 if stored.kind != "b" else 1)
    net, twin = (network([21, 9, 3], None, dtype, input_scale=scale) for _ in range(2))
    settings = {"validation": None, "optimizer": SGD(0.1), "batch_size": 32, "epochs": 2, "progress": False}
    train(net, X, y, **settings)
    train(twin, X.astype(dtype), y, **settings)
    for array, other in zip(net.weights + net.biases, twin.weights + twin.biases, strict=True):
        assert array.tobytes() == other.tobytes()
    if stored in DTYPES:
        check(network([21, 9, 3], None, dtype, input_scale=scale), X, y, 32)


@pytest.mark.parametrize("stored", [np.int64, np.uint64, np.int32, np.uint32])
@pytest.mark.parametrize("width", [16, 21])
def test_large_integers(stored, width):
    limits = np.iinfo(stored)
    X = np.random.default_rng(0).integers(limits.min, limits.max, (40, width), stored, endpoint=True)
    X[0, 0], X[1, -1] = limits.min, limits.max
    y = np.arange(40) % 3
    check(network([width, 9, 3], None, "float64", input_scale=1 / limits.max), X, y, 16)


@pytest.mark.parametrize("stored", DTYPES, ids=str)
def test_data_are_used_where_they_are(stored, monkeypatch):
    X, y = problem(60, 5, 3, stored)
    X.flags.writeable = False
    before = X.copy()
    seen = []
    original = Trainer.__init__

    def spy(self, *arguments, **settings):
        original(self, *arguments, **settings)
        seen.append(self)

    monkeypatch.setattr(Trainer, "__init__", spy)
    for validation in (None, 0.2, (X, y)):
        train(MLP([5, 4, 3]), X, y, validation=validation, batch_size=32, epochs=1, progress=False)
    assert [np.shares_memory(trainer.x, X) for trainer in seen] == [True] * 3
    assert [trainer.x.nbytes for trainer in seen] == [X.nbytes] * 3
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("stored", ["uint8", "float32", "float64"])
def test_memory_maps(stored, tmp_path, monkeypatch):
    X, y = problem(100, 21, 3, stored)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    results = []
    for data in (X, mapped):
        net = network([21, 9, 3])
        train(net, data, y, batch_size=32, epochs=2, progress=False)
        results.append((digest(net), net.predict_proba(data).tobytes()))
    assert results[0] == results[1]
    trainer = Trainer(net.network, np.asarray(mapped), y, 32, SGD(0.1), 1)
    assert np.shares_memory(trainer.x, mapped)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)


@pytest.mark.parametrize("stored", ["float32", "float64", "uint16", "int64"])
def test_data_at_odd_addresses(stored):
    X, y = problem(100, 21, 3, stored)
    raw = np.zeros(X.nbytes + 3, np.uint8)
    odd = np.frombuffer(raw.data, stored, X.size, 3).reshape(X.shape)
    odd[:] = X
    assert not odd.flags.aligned
    nets = [network([21, 9, 3], input_scale=1 / 255) for _ in range(2)]
    for net, data in zip(nets, (X, odd), strict=True):
        train(net, data, y, batch_size=32, epochs=2, progress=False)
    assert digest(nets[0]) == digest(nets[1])


@pytest.mark.parametrize("stored", ["uint8", "int32", "uint64", ">i8"])
def test_labels_of_any_integer_type(stored):
    X, y = problem(100, 21, 3, "float32")
    nets = [network([21, 9, 3]) for _ in range(2)]
    for net, labels in zip(nets, (y, y.astype(stored)), strict=True):
        train(net, X, labels, batch_size=32, epochs=2, progress=False)
    assert digest(nets[0]) == digest(nets[1])


def test_read_only_labels_compile_nothing_anew():
    from fastmlp.engine.chunks import evaluate_chunks
    from fastmlp.engine.step import train_steps

    X, y = problem(100, 21, 3, "float32")
    settings = {"validation": (X, y), "batch_size": 32, "epochs": 1, "progress": False}
    train(network([21, 9, 3]), X, y, **settings)
    compiled = len(train_steps.signatures), len(evaluate_chunks.signatures)
    y.flags.writeable = False
    train(network([21, 9, 3]), X, y, **settings)
    assert (len(train_steps.signatures), len(evaluate_chunks.signatures)) == compiled
