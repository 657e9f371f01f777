import gzip
import lzma
import struct
import tracemalloc

import numpy as np
import pytest
from file_attempts import attempt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastmlp import datasets
from fastmlp.datasets.idx import read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
PACKERS = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}


def idx_bytes(array):
    """The bytes of an IDX file with the array, written by the format's description."""
    code = CODES[array.dtype.newbyteorder("=").str[1:]]
    header = struct.pack(f">2xBB{array.ndim}I", code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def images(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (5, 3, 2)).astype(np.uint8)
    path = tmp_path / "images-idx3-ubyte"
    path.write_bytes(idx_bytes(array))
    return path, array


@pytest.mark.parametrize("suffix", PACKERS)
@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda code: hnp.arrays(np.dtype(code), hnp.array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=6))
    )
)
def test_round_trip(tmp_path_factory, suffix, array):
    path = tmp_path_factory.mktemp("idx") / f"some.idx{suffix}"
    path.write_bytes(PACKERS[suffix](idx_bytes(array)))
    found = read_idx(path)
    assert found.dtype == array.dtype
    assert found.dtype.isnative
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("suffix", PACKERS)
def test_images_and_labels(tmp_path, suffix):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (7, 4, 3)).astype(np.uint8)
    labels = np.array([3, 1, 3, 9, 1, 1, 3], np.uint8)
    x_path, y_path = tmp_path / f"train-images-idx3-ubyte{suffix}", tmp_path / f"train-labels-idx1-ubyte{suffix}"
    x_path.write_bytes(PACKERS[suffix](idx_bytes(images)))
    y_path.write_bytes(PACKERS[suffix](idx_bytes(labels)))
    for found in (datasets.load(x_path, target=y_path), datasets.load((str(x_path), str(y_path)))):
        np.testing.assert_array_equal(found.X, images.reshape(7, 12))
        assert found.X.dtype == np.uint8
        np.testing.assert_array_equal(found.y, [1, 0, 1, 2, 0, 0, 1])
        assert found.y.dtype == np.int64
        assert found.class_names == [1, 3, 9]
    assert datasets.load(x_path)[1:] == (None, None)


@pytest.mark.parametrize("code", sorted(CODES))
def test_labels_of_every_type(images, tmp_path, code):
    labels = tmp_path / "labels.idx"
    labels.write_bytes(idx_bytes(np.array([2, 0, 1, 2, 100], code)))
    _, y, class_names = datasets.load(images[0], target=labels)
    np.testing.assert_array_equal(y, [2, 0, 1, 2, 3])
    assert class_names == [0, 1, 2, 100]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"images-idx3-ubyte: the file is empty"),
        (b"\0\0", r"wrong magic number 0x0000, expected an IDX file: 0x0000, a type \(08, 09, 0b, 0c, 0d, 0e\)"),
        (b"\x89PNG\r\n\x1a\n", r"wrong magic number 0x89504e47"),
        (b"\x08\x03\0\0" + bytes(20), r"wrong magic number 0x08030000"),
        (b"\0\0\x0a\x03" + bytes(20), r"wrong magic number 0x00000a03"),
        (b"\0\0\x08\x00", r"wrong magic number 0x00000800"),
        (b"\0\0\x08\xff" + bytes(2000), r"wrong magic number 0x000008ff"),
        (b"\0\0\x08\x03" + bytes(11), r"the file ends inside its header, expected the sizes of 3 dimensions"),
        (
            struct.pack(">2xBB2I", 8, 2, 3, 4) + bytes(11),
            r"header claims 12 bytes of values \(shape \(3, 4\)\), the file holds 11",
        ),
        (struct.pack(">2xBB2I", 8, 2, 3, 4) + bytes(13), r"header claims 12 bytes .* the file holds more than 12"),
        (struct.pack(">2xBB2I", 14, 2, 3, 4) + bytes(12), r"header claims 96 bytes .* the file holds 12"),
        (struct.pack(">2xBB2I", 8, 2, 0, 4), r"the array is empty, its shape is \(0, 4\)"),
        (struct.pack(">2xBB4I", 8, 4, 0, *[2**32 - 1] * 3), r"the array is empty, its shape is \(0, 4294967295"),
    ],
)
@pytest.mark.parametrize("suffix", PACKERS)
def test_bad_files(tmp_path, content, message, suffix):
    path = tmp_path / f"images-idx3-ubyte{suffix}"
    path.write_bytes(PACKERS[suffix](content))
    if suffix and not content:
        message = "wrong magic number 0x, expected an IDX file"
    with pytest.raises(ValueError, match=message) as caught:
        datasets.load(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_claim_of_terabytes_allocates_nothing(tmp_path, suffix):
    path = tmp_path / f"images-idx3-ubyte{suffix}"
    path.write_bytes(PACKERS[suffix](struct.pack(">2xBB3I", 14, 3, 10**6, 10**3, 10**3) + bytes(1000)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"claims 8,000,000,000,000 bytes .* the file holds 1,000"):
        datasets.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_every_truncation_of_a_packed_file(images, suffix):
    path = images[0].with_name(f"images.idx{suffix}")
    packed = PACKERS[suffix](images[0].read_bytes())
    for length in range(1, len(packed)):
        path.write_bytes(packed[:length])
        with pytest.raises(
            ValueError, match=r"images\.idx\.[gx]z: (truncated or damaged, expected a complete|wrong magic)"
        ):
            datasets.load(path)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_flipped_bytes_of_a_packed_file(images, suffix):
    """A flipped byte is an error, or it changes no value, as in gzip's time stamp."""
    path = images[0].with_name(f"images.idx{suffix}")
    packed = PACKERS[suffix](images[0].read_bytes())
    refused = 0
    for position in range(len(packed)):
        path.write_bytes(packed[:position] + bytes([packed[position] ^ 0xFF]) + packed[position + 1 :])
        found, error = attempt(path)
        if error:
            assert error.startswith(str(path))
            refused += 1
        else:
            np.testing.assert_array_equal(found.X, images[1].reshape(5, 6))
    assert refused > 0.8 * len(packed)


def test_a_packed_name_without_packed_content(images):
    path = images[0].with_name("images.idx.gz")
    path.write_bytes(images[0].read_bytes())
    with pytest.raises(ValueError, match=r"images\.idx\.gz: truncated or damaged, expected a complete \.gz stream"):
        datasets.load(path)


def test_labels_in_the_place_of_images(tmp_path):
    path = tmp_path / "labels.idx"
    path.write_bytes(idx_bytes(np.arange(4, dtype=np.uint8)))
    with pytest.raises(ValueError, match=r"got features of shape \(4,\), expected \(n, n_inputs\)"):
        datasets.load(path)


def test_images_in_the_place_of_labels(images):
    with pytest.raises(ValueError, match=r"target .*: got labels of shape \(5, 3, 2\), expected one per row"):
        datasets.load(images[0], target=images[0])


def test_a_wrong_number_of_labels(images, tmp_path):
    labels = tmp_path / "labels.idx"
    labels.write_bytes(idx_bytes(np.arange(4, dtype=np.uint8)))
    with pytest.raises(
        ValueError, match=r"target: got 4 labels for 5 rows of .*images-idx3-ubyte, expected one for each"
    ):
        datasets.load(images[0], target=labels)
