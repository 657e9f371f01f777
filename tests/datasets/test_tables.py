import gzip
import lzma
import os
import pickle
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from fastmlp import datasets

PACKERS = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}
FLOWERS = "length,width,species\n5.1,3,setosa\n7.0,2,virginica\n5.0,4,setosa\n6.4,1,lily\n"


def write(path, text, encoding="utf-8"):
    path.write_bytes(PACKERS.get(path.suffix, bytes)(text.encode(encoding)))
    return path


def write_parquet(path, **columns):
    parquet.write_table(pa.table(columns), path)
    return path


def assert_is_the_example(found):
    np.testing.assert_array_equal(found.X, [[5.1, 3], [7.0, 2], [5.0, 4], [6.4, 1]])
    assert found.X.dtype == np.float64
    assert found.X.flags.c_contiguous
    assert found.X.flags.writeable
    np.testing.assert_array_equal(found.y, [1, 2, 1, 0])
    assert found.y.dtype == np.int64
    assert found.class_names == ["lily", "setosa", "virginica"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("suffix", PACKERS)
def test_csv(tmp_path, suffix, encoding):
    path = write(tmp_path / f"flowers.csv{suffix}", FLOWERS, encoding)
    assert_is_the_example(datasets.load(path, target="species"))
    assert_is_the_example(datasets.load(str(path), target="species"))


@pytest.mark.parametrize("write_index", [True, False])
def test_parquet(tmp_path, write_index):
    frame = pd.DataFrame(
        {"species": ["setosa", "virginica", "setosa", "lily"], "length": [5.1, 7, 5, 6.4], "width": [3, 2, 4, 1]}
    )
    frame.index.name = "number"
    frame.index += 1
    frame.to_parquet(tmp_path / "flowers.parquet", index=write_index)
    assert_is_the_example(datasets.load(tmp_path / "flowers.parquet", target="species"))


def test_a_categorical_target(tmp_path):
    frame = pd.DataFrame({"x": [1, 2, 3], "c": pd.Categorical(["b", "a", "b"], categories=["unused", "b", "a"])})
    frame.to_parquet(tmp_path / "set.parquet")
    _, y, class_names = datasets.load(tmp_path / "set.parquet", target="c")
    np.testing.assert_array_equal(y, [1, 0, 1])
    assert class_names == ["a", "b"]


def test_without_target_every_column_is_a_feature(tmp_path):
    found = datasets.load(write(tmp_path / "new.csv", "a,b\n1,2\n3,4\n"))
    np.testing.assert_array_equal(found.X, [[1, 2], [3, 4]])
    assert found.y is None
    assert found.class_names is None


@pytest.mark.parametrize("name", ["set.csv", "set.parquet"])
def test_chosen_features(tmp_path, name):
    frame = pd.DataFrame({"a": [1, 2], "note": ["x", None], "b": [3, 4], "label": ["u", "v"], "c": [5, 6]})
    if name == "set.csv":
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_parquet(tmp_path / name)
    found = datasets.load(tmp_path / name, target="label", features=["c", "a"])
    np.testing.assert_array_equal(found.X, [[5, 1], [6, 2]])
    assert found.class_names == ["u", "v"]
    np.testing.assert_array_equal(datasets.load(tmp_path / name, features=("b",)).X, [[3], [4]])
    with pytest.raises(
        ValueError, match=r"features: no column 'd' in .*, expected one of 'a', 'note', 'b', 'label', 'c'"
    ):
        datasets.load(tmp_path / name, features=["a", "d"])


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ("length", TypeError, r"features: got 'length', expected a sequence of column names"),
        ([0, 1], TypeError, r"features: got \[0, 1\], expected a sequence of column names"),
        ([], ValueError, r"features: got \[\], expected different names, at least one"),
        (["width", "width"], ValueError, r"features: got \['width', 'width'\], expected different names"),
        (["width", "species"], ValueError, r"features: got .*, expected .* without the target \(species\)"),
    ],
)
def test_bad_features(tmp_path, features, error, message):
    with pytest.raises(error, match=message):
        datasets.load(write(tmp_path / "set.csv", FLOWERS), target="species", features=features)


def test_features_of_what_is_no_table(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 2)))
    with pytest.raises(
        ValueError, match=r"features: got \['a'\] for .*x\.npy, which names no columns; expected a table"
    ):
        datasets.load(tmp_path / "x.npy", features=["a"])


