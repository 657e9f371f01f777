import hashlib
import json
import lzma
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from processes import command_of

from fastmlp import datasets
from fastmlp.datasets import embedded

# SHA-256 digests of the uncompressed files, as published for this data set
DIGESTS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SMALL = (
    embedded._Part("train-images", 16, (6, 4)),
    embedded._Part("train-labels", 8, (6,)),
    embedded._Part("t10k-images", 16, (2, 4)),
    embedded._Part("t10k-labels", 8, (2,)),
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The path of the cached copy, in an empty user cache folder."""
    monkeypatch.setattr(embedded, "user_cache_folder", lambda: tmp_path / "cache" / "fastmlp")
    return tmp_path / "cache" / "fastmlp" / "mnist.bin"


@pytest.fixture
def small(cache, tmp_path, monkeypatch):
    """Replace the embedded data set by one of 8 images; yield the bytes of its cached copy."""
    folder = tmp_path / "package"
    folder.mkdir()
    rng = np.random.default_rng(0)
    streams = {part.name: rng.bytes(part.header_size + int(np.prod(part.shape))) for part in SMALL}
    for name, content in streams.items():
        (folder / f"{name}.xz").write_bytes(lzma.compress(content))
    lines = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in streams.items())
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")
    monkeypatch.setattr(embedded, "FOLDER", folder)
    monkeypatch.setattr(embedded, "PARTS", SMALL)
    return b"".join(streams.values())


def assert_is(found, content):
    """Compare what mnist() returned with the bytes of the four small files."""
    expected = np.frombuffer(content, np.uint8)
    start = 0
    for part, array in zip(SMALL, found, strict=True):
        start += part.header_size
        size = int(np.prod(part.shape))
        np.testing.assert_array_equal(array, expected[start : start + size].reshape(part.shape))
        start += size


def test_the_whole_data_set(cache):
    unpacked = datasets.mnist()
    assert cache.stat().st_size == 54_950_048
    headers = [(2051, 60_000, 28, 28), (2049, 60_000), (2051, 10_000, 28, 28), (2049, 10_000)]
    for found in (unpacked, datasets.mnist()):
        X, y, X_test, y_test = found
        assert (X.shape, y.shape, X_test.shape, y_test.shape) == ((60_000, 784), (60_000,), (10_000, 784), (10_000,))
        assert [array.dtype for array in found] == [np.uint8, np.int64, np.uint8, np.int64]
        assert all(array.flags.c_contiguous and array.flags.writeable and array.flags.owndata for array in found)
        for header, array, digest in zip(headers, found, DIGESTS.values(), strict=True):
            content = struct.pack(f">{len(header)}I", *header) + array.astype(np.uint8).tobytes()
            assert hashlib.sha256(content).hexdigest() == digest
    np.testing.assert_array_equal(np.bincount(unpacked[3]), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])


def test_the_shipped_digests_are_the_published_ones():
    assert embedded._published_digests() == DIGESTS


def test_the_licence_note_stands_beside_the_data():
    note = (embedded.FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    for word in ("LeCun", "Cortes", "Burges", "CC BY-SA 3.0"):
        assert word in note


def test_the_second_call_reads_the_cache(small, cache):
    assert_is(datasets.mnist(), small)
    assert cache.read_bytes() == small
    for packed in embedded.FOLDER.glob("*.xz"):
        packed.unlink()
    assert_is(datasets.mnist(), small)


def test_calls_do_not_share_memory(small):
    for array in datasets.mnist():
        array[:] = 0
    assert_is(datasets.mnist(), small)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:-1], id="truncated by a byte"),
        pytest.param(lambda content: content[: len(content) // 2], id="truncated by half"),
        pytest.param(lambda content: bytes([content[0] ^ 1]) + content[1:], id="bit flipped in a header"),
        pytest.param(
            lambda content: content[:20] + bytes([content[20] ^ 128]) + content[21:], id="bit flipped in an image"
        ),
        pytest.param(lambda content: content[:-1] + bytes([content[-1] ^ 1]), id="bit flipped in the last label"),
        pytest.param(lambda content: b"another program's file\n" * 100, id="foreign"),
        pytest.param(lambda content: bytes(len(content)), id="zeros"),
    ],
)
def test_a_damaged_cache_is_written_anew(small, cache, damage):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(damage(small))
    assert_is(datasets.mnist(), small)
    assert cache.read_bytes() == small
    assert list(cache.parent.iterdir()) == [cache]


def test_a_file_in_place_of_the_cache_folder(small, cache):
    cache.parent.parent.mkdir()
    cache.parent.write_text("in the way")
    assert_is(datasets.mnist(), small)
    assert cache.parent.read_text() == "in the way"


def test_a_folder_in_place_of_the_cached_file(small, cache):
    cache.mkdir(parents=True)
    assert_is(datasets.mnist(), small)
    assert list(cache.parent.iterdir()) == [cache]


def test_a_full_disk(small, cache, monkeypatch):
    def no_space(path, *, synced):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(embedded, "replaced_whole", no_space)
    assert_is(datasets.mnist(), small)
    assert not cache.exists()


def test_an_interrupted_write_leaves_nothing(small, cache, monkeypatch):
    class InterruptingArray:
        @property
        def data(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedded._write_cache(cache, [embedded._Content(b"header", InterruptingArray())])
    assert list(cache.parent.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
        pytest.param(lambda content: b"no xz", id="foreign"),
        pytest.param(lambda content: lzma.compress(b"0" * 40), id="other content"),
        pytest.param(lambda content: b"", id="empty"),
    ],
)
def test_a_damaged_package_is_an_error(small, cache, damage):
    packed = embedded.FOLDER / "train-images.xz"
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(OSError, match=r"train-images\.xz: the embedded data set is damaged: reinstall fastmlp"):
        datasets.mnist()
    assert not cache.exists()


def test_first_calls_of_several_processes(small, tmp_path):
    """Three processes read, unpack and write at the same time, while the cached copy is removed repeatedly."""
    arguments = tmp_path / "shared", embedded.FOLDER, json.dumps(SMALL)
    processes = [
        subprocess.Popen(
            command_of("read_embedded", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [error for _, error in outputs] == [""] * 3
    expected = b"".join(array.astype(np.uint8).tobytes() for array in datasets.mnist())
    assert {line for out, _ in outputs for line in out.split()} == {hashlib.sha256(expected).hexdigest()}
    assert [path.name for path in (tmp_path / "shared").iterdir()] in ([], ["mnist.bin"])


def test_the_cache_lies_in_the_users_cache_folder(monkeypatch, small):
    asked = []
    monkeypatch.setattr(embedded, "_from_cache", lambda path: asked.append(path) or embedded._from_package())
    datasets.mnist()
    assert asked == [embedded.user_cache_folder() / "mnist.bin"]
    assert isinstance(asked[0], Path)
