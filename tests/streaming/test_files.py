"""What a stream reads: every format gives the same rows, and bad files are refused with their name."""

import gzip
import os
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest
from pyarrow import csv, feather, parquet
from refusals import refused

from fastmlp import MLP, datasets
from fastmlp.datasets import StreamError, stream
from fastmlp.streaming.files import DECODED_ROWS
from fastmlp.streaming.formats import ParquetFile
from fastmlp.streaming.fragments import fragments_of


def blocks_of(found, n_inputs, kernel="cross_entropy", dtype="float32"):
    """All rows of a stream as a network of this width takes them."""
    net = MLP([n_inputs, 3], dtype=dtype)
    rows = net.rows_of(found, kernel)
    X, y = [], []
    with rows.in_order() as reader:
        for block in reader:
            X.append(np.array(np.asarray(rows.filler.matrix(block))))
            y.append(block.targets[: block.rows].copy())
    return np.concatenate(X), np.concatenate(y)


def write_csv(rows):
    csv.write_csv(rows.table.set_column(5, "colour", rows.table["colour"].cast("string")), rows.folder / "rows.csv")
    return rows.folder / "rows.csv"


def write_packed_csv(rows):
    path = rows.folder / "rows.csv.gz"
    path.write_bytes(gzip.compress(write_csv(rows).read_bytes()))
    return path


def write_arrow(rows):
    with pa.ipc.new_file(rows.folder / "rows.arrow", rows.table.schema) as writer:
        writer.write_table(rows.table.combine_chunks(), max_chunksize=90)
    return rows.folder / "rows.arrow"


def write_feather(rows):
    feather.write_feather(rows.table, rows.folder / "rows.feather", chunksize=300)
    return rows.folder / "rows.feather"


def write_parquet(rows):
    parquet.write_table(rows.table, rows.folder / "rows.parquet", row_group_size=64, compression="zstd")
    return rows.folder / "rows.parquet"


def write_fragments(rows):
    write_parquet(rows)
    return pyarrow.dataset.dataset(rows.folder / "rows.parquet")


def in_memory(rows):
    return pyarrow.dataset.dataset(rows.table)


