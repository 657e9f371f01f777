"""Training on a stream: the rows of an epoch, the same bits, what stays in memory, and what is left after an error."""

import functools
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest
from networks import digest
from processes import printed
from pyarrow import parquet
from refusals import refused

from fastmlp import MLP, SGD, Adam, BatchNorm, EarlyStopping, schedules, train
from fastmlp.datasets import StreamError, stream
from fastmlp.engine import Trainer
from fastmlp.streaming.epochs import shuffled_epoch
from fastmlp.streaming.filling import Filler
from fastmlp.streaming.rows import StreamedRows

QUIET = {"progress": False}


def numbers(history):
    records = [{name: value for name, value in record.items() if name != "seconds"} for record in history.records]
    return records, history.batch_costs.tobytes()


def streamed(folder, **options):
    return stream(folder, target="kind", **{"rows_in_memory": 200, **options})


def test_it_learns_as_in_memory(rows, folder):
    X, y = rows.X, rows.y
    accuracies = []
    for data in ((streamed(folder),), (X, y)):
        net = MLP([7, 16, 3], seed=1)
        history = train(net, *data, optimizer=SGD(0.1), batch_size=20, epochs=15, **QUIET)
        assert history.epochs == 15
        accuracies.append(net.accuracy(X, y))
    assert min(accuracies) > 0.9
    assert abs(accuracies[0] - accuracies[1]) < 0.04


def test_the_network_takes_the_names(folder):
    net = MLP([7, 3])
    train(net, streamed(folder), epochs=1, batch_size=20, **QUIET)
    assert net.class_names == ["ash", "birch", "cedar"]
    assert net.feature_names == ["a", "b", "c", "flag", "colour=blue", "colour=green", "colour=red"]


