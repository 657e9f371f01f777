"""The cases of the fuzzers: networks, data and options, as plain records. The `repr` of a record makes it again."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from hypothesis import strategies as st

import fastmlp
from fastmlp import losses

# sizes near multiples of the lanes (16 in float32, 8 in float64), of tiles of two panels, of partial sums of 128 rows
WIDTHS = st.one_of(st.sampled_from([1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 65]), st.integers(1, 70))
ROWS = st.one_of(st.sampled_from([1, 2, 7, 8, 9, 16, 23, 24, 25, 95, 96, 97, 127, 128, 129]), st.integers(1, 140))
DATA_TYPES = ("f4", "f8", "u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", ">f4", ">i2", "?")
LAYOUTS = ("rows", "columns", "backwards", "every second", "read only", "sparse")
VALUES = ("usual", "constant", "mostly zeros", "subnormal", "tiny", "large", "largest")
OPTIMIZERS = (
    fastmlp.SGD(0.05), fastmlp.SGD(0.05, weight_decay=0.1), fastmlp.SGD(0.05, momentum=0.9),
    fastmlp.SGD(0.05, weight_decay=0.01, momentum=0.9, nesterov=True), fastmlp.SGD(0.05, clip_norm=0.1),
    fastmlp.Adam(0.01, epsilon=1e-3), fastmlp.Adam(0.01, weight_decay=0.1, epsilon=1e-3),
    fastmlp.Adam(0.01, clip_norm=0.1), fastmlp.AdamW(0.01, epsilon=1e-3),
    fastmlp.SGD(0.05, weight_decay=0.1, rate_multipliers=fastmlp.RateMultipliers(0.5, 2.0, 0.0, 3.0)),
    fastmlp.Adam(0.01, epsilon=1e-3, rate_multipliers=fastmlp.RateMultipliers(0.0, 0.1, 3.0, 0.5)),
)  # fmt: skip
BATCH_NORMS = (
    None, fastmlp.BatchNorm(), fastmlp.BatchNorm(affine=True), fastmlp.BatchNorm("before_relu"),
    fastmlp.BatchNorm("before_relu", affine=True),
)  # fmt: skip
LOSSES = (
    losses.CrossEntropy(), losses.CrossEntropy(0.1), losses.BinaryCrossEntropy(), losses.BinaryCrossEntropy(0.2),
    losses.SquaredError(), losses.AbsoluteError(), losses.Huber(0.5), losses.Poisson(),
)  # fmt: skip
ACTIVATIONS = ("relu", "identity", "leaky_relu", "logistic", "tanh", "gelu", "silu", "selu", "mish")


@dataclass(frozen=True)
class Data:
    """The rows of a case: their dtype, their layout in memory, and their values."""

    rows: int
    dtype: str
    layout: str
    values: str
    seed: int

    def array(self, columns):
        """The data (rows, columns)."""
        return in_memory(self.numbers(columns), self.layout)

    def numbers(self, columns):
        """The same data as a C-ordered, dense array."""
        rng, dtype, shape = np.random.default_rng(self.seed), np.dtype(self.dtype), (self.rows, columns)
        if dtype.kind == "b":
            return rng.random(shape) < (0.1 if self.values == "mostly zeros" else 0.5)
        if dtype.kind == "f":
            return _floats(self.values, rng, shape, dtype)
        limits = np.iinfo(dtype)
        most = limits.max if self.values == "largest" else min(limits.max, 255)
        least = limits.min if self.values == "largest" else 0
        found = rng.integers(least, most, shape, dtype.newbyteorder("="), endpoint=True).astype(dtype)
        return _thinned(found, self.values, rng)

    def fits(self, columns, dtype):
        """Whether all numbers are finite in a dtype, which a network requires of its data."""
        with np.errstate(over="ignore"):
            return bool(np.isfinite(self.numbers(columns).astype(dtype)).all())

    @property
    def moderate(self):
        """Whether no number is near the limits of its dtype."""
        return self.values in ("usual", "constant", "mostly zeros")


def _floats(values, rng, shape, dtype):
    limits = np.finfo(dtype)
    found = rng.standard_normal(shape)
    if values == "constant":
        found[:] = found.ravel()[0]
    elif values not in ("usual", "mostly zeros"):
        size = {
            "subnormal": float(limits.smallest_subnormal) * 100, "tiny": float(limits.smallest_normal) * 2,
            "large": float(limits.max) ** 0.5, "largest": float(limits.max) / 8,
        }[values]  # fmt: skip
        found = np.clip(found, -7, 7) * size
    return _thinned(found.astype(dtype), values, rng)


def _thinned(found, values, rng):
    if values == "mostly zeros":
        found[rng.random(found.shape) < 0.85] = 0
    return found


def in_memory(array, layout):
    """The same numbers in an array or matrix with another layout."""
    if layout == "columns":
        return np.asfortranarray(array)
    if layout == "backwards":
        return np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1]
    if layout == "every second":
        twice = np.zeros((2 * array.shape[0], 2 * array.shape[1]), array.dtype)
        twice[::2, 1::2] = array
        return twice[::2, 1::2]
    if layout == "sparse":
        return scipy.sparse.csr_array(array.astype(array.dtype.newbyteorder("=")))
    found = array.copy()
    found.setflags(write=layout != "read only")
    return found


def dense(X):
    """The data as an array."""
    return X.toarray() if scipy.sparse.issparse(X) else X


def refuses(call):
    """Whether a call refuses data that are not finite, by an error that says so."""
    try:
        call()
    except ValueError as error:
        return str(error).startswith("X must be finite")
    return False


@dataclass(frozen=True)
class Net:
    """A network with parameters that are not the initial ones."""

    widths: tuple
    dtype: str
    activation: str
    output: str
    batch_norm: object
    dropout: float
    input_scale: float
    input_factors: bool
    seed: int

    def make(self):
        """Make the network; every call makes the same one."""
        net = fastmlp.MLP(
            self.widths, dtype=self.dtype, activation=self.activation, output=self.output, batch_norm=self.batch_norm,
            dropout=self.dropout, input_scale=self.input_scale, input_factors=self.input_factors, seed=self.seed,
        )  # fmt: skip
        rng = np.random.default_rng(self.seed)
        for array in [*net.biases, *net.gammas, *net.betas, *net.factors]:
            array += 0.3 * rng.standard_normal(array.shape)
        return net

    def targets(self, rows):
        """Targets that fit the output function."""
        rng, shape = np.random.default_rng(self.seed + 1), (rows, self.widths[-1])
        if self.output == "softmax":
            return rng.integers(0, self.widths[-1], rows)
        drawn = {
            "logistic": rng.integers(0, 2, shape), "identity": rng.standard_normal(shape),
            "exp": rng.poisson(1.0, shape),
        }  # fmt: skip
        return drawn[self.output].astype(self.dtype)


@dataclass(frozen=True)
class Training:
    """A short training."""

    net: Net
    data: Data
    loss: object
    optimizer: object
    batch_size: int
    epochs: int
    threads: int
    weights: str
    matmul_precision: str

    def sample_weight(self):
        """Weights of the rows, or None."""
        rng, n = np.random.default_rng(self.data.seed + 2), self.data.rows
        if self.weights == "none":
            return None
        drawn = rng.random(n) if self.weights == "random" else rng.integers(0, 3, n)
        drawn[rng.integers(n)] = 1  # at least one weight must not be 0
        return drawn


@st.composite
def data(draw):
    """Data of any type and layout."""
    dtype, layout = draw(st.sampled_from(DATA_TYPES)), draw(st.sampled_from(LAYOUTS))
    if layout == "sparse" and dtype in ("f2", "?"):  # SciPy has no such matrices, or converts them
        layout = "rows"
    values = draw(st.sampled_from(["usual", "usual", "usual", *VALUES]))
    return Data(draw(ROWS), dtype, layout, values, draw(st.integers(0, 2**20)))


@st.composite
def nets(draw, output=None):
    """Networks of one to four layers."""
    output = output or draw(st.sampled_from(["softmax", "logistic", "identity", "exp"]))
    widths = draw(st.lists(WIDTHS, min_size=2, max_size=5))
    if output == "softmax":
        widths[-1] = max(2, widths[-1])
    hidden = len(widths) > 2
    return Net(
        tuple(widths),
        draw(st.sampled_from(["float32", "float64"])),
        draw(st.sampled_from(ACTIVATIONS)),
        output,
        draw(st.sampled_from(BATCH_NORMS)) if hidden else None,
        draw(st.sampled_from([0.0, 0.0, 0.3])) if hidden else 0.0,
        draw(st.sampled_from([1.0, 1 / 255, 3.0])),
        draw(st.sampled_from([False, False, True])),
        draw(st.integers(0, 2**20)),
    )


@st.composite
def trainings(draw):
    """Short trainings of any network on any data."""
    loss = draw(st.sampled_from(LOSSES))
    net, rows = draw(nets(loss.output)), draw(data())
    precisions = ["float32", "bfloat16"] if net.dtype == "float32" else ["float32"]
    return Training(
        net, rows, loss,
        draw(st.sampled_from(OPTIMIZERS)),
        draw(st.one_of(st.just(1000), st.integers(1, 2 * rows.rows))),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 4)),
        draw(st.sampled_from(["none", "none", "random", "some zero"])),
        draw(st.sampled_from(precisions)),
    )  # fmt: skip
