import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from file_attempts import attempt
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import datasets

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.array([7, 5, 7, 6])


def npy_bytes(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), **options)
    return file.getvalue()


@pytest.fixture
def pair(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    return tmp_path / "x.npy", tmp_path / "y.npy"


def assert_is_the_example(found):
    np.testing.assert_array_equal(found.X, X)
    assert found.X.dtype == np.float32
    np.testing.assert_array_equal(found.y, [2, 0, 2, 1])
    assert found.y.dtype == np.int64
    assert found.class_names == [5, 6, 7]


def test_a_pair_of_npy(pair):
    assert_is_the_example(datasets.load(pair))
    assert_is_the_example(datasets.load(list(map(str, pair))))
    assert_is_the_example(datasets.load(pair[0], target=str(pair[1])))


def test_npy_without_labels(pair):
    found = datasets.load(pair[0])
    np.testing.assert_array_equal(found.X, X)
    assert found.y is None
    assert found.class_names is None


@pytest.mark.parametrize("feature_key", ["X", "x", "data", "features", "images"])
@pytest.mark.parametrize("label_key", ["y", "Y", "target", "targets", "label", "labels"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, feature_key, label_key, save):
    path = tmp_path / "set.npz"
    save(path, other=np.zeros(1), **{feature_key: X, label_key: Y})
    assert_is_the_example(datasets.load(path))
    assert_is_the_example(datasets.load(path, target=label_key))


def test_npz_without_labels(tmp_path):
    np.savez(tmp_path / "set.npz", X=X)
    assert datasets.load(tmp_path / "set.npz").y is None


def test_npz_with_several_labels(tmp_path):
    np.savez(tmp_path / "set.npz", X=X, y=Y, target=Y[::-1], species=np.array(["b", "a", "b", "b"]))
    with pytest.raises(
        ValueError, match=r"found the keys 'y', 'target', expected only one of the labels; choose one as"
    ):
        datasets.load(tmp_path / "set.npz")
    np.testing.assert_array_equal(datasets.load(tmp_path / "set.npz", target="target").y, [1, 2, 0, 2])
    assert datasets.load(tmp_path / "set.npz", target="species").class_names == ["a", "b"]


@pytest.mark.parametrize(
    ("arrays", "target", "message"),
    [
        ({"a": X, "y": Y}, None, r"found the keys 'a', 'y', expected one of 'X', 'x', 'data', 'features', 'images'"),
        ({}, None, r"found the keys none, expected one of 'X'"),
        ({"X": X, "data": X, "y": Y}, None, r"found the keys 'X', 'data', expected only one of the features"),
        ({"X": X, "y": Y}, "z", r"target: no key 'z' in .*set\.npz, expected one of 'X', 'y'"),
        ({"X": X, "y": Y[:3]}, None, r"target: got 3 labels for 4 rows of .*set\.npz"),
        ({"X": X.astype(object), "y": Y}, None, r"set\.npz\['X'\]: dtype object would have to be unpickled"),
        ({"X": X, "y": Y.astype(object)}, None, r"set\.npz\['y'\]: dtype object would have to be unpickled"),
        ({"X": X[:0], "y": Y[:0]}, None, r"set\.npz\['X'\]: the array is empty, its shape is \(0, 3\)"),
        ({"X": X[:, :0], "y": Y}, None, r"the array is empty, its shape is \(4, 0\)"),
        ({"X": X[0], "y": Y}, None, r"got features of shape \(3,\), expected \(n, n_inputs\), one row per sample"),
        ({"X": np.float32(3), "y": Y}, None, r"got features of shape \(\), expected \(n, n_inputs\)"),
        ({"X": X.astype(str), "y": Y}, None, r"got features of dtype <U32, expected integers or floats"),
        ({"X": X + 1j, "y": Y}, None, r"got features of dtype complex(64|128), expected integers or floats"),
        ({"X": X.astype("M8[s]"), "y": Y}, None, r"got features of dtype datetime64\[s\]"),
        (
            {"X": X, "y": Y[:, None]},
            None,
            r"target .*: got labels of shape \(4, 1\), expected one per row, shape \(n,\)",
        ),
        ({"X": X, "y": Y + 0.5}, None, r"target .*: got 7\.5 in row 0, expected class labels"),
        ({"X": X, "y": np.array([1, 2, np.nan, 3])}, None, r"target .*: got nan in row 2"),
        ({"X": X, "y": np.array([1, np.inf, 2, 3])}, None, r"target .*: got inf in row 1"),
        ({"X": X, "y": np.array([1, 2, 3, 1e300])}, None, r"target .*: got 1e\+300 in row 3"),
        (
            {"X": X, "y": Y + 1j},
            None,
            r"target .*: got labels of dtype complex128, expected integers, strings or booleans",
        ),
    ],
)
def test_bad_npz(tmp_path, arrays, target, message):
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        datasets.load(tmp_path / "set.npz", target=target)


def test_object_arrays_are_never_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    bomb = np.empty((2, 2), object)
    bomb[:] = Bomb()
    np.save(tmp_path / "x.npy", bomb)
    np.savez(tmp_path / "x.npz", X=bomb)
    for name in ("x.npy", "x.npz"):
        with pytest.raises(ValueError, match="unpickled, expected numbers or strings"):
            datasets.load(tmp_path / name)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i8", "u8", ">i4", ">f8", "<f4"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_layouts(tmp_path, dtype, version, order):
    array = np.asarray(np.arange(24).reshape(4, 3, 2), dtype, order=order)
    (tmp_path / "x.npy").write_bytes(npy_bytes(array, version=version))
    found = datasets.load(tmp_path / "x.npy").X
    np.testing.assert_array_equal(found, array.reshape(4, 6))
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize(("dtype", "expected"), [("?", "u1"), ("f2", "f4"), ("longdouble", "f8")])
def test_dtypes_that_the_engine_lacks(tmp_path, dtype, expected):
    np.save(tmp_path / "x.npy", np.array([[0, 1], [1, 1]], dtype))
    found = datasets.load(tmp_path / "x.npy").X
    assert found.dtype == expected
    np.testing.assert_array_equal(found, [[0, 1], [1, 1]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"x\.npy: the file is empty"),
        (b"no array", r"x\.npy: expected an array as np\.save writes it"),
        (npy_bytes(X)[:-1], r"the header claims 48 bytes of values \(shape \(4, 3\)\), the file holds 47"),
        (npy_bytes(X) + b"0", r"the header claims 48 bytes .* the file holds more than 48"),
        (npy_bytes(X)[:50], r"x\.npy: expected an array as np\.save writes it"),
        (npy_bytes(X).replace(b"(4, 3), }", b"(4000000000000, 3), }"), r"x\.npy: "),
        (npy_bytes(X).replace(b"(4, 3), }" + b" " * 12, b"(4000000000000, 3), }"), r"claims 48,000,000,000,000 bytes"),
        (npy_bytes(X).replace(b"(4, 3)", b"(-4,3)"), r"x\.npy: "),
        # found by fuzzing: NumPy evaluates the text before the comma, which raised a SyntaxError
        (npy_bytes(X).replace(b"'<f4'", b"'<,f'"), r"x\.npy: expected an array as np\.save writes it"),
    ],
)
def test_bad_npy(tmp_path, content, message):
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        datasets.load(tmp_path / "x.npy")


def test_a_header_that_claims_gigabytes_allocates_nothing(tmp_path):
    """Found by fuzzing: NumPy reads a whole header at once, and since version 2 its length has 32 bits."""
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"x\.npy: expected an array as np\.save writes it"):
        datasets.load(tmp_path / "x.npy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@given(position=st.integers(0, 127), value=st.integers(0, 255))
def test_a_changed_byte_in_the_header(tmp_path_factory, position, value):
    """A changed header gives an array or one clear error."""
    content = bytearray(npy_bytes(X))
    content[position] = value
    path = tmp_path_factory.mktemp("npy") / "x.npy"
    path.write_bytes(content)
    found, error = attempt(path)
    assert str(path) in error if error else found.X.size <= X.nbytes


def npz_bytes():
    file = io.BytesIO()
    np.savez_compressed(file, X=X, y=Y)
    return file.getvalue()


def test_every_truncation_of_an_npz(tmp_path):
    path = tmp_path / "set.npz"
    content = npz_bytes()
    for length in range(1, len(content), 3):
        path.write_bytes(content[:length])
        with pytest.raises(
            ValueError, match=r"set\.npz: truncated or damaged, expected an archive as np\.savez writes it"
        ):
            datasets.load(path)


def test_flipped_bytes_of_an_npz(tmp_path):
    """A flipped byte is an error, or it changes no value, as in a time stamp."""
    path = tmp_path / "set.npz"
    content = npz_bytes()
    refused = 0
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        found, error = attempt(path)
        if error:
            assert str(path) in error
            refused += 1
        else:
            np.testing.assert_array_equal(found.X, X)
            assert found.y is None or found.class_names == [5, 6, 7]
    assert refused > len(content) / 2


def test_an_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("X", "not an array")
    with pytest.raises(ValueError, match=r"set\.npz\['X'\]: expected an array as np\.save writes it"):
        datasets.load(tmp_path / "set.npz")