@pytest.mark.parametrize(
    ("labels", "y", "class_names"),
    [
        (["7", "-5", "7"], [1, 0, 1], [-5, 7]),
        (["2.0", "1.0", "2.0"], [1, 0, 1], [1, 2]),
        (["True", "False", "True"], [1, 0, 1], [False, True]),
        (["10", "9", "x"], [0, 1, 2], ["10", "9", "x"]),
        (["só", "no", "só"], [1, 0, 1], ["no", "só"]),
        (["1", "1", "1"], [0, 0, 0], [1]),
    ],
)
def test_kinds_of_labels(tmp_path, labels, y, class_names):
    path = write(tmp_path / "set.csv", "a,label\n" + "".join(f"1,{label}\n" for label in labels))
    found = datasets.load(path, target="label")
    np.testing.assert_array_equal(found.y, y)
    assert found.class_names == class_names
    assert [type(name) for name in found.class_names] == [type(name) for name in class_names]


def test_dtypes_of_features(tmp_path):
    integers = pa.array([1, 2], pa.uint8())
    path = write_parquet(tmp_path / "a.parquet", a=integers, b=pa.array([3, 4], pa.uint8()))
    assert datasets.load(path).X.dtype == np.uint8
    path = write_parquet(tmp_path / "b.parquet", a=integers, b=pa.array([0.5, 1], pa.float32()))
    assert datasets.load(path).X.dtype == np.float32
    path = write_parquet(tmp_path / "c.parquet", a=integers, b=pa.array([True, False]))
    np.testing.assert_array_equal(datasets.load(path).X, [[1, 1], [2, 0]])
    path = write_parquet(tmp_path / "d.parquet", a=pa.array([True, True]))
    assert datasets.load(path).X.dtype == np.uint8


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_nullable_columns_without_missing_values(tmp_path, backend):
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": [True, False], "label": ["x", "y"]})
    frame.convert_dtypes(dtype_backend=backend).to_parquet(tmp_path / "set.parquet")
    found = datasets.load(tmp_path / "set.parquet", target="label")
    np.testing.assert_array_equal(found.X, [[1, 0.5, 1], [2, 1.5, 0]])
    assert found.X.dtype == np.float64
    assert found.class_names == ["x", "y"]


def test_integers_as_column_names(tmp_path):
    pd.DataFrame({0: [1, 2], 1: [3, 4]}).to_parquet(tmp_path / "set.parquet")
    found = datasets.load(tmp_path / "set.parquet", target="1")
    np.testing.assert_array_equal(found.X, [[1], [2]])
    assert found.class_names == [3, 4]


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("", None, r"set\.csv: the file is empty"),
        ("\n\n", None, r"set\.csv: expected a CSV file in UTF-8"),
        ("a,b\n", None, r"the table is empty, it has columns but no rows"),
        (FLOWERS, "kind", r"target: no column 'kind' in .*set\.csv, expected one of 'length', 'width', 'species'"),
        (
            FLOWERS,
            None,
            r"column 'species' holds \w+ \(first: 'setosa'\), expected numbers in every feature; .*target='species'",
        ),
        (
            "a,b\n1,2\n3,\n",
            None,
            r"column 'b' has no value in row 1 \(counted from 0; 1 such rows\), expected one in every row",
        ),
        ("a,b\n1,\n3,\n", "a", r"column 'b' has no value in row 0 \(counted from 0; 2 such rows\)"),
        ("a,b\n1,x\n3,\n", "b", r"column 'b' has no value in row 1"),
        ("a,b\n1,x\n3\n", "b", r"column 'b' has no value in row 1"),
        ("a,b\n1,2\n1,2,3\n", "b", r"set\.csv: expected a CSV file in UTF-8 \(.*line 3"),
        ("a,b\n1,2,3\n1,2,3\n", "b", r"the rows hold more values than the first line names columns \(2\)"),
        ("a,b,a\n1,2,3\n", "b", r"several columns are named 'a', expected different names"),
        ("b,a,b\n1,2,3\n", "b", r"several columns are named 'b', expected different names"),
        (
            ",a,b\n0,2,3\n",
            "b",
            r"column 0 has no name, expected one for each \(was a row index saved with the table\?\)",
        ),
        ("b\n1\n", "b", r"no column is left beside the target, expected at least one feature"),
        ("a,b\n1,0.5\n", "b", r"target \(b\): got 0\.5 in row 0, expected class labels"),
        ('a,b\n1,"2\n', "b", r"set\.csv: "),
    ],
)
def test_bad_csv(tmp_path, text, target, message):
    path = write(tmp_path / "set.csv", text)
    with pytest.raises(ValueError, match=message) as caught:
        datasets.load(path, target=target)
    assert str(path) in str(caught.value) or "target" in str(caught.value)


