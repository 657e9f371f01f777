import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp import datasets

X = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", np.array(["b", "a", "b"]))
    np.savez(tmp_path / "set.npz", X=X, y=np.array([3, 1, 3]))
    return tmp_path


def test_the_result_has_names(folder):
    found = datasets.load(folder / "set.npz")
    assert isinstance(found, datasets.Dataset)
    assert found._fields == ("X", "y", "class_names")


@pytest.mark.parametrize("name", ["set", "set.txt", "set.pkl", "set.npz.gz", "set.npy.xz", "set.parquet.gz", "set.gz"])
def test_unknown_formats(folder, name):
    (folder / name).write_bytes(b"0,1\n")
    known = r"expected \.npz, \.npy, \.csv, \.parquet, or IDX \(a name with 'idx' in it"
    with pytest.raises(ValueError, match=rf"path: unknown file format of .*{name}, {known}"):
        datasets.load(folder / name)
    with pytest.raises(ValueError, match=rf"target: unknown file format of .*{name}, {known}"):
        datasets.load(folder / "x.npy", target=folder / name)


@pytest.mark.parametrize(
    "name", ["none.npz", "none.npy", "none.csv", "none.csv.gz", "none.parquet", "none-idx3-ubyte.xz"]
)
def test_no_such_file(folder, name):
    with pytest.raises(FileNotFoundError, match=rf"path: there is no file .*{name}"):
        datasets.load(folder / name)


def test_no_such_target_file_is_found_before_the_features_are_read(folder):
    (folder / "bad.npy").write_bytes(b"bad")
    with pytest.raises(FileNotFoundError, match=r"target: there is no file .*none\.npy"):
        datasets.load(folder / "bad.npy", target=folder / "none.npy")


def test_a_folder(folder):
    (folder / "deep.npy").mkdir()
    with pytest.raises(IsADirectoryError, match=r"path: .*deep\.npy is a folder, expected a file"):
        datasets.load(folder / "deep.npy")


def test_names_in_capitals(folder):
    (folder / "set.npz").rename(folder / "SET.NPZ")
    np.testing.assert_array_equal(datasets.load(folder / "SET.NPZ").X, X)


def test_labels_in_an_archive_beside_an_array(folder):
    with pytest.raises(ValueError, match=r"target: got .*set\.npz, expected the labels in an \.npy or IDX file"):
        datasets.load(folder / "x.npy", target=folder / "set.npz")


@pytest.mark.parametrize("path", [3, None, b"x.npy", ("x.npy", 3), (None, "y.npy"), {"x.npy"}])
def test_paths_of_another_type(path):
    with pytest.raises(TypeError, match=r"(path|target): got .*, expected a string or a path"):
        datasets.load(path)


@pytest.mark.parametrize("target", [3, ["species"], b"species"])
def test_targets_of_another_type(folder, target):
    with pytest.raises(TypeError, match=r"target: got .*, expected a string or a path"):
        datasets.load(folder / "set.npz", target=target)


@pytest.mark.parametrize("path", [(), ("x.npy",), ("x.npy", "y.npy", "z.npy")])
def test_not_a_pair(path):
    with pytest.raises(
        ValueError, match=rf"path: got {len(path)} paths and target=None, expected one path, or two and no"
    ):
        datasets.load(path)


def test_a_pair_and_a_target(folder):
    with pytest.raises(
        ValueError, match=r"path: got 2 paths and target='y\.npy', expected one path, or two and no target"
    ):
        datasets.load(("x.npy", "y.npy"), target="y.npy")


@pytest.mark.parametrize("class_names", [["a", "c", "b"], ("a", "c", "b"), np.array(["a", "c", "b"])])
def test_class_names_of_the_training_data(folder, class_names):
    _, y, names = datasets.load(folder / "x.npy", target=folder / "y.npy", class_names=class_names)
    np.testing.assert_array_equal(y, [2, 0, 2])
    assert y.dtype == np.int64
    assert names == ["a", "c", "b"]
    assert all(type(name) is str for name in names)


def test_class_names_of_integers(folder):
    _, y, names = datasets.load(folder / "set.npz", class_names=range(4))
    np.testing.assert_array_equal(y, [3, 1, 3])
    assert names == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("class_names", "error", "message"),
    [
        (["a", "c"], ValueError, r"target .*: found the label 'b', expected one of class_names, \['a', 'c'\]"),
        ([0, 1], ValueError, r"found the label 'a', expected one of class_names, \[0, 1\]"),
        (["a", "b", "a"], ValueError, r"class_names: got \['a', 'b', 'a'\], expected different labels, at least one"),
        ([], ValueError, r"class_names: got \[\], expected different labels, at least one"),
        ("ab", TypeError, r"class_names: got 'ab', expected a sequence of labels"),
        (2, TypeError, r"class_names: got 2, expected a sequence of labels"),
    ],
)
def test_bad_class_names(folder, class_names, error, message):
    with pytest.raises(error, match=message):
        datasets.load(folder / "x.npy", target=folder / "y.npy", class_names=class_names)


def test_nothing_is_left_behind(folder):
    before = sorted(folder.iterdir())
    datasets.load(folder / "set.npz")
    assert sorted(folder.iterdir()) == before


def test_importing_is_light():
    code = "import sys; import fastmlp.datasets; print(*{'pandas', 'pyarrow', 'gzip'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_mnist_as_a_users_file():
    """The embedded files are IDX files, such as users have."""
    folder = Path(datasets.__file__).parent / "mnist"
    found = datasets.load(folder / "t10k-images-idx3-ubyte.xz", target=folder / "t10k-labels-idx1-ubyte.xz")
    assert found.X.shape == (10_000, 784)
    assert found.class_names == list(range(10))
    np.testing.assert_array_equal(found.y[:5], [7, 2, 1, 0, 4])