def write_partitions(rows):
    """A dataset of which one column stands in the names of the folders."""
    table = rows.table.append_column("part", pa.array(np.arange(len(rows.y)) // 400))
    parts = pa.dataset.partitioning(pa.schema([("part", pa.int64())]), flavor="hive")
    pa.dataset.write_dataset(table, rows.folder / "hive", format="parquet", partitioning=parts)
    return pa.dataset.dataset(rows.folder / "hive", partitioning=parts)


TABLES = [write_csv, write_packed_csv, write_arrow, write_feather, write_parquet]
DATASETS = [write_fragments, in_memory, write_partitions]
COLUMNS = ["a", "b", "c", "flag", "colour"]


@pytest.mark.parametrize("write", TABLES + DATASETS)
def test_every_format_gives_the_rows(rows, write):
    found = stream(write(rows), target="kind", columns=COLUMNS, rows_in_memory=150)
    assert (len(found), found.n_inputs, found.shape) == (1000, 7, (1000, 7))
    assert found.class_names == ["ash", "birch", "cedar"]
    assert found.feature_names == ["a", "b", "c", "flag", "colour=blue", "colour=green", "colour=red"]
    X, y = blocks_of(found, 7)
    np.testing.assert_array_equal(X, rows.X.astype(np.float32))
    np.testing.assert_array_equal(y, rows.y)


def test_folder_glob_and_list_are_read_in_the_order_of_names(rows, folder):
    paths = sorted(folder.iterdir())
    (folder / "_metadata.parquet").write_text("left out")
    for source in (folder, str(folder), f"{folder}/part-*.parquet", paths):
        X, y = blocks_of(stream(source, target="kind", rows_in_memory=300), 7)
        np.testing.assert_array_equal(X, rows.X.astype(np.float32))
        np.testing.assert_array_equal(y, rows.y)


def test_lists_of_a_fixed_size_are_as_many_inputs(rows):
    pixels = np.arange(12000, dtype=np.uint8).reshape(1000, 12)
    column = pa.FixedSizeListArray.from_arrays(pa.array(pixels.ravel()), 12)
    parquet.write_table(pa.table({"pixels": column, "kind": rows.table["kind"]}), rows.folder / "p.parquet")
    found = stream(rows.folder / "p.parquet", target="kind", rows_in_memory=128)
    assert found.feature_names[:2] == ["pixels[0]", "pixels[1]"]
    np.testing.assert_array_equal(blocks_of(found, 12)[0], pixels)


def test_bytes_of_a_fixed_length_are_as_many_inputs(rows):
    pixels = np.arange(12000, dtype=np.uint8).reshape(1000, 12)
    column = pa.Array.from_buffers(pa.binary(12), 1000, [None, pa.py_buffer(pixels)])
    parquet.write_table(pa.table({"pixels": column, "kind": rows.table["kind"]}), rows.folder / "p.parquet")
    found = stream(rows.folder / "p.parquet", target="kind", rows_in_memory=128)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(blocks_of(found, 12)[0], pixels)
    holes = pa.table({"pixels": pa.array([b"ab", None], pa.binary(2)), "kind": ["ash", "birch"]})
    parquet.write_table(holes, rows.folder / "p.parquet")
    refused(lambda: blocks_of(stream(rows.folder / "p.parquet", target="kind"), 2), StreamError, ["no value in row 1"])


@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "uint8", "bool"])
def test_columns_that_are_alike(tmp_path, kind):
    X = np.random.default_rng(2).integers(0, 2 if kind == "bool" else 100, (300, 5)).astype(kind)
    table = pa.table({name: X[:, i] for i, name in enumerate("edcba")} | {"y": np.zeros(300, int)})
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=70)
    found = stream(tmp_path / "rows.parquet", target="y", columns=list("abcde"), rows_in_memory=200)
    np.testing.assert_array_equal(blocks_of(found, 5)[0], X[:, ::-1])
    holes = table.set_column(1, "d", pa.array([None, *X[1:, 1].tolist()], pa.from_numpy_dtype(kind)))
    parquet.write_table(holes, tmp_path / "rows.parquet", row_group_size=70)
    found = stream(tmp_path / "rows.parquet", target="y", class_names=[0])
    refused(lambda: blocks_of(found, 5), StreamError, ["row group 0", "'d' has no value in row 0"])


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_the_index_of_a_frame_is_no_column(tmp_path, suffix):
    frame = pd.DataFrame({"x": [1.0, 2, 3], "y": [0, 1, 0]}, index=[5, 7, 9])
    frame.to_parquet(tmp_path / "rows.parquet")
    if suffix == ".feather":
        feather.write_feather(parquet.read_table(tmp_path / "rows.parquet"), tmp_path / "rows.feather")
    assert stream(tmp_path / f"rows{suffix}", target="y").feature_names == ["x"]


def test_numbers_of_classes_are_indices_where_they_can_be(tmp_path):
    parquet.write_table(pa.table({"x": [1.0, 2, 3], "y": [3, 0, 3]}), tmp_path / "rows.parquet")
    found = stream(tmp_path / "rows.parquet", target="y")
    indices = {}
    for classes in (2, 3, 4, 10):
        rows = MLP([1, classes]).rows_of(found, "cross_entropy")
        with rows.in_order() as reader:
            indices[classes] = next(iter(reader)).targets[:3].tolist()
    assert indices == {2: [1, 0, 1], 3: [1, 0, 1], 4: [3, 0, 3], 10: [3, 0, 3]}


def test_bytes_stay_bytes(rows):
    pixels = np.arange(3000, dtype=np.uint8).reshape(1000, 3)
    np.save(rows.folder / "x.npy", pixels)
    np.save(rows.folder / "y.npy", rows.y)
    network = MLP([3, 3]).described("cross_entropy")
    found = stream(rows.folder / "x.npy", target=rows.folder / "y.npy").rows_for(network)
    assert found.filler.block(10).values.dtype == np.uint8


