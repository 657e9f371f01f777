"""Decoded rows that are kept: the same rows, written once, and anew when files or columns change."""

import os

import numpy as np
import pyarrow.dataset
import pytest
from networks import digest
from pyarrow import parquet
from refusals import refused

from fastmlp import MLP, SGD, train
from fastmlp.datasets import StreamError, stream
from fastmlp.streaming.formats import ParquetFile


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def rows_of(found, dtype="float32"):
    rows = MLP([7, 3], dtype=dtype).rows_of(found, "cross_entropy")
    with rows.in_order() as reader:
        blocks = [
            (np.array(np.asarray(rows.filler.matrix(block))), block.targets[: block.rows].copy()) for block in reader
        ]
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_rows_are_the_same(rows, folder, cache, dtype):
    for _ in range(2):
        X, y = rows_of(stream(folder, target="kind", cache=cache, rows_in_memory=100), dtype)
        np.testing.assert_array_equal(X, rows.X.astype(dtype))
        np.testing.assert_array_equal(y, rows.y)
    assert len(list(cache.iterdir())) == 2


def test_files_are_decoded_once(folder, cache, monkeypatch):
    found = stream(folder, target="kind", cache=cache, class_names=["ash", "birch", "cedar"], columns=["a", "b"])
    read = []
    whole = ParquetFile.chunks
    monkeypatch.setattr(ParquetFile, "chunks", lambda *given, **options: read.append(1) or whole(*given, **options))
    net = MLP([2, 3])
    train(net, found, validation=0.2, batch_size=20, epochs=3, progress=False)
    net.accuracy(found)
    assert len(read) == 15  # each row group once


def test_held_out_rows_are_those_without_a_cache(folder, cache):
    costs = []
    for options in ({}, {"cache": cache}):
        net = MLP([7, 3], dtype="float64")
        found = stream(folder, target="kind", **options)
        history = train(
            net, found, optimizer=SGD(1e-30), batch_size=20, epochs=1, class_weight="balanced", progress=False
        )
        costs.append([history.records[0][name] for name in ("cost", "val_cost", "val_accuracy")])
    np.testing.assert_allclose(costs[0], costs[1], rtol=1e-12)


def test_the_same_bits_at_any_number_of_threads(folder, cache):
    digests = set()
    for threads in (1, 2, 3):
        net = MLP([7, 90, 3])
        found = stream(folder, target="kind", cache=cache, rows_in_memory=200)
        train(net, found, batch_size=30, epochs=2, threads=threads, progress=False)
        digests.add(digest(net))
    assert len(digests) == 1


def test_changed_files_are_decoded_anew(rows, folder, cache):
    rows_of(stream(folder, target="kind", cache=cache))
    parquet.write_table(rows.table.slice(0, 10), folder / "part-1.parquet")
    os.utime(folder / "part-1.parquet", (1, 1))
    X, _ = rows_of(stream(folder, target="kind", cache=cache))
    assert len(X) == 1000 - 333 + 10
    assert len(list(cache.iterdir())) == 4


def test_a_file_that_changes_under_a_stream_is_noticed(rows, folder, cache):
    found = stream(folder, target="kind", cache=cache)
    rows_of(found)
    parquet.write_table(rows.table.slice(0, 10), folder / "part-1.parquet")
    refused(lambda: rows_of(found), StreamError, ["part-1.parquet", "the file changed"])


def test_bad_rows_leave_no_cache(folder, cache, rows):
    table = rows.table.set_column(0, "a", pyarrow.array([None] * 1000, "float64"))
    parquet.write_table(table, folder / "part-2.parquet")
    refused(lambda: rows_of(stream(folder, target="kind", cache=cache)), StreamError, ["part-2.parquet, row group 0"])
    assert list(cache.iterdir()) == []


def test_a_cache_that_is_cut_short_is_refused(folder, cache):
    rows_of(stream(folder, target="kind", cache=cache))
    (data,) = cache.glob("*-X.npy")
    data.write_bytes(data.read_bytes()[:-4])
    refused(lambda: rows_of(stream(folder, target="kind", cache=cache)), StreamError, [str(data), "the file holds"])


def test_only_files_of_this_machine(rows, cache):
    refused(lambda: stream(pyarrow.dataset.dataset(rows.table), cache=cache), ValueError, ["cache: expected files"])


def test_predictions_need_no_cache(folder, cache):
    MLP([7, 3]).predict(stream(folder, columns=["a", "b", "c", "flag", "colour"], cache=cache))
    assert not cache.exists()
