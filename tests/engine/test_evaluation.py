"""A training evaluates its validation rows where its steps leave the parameters, to the bits of `MLP.cost`."""

import numpy as np
import pytest

from fastmlp import MLP, train
from fastmlp.batchnorm import BatchNorm
from fastmlp.losses import CrossEntropy
from fastmlp.optimizers import SGD, Adam
from fastmlp.stopping import EarlyStopping

N, N_IN, CLASSES = 230, 21, 3
KINDS = {
    "relu": {},
    "factors": {"activation": "selu", "input_factors": True},
    "dropout": {"activation": "gelu", "dropout": 0.3},
    "norm": {"batch_norm": BatchNorm()},
    "float64": {"activation": "mish", "input_factors": True, "dtype": "float64"},
}


def _rows(rng):
    x = rng.standard_normal((N, N_IN))
    return x, rng.integers(0, CLASSES, N), rng.random(N)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_record_has_what_the_network_says(kind, optimizer, threads, rng):
    """The steps of so wide a network have two threads; the held-out rows are three chunks."""
    held_out, loss, seen = _rows(rng), CrossEntropy(label_smoothing=0.1), []
    net = MLP([N_IN, 130, 70, CLASSES], seed=1, **KINDS[kind])

    def ask(network, record):
        cost = network.cost(*held_out[:2], loss=loss, sample_weight=held_out[2])
        seen.append((record["val_cost"], cost, record["val_accuracy"]))

    train(
        net, *_rows(rng)[:2], validation=held_out, optimizer=optimizer, loss=loss, batch_size=90, epochs=4,
        callbacks=[ask], threads=threads, progress=False,
    )  # fmt: skip
    assert len(seen) == 4
    for told, asked, accuracy in seen:
        assert told == asked
        assert 0 < accuracy < 1


def test_some_rows_of_an_array_and_more_threads_than_the_training_has(rng):
    x, y, _ = _rows(rng)
    net, histories = MLP([N_IN, 5, CLASSES], seed=1), []
    start = net.snapshot()
    for threads in (1, 2):  # steps of so small a network have one thread
        net.restore(start)
        histories.append(train(net, x, y, batch_size=30, epochs=3, threads=threads, progress=False).records)
    for one, two in zip(*histories, strict=True):
        assert one["val_cost"] == two["val_cost"]


def test_the_best_epoch_comes_back_from_between_others(rng):
    """Snapshots take turns in the same arrays; those of the best and of the last epoch are not written to."""
    x, y, _ = _rows(rng)
    kept, net = [], MLP([N_IN, 40, CLASSES], seed=1)
    history = train(
        net, x, y, validation=_rows(rng)[:2], optimizer=Adam(0.01), batch_size=50, epochs=30, progress=False,
        stop=EarlyStopping("cost", min_delta=0.0, patience=30),
        callbacks=[lambda network, record: kept.append((record["val_cost"], network.snapshot()))],
    )  # fmt: skip
    best = min(range(30), key=lambda epoch: kept[epoch][0])
    assert history.best_epoch == best + 1 < 30
    np.testing.assert_array_equal(net.snapshot(), kept[best][1])


def test_without_rows_there_is_no_cost(rng):
    x, y, _ = _rows(rng)
    history = train(MLP([N_IN, 5, CLASSES]), x, y, validation=None, epochs=2, progress=False)
    assert [record["val_cost"] for record in history.records] == [None, None]
