"""Workers that die: others take over, to the same bits, or the fit ends with a clear error."""

import os
import signal
import threading

import dask
import dask.array as da
import numpy as np
import pytest
from clusters import SMALL, cluster_of, cut, deadly, persisted

from fastmlp.dask import MLPClassifier, supervision

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def dying(tmp_path, monkeypatch):
    """A cluster of its own for each test, which may kill the workers; their nannies start others, mostly."""
    monkeypatch.setattr(supervision, "LOOK", 0.1)
    with cluster_of(2, tmp_path) as client:
        yield client


def kill(client, address):
    (process,) = client.run(os.getpid, workers=[address]).values()
    os.kill(process, signal.SIGKILL)


def killer(client, address, epoch):
    """A callback that kills the worker behind an epoch."""

    def callback(_, record):
        if record["epoch"] == epoch:
            kill(client, address)

    return callback


@pytest.mark.parametrize(
    ("lazy", "options"),
    [(False, {}), (True, {"dropout": 0.1, "sync_unit": "steps", "sync_every": 2})],
    ids=["persisted", "dealt"],
)
def test_a_worker_that_dies_is_replaced(dying, table, lazy, options):
    X, y, _ = table
    dX, dy = cut(X, y)
    first, second = sorted(dying.nthreads())
    homes = [first, second, first, second, first, second]
    if not lazy:
        dX, dy = (persisted(dying, whole, homes, allow_other_workers=True) for whole in (dX, dy))
    valid = {"X_val": dX, "y_val": dy}
    whole = MLPClassifier(**SMALL | options).fit(dX, dy, **valid)
    model = MLPClassifier(callbacks=[killer(dying, second, 2)], **SMALL | options).fit(dX, dy, **valid)
    assert second not in dying.nthreads()
    assert model.history_.epochs == 3
    assert model.partitions_ == whole.partitions_
    np.testing.assert_array_equal(model.network_.snapshot(), whole.network_.snapshot())
    assert model.validation_scores_ == whole.validation_scores_


@pytest.mark.parametrize("delay", [0.05, 0.4])
def test_it_may_die_at_any_moment(dying, table, delay):
    X, y, _ = table
    data = cut(X, y)
    whole = MLPClassifier(sync_unit="steps", **SMALL | {"max_iter": 6}).fit(*data)
    address = sorted(dying.nthreads())[0]
    (process,) = dying.run(os.getpid, workers=[address]).values()
    timer = threading.Timer(delay, os.kill, (process, signal.SIGKILL))
    timer.start()
    model = MLPClassifier(sync_unit="steps", **SMALL | {"max_iter": 6}).fit(*data)
    timer.join()
    np.testing.assert_array_equal(model.network_.snapshot(), whole.network_.snapshot())


def test_all_workers_may_die(dying, table):
    X, y, _ = table
    data = cut(X, y)
    whole = MLPClassifier(**SMALL).fit(*data)
    callbacks = [killer(dying, address, 1) for address in dying.nthreads()]
    model = MLPClassifier(callbacks=callbacks, **SMALL).fit(*data)
    np.testing.assert_array_equal(model.network_.snapshot(), whole.network_.snapshot())


def test_too_many_deaths_end_the_fit(dying, table):
    data = cut(*table[:2])
    short = MLPClassifier(**SMALL | {"max_iter": 2}).fit(*data)
    model = MLPClassifier(callbacks=[killer(dying, sorted(dying.nthreads())[0], 2)], **SMALL)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(RuntimeError, match="workers died 1 times in one part of the training") as caught,
    ):
        model.fit(*data)
    assert caught.value.__notes__ == ["The network is as it was after epoch 2."]
    assert model.history_.epochs == 2
    np.testing.assert_array_equal(model.network_.snapshot(), short.network_.snapshot())


def test_partitions_that_kill_their_workers_end_the_fit(dying, table):
    dX, dy = cut(*table[:2])
    model = MLPClassifier(**SMALL)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        pytest.raises(RuntimeError, match=r"workers died 2 times|a worker died again and again") as caught,
    ):
        model.fit(dX.map_blocks(deadly, dtype=float, meta=np.empty((0, 0))), dy)
    assert not hasattr(model, "network_")
    assert not hasattr(caught.value, "__notes__")


def test_data_that_are_lost_end_the_fit(dying, table):
    X, y, _ = table
    homes = sorted(dying.nthreads())
    parts = [
        [dying.scatter(half, workers=[home], hash=False) for half, home in zip(np.split(whole, 2), homes, strict=True)]
        for whole in (X, y)
    ]
    dX, dy = (
        da.concatenate([da.from_delayed(part, (120, *whole.shape[1:]), whole.dtype) for part in own])
        for own, whole in zip(parts, (X, y), strict=True)
    )
    model = MLPClassifier(callbacks=[killer(dying, homes[1], 1)], **SMALL)
    with pytest.raises(RuntimeError, match=r"partitions are lost, .* and cannot be computed again"):
        model.fit(dX, dy)


def test_partitions_that_no_worker_may_compute_end_the_fit(dying, table, monkeypatch):
    monkeypatch.setattr(supervision, "STILL", 3.0)
    homes = sorted(dying.nthreads())
    data = [persisted(dying, whole, 3 * homes) for whole in cut(*table[:2])]
    model = MLPClassifier(callbacks=[killer(dying, homes[1], 1)], **SMALL)
    with pytest.raises(RuntimeError, match="no task has run for 3 s: none of the workers that are left can compute"):
        model.fit(*data)
    assert model.history_.epochs == 1


def test_no_worker_at_all_ends_the_fit(table, tmp_path, monkeypatch):
    monkeypatch.setattr(supervision, "STILL", 1.0)
    with cluster_of(0, tmp_path), pytest.raises(RuntimeError, match="the cluster must have a worker, got none for 1 s"):
        MLPClassifier(**SMALL).fit(*cut(*table[:2]))


def test_ctrl_c_keeps_the_last_average(client, table):
    data = cut(*table[:2])

    def press(_, record):
        if record["epoch"] == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(match="Training interrupted by user"):
        model = MLPClassifier(callbacks=[press], **SMALL).fit(*data)
    assert (model.history_.stopped_because, model.history_.epochs) == ("interrupted", 2)
    short = MLPClassifier(**SMALL | {"max_iter": 2}).fit(*data)
    np.testing.assert_array_equal(model.network_.snapshot(), short.network_.snapshot())