def test_csv_in_another_encoding(tmp_path):
    for text in ("a,naïve\n1,2\n", "a,b\n1,naïve\n"):
        with pytest.raises(ValueError, match=r"set\.csv: expected a CSV file in UTF-8 .*decode"):
            datasets.load(write(tmp_path / "set.csv", text, "latin-1"), target="a")


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_truncated_packed_csv(tmp_path, suffix):
    path = tmp_path / f"set.csv{suffix}"
    packed = PACKERS[suffix](b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i % 97) for i in range(5000)))
    for length in (1, 5, 20, len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:length])
        with pytest.raises(
            ValueError, match=rf"set\.csv\{suffix}: truncated or damaged, expected a complete \{suffix} stream"
        ):
            datasets.load(path)


def test_truncated_parquet(tmp_path):
    path = write_parquet(tmp_path / "set.parquet", a=list(range(100)), b=["x"] * 100)
    content = path.read_bytes()
    for length in range(1, len(content), 50):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"set\.parquet: truncated or damaged, expected a Parquet file"):
            datasets.load(path)


def test_parquet_of_a_csv(tmp_path):
    with pytest.raises(ValueError, match=r"set\.parquet: truncated or damaged, expected a Parquet file"):
        datasets.load(write(tmp_path / "set.parquet", FLOWERS))
    write(tmp_path / "set.parquet", "")
    with pytest.raises(ValueError, match=r"set\.parquet: the file is empty"):
        datasets.load(tmp_path / "set.parquet")


@pytest.mark.parametrize(
    ("columns", "target", "message"),
    [
        ({"a": [1, None], "b": [1, 2]}, "b", r"column 'a' has no value in row 1"),
        ({"a": [1.0, float("nan")], "b": [1, 2]}, "b", r"column 'a' has no value in row 1"),
        ({"a": [1, 2], "b": ["x", None]}, "b", r"column 'b' has no value in row 1"),
        ({"a": pa.array([None, None]), "b": [1, 2]}, "b", r"column 'a' has no value in row 0"),
        ({"a": [[1], [2]], "b": [1, 2]}, "b", r"column 'a' holds object .*, expected numbers in every feature"),
        ({"a": pa.array([1, 2], pa.timestamp("s")), "b": [1, 2]}, "b", r"column 'a' holds datetime64\[m?s\]"),
        (
            {"a": [1, 2], "b": pa.array([1, 2], pa.timestamp("s"))},
            "b",
            r"target \(b\): got labels of dtype datetime64\[m?s\]",
        ),
        (
            {"a": [1, 2], "b": [[1], [2]]},
            "b",
            r"target \(b\): got labels of dtype object, expected integers, strings or bool",
        ),
        ({"a": pa.array([], pa.int64())}, None, r"the table is empty"),
        ({"a": [1, 2]}, "b", r"target: no column 'b' in .*, expected one of 'a'"),
    ],
)
def test_bad_parquet(tmp_path, columns, target, message):
    with pytest.raises(ValueError, match=message):
        datasets.load(write_parquet(tmp_path / "set.parquet", **columns), target=target)


class _Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_an_extension_type_is_not_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # PyArrow before 14.0.1 unpickled this metadata
    kind = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(_Bomb())}
    schema = pa.schema([pa.field("a", pa.int64(), metadata=kind), pa.field("b", pa.int64())])
    parquet.write_table(pa.table([[1, 2], [0, 1]], schema=schema), "set.parquet")
    assert b"exploded" in parquet.read_schema("set.parquet").field("a").metadata[b"ARROW:extension:metadata"]
    np.testing.assert_array_equal(datasets.load("set.parquet", target="b").X, [[1], [2]])
    assert not (tmp_path / "exploded").exists()


def test_damaged_descriptions_of_columns(tmp_path):
    """Found by fuzzing: pandas raised a KeyError for a damaged description."""
    path = tmp_path / "set.parquet"
    table = pa.Table.from_pandas(pd.DataFrame({"a": [1.5, 2.5], "b": [0, 1]}))
    damaged = table.schema.metadata[b"pandas"].replace(b"pandas_type", b"pandas_typo")
    parquet.write_table(table.replace_schema_metadata({"pandas": damaged}), path)
    with pytest.raises(ValueError, match=r"set\.parquet: truncated or damaged, expected a Parquet file"):
        datasets.load(path, target="b")


def test_doubled_columns_in_parquet(tmp_path):
    parquet.write_table(pa.table([[1], [2], [3]], names=["a", "b", "a"]), tmp_path / "set.parquet")
    with pytest.raises(ValueError, match=r"set\.parquet: "):
        datasets.load(tmp_path / "set.parquet", target="b")


@pytest.mark.parametrize(
    ("name", "missing"), [("set.csv", "pandas"), ("set.parquet", "pandas"), ("set.parquet", "pyarrow")]
)
def test_without_the_extra(tmp_path, monkeypatch, name, missing):
    write(tmp_path / name, FLOWERS)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"{missing} is not installed: pip install 'fastmlp\[tables\]'"):
        datasets.load(tmp_path / name, target="species")
