"""Leaving out the zeros of the data: it changes no bit, and it is done where it saves time."""

import numpy as np
import pytest
from engine_runs import network
from networks import digest

from fastmlp import SGD, Adam, BatchNorm, train
from fastmlp.engine import Trainer, evaluate, inference, outputs, zeros


def _sparse(rng, shape, share):
    values = rng.standard_normal(shape).astype(np.float32)
    values[rng.random(shape) > share] = 0
    values[rng.random(shape) < 0.1] = -0.0
    return values


# widths, batch norm, batch size, rows, optimizer
NETWORKS = {
    "narrow": ([33, 20, 7, 5, 10], None, 32, 201, SGD(0.2, weight_decay=0.01)),
    "wide": ([300, 130, 10], None, 150, 350, SGD(0.2, weight_decay=0.01)),
    "one_layer": ([200, 40], None, 37, 150, SGD(0.2)),
    "momentum": ([50, 33, 5], None, 41, 150, SGD(0.1, momentum=0.9, weight_decay=0.01)),
    "adam": ([130, 57, 10], None, 100, 301, Adam(0.01)),
    "clipped": ([130, 57, 10], None, 64, 301, SGD(0.2, clip_norm=0.1)),
    "before": ([133, 40, 7, 10], BatchNorm(placement="before_relu", affine=True), 61, 201, SGD(0.2)),
    "after": ([133, 40, 7, 10], BatchNorm(placement="after_relu"), 600, 1300, SGD(0.2)),
}


@pytest.mark.parametrize("name", list(NETWORKS))
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_leaving_out_zeros_changes_no_bit(name, share, dtype, all_threads, monkeypatch):
    widths, norm, batch_size, n, optimizer = NETWORKS[name]
    rng = np.random.default_rng(4)
    X = _sparse(rng, (n, widths[0]), share)
    y = rng.integers(0, widths[-1], n)
    monkeypatch.setattr(inference, "SAMPLED_FLOP", 0)
    found = []
    for listed, threads in ((False, 1), (True, 1), (True, 2), (True, 3)):
        monkeypatch.setattr(zeros, "mostly_zeros", lambda *_, listed=listed: listed)
        net = network(widths, batch_norm=norm, dtype=dtype.name)
        history = train(
            net, X, y, optimizer=optimizer, batch_size=batch_size, epochs=2, threads=threads, progress=False, seed=1
        )
        predicted, _ = outputs(net.network, X, threads)
        found.append(
            (digest(net), history.records[-1]["cost"], predicted.tobytes(), evaluate(net.network, X, y, None, threads))
        )
    assert net.is_finite()
    assert all(others == found[0] for others in found[1:])


def test_who_gets_lists(dtype):
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 100)
    for share, listed in ((0.05, True), (1.0, False)):
        X = _sparse(rng, (100, 60), share)
        trainer = Trainer(network([60, 8, 3], dtype=dtype.name).network, X, y, 50, SGD(0.1), 1)
        assert bool(trainer.layers["forward"][0]) == bool(trainer.layers["update"][0]) == listed
        assert not trainer.layers["forward"][1:].any()
        assert (trainer.workspace.lists.size > 1) == listed


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64", "int16"])
def test_which_data_are_mostly_zeros(kind):
    x = np.random.default_rng(2).integers(1, 100, (500, 40)).astype(kind)
    assert not zeros.mostly_zeros(x, 100)
    x[:, 20:] = 0
    assert zeros.mostly_zeros(x, 100)
    assert not zeros.mostly_zeros(x, 20)  # half of the terms are left: too many for few outputs
    x[:, 10:] = 0
    assert zeros.mostly_zeros(x, 20)
    assert not zeros.mostly_zeros(x[:, :15], 100)
    assert not zeros.mostly_zeros(x[:0], 100)


@pytest.mark.parametrize("height", [2, 4])
def test_whole_tiles_of_rows_are_looked_at(height, monkeypatch):
    monkeypatch.setattr(zeros, "HEIGHT", height)
    x = np.ones((9, 32), np.float32)
    x[:, 8:] = 0
    assert not zeros.mostly_zeros(x[: height - 1], 100)
    assert zeros.mostly_zeros(x[:height], 100)
    x[height:] = 1  # rows beyond the last whole tile
    assert zeros.mostly_zeros(x[: height + 1], 100)


def test_half_zeros_anywhere_do_not_pay():
    x = np.random.default_rng(3).integers(0, 2, (500, 40)).astype(np.float32)
    assert not zeros.mostly_zeros(x, 100)
