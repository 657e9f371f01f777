"""The products of bfloat16 operands, by multiply-adds and by the instruction, against their definition and NumPy.

By definition, each element is a chain of fused multiply-adds. Of every two terms, the second is added first.
"""

import numba
import numpy as np
import pytest
from closeness import assert_close
from reference import round_bfloat16

from fastmlp.engine.workspace import aligned, from_panels, to_panels
from fastmlp.kernels import bfloat16
from fastmlp.kernels.bfloat16 import BACKWARD, PACKED, PREPARE, REFRESH, ROUNDED
from fastmlp.kernels.nonzero import FORWARD, UPDATE, lists_bytes
from fastmlp.kernels.panels import Panels, dense
from fastmlp.kernels.tiles import Descent
from fastmlp.simd import vector as v
from fastmlp.simd.bfloat16 import flush_denormals, set_mode
from fastmlp.simd.pointer import pointer
from fastmlp.simd.target import HAS_BFLOAT16

LANES = 16
GUARD = -12345.0
KINDS = [ROUNDED, PACKED] if HAS_BFLOAT16 else [ROUNDED]
# rows, inputs, outputs: with odd numbers, and with whole and incomplete tiles, panels and blocks of terms
SHAPES = [(1, 1, 1), (2, 3, 5), (3, 16, 17), (7, 33, 16), (8, 17, 31), (31, 40, 33), (97, 129, 20), (130, 300, 50),
          (650, 20, 40)]  # fmt: skip
RATE, KEEP, SCALE = 0.1, 0.9, 0.3

_prepare, _refresh = PREPARE.call, REFRESH.call
_forward, _backward, _update = FORWARD.call, BACKWARD.call, UPDATE.call


@numba.njit
def _chain(a, b, out):
    """``out (rows, columns) = a·b`` by the definition."""
    zero = np.float32(0)
    mode = flush_denormals()
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = zero
            for k in range(0, a.shape[1], 2):
                if k + 1 < a.shape[1]:
                    total = v.scalar_fma(a[i, k + 1], b[k + 1, j], total)
                else:
                    total = v.scalar_fma(zero, zero, total)
                total = v.scalar_fma(a[i, k], b[k, j], total)
            out[i, j] = total
    set_mode(mode)


def chain(a, b):
    """The product by the definition, for matrices whose elements are bfloat16 numbers."""
    out = np.empty((a.shape[0], b.shape[1]), np.float32)
    _chain(np.ascontiguousarray(a), np.ascontiguousarray(b), out)
    return out


@numba.njit
def _panels(start, stride, rows, columns):
    return Panels(start=start, stride=stride, rows=rows, columns=columns)


@numba.njit
def _prepare_rows(function, values, halves, pairs, shape, stride, read_again):
    panels = _panels(pointer(values, 0), stride, shape[0], shape[1])
    _prepare(function, (panels, pointer(halves, 0), pointer(pairs, 0), read_again))


@numba.njit
def _refresh_all(function, weights, copy, transposed, squares, shape, size):
    """Copy every square of weights ``[outputs][inputs]``; `size` is the number of elements of the copy of a square."""
    for p in range(shape[1]):
        for k in range(shape[0]):
            square, other = (p * shape[0] + k), (k * shape[1] + p)
            places = pointer(copy, square * size), pointer(transposed, other * size)
            _refresh(function, (pointer(weights, square * 256), places[0], places[1], 1))


@numba.njit
def _run_forward(function, x, weight, bias, out, lists, sizes, relu, scale):
    rows, n_in, n_out, stride, width, out_stride = sizes
    mode = flush_denormals()
    factors = _panels(pointer(x, 0), stride, rows, n_in), _panels(pointer(weight, 0), width, n_in, n_out)
    above = _panels(pointer(out, 0), out_stride, rows, n_out)
    _forward(function, (factors[0], factors[1], pointer(bias, 0), above, relu, scale, pointer(lists, 0)))
    set_mode(mode)


