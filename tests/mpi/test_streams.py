"""Streams whose row groups are dealt out among processes: the same bits for any number, and errors in all of them."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from ranks import together

from fastmlp import MLP, SGD, BatchNorm, train

SAME = (
    "fraction", "another seed", "few", "one block", "weights", "csv", "cache", "array", "validated by a stream",
    "sync", "sync whole", "every row",
)  # fmt: skip
KINDS, COLOURS = ["ash", "birch", "cedar"], ["blue", "green", "red"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of 1,000 rows in Parquet files of 15 row groups, in one of three, in CSV files and in arrays."""
    place, rng = tmp_path_factory.mktemp("rows"), np.random.default_rng(3)
    y = rng.integers(0, 3, 1000)
    a, b, c = (rng.standard_normal((1000, 3)) + 2 * np.eye(3)[y]).T
    flag, colour = rng.integers(0, 2, 1000).astype(bool), (y + rng.integers(0, 2, 1000)) % 3
    table = pa.table(
        {
            "a": a,
            "b": b.astype(np.float32),
            "kind": [KINDS[label] for label in y],
            "c": (10 * c).astype(np.int16),
            "flag": flag,
            "colour": pa.array([COLOURS[code] for code in colour]).dictionary_encode(),
        }
    )
    X = np.column_stack([a, b.astype(np.float32), (10 * c).astype(np.int16), flag, np.eye(3)[colour]])
    np.save(place / "X.npy", X)
    np.save(place / "y.npy", y)
    for name in ("parts", "csv"):
        (place / name).mkdir()
    plain = table.drop_columns("colour")
    for number, (start, count) in enumerate([(0, 333), (333, 150), (483, 517)]):
        parquet.write_table(table.slice(start, count), place / "parts" / f"{number}.parquet", row_group_size=70)
        csv.write_csv(plain.slice(start, count), place / "csv" / f"{number}.csv")
    parquet.write_table(table, place / "few.parquet", row_group_size=400)
    weighted = table.append_column("times", pa.array(np.arange(1000) % 3.0))
    parquet.write_table(weighted, place / "weighted.parquet", row_group_size=70)
    return place


def trained(size, folder, *cases):
    """What each case gave, the same in all processes; and what each of them read, and how many rows it had."""
    result = together(size, "streamed_together", folder, *cases)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    for name, of_ranks in found.items():
        assert len(of_ranks) == size
        assert [answers for answers, *_ in of_ranks] == size * [of_ranks[0][0]], name
    answers = {name: of_ranks[0][0] for name, of_ranks in found.items()}
    return answers, {name: [rest for _, *rest in of_ranks] for name, of_ranks in found.items()}


@pytest.fixture(scope="module")
def by_one(folder):
    return trained(1, folder, *SAME, "every row but those held out", "allreduce")


@pytest.fixture(scope="module")
def by_two(folder):
    return trained(2, folder, *SAME, "begun", "allreduce", "no pass")


@pytest.fixture(scope="module")
def by_three(by_two, folder):
    """The last case goes on with what two processes have begun."""
    return trained(3, folder, *SAME, "gone on")


@pytest.fixture(scope="module")
def by_four(folder):
    return trained(4, folder, *SAME)


@pytest.mark.parametrize("processes", ["by_two", "by_three", "by_four"])
def test_the_bits_do_not_depend_on_the_number_of_processes(by_one, processes, request):
    found, work = request.getfixturevalue(processes)
    assert {name: found[name] for name in SAME} == {name: by_one[0][name] for name in SAME}
    for name, of_ranks in work.items():
        assert all(sum(blocks) <= 400 for _, blocks in of_ranks) or name in ("one block", "sync whole")


def test_one_process_learns(by_one):
    answers = by_one[0]
    for name in SAME[:-1]:
        _, records, costs, *_ = answers[name]
        assert records[-1]["cost"] < records[0]["cost"], name
        assert len(costs) == records[-1]["steps"], name
    assert answers["fraction"][3:] == [KINDS, ["a", "b", "c", "flag", *(f"colour={name}" for name in COLOURS)]]
    assert answers["validated by a stream"][3:] == [None, None]
    assert answers["array"][1][-1]["val_accuracy"] > 0.8


def test_each_process_reads_the_row_groups_of_its_shards(by_two):
    parts = {(f"{file}.parquet", part) for file, parts in enumerate((5, 3, 8)) for part in range(parts)}
    _, work = by_two
    read = [{tuple(place) for place in places} for places, _ in work["no pass"]]
    assert read[0] | read[1] == parts
    assert read[0] & read[1] <= {("0.parquet", 0)}  # a sample, by which the engine chooses
    assert min(map(len, read)) >= 7


def test_every_row_is_trained_on_once_an_epoch(by_one, folder):
    net, X, y = MLP([7, 3], dtype="float64"), np.load(folder / "X.npy"), np.load(folder / "y.npy")
    _, records, costs, *_ = by_one[0]["every row"]
    assert len(costs) == 2 * 25
    assert costs[:25] != costs[25:]
    expected = net.cost(X, y)
    for record in records:
        assert record["cost"] == pytest.approx(expected, rel=1e-12)
    _, records, costs, *_ = by_one[0]["every row but those held out"]
    n_steps = len(costs) // 2
    assert 550 / 40 < n_steps < 650 / 40
    for record in records:
        rest = n_steps * 40 / 1000  # about: the last mini-batches are smaller
        assert rest * record["cost"] + (1 - rest) * record["val_cost"] == pytest.approx(expected, rel=0.01)


def test_batch_norm_of_all_rows_is_that_of_one_process(by_one, folder):
    """A step over all rows, whose order is of no matter but for rounding."""
    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    net = MLP([7, 16, 3], batch_norm=BatchNorm(affine=True), dtype="float64")
    history = train(
        net, X, y, optimizer=SGD(0.5, momentum=0.5), batch_size=1000, validation=None, epochs=4, progress=False
    )
    np.testing.assert_allclose(by_one[0]["sync whole"][2], history.batch_costs, rtol=1e-10)
    assert by_one[0]["sync"][2] != by_one[0]["fraction"][2]


def test_another_number_of_processes_goes_on_from_a_checkpoint(by_one, by_two, by_three):
    assert len(by_two[0]["begun"][1]) == 2
    assert by_three[0]["gone on"] == by_one[0]["fraction"]


def test_allreduce_is_the_same_training(by_one, by_two):
    for record, other in zip(by_two[0]["allreduce"][1], by_one[0]["allreduce"][1], strict=True):
        assert record["cost"] == pytest.approx(other["cost"], rel=1e-6)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_what_is_wrong_in_one_process_is_an_error_in_all(size, tmp_path):
    result = together(size, "stream_fails_together", tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    changed, nan, validation, sound = json.loads(result.stdout)
    for answers, words, epochs in (
        (changed, ["changed.parquet", "the file changed after the stream was made"], 2),
        (nan, ["nan.parquet, row group 15", "must be finite"], 0),
        (validation, ["nan.parquet, row group 15", "must be finite"], 0),
        (sound, [""], 4),
    ):
        assert answers == size * answers[:1]
        text, whole, found = answers[0]
        assert all(word in text for word in words)
        assert text.startswith("process ") == (size > 1 and bool(text))
        assert (whole, found) == (True, epochs)
