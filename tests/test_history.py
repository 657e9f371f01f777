"""The records of a training, and their output as files, frames and figures."""

import csv
import json
import math
import sys

import numpy as np
import pytest

from fastmlp import MLP, SGD, EarlyStopping, History, train

FIELDS = ["epoch", "steps", "cost", "last_cost", "val_cost", "val_accuracy", "learning_rate", "seconds"]


@pytest.fixture
def history(blobs):
    return train(
        MLP([5, 4, 3]), *blobs, validation=0.2, optimizer=SGD(0.1), batch_size=32, epochs=3, seed=4, progress=False
    )


@pytest.fixture
def unvalidated(blobs):
    return train(MLP([5, 4, 3]), *blobs, validation=None, optimizer=SGD(0.1), batch_size=150, epochs=2, progress=False)


def test_one_record_an_epoch(history):
    assert [list(record) for record in history.records] == [FIELDS] * 3
    assert [record["epoch"] for record in history.records] == [1, 2, 3]
    # 120 of 150 rows in batches of 32: 4 steps an epoch, the last of 24 rows
    assert [record["steps"] for record in history.records] == [4, 8, 12]
    assert (history.epochs, history.steps, history.stopped_because) == (3, 12, "epochs")


def test_values_are_plain_numbers(history):
    for record in history.records:
        for name, value in record.items():
            assert isinstance(value, int if name in ("epoch", "steps") else float), name


def test_costs_are_those_of_the_batches(history):
    assert history.batch_costs.dtype == np.float64
    assert history.batch_costs.shape == (12,)
    for epoch, record in enumerate(history.records):
        costs = history.batch_costs[4 * epoch : 4 * epoch + 4]
        assert record["cost"] == pytest.approx((32 * costs[:3].sum() + 24 * costs[3]) / 120, rel=1e-12)
        assert record["last_cost"] == pytest.approx(costs[3], rel=1e-12)


def test_seconds_grow(history):
    seconds = [record["seconds"] for record in history.records]
    assert 0 < seconds[0] < seconds[1] < seconds[2] <= history.seconds


def test_nothing_to_validate_is_none(unvalidated):
    assert [(r["val_cost"], r["val_accuracy"]) for r in unvalidated.records] == [(None, None)] * 2
    assert unvalidated.best_epoch is None


def test_best_epoch_has_the_best_metric(blobs):
    stop = EarlyStopping(metric="cost", min_delta=0.0, patience=2)
    history = train(
        MLP([5, 4, 3]), *blobs, validation=0.2, optimizer=SGD(0.1), batch_size=32, epochs=4, stop=stop, progress=False
    )
    costs = [record["val_cost"] for record in history.records]
    assert history.best_epoch == 1 + int(np.argmin(costs))


def test_empty_history():
    empty = History()
    assert (empty.records, empty.steps, empty.epochs, len(empty.batch_costs)) == ([], 0, 0, 0)


def test_histories_do_not_share_records():
    History().records.append({"epoch": 1})
    assert History().records == []


def test_json_lines(history, tmp_path):
    path = tmp_path / "history.jsonl"
    history.to_jsonl(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == history.records
    assert [file.name for file in tmp_path.iterdir()] == ["history.jsonl"]


def test_csv(history, unvalidated, tmp_path):
    path = tmp_path / "history.csv"
    history.to_csv(str(path))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == FIELDS
    for row, record in zip(rows, history.records, strict=True):
        assert {name: float(value) for name, value in row.items()} == record
    unvalidated.to_csv(path)
    with path.open(newline="", encoding="utf-8") as file:
        assert [row["val_cost"] for row in csv.DictReader(file)] == ["", ""]


def test_frame(history, unvalidated):
    frame = history.to_frame()
    assert [frame.index.name, *frame.columns] == FIELDS
    assert frame.reset_index().to_dict("records") == history.records
    missing = unvalidated.to_frame()["val_accuracy"]
    assert all(value is None or math.isnan(value) for value in missing)


@pytest.mark.parametrize("write", ["to_jsonl", "to_csv"])
def test_missing_folder(history, write, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        getattr(history, write)(tmp_path / "absent" / "history")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "call", "extra"), [("pandas", "to_frame", "tables"), ("matplotlib", "plot", "plot")]
)
def test_missing_extra(history, module, call, extra, monkeypatch):
    for name in list(sys.modules):
        if name.partition(".")[0] == module or name == "fastmlp.plots":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"pip install 'fastmlp\[{extra}\]'") as caught:
        getattr(history, call)()
    assert module in str(caught.value)
