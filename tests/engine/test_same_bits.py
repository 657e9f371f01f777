"""The same bits at any number of threads, from run to run, and on any CPU."""

import numpy as np
import pytest
from cpu_levels import levels
from engine_runs import network, problem
from networks import digest
from processes import answer

from fastmlp import SGD, BatchNorm, train
from fastmlp.engine import Trainer, epoch, evaluate, outputs

AFTER, BEFORE = "after_relu", "before_relu"
# widths, batch norm (placement, affine), batch size, rows, dtype: ragged last batches, blocks of 8 and of more rows
NETWORKS = {
    "logistic": ([40, 3], None, 37, 150, "float32"),
    "narrow": ([33, 20, 7, 5, 10], None, 32, 201, "float32"),
    "wide": ([50, 130, 257, 10], None, 100, 350, "float32"),
    "classes": ([17, 33, 100], None, 97, 291, "float32"),
    "after": ([33, 20, 7, 5, 10], (AFTER, False), 32, 201, "float32"),
    "after_affine": ([50, 130, 33, 17], (AFTER, True), 100, 350, "float32"),
    "before": ([33, 40, 7, 10], (BEFORE, False), 61, 201, "float32"),
    "before_affine": ([50, 130, 33, 17], (BEFORE, True), 600, 1300, "float32"),
    "float64": ([33, 47, 18], None, 50, 180, "float64"),
    "float64_after": ([33, 47, 19, 18], (AFTER, True), 50, 180, "float64"),
    "float64_before": ([33, 47, 19, 18], (BEFORE, True), 50, 180, "float64"),
}
THREADS = [1, 2, 3, 4, 7]


def _problem(name):
    widths, norm, batch_size, n, dtype = NETWORKS[name]
    X, y = problem(n, widths[0], widths[-1], "uint8")
    norm = None if norm is None else BatchNorm(placement=norm[0], affine=norm[1])
    return {"widths": widths, "batch_norm": norm, "dtype": dtype, "input_scale": 1 / 255}, X, y, batch_size


@pytest.fixture(params=list(NETWORKS))
def trained(request, all_threads):
    """Return a function that trains a new network and returns the network, its history, X and y."""
    arguments, X, y, batch_size = _problem(request.param)

    def run(threads):
        net = network(**arguments)
        optimizer = SGD(0.2, weight_decay=0.01)
        history = train(
            net, X, y, validation=0.1, optimizer=optimizer, batch_size=batch_size, epochs=3, threads=threads,
            progress=False,
        )  # fmt: skip
        return net, history, X, y

    return run


def _history(history):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in history.records]


def test_any_number_of_threads(trained):
    one, expected, X, y = trained(1)
    assert one.is_finite()
    for threads in THREADS:
        net, history, _, _ = trained(threads)
        assert digest(net) == digest(one), f"{threads} threads"
        assert history.batch_costs.tobytes() == expected.batch_costs.tobytes()
        assert _history(history) == _history(expected)
    for threads in (1, 2, 5, 7):
        assert outputs(one.network, X, threads)[0].tobytes() == outputs(one.network, X, 3)[0].tobytes()
        assert evaluate(one.network, X, y, None, threads) == evaluate(one.network, X, y, None, 3)


def test_run_after_run(trained):
    # with 4 threads on fewer cores, the threads arrive at barriers in another order in every run
    assert len({digest(trained(4)[0]) for _ in range(6)}) == 1


@pytest.mark.parametrize("threads", [1, 3, 7])
def test_the_threads_are_really_used(threads, all_threads, monkeypatch):
    X, y = problem(64, 20, 3)
    seen, worker = [], epoch.train_steps

    def spy(thread, *arguments):
        seen.append(thread)
        return worker(thread, *arguments)

    monkeypatch.setattr(epoch, "train_steps", spy)
    Trainer(network([20, 5, 3]).network, X, y, 64, SGD(0.1), threads).run_epoch(np.arange(64))
    assert sorted(seen) == list(range(threads))


def test_a_row_is_predicted_alike_wherever_it_stands(norm):
    X, _ = problem(300, 23, 18)
    net = network([23, 40, 18], norm)
    whole = net.predict_proba(X, threads=2)
    for rows in (slice(0, 1), slice(5, 6), slice(7, 108), slice(299, 300), slice(0, 97)):
        assert net.predict_proba(X[rows], threads=1).tobytes() == whole[rows].tobytes()


# ---- CPUs

TARGETS = levels()  # from the lowest to the highest, which the CPU's own target stands for
TILES = {"x86-64-v2": [2, 1], "x86-64-v3": [6, 1], "x86-64-v4": [8, 2], "x86-64-v4-bf16": [8, 2]}


@pytest.fixture(scope="module")
def native():
    return answer("digests_of_trainings")


@pytest.mark.skipif(not TARGETS, reason="no level is known for this CPU")
def test_any_cpu_has_the_tiles_of_its_highest_level(native):
    assert native["tiles"] == TILES[list(TARGETS)[-1]]


@pytest.mark.parametrize("cpu", list(TARGETS)[:-1])
def test_any_cpu(cpu, native):
    other = answer("digests_of_trainings", **TARGETS[cpu])
    assert other["tiles"] == TILES[cpu]
    assert other["digests"] == native["digests"]