@pytest.mark.parametrize("mapped", [True, False])
def test_npy(rows, mapped, monkeypatch):
    monkeypatch.setattr("fastmlp.streaming.arrays.PART_BYTES", 1000)
    x, y = rows.folder / "x.npy", rows.folder / "y.npy"
    np.save(x, rows.X)
    np.save(y, rows.y)
    source = (np.load(x, mmap_mode="r"), np.load(y, mmap_mode="r")) if mapped else (x, y)
    found = stream(source[0], target=source[1], rows_in_memory=100)
    assert found.feature_names is None
    X, targets = blocks_of(found, 7, dtype="float64")
    np.testing.assert_array_equal(X, rows.X)
    np.testing.assert_array_equal(targets, rows.y)


def test_targets_that_are_numbers(rows, folder):
    net = MLP([5, 2], output="identity")
    streamed = net.rows_of(stream(folder, target=["a", "b"], columns=["c", "flag", "colour"]), "squared")
    with streamed.in_order() as reader:
        targets = np.concatenate([block.targets[: block.rows].copy() for block in reader])
    np.testing.assert_array_equal(targets, rows.X[:, :2].astype(np.float32))


# ---- what is refused


def test_a_file_that_changes_is_named(rows, folder):
    found = stream(folder, target="kind")
    path = folder / "part-1.parquet"
    parquet.write_table(rows.table.slice(0, 10), path)
    refused(lambda: blocks_of(found, 7), StreamError, [str(path), "the file changed"])


def test_a_file_that_is_damaged_names_file_and_row_group(rows, folder):
    path = folder / "part-1.parquet"
    place = parquet.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    damaged = bytearray(path.read_bytes())
    damaged[place : place + 40] = bytes(40)
    path.write_bytes(damaged)
    found = stream(folder, target="kind", class_names=["ash", "birch", "cedar"], columns=["a", "b"])
    refused(lambda: blocks_of(found, 2), StreamError, [f"{path}, row group 2: "])


def test_a_file_that_ends_short(rows, folder):
    path = folder / "part-1.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    refused(lambda: stream(folder, target="kind"), StreamError, [str(path)])


def test_a_row_group_with_fewer_rows_than_it_said(folder, monkeypatch):
    found = stream(folder, target="kind", class_names=["ash", "birch", "cedar"], columns=["a"])
    whole = ParquetFile.chunks
    monkeypatch.setattr(ParquetFile, "chunks", lambda *arguments, **options: list(whole(*arguments, **options))[:-1])
    refused(lambda: blocks_of(found, 1), StreamError, ["part-0.parquet, row group 0", "ends after", "expected 70"])


@pytest.mark.parametrize("kind", ["file", "fragment"])
@pytest.mark.parametrize("size", [1, 7, DECODED_ROWS - 1, DECODED_ROWS, DECODED_ROWS + 1])
def test_decoding_ahead_gives_the_same_pieces(tmp_path, kind, size):
    values, path = np.arange(2 * DECODED_ROWS + 100), tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": values}), path)
    file = ParquetFile(path) if kind == "file" else fragments_of(pyarrow.dataset.dataset(path))[0]
    pieces = [[chunk["a"].to_numpy() for chunk in file.read(0, ["a"], size, whole=whole)] for whole in (False, True)]
    assert [len(piece) for piece in pieces[0]] == [len(piece) for piece in pieces[1]]
    for found in pieces:
        np.testing.assert_array_equal(np.concatenate(found), values)


def test_other_types_in_the_middle(rows, folder):
    table = rows.table.set_column(0, "a", rows.table["a"].cast("float32"))
    parquet.write_table(table, folder / "part-1.parquet")
    expected = ["part-1.parquet", "column 'a' holds float32", "expected float64", "part-0.parquet"]
    refused(lambda: stream(folder, target="kind"), StreamError, expected)
    parquet.write_table(rows.table.drop_columns(["b"]), folder / "part-1.parquet")
    refused(lambda: stream(folder, target="kind"), StreamError, ["part-1.parquet", "no column 'b'"])


