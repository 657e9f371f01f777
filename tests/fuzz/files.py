"""Damaged files: they are read, or refused by the documented errors, and take no more memory than their size needs."""

import contextlib
import functools
import gzip
import json
import lzma
import struct
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors

import fastmlp
from fastmlp import datasets

REFUSALS = (ValueError, OSError)  # the documented errors of `load` and `datasets.load`


@dataclass(frozen=True)
class Damaged:
    """A file and the changes of its bytes, one after the other: (kind, position, value)."""

    kind: str
    seed: int
    changes: tuple

    def content(self):
        """The bytes of the damaged file."""
        found = bytearray(original(self.kind, self.seed))
        for what, where, value in self.changes:
            CHANGES[what](found, where % max(1, len(found)), value)
        return bytes(found)


def _flip(found, at, value):
    if found:
        found[at] ^= 1 << value % 8


def _set(found, at, value):
    if found:
        found[at] = value % 256


def _cut(found, at, value):
    del found[at:]


def _remove(found, at, value):
    del found[at : at + value % 64]


def _repeat(found, at, value):
    found[at:at] = found[at : at + value % 64]


def _zeros(found, at, value):
    found[at : at + value % 64] = bytes(len(found[at : at + value % 64]))


def _number(found, at, value):
    """Write a number at the limits of an integer type, in the sizes that headers use."""
    raw = struct.pack(("<Q", ">I", "<I", "<H")[value % 4], (1 << (64, 32, 32, 16)[value % 4]) - 1 - value // 4 % 3)
    found[at : at + len(raw)] = raw[: len(found) - at]


def _text(found, at, value):
    words = (b"NaN", b"-1", b"1e999", b"99999999999999999999", b"[]", b"{}", b'"', b",", b"\n", b"\x00", b"\xff\xfe")
    word = words[value % len(words)]
    found[at : at + value % 2 * len(word)] = word


CHANGES = {
    "flip": _flip, "set": _set, "cut": _cut, "remove": _remove, "repeat": _repeat, "zeros": _zeros,
    "number": _number, "text": _text,
}  # fmt: skip
NAMES = {
    "model": "net.safetensors", "npy": "some.npy", "npz": "some.npz", "idx": "some-idx2-ubyte",
    "idx.gz": "some.idx.gz", "idx.xz": "some.idx.xz", "csv": "some.csv", "csv.gz": "some.csv.gz",
    "parquet": "some.parquet", "model header": "net.safetensors",
    "checkpoint": "run.safetensors", "checkpoint header": "run.safetensors",
}  # fmt: skip
CASES = st.builds(
    Damaged,
    st.sampled_from(list(NAMES)),
    st.integers(0, 7),
    st.lists(
        st.tuples(
            st.sampled_from(list(CHANGES)),
            st.one_of(st.integers(0, 160), st.integers(0, 1 << 16)),
            st.integers(0, 1 << 12),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)


@functools.cache
def original(kind, seed):
    """The bytes of a file without damage."""
    rng = np.random.default_rng(seed)
    array = rng.integers(0, 200, (4 + seed, 3)).astype(("u1", "f4", "f8", "i8", ">i2", "?", "f2", "i4")[seed])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAMES[kind]
        WRITERS[kind](path, array, seed)
        return path.read_bytes()


def _net(seed):
    norm = fastmlp.BatchNorm(affine=bool(seed % 2)) if seed % 3 else None
    return fastmlp.MLP([3, 4, 2], batch_norm=norm, dtype=("float32", "float64")[seed % 2])


def _write_model(path, array, seed):
    _net(seed).save(path)


def _write_header(path, array, seed):
    """Write a model with a wrong value in its description. The lengths in the file are right."""
    net = _net(seed)
    net.save(path)
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    kind, text = next(iter(metadata.items()))
    described = json.loads(text) | {list(json.loads(text))[seed]: (None, -1, [], {}, "x", 1e300, [3, 4, 2], True)[seed]}
    path.write_bytes(
        to_safetensors(dict(fastmlp.storage.named(net.network.parameters.views)), {kind: json.dumps(described)})
    )


def _train(path, seed):
    """Train with a checkpoint, six rows for a moment."""
    rng = np.random.default_rng(seed)
    stop = fastmlp.EarlyStopping() if seed % 2 else None
    return fastmlp.train(
        _net(seed), rng.standard_normal((9, 3)), np.arange(9) % 2, optimizer=fastmlp.Adam(), stop=stop, batch_size=4,
        epochs=3, checkpoint=path, progress=False,
    )  # fmt: skip


def _write_checkpoint(path, array, seed):
    _train(path, seed)


def _write_facts(path, array, seed):
    """A checkpoint in which one fact is damaged by hand: the lengths in the file stay right."""
    _train(path, seed)
    with safe_open(path, framework="numpy") as file:
        ((kind, text),) = file.metadata().items()
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    facts = json.loads(text)
    facts[sorted(facts)[seed % len(facts)]] = (None, -1, [], {}, "x", [1], True, [{}])[seed]
    path.write_bytes(to_safetensors(arrays, {kind: json.dumps(facts)}))


def _write_idx(path, array, seed):
    array = array.astype("u1")
    path.write_bytes(struct.pack(">2xBB2I", 8, 2, *array.shape) + array.tobytes())


def _write_table(path, array, seed):
    import pandas as pd

    frame = pd.DataFrame(array.astype(array.dtype.newbyteorder("=")), columns=list("abc"))
    if path.name.endswith(".parquet"):
        frame.astype("f4" if seed == 6 else frame.dtypes).to_parquet(path)
    else:
        frame.to_csv(path, index=False)


def _packed(write, pack):
    def writer(path, array, seed):
        write(path, array, seed)
        path.write_bytes(pack(path.read_bytes()))

    return writer


def _write_plain_csv(path, array, seed):
    plain = path.with_name("plain.csv")
    _write_table(plain, array, seed)
    path.write_bytes(plain.read_bytes())


WRITERS = {
    "model": _write_model, "model header": _write_header,
    "checkpoint": _write_checkpoint, "checkpoint header": _write_facts,
    "npy": lambda path, array, seed: np.save(path, array),
    "npz": lambda path, array, seed: np.savez(path, X=array, y=np.arange(len(array)) % 2),
    "idx": _write_idx, "idx.gz": _packed(_write_idx, gzip.compress), "idx.xz": _packed(_write_idx, lzma.compress),
    "csv": _write_table, "csv.gz": _packed(_write_plain_csv, gzip.compress), "parquet": _write_table,
}  # fmt: skip


def prepare():
    """Read a good file of each kind.

    The libraries and their threads then take their address space before it is bounded: Arrow ends the process where it
    cannot start a thread.
    """
    with tempfile.TemporaryDirectory() as folder:
        for kind, name in NAMES.items():
            path = Path(folder) / name
            path.write_bytes(original(kind, 1))
            if not kind.endswith(" header"):
                READERS[kind](path)


def check(case):
    """Check that a file is read or refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAMES[case.kind]
        path.write_bytes(case.content())
        with warnings.catch_warnings(), contextlib.suppress(*REFUSALS):
            warnings.simplefilter("ignore")
            READERS[case.kind](path)


def _read_model(path):
    net = fastmlp.load(path)
    outputs = net.outputs(np.zeros((2, net.n_inputs), np.float32))
    assert outputs.shape == (2, net.n_outputs)


def _read_data(path):
    found = datasets.load(path)
    assert found.X.ndim == 2
    assert found.X.dtype.kind in "iuf"
    assert found.X.flags.c_contiguous
    assert found.y is None or len(found.y) == len(found.X)


def _go_on(path):
    """Each seed has a training of its own: that of the file is among them, or all are refused."""
    for seed in range(8):
        with contextlib.suppress(*REFUSALS):
            history = _train(path, seed)
            assert history.epochs <= 3
            assert len(history.batch_costs) == history.steps
            return


READERS = dict.fromkeys(NAMES, _read_data)
READERS |= {"model": _read_model, "model header": _read_model, "checkpoint": _go_on, "checkpoint header": _go_on}
