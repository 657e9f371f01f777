"""Functions that `train` calls after every epoch."""

import numpy as np
import pytest

from fastmlp import MLP, SGD, EarlyStopping, train

OPTIONS = {"optimizer": SGD(0.1), "batch_size": 32, "progress": False}


def test_they_see_the_network_and_every_record(blobs):
    net, seen = MLP([5, 4, 3]), []

    def look(network, record):
        seen.append((network.snapshot().tobytes(), record))

    history = train(net, *blobs, epochs=3, callbacks=[look], **OPTIONS)
    assert [record for _, record in seen] == history.records
    assert len({snapshot for snapshot, _ in seen}) == 3
    assert seen[-1][0] == net.snapshot().tobytes()
    assert history.stopped_because == "epochs"


def test_one_that_returns_true_ends_the_training_after_all_were_called(blobs):
    calls = []
    stop = [lambda net, record: record["epoch"] == 2, lambda net, record: calls.append(record["epoch"])]
    history = train(MLP([5, 4, 3]), *blobs, epochs=9, callbacks=stop, **OPTIONS)
    assert (history.epochs, history.stopped_because, calls) == (2, "callback", [1, 2])


def test_what_is_not_true_ends_nothing(blobs):
    for answer in (None, False, "yes", np.ones(2)):
        history = train(MLP([5, 4, 3]), *blobs, epochs=2, callbacks=[lambda *_, answer=answer: answer], **OPTIONS)
        assert history.epochs == 2


def test_they_cannot_change_the_history(blobs):
    history = train(MLP([5, 4, 3]), *blobs, epochs=2, callbacks=[lambda net, record: record.clear()], **OPTIONS)
    assert [record["epoch"] for record in history.records] == [1, 2]


def test_they_change_nothing_by_being_there(blobs):
    alone, watched = MLP([5, 4, 3]), MLP([5, 4, 3])
    train(alone, *blobs, epochs=2, **OPTIONS)
    train(watched, *blobs, epochs=2, callbacks=(lambda net, record: None,), **OPTIONS)
    assert alone.snapshot().tobytes() == watched.snapshot().tobytes()


def test_the_best_network_is_restored_when_one_ends_the_training(blobs):
    net, snapshots = MLP([5, 4, 3]), []

    def stop_at_4(network, record):
        snapshots.append((record["val_cost"], network.snapshot().tobytes()))
        return record["epoch"] == 4

    rule = EarlyStopping(metric="cost", min_delta=0.0, patience=9)
    options = OPTIONS | {"optimizer": SGD(2.0)}
    history = train(net, *blobs, epochs=9, stop=rule, callbacks=[stop_at_4], **options)
    assert history.stopped_because == "callback"
    assert net.snapshot().tobytes() == min(snapshots)[1]


def test_early_stopping_is_the_reason_where_both_end_it(blobs):
    rule = EarlyStopping(metric="cost", min_delta=100.0, patience=1)
    both = [lambda net, record: record["epoch"] == 2]
    history = train(MLP([5, 4, 3]), *blobs, epochs=9, stop=rule, callbacks=both, **OPTIONS)
    assert (history.epochs, history.stopped_because) == (2, "early stopping")


def test_an_error_comes_through_and_the_network_is_whole(blobs):
    net, kept = MLP([5, 4, 3]), []

    def fail(network, record):
        kept.append(network.snapshot().tobytes())
        if record["epoch"] == 2:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        train(net, *blobs, epochs=9, callbacks=[fail], **OPTIONS)
    assert net.snapshot().tobytes() == kept[-1]