@pytest.mark.parametrize("batch_size", [1, 7, 32, 60])
def test_every_row_is_trained_on_once_an_epoch(rows, folder, batch_size):
    net = MLP([7, 3], dtype="float64")
    # a rate that moves no weight: the cost of an epoch is that of the starting network over all rows
    history = train(
        net, streamed(folder), validation=None, optimizer=SGD(1e-30), batch_size=batch_size, epochs=2, **QUIET
    )
    assert (history.steps, len(history.batch_costs)) == (2 * -(-1000 // batch_size), 2 * -(-1000 // batch_size))
    for record in history.records:
        assert record["cost"] == pytest.approx(net.cost(rows.X, rows.y), rel=1e-12)
    first, second = np.split(history.batch_costs, 2)
    assert (first != second).any()


@pytest.mark.parametrize("widths", [[7, 3], [7, 90, 3]])
def test_one_block_has_the_bits_of_an_array(rows, folder, dtype, widths):
    """Data that fit into one block: after the order of the row groups, the draws are those of an array."""
    found = streamed(folder, rows_in_memory=10_000, side_by_side=1)
    net = MLP(widths, dtype=dtype.name)
    order = np.random.default_rng(0)
    kept = net.rows_of(found, "cross_entropy")
    with kept.shuffled(order) as reader:
        (block,) = [
            (np.array(np.asarray(kept.filler.matrix(block))), block.targets[: block.rows].copy()) for block in reader
        ]
    train(net, found, validation=None, optimizer=Adam(0.01), batch_size=64, epochs=1, seed=0, **QUIET)
    other = MLP(widths, dtype=dtype.name)
    train(other, *block, validation=None, optimizer=Adam(0.01), batch_size=64, epochs=1, seed=order, **QUIET)
    assert digest(net) == digest(other)


def test_the_same_bits_at_any_number_of_threads_and_any_pause(folder, monkeypatch):
    results = []
    write = Filler.write
    for threads, pause in ((1, 0), (2, 0), (3, 0), (2, 0.002)):

        def slow(*arguments, pause=pause):
            time.sleep(pause)
            return write(*arguments)

        monkeypatch.setattr(Filler, "write", slow)
        net = MLP([7, 200, 3], batch_norm=BatchNorm(), dropout=0.1)
        stop = EarlyStopping(metric="cost", patience=2)
        history = train(
            net, streamed(folder), validation=0.3, optimizer=Adam(0.01, clip_norm=1.0), batch_size=50, epochs=3, seed=4,
            threads=threads, stop=stop, **QUIET,
        )  # fmt: skip
        results.append((digest(net), numbers(history)))
    assert all(result == results[0] for result in results[1:])


def test_seeds_decide(folder):
    digests = []
    for seed in (0, 0, 1):
        net = MLP([7, 3])
        train(net, streamed(folder), optimizer=SGD(0.1), batch_size=20, epochs=1, seed=seed, **QUIET)
        digests.append(digest(net))
    assert digests[0] == digests[1] != digests[2]


def test_going_on_with_the_generator_gives_the_bits_of_the_whole(folder):
    once, twice = MLP([7, 8, 3]), MLP([7, 8, 3])
    options = {"validation": None, "optimizer": SGD(0.1), "batch_size": 20}
    train(once, streamed(folder), epochs=4, seed=5, **options, **QUIET)
    rng = np.random.default_rng(5)
    for _ in range(2):
        train(twice, streamed(folder), epochs=2, seed=rng, **options, **QUIET)
    assert digest(once) == digest(twice)


def test_a_checkpoint_goes_on_to_the_same_bits(rows, folder, tmp_path):
    def stops(net, record):
        if record["epoch"] == 2:
            raise InterruptedError

    def run(net, callbacks=(), path=None):
        return train(
            net, streamed(folder), optimizer=Adam(0.01), batch_size=20, epochs=4, checkpoint=path, callbacks=callbacks,
            seed=3, **QUIET,
        )  # fmt: skip

    whole, broken = MLP([7, 8, 3], dropout=0.2), MLP([7, 8, 3], dropout=0.2)
    expected = run(whole)
    with pytest.raises(InterruptedError):
        run(broken, [stops], tmp_path / "run.safetensors")
    again = MLP([7, 8, 3], dropout=0.2)
    assert numbers(run(again, path=tmp_path / "run.safetensors")) == numbers(expected)
    assert digest(again) == digest(whole)
    parquet.write_table(rows.table.slice(0, 500), folder / "part-1.parquet")
    for net in (again, MLP([7, 8, 3], dropout=0.2)):
        before = digest(net), net.class_names, net.feature_names
        refused(lambda net=net: run(net, path=tmp_path / "run.safetensors"), ValueError, ["data.rows"])
        assert (digest(net), net.class_names, net.feature_names) == before


def test_rates_are_those_of_the_steps(folder):
    rates = []

    class Seen(schedules.Schedule):
        def rates(self, steps, steps_per_epoch, epochs):
            rates.append((steps.tolist(), steps_per_epoch, epochs))
            return np.full(len(steps), 0.1)

    train(MLP([7, 3]), streamed(folder), validation=None, optimizer=SGD(Seen()), batch_size=30, epochs=2, **QUIET)
    assert rates[-2:] == [(list(range(34)), 34, 2), (list(range(34, 68)), 34, 2)]


def test_the_rows_in_memory_are_as_few_as_asked(folder, monkeypatch):
    made = []
    block = Filler.block
    monkeypatch.setattr(Filler, "block", lambda self, rows: made.append(rows) or block(self, rows))
    found = streamed(folder, rows_in_memory=150)
    train(MLP([7, 3]), found, validation=0.2, batch_size=20, epochs=2, **QUIET)
    assert made == [60, 60]  # training and validation share them
    assert sum(made) + found.room.chunk <= 150


def test_no_room_for_three_batches(folder):
    found = streamed(folder, rows_in_memory=44)
    refused(lambda: train(MLP([7, 3]), found, batch_size=20, **QUIET), ValueError, ["at least 60", "got 44"])


def test_no_thread_is_left(folder):
    before = threading.active_count()
    train(MLP([7, 3]), streamed(folder), batch_size=20, epochs=1, threads=1, **QUIET)
    assert [thread.name for thread in threading.enumerate() if thread.name == "fastmlp-reader"] == []
    assert threading.active_count() <= before + 1


# ---- validation


def test_a_fraction_is_held_out_row_by_row(rows, folder):
    net = MLP([7, 3], dtype="float64")
    history = train(net, streamed(folder), validation=0.25, optimizer=SGD(1e-30), batch_size=20, epochs=1, **QUIET)
    held_out = 1000 - 20 * (history.steps - 1)
    assert 200 < held_out < 300
    record = history.records[0]
    # what is trained on and what is held out are all rows together
    assert 0.9 < record["val_cost"] / net.cost(rows.X, rows.y) < 1.1


def test_validation_by_arrays_and_by_another_stream(rows, folder, tmp_path):
    other = rows.slice(0, 100)
    # its categories and classes are fewer: those of the training count
    keep = np.flatnonzero((other.y > 0) & (other.X[:, 4] == 0))
    parquet.write_table(other.table.take(pa.array(keep)), tmp_path / "val.parquet")
    records = []
    for validation in (stream(tmp_path / "val.parquet", target="kind"), (other.X[keep], other.y[keep])):
        net = MLP([7, 3])
        history = train(net, streamed(folder), validation=validation, batch_size=20, epochs=2, **QUIET)
        records.append([(record["val_cost"], record["val_accuracy"]) for record in history.records])
    np.testing.assert_allclose(records[0], records[1], rtol=1e-6)


def test_arrays_validated_by_a_stream(rows, folder):
    net = MLP([7, 3])
    net.class_names = ["ash", "birch", "cedar"]
    history = train(net, rows.X, rows.y, validation=streamed(folder), batch_size=20, epochs=1, **QUIET)
    assert history.records[0]["val_accuracy"] == pytest.approx(net.accuracy(rows.X.astype(np.float32), rows.y))


def test_class_weights(rows, folder):
    costs = []
    weights = {0: 3.0, 2: 0.5}
    for class_weight in (weights, "balanced"):
        net = MLP([7, 3], dtype="float64")
        options = {"validation": None, "optimizer": SGD(1e-30), "batch_size": 1000, "class_weight": class_weight}
        streams = train(net, streamed(folder, rows_in_memory=5000), epochs=1, **options, **QUIET)
        arrays = train(net, rows.X.astype("f8"), rows.y, epochs=1, **options, **QUIET)
        costs.append((streams.records[0]["cost"], arrays.records[0]["cost"]))
    np.testing.assert_allclose(*zip(*costs, strict=True), rtol=1e-6)


@pytest.fixture
def weights(rows):
    """The weights of the rows, which stand in a column of their table; a third of the rows has none."""
    found = np.where(np.arange(1000) < 350, 0.0, np.arange(1000) % 7)
    rows.table = rows.table.append_column("times", pa.array(found))
    return found


def weighted(rows, **options):
    path = rows.folder / "weighted.parquet"
    parquet.write_table(rows.table, path, row_group_size=70)
    return streamed(path, **{"sample_weight": "times"} | options)


@pytest.mark.parametrize("class_weight", [None, {0: 3.0, 2: 0.0}])
def test_weights_of_rows(rows, weights, class_weight):
    costs = []
    options = {"optimizer": SGD(1e-30), "batch_size": 1000, "class_weight": class_weight, "epochs": 1}
    for data, own in ((weighted(rows, rows_in_memory=5000), None), (rows.X.astype("f8"), weights)):
        net = MLP([7, 3], dtype="float64")
        y = None if own is None else rows.y
        history = train(net, data, y, sample_weight=own, validation=None, **options, **QUIET)
        costs.append(history.records[0]["cost"])
    assert costs[0] == pytest.approx(costs[1], rel=1e-6)


def test_evaluations_are_weighted(rows, weights):
    net = MLP([7, 3], dtype="float64")
    found, X = weighted(rows, rows_in_memory=50), rows.X.astype("f8")  # also blocks without any weight
    assert net.cost(found) == pytest.approx(net.cost(X, rows.y, sample_weight=weights))
    right = net.predict(X) == rows.y
    assert net.accuracy(found) == pytest.approx(np.average(right, weights=weights))
    history = train(net, found, validation=0.3, batch_size=10, epochs=1, **QUIET)
    assert 0 < history.records[0]["val_cost"] < 3
    assert "times" not in net.feature_names


def test_a_class_without_weight_fills_a_block_of_the_validation(rows, tmp_path):
    order = pa.array(np.argsort(rows.y, kind="stable"))
    parquet.write_table(rows.table.take(order), tmp_path / "sorted.parquet", row_group_size=50)
    net, found = MLP([7, 3]), streamed(tmp_path / "sorted.parquet", rows_in_memory=60)
    history = train(net, found, validation=0.3, class_weight={0: 0.0}, batch_size=10, epochs=1, **QUIET)
    assert np.isfinite(history.records[0]["val_cost"])


def test_another_column_of_weights_is_another_training(rows, weights, tmp_path):
    rows.table = rows.table.append_column("other", rows.table["times"])
    call = {"validation": None, "batch_size": 20, "epochs": 1, "checkpoint": tmp_path / "run.safetensors"}
    columns = {"columns": ["a", "b", "c", "flag", "colour"]}
    train(MLP([7, 3]), weighted(rows, **columns), **call, **QUIET)
    other = weighted(rows, sample_weight="other", **columns)
    refused(lambda: train(MLP([7, 3]), other, **call, **QUIET), ValueError, ["sample_weight"])


# ---- errors


def test_wrong_weights(rows, weights, tmp_path):
    wrong = {
        "must hold finite weights of at least 0, got -": -weights,
        "'times' has no value in row 0": pa.array([None] * 1000, pa.float64()),
        "got 0 for each of 1000 rows": 0 * weights,
    }
    for words, column in wrong.items():
        rows.table = rows.table.drop_columns("times").append_column("times", pa.array(column))
        net = MLP([7, 3])
        before, found = digest(net), weighted(rows)
        call = functools.partial(train, net, found, validation=None, optimizer=Adam(), batch_size=20, epochs=1)
        refused(call, StreamError, [words])
        assert digest(net) == before
    calls = {
        "sample_weight must be the name": lambda: weighted(rows, sample_weight=1),
        "no column 'none'": lambda: weighted(rows, sample_weight="none"),
        "holds categories, expected a number": lambda: weighted(rows, sample_weight="colour"),
        "expected another column than the target": lambda: weighted(rows, sample_weight="kind"),
        "without the target and weights": lambda: weighted(rows, columns=["a", "times"]),
        "expected no cache": lambda: weighted(rows, cache=tmp_path),
        "an array or an .npy file": lambda: stream(rows.X, target=rows.y, sample_weight="times"),
    }
    for words, call in calls.items():
        refused(call, (ValueError, TypeError), [words])


def test_an_error_leaves_the_network_of_the_last_whole_epoch(rows, folder):
    digests = []

    def cut(net, record):
        digests.append(digest(net))
        if record["epoch"] == 2:
            parquet.write_table(rows.table.slice(0, 5), folder / "part-1.parquet")

    net = MLP([7, 8, 3])
    found = streamed(folder)
    call = {"validation": None, "optimizer": SGD(0.1), "batch_size": 20, "epochs": 9, "callbacks": [cut]}
    refused(lambda: train(net, found, **call, **QUIET), StreamError, ["part-1.parquet", "the file changed"])
    assert len(digests) == 2
    assert digest(net) == digests[-1]


def test_what_is_refused_before_any_work(folder):
    net = MLP([7, 3])
    before = digest(net)
    calls = {
        "y must be left out": lambda: train(net, streamed(folder), np.zeros(1000, int)),
        "sample_weight must be left out": lambda: train(net, streamed(folder), sample_weight=np.ones(1000)),
        "must have 5 inputs": lambda: train(MLP([5, 3]), streamed(folder)),
        "has 3 classes, expected at most 2": lambda: train(MLP([7, 2]), streamed(folder)),
        "holds categories": lambda: train(MLP([7, 1], output="identity"), streamed(folder)),
        "target: the stream has none": lambda: train(MLP([1, 1], output="identity"), stream(folder, columns=["a"])),
        "a metric of your own": lambda: train(
            net, streamed(folder), batch_size=20, stop=EarlyStopping(metric=lambda net, X, y: 1.0)
        ),
    }
    for words, call in calls.items():
        refused(call, ValueError, [words])
    assert digest(net) == before
    assert (net.class_names, net.feature_names) == (None, None)


def test_ctrl_c_in_an_epoch_keeps_what_was_done(folder, monkeypatch):
    blocks = []
    shuffled = StreamedRows.shuffled

    def counted(self, rng):
        blocks.append(1)
        if len(blocks) == 2:
            raise KeyboardInterrupt
        return shuffled(self, rng)

    monkeypatch.setattr(StreamedRows, "shuffled", counted)
    history = train(MLP([7, 3]), streamed(folder), batch_size=20, epochs=5, **QUIET)
    assert (history.stopped_because, history.epochs) == ("interrupted", 1)


def test_a_cost_that_is_not_finite_ends_the_training(folder):
    net = MLP([7, 8, 3])
    with pytest.warns(RuntimeWarning, match="the cost became NaN"):
        history = train(net, streamed(folder), optimizer=SGD(1e30), batch_size=20, epochs=3, **QUIET)
    assert history.stopped_because == "cost not finite"
    assert net.is_finite()


# ---- what users see of it


def test_the_bar_counts_the_steps_of_the_epoch(folder, monkeypatch):
    told = []

    def fake(trainer, order, within_epoch, rates):
        within_epoch(1)
        within_epoch(len(rates))
        return np.zeros(len(rates))

    monkeypatch.setattr("fastmlp.streaming.epochs.train_epoch", fake)
    net = MLP([7, 3])
    rows = net.rows_of(streamed(folder), "cross_entropy")
    block = rows.sample(60)
    trainer = Trainer(net.network, rows.filler.matrix(block), block.targets, 60, SGD(), 1)
    shuffled_epoch(trainer, rows, np.random.default_rng(0), told.append, np.ones(17))
    assert told == sorted(told)
    assert told[-1] == 17


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self")
def test_the_process_stays_small(tmp_path):
    # written here: what Arrow's allocator keeps of writing would come and go in the account of the program
    rows, columns, rng = 20_000, 100, np.random.default_rng(0)
    for part in range(10):
        values = rng.standard_normal((columns, rows), np.float32)
        table = pa.table({f"x{i}": values[i] for i in range(columns)} | {"y": rng.integers(0, 2, rows)})
        parquet.write_table(table, tmp_path / f"{part}.parquet", row_group_size=2000)
    assert float(printed("stream_in_little_memory", tmp_path)) < 40  # of 80 MB of rows