@numba.njit
def _run_backward(function, dout, transposed, mask, dx, sizes, masked):
    rows, n_in, n_out, stride, width, out_stride = sizes
    mode = flush_denormals()
    factors = _panels(pointer(dout, 0), stride, rows, n_out), _panels(pointer(transposed, 0), width, n_out, n_in)
    below = _panels(pointer(dx, 0), out_stride, rows, n_in)
    _backward(function, (factors[0], factors[1], pointer(mask, 0), below, masked))
    set_mode(mode)


@numba.njit
def _run_update(function, x, dout, weight, lists, sizes, tiles, step):
    rows, n_in, n_out, stride = sizes
    mode = flush_denormals()
    below, above = _panels(pointer(x, 0), stride, rows, n_in), _panels(pointer(dout, 0), stride, rows, n_out)
    squares = dense(pointer(weight, 0), n_in, n_out)
    _update(function, (below, above, squares, 0, tiles, step, pointer(lists, 0)))
    set_mode(mode)


def _up(n, size=LANES):
    return -(-n // size) * size


class Rows:
    """A matrix as the engine prepares it: rounded panels, and copies with 16 bits if the products read such copies."""

    def __init__(self, kind, matrix, read_again=1):
        self.kind, self.shape = kind, matrix.shape
        rows, columns = matrix.shape
        self.height = _up(rows, 4) | 1
        self.values = aligned(_up(columns) * self.height, np.float32)
        to_panels(np.vstack([matrix, np.full((self.height - rows, columns), np.nan)]), LANES, self.values)
        self.halves, self.pairs = (aligned(self.values.size // 2, np.float32) for _ in range(2))
        function = bfloat16.products(kind).prepare
        stride = self.height * LANES
        _prepare_rows(function, self.values, self.halves, self.pairs, self.shape, stride, read_again)
        self.stride = self.height * LANES // (2 if kind == PACKED else 1)

    def matrix(self):
        out = np.empty(self.shape, np.float32)
        from_panels(self.values, LANES, out)
        return out

    def of(self, copy):
        return copy if self.kind == PACKED else self.values


class Weights:
    """A weight matrix and its transpose, in the form that the products read."""

    def __init__(self, kind, matrix):
        n_in, n_out = matrix.shape
        self.master = aligned(_up(n_in) * _up(n_out), np.float32)
        to_panels(np.vstack([matrix, np.zeros((_up(n_in) - n_in, n_out))]), LANES, self.master)
        size = 128 if kind == PACKED else 256
        squares = _up(n_in) // LANES, _up(n_out) // LANES
        self.copy, self.transposed = (aligned(squares[0] * squares[1] * size, np.float32) for _ in range(2))
        _refresh_all(
            bfloat16.products(kind).refresh, self.master, self.copy, self.transposed, squares[0] * squares[1], squares,
            size,
        )  # fmt: skip
        self.stride, self.transposed_stride = (n * size // LANES for n in squares_to_rows(squares))


def squares_to_rows(squares):
    return squares[0] * LANES, squares[1] * LANES


def _out(rows, columns):
    return np.full((_up(columns) // LANES, _up(rows, 4) + 1, LANES), GUARD, np.float32)


def _matrix(out, rows, columns):
    assert (out[:, _up(rows, 4) :] == GUARD).all(), "written behind the rows"
    return out[:, :rows].transpose(1, 0, 2).reshape(rows, -1)[:, :columns]


def _problem(shape, seed=0):
    rows, n_in, n_out = shape
    rng = np.random.default_rng([seed, *shape])
    x, weight, dout = (
        rng.standard_normal(size).astype(np.float32) for size in ((rows, n_in), (n_in, n_out), (rows, n_out))
    )
    return x, weight, dout, rng.standard_normal(n_out).astype(np.float32)


def _padded(bias):
    out = aligned(_up(bias.size), np.float32)
    out[: bias.size] = bias
    return out


def forward(kind, x, weight, bias, relu=0, scale=SCALE, listed=False):
    (rows, n_in), n_out = x.shape, weight.shape[1]
    below, between, out = Rows(kind, x), Weights(kind, weight), _out(rows, n_out)
    function = bfloat16.listed()[0] if listed else bfloat16.products(kind).forward
    lists = aligned(lists_bytes(rows, n_in, LANES), np.uint8)
    sizes = rows, n_in, n_out, below.stride, between.stride, out.shape[1] * LANES
    _run_forward(function, below.of(below.halves), between.copy, _padded(bias), out, lists, sizes, relu, scale)
    return _matrix(out, rows, n_out)


def backward(kind, dout, weight, mask=None):
    (rows, n_out), n_in = dout.shape, weight.shape[0]
    above, between, dx = Rows(kind, dout), Weights(kind, weight), _out(rows, n_in)
    masks = _out(rows, n_in)
    if mask is not None:
        masks[:, :rows] = 0
        for j in range(n_in):
            masks[j // LANES, :rows, j % LANES] = mask[:, j]
    sizes = rows, n_in, n_out, above.stride, between.transposed_stride, dx.shape[1] * LANES
    function = bfloat16.products(kind).backward
    _run_backward(function, above.of(above.halves), between.transposed, masks, dx, sizes, int(mask is not None))
    return _matrix(dx, rows, n_in)


def update(kind, x, dout, weight, listed=False):
    (rows, n_in), n_out = x.shape, dout.shape[1]
    below, above, between = Rows(kind, x), Rows(kind, dout), Weights(kind, weight)
    function = bfloat16.listed()[1] if listed else bfloat16.products(kind).update
    tiles = (_up(n_in) // LANES) * (_up(n_out, 2 * LANES) // (2 * LANES))
    lists = aligned(lists_bytes(rows, n_in, LANES), np.uint8)
    _run_update(
        function, below.of(below.pairs), above.of(above.pairs), between.master, lists,
        (rows, n_in, n_out, below.stride), tiles, Descent(RATE, KEEP, RATE),
    )  # fmt: skip
    out = np.empty((n_in, n_out), np.float32)
    from_panels(between.master, LANES, out)
    return out


@pytest.fixture(params=KINDS, ids=["rounded", "packed"][: len(KINDS)])
def kind(request):
    """The kinds of operands: two if the CPU has the instruction, or else one."""
    return request.param


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_are_rounded_in_place_and_copied(kind, shape):
    x = _problem(shape)[0]
    prepared = Rows(kind, x)
    np.testing.assert_array_equal(prepared.matrix(), round_bfloat16(x))
    rows = len(x)
    panels = prepared.values.reshape(-1, prepared.height, LANES)
    if rows % 2:
        assert not panels[:, rows].any(), "a row of zeros lies behind an odd number of rows"
    if kind == PACKED:
        upper = (panels.view(np.uint32) >> 16).astype(np.uint16)[:, : _up(rows, 2)]
        copies = [
            c.view(np.uint16).reshape(len(panels), -1)[:, : upper[0].size] for c in (prepared.halves, prepared.pairs)
        ]
        np.testing.assert_array_equal(copies[0].reshape(upper.shape), upper)
        paired = upper.reshape(len(panels), -1, 2, LANES).transpose(0, 1, 3, 2)
        np.testing.assert_array_equal(copies[1].reshape(paired.shape), paired)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_numbers_that_nobody_reads_again_stay_where_there_are_copies(kind, shape):
    x = _problem(shape)[0]
    whole, prepared = Rows(kind, x), Rows(kind, x, read_again=0)
    np.testing.assert_array_equal(prepared.matrix(), x if kind == PACKED else round_bfloat16(x))
    np.testing.assert_array_equal(prepared.halves.view(np.uint16), whole.halves.view(np.uint16))
    np.testing.assert_array_equal(prepared.pairs.view(np.uint16), whole.pairs.view(np.uint16))


@pytest.mark.parametrize("relu", [0, 1])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_forward(kind, shape, relu):
    x, weight, _, bias = _problem(shape)
    below, between = (round_bfloat16(values).astype(np.float32) for values in (x, weight))
    found = forward(kind, x, weight, bias, relu)
    linear = [v_fma(SCALE, chain(below, between), bias), SCALE * (round_bfloat16(x) @ round_bfloat16(weight)) + bias]
    exact, twin = (np.maximum(values, 0) if relu else values for values in linear)
    np.testing.assert_array_equal(found, exact)
    assert_close(found, twin)


@numba.njit
def _fma(scale, product, bias, out):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = v.scalar_fma(scale, product[i, j], bias[j])


def v_fma(scale, product, bias):
    """``scale · product + bias``, rounded once."""
    out = np.empty_like(product)
    _fma(np.float32(scale), product, bias, out)
    return out


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_backward(kind, shape, masked):
    x, weight, dout, _ = _problem(shape)
    above, between = (round_bfloat16(values).astype(np.float32) for values in (dout, weight))
    found = backward(kind, dout, weight, x if masked else None)
    keep = x > 0 if masked else True
    np.testing.assert_array_equal(found, np.where(keep, chain(above, between.T), 0))
    assert_close(found, np.where(keep, round_bfloat16(dout) @ round_bfloat16(weight).T, 0))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_update(kind, shape):
    x, weight, dout, _ = _problem(shape)
    found = update(kind, x, dout, weight)
    assert_close(found, KEEP * weight.astype(np.float64) - RATE * (round_bfloat16(x).T @ round_bfloat16(dout)))
    if len(x) <= 128:  # more rows are summed in several parts
        below, above = (round_bfloat16(values).astype(np.float32) for values in (x, dout))
        kept = np.float32(KEEP) * weight
        expected = np.empty_like(weight)
        _fma_all(np.float32(-RATE), chain(below.T, above), kept, expected)
        np.testing.assert_array_equal(found, expected)


@numba.njit
def _fma_all(rate, product, kept, out):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = v.scalar_fma(rate, product[i, j], kept[i, j])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_leaving_out_zeros_changes_no_bit(share):
    for shape in SHAPES:
        x, weight, dout, bias = _problem(shape, seed=1)
        x[np.random.default_rng(2).random(x.shape) > share] = 0
        for relu in (0, 1):
            np.testing.assert_array_equal(
                forward(ROUNDED, x, weight, bias, relu, listed=True), forward(ROUNDED, x, weight, bias, relu)
            )
        np.testing.assert_array_equal(update(ROUNDED, x, dout, weight, listed=True), update(ROUNDED, x, dout, weight))


@pytest.mark.skipif(not HAS_BFLOAT16, reason="the CPU has no AVX512-BF16")
@pytest.mark.parametrize("exponents", [(120, 135), (100, 160), (0, 255), (40, 90), (180, 250)], ids=str)
def test_the_instruction_gives_the_same_bits_over_the_whole_range(exponents):
    rng = np.random.default_rng(exponents)

    def drawn(*shape):
        bits = rng.integers(0, 1 << 32, shape, np.uint32) & np.uint32(0x807FFFFF)
        return (bits | rng.integers(*exponents, shape).astype(np.uint32) << np.uint32(23)).view(np.float32)

    x, weight, dout, bias = drawn(200, 64), drawn(64, 80), drawn(200, 80), drawn(80)
    calls = [
        lambda kind: forward(kind, x, weight, bias, scale=1.0),
        lambda kind: backward(kind, dout, weight),
        lambda kind: update(kind, x, dout, weight),
    ]
    for call in calls:
        rounded, packed = call(ROUNDED), call(PACKED)
        np.testing.assert_array_equal(np.isnan(rounded), np.isnan(packed))
        known = ~np.isnan(rounded)
        np.testing.assert_array_equal(rounded[known].view(np.uint32), packed[known].view(np.uint32))