@pytest.mark.parametrize(("value", "words"), [(None, "has no value in row 1"), (np.inf, "finite in float32, got inf")])
def test_values_that_are_missing_or_infinite(tmp_path, value, words):
    parquet.write_table(pa.table({"a": [1.0, 2, 3], "y": [0, 1, 0]}), tmp_path / "1.parquet")
    table = pa.table({"a": [1.0, value, 3], "y": [0, 1, 0]})
    parquet.write_table(table, tmp_path / "2.parquet", row_group_size=2)
    found = stream(tmp_path, target="y", class_names=[0, 1])
    refused(lambda: blocks_of(found, 1), StreamError, [f"{tmp_path / '2.parquet'}, row group 0", words])


def test_too_large_for_the_network(tmp_path):
    parquet.write_table(pa.table({"a": [1.0, 1e300], "y": [0, 1]}), tmp_path / "1.parquet")
    refused(lambda: blocks_of(stream(tmp_path, target="y"), 1), StreamError, ["row group 0", "float32", "row 1"])


def test_a_csv_file_whose_later_rows_are_no_numbers(tmp_path):
    lines = ["a,y", *(f"{i},1" for i in range(300_000)), "word,1"]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    refused(lambda: len(stream(tmp_path / "rows.csv", target="y")), StreamError, ["rows.csv", "word"])


def test_fractions_behind_whole_numbers_in_csv(tmp_path):
    lines = ["a,y", *(f"{i},{i % 2}" for i in range(300_000)), "0.5,1"]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    X, _ = blocks_of(stream(tmp_path / "rows.csv", target="y"), 1)
    assert X[-1, 0] == 0.5


def test_npy_files_that_do_not_fit(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((5, 2)))
    np.save(tmp_path / "y.npy", np.zeros(4, int))
    np.save(tmp_path / "f.npy", np.asfortranarray(np.zeros((5, 2))))
    refused(lambda: stream(tmp_path / "x.npy", target=tmp_path / "y.npy"), StreamError, ["4 rows for 5 rows", "x.npy"])
    refused(lambda: stream(tmp_path / "f.npy"), StreamError, ["f.npy", "Fortran"])
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-8])
    refused(lambda: stream(tmp_path / "x.npy"), StreamError, ["x.npy", "80 bytes", "holds 72"])


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("no such.parquet", FileNotFoundError, "there is no file"),
        ("*.parquet", FileNotFoundError, "nothing is found"),
        ("empty", FileNotFoundError, "expected files that end in"),
        ("rows.txt", StreamError, "unknown format"),
        ([], StreamError, "empty list"),
        (["rows.txt", "rows.csv"], StreamError, "several formats"),
        ("nothing.csv", StreamError, "the file is empty"),
        (7, TypeError, "source must be"),
    ],
)
def test_sources_that_are_none(tmp_path, monkeypatch, source, error, words):
    monkeypatch.chdir(tmp_path)
    os.mkdir("empty")
    for name, text in {"rows.txt": "a", "rows.csv": "a\n1\n", "nothing.csv": ""}.items():
        (tmp_path / name).write_text(text)
    refused(lambda: stream(source), error, [words])


def test_arguments_that_are_wrong(folder):
    refused(lambda: stream(folder, target="none"), StreamError, ["no column 'none'"])
    refused(lambda: stream(folder, target="kind", columns=["a", "kind"]), ValueError, ["without the target"])
    refused(lambda: stream(folder, target="kind", columns="a"), TypeError, ["sequence of names"])
    refused(lambda: stream(folder, target=3), TypeError, ["target must be"])
    refused(lambda: stream(folder, rows_in_memory=0), ValueError, ["rows_in_memory"])
    refused(lambda: stream(folder, class_names="ab"), ValueError, ["class_names"])


def test_a_column_that_no_network_takes(tmp_path):
    parquet.write_table(pa.table({"a": [1.0], "when": pa.array([0], pa.timestamp("s"))}), tmp_path / "1.parquet")
    refused(lambda: stream(tmp_path), StreamError, ["1.parquet", "'when' holds timestamp[ms]", "choose the others"])


def test_a_dataset_with_a_filter(rows):
    filtered = pyarrow.dataset.dataset(rows.table).filter(pyarrow.dataset.field("a") > 0)
    refused(lambda: stream(filtered), ValueError, ["without a filter"])


def test_without_pyarrow_the_error_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"pip install 'fastmlp\[tables\]'"):
        datasets.stream(folder)
