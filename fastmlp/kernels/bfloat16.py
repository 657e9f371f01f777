"""The products of the linear layer with operands rounded to bfloat16 and sums in float32.

Every sum runs over pairs of neighbouring terms: the second product of a pair is added first, then the first one, each
by one fused multiply-add, and denormal numbers are 0. That is what the instruction VDPBF16PS does; so the two ways to
compute a product, by the instruction and by multiply-adds of float32, give the same bits.

``rounded``: operands are float32 panels whose values were rounded in place. ``packed``, for the instruction: besides
them lie copies of 16 bits a number, a pair in 32 bits. ``halves (rows, columns)`` is stored as ``[columns /
16][rows][16]``, the pairs being neighbouring columns; ``pairs (rows, columns)`` as ``[columns / 16][rows / 2][16][2]``,
neighbouring rows. Where a number of rows is odd, a row of zeros lies behind the last one.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import types

from fastmlp.compilation.jit import body, inlined
from fastmlp.kernels import nonzero
from fastmlp.kernels.nonzero import FORWARD, UPDATE
from fastmlp.kernels.panels import Panels, panels_type, strip_of
from fastmlp.kernels.tiles import SUM_ROWS, Descent, factors_of, square_of, tile_at
from fastmlp.simd import bfloat16, gemm
from fastmlp.simd import vector as v
from fastmlp.simd.interface import Interface
from fastmlp.simd.kinds import Number, Pointer
from fastmlp.simd.pointer import number, offset
from fastmlp.simd.transpose import transpose_tile

FLOAT32 = np.dtype(np.float32)
# Partial sums of a tile of dW, one after the other: its weights are fetched for all of them once, and 512 rows of 512
# gradients fill half of a 1 MB cache. 784-512-512-10 at batch 1000 takes 0.965 of the time of one at a time (Zen 4).
TILE_SUMS = 4
PLAIN, ROUNDED, PACKED = 0, 1, 2  # operands: the numbers themselves, rounded in place, copies of 16 bits


@inlined
def _words(panels: Panels) -> Panels:
    return Panels(start=bfloat16.words_at(panels.start), stride=panels.stride, rows=panels.rows, columns=panels.columns)


def _round_rows(values: Panels, halves: Pointer, pairs: Pointer, read_again: int) -> None:
    """Round a matrix in place; write a row of zeros behind an odd number of rows."""
    lanes, nothing = v.lanes(values.start), v.splat(number(values.start, 0.0))
    for j in range(0, values.columns, lanes):
        strip = strip_of(values, j)
        for r in range(values.rows):
            here = offset(strip, r * lanes)
            v.store(bfloat16.rounded(v.load(here)), here)
        if values.rows % 2 == 1:
            v.store(nothing, offset(strip, values.rows * lanes))


def _pack_rows(values: Panels, halves: Pointer, pairs: Pointer, read_again: int) -> None:
    """Write both copies of a matrix, and round it in place where its numbers will be read again."""
    lanes, nothing = v.lanes(values.start), v.splat(number(values.start, 0.0))
    for j in range(0, values.columns, lanes):
        strip, place = strip_of(values, j), j // lanes * (values.stride // 2)
        for r in range(0, values.rows, 2):
            here, there = offset(strip, r * lanes), place + r * (lanes // 2)
            first, second = v.load(here), nothing
            if r + 1 < values.rows:
                second = v.load(offset(here, lanes))
            if read_again != 0:
                bfloat16.store_rounded(first, second, here)
            bfloat16.store_halves(first, second, offset(halves, there))
            bfloat16.store_pairs(first, second, offset(pairs, there))


def _round_square(square: Pointer, copy: Pointer, transposed: Pointer, has_transposed: int) -> None:
    """Write the rounded copy of a square of weights, and its transpose where there is one."""
    lanes = v.lanes(square)
    for r in range(lanes):
        v.store(bfloat16.rounded(v.load(offset(square, r * lanes))), offset(copy, r * lanes))
    if has_transposed != 0:
        transpose_tile(copy, transposed)


def _pack_square(square: Pointer, copy: Pointer, transposed: Pointer, has_transposed: int) -> None:
    """Write the pairs of a square of weights, and those of its transpose where there is one."""
    lanes = v.lanes(square)
    for r in range(0, lanes, 2):
        first, second = v.load(offset(square, r * lanes)), v.load(offset(square, (r + 1) * lanes))
        bfloat16.store_pairs(first, second, offset(copy, r // 2 * lanes))
    if has_transposed != 0:
        bfloat16.transpose_pairs(square, transposed)


def _forward_rounded(
    x: Panels, weight: Panels, bias: Pointer, out: Panels, relu: int, scale: float, lists: Pointer
) -> None:
    least = number(bias, 0.0 if relu != 0 else -np.inf)
    gemm.forward_swapped(x, weight, out, bias, number(bias, scale), least)


def _forward_listed(
    x: Panels, weight: Panels, bias: Pointer, out: Panels, relu: int, scale: float, lists: Pointer
) -> None:
    nonzero.list_columns(x, lists, nonzero.SWAPPED)
    least = number(bias, 0.0 if relu != 0 else -np.inf)
    gemm.forward_swapped_listed(x, weight, out, bias, number(bias, scale), least, lists)


def _forward_packed(
    x: Panels, weight: Panels, bias: Pointer, out: Panels, relu: int, scale: float, lists: Pointer
) -> None:
    least = number(bias, 0.0 if relu != 0 else -np.inf)
    gemm.forward_pairs(_words(x), _words(weight), out, bias, number(bias, scale), least)


def _backward_rounded(dout: Panels, transposed: Panels, mask: Pointer, dx: Panels, masked: int) -> None:
    zero = number(mask, 0.0)
    if masked != 0:
        gemm.backward_swapped_masked(dout, transposed, dx, mask, zero, zero)
    else:
        gemm.backward_swapped(dout, transposed, dx, mask, zero, zero)


def _backward_packed(dout: Panels, transposed: Panels, mask: Pointer, dx: Panels, masked: int) -> None:
    zero, above, weight = number(mask, 0.0), _words(dout), _words(transposed)
    if masked != 0:
        gemm.backward_pairs_masked(above, weight, dx, mask, zero, zero)
    else:
        gemm.backward_pairs(above, weight, dx, mask, zero, zero)


@body
def _add_swapped(below: Panels, above: Panels, out: Panels, rate: Number, kept: Number) -> None:
    gemm.update_swapped(below, above, out, out.start, rate, kept)


@body
def _add_pairs(below: Panels, above: Panels, out: Panels, rate: Number, kept: Number) -> None:
    gemm.update_pairs(_words(below), _words(above), out, out.start, rate, kept)


@inlined
def _each_tile(
    product: Any, x: Panels, dout: Panels, weight: Panels, tiles: tuple[int, int], step: Descent, row: int
) -> None:
    """Call a product for the tiles from the first up to the last; `row` is the elements of a row of x and dout."""
    lanes, rate = v.lanes(weight.start), number(weight.start, step.rate)
    for begin in range(0, x.rows, TILE_SUMS * SUM_ROWS):
        for i in range(tiles[0], tiles[1]):
            tile = tile_at(i, x.columns, dout.columns, lanes)
            here = offset(weight.start, square_of(tile, tile.first, lanes))
            for start in range(begin, min(x.rows, begin + TILE_SUMS * SUM_ROWS), SUM_ROWS):
                kept = number(weight.start, step.keep if start == 0 else 1.0)
                below, above = factors_of(x, dout, tile, start, row)
                out = Panels(start=here, stride=weight.stride, rows=below.columns, columns=above.columns)
                product(below, above, out, -rate, kept)


def _update_rounded(
    x: Panels, dout: Panels, weight: Panels, first: int, last: int, step: Descent, lists: Pointer
) -> None:
    _each_tile(_add_swapped, x, dout, weight, (first, last), step, v.lanes(weight.start))


def _update_packed(
    x: Panels, dout: Panels, weight: Panels, first: int, last: int, step: Descent, lists: Pointer
) -> None:
    _each_tile(_add_pairs, x, dout, weight, (first, last), step, v.lanes(weight.start) // 2)


def _update_listed(
    x: Panels, dout: Panels, weight: Panels, first: int, last: int, step: Descent, lists: Pointer
) -> None:
    nonzero.update_listed(x, dout, weight, (first, last), step, lists, nonzero.SWAPPED)


_INT = types.int64
# (values, halves, pairs, read_again): rounds a matrix in place or writes its copies; both where it will be read again
PREPARE = Interface(lambda real: (panels_type(real), *2 * (types.CPointer(real),), _INT))
# (square, copy, transposed, has_transposed): writes the copies of a square of weights that the products read
REFRESH = Interface(lambda real: (*3 * (types.CPointer(real),), _INT))
# (dout, transposed, mask, dx, masked): `fastmlp.kernels.linear.backward_rows`
BACKWARD = Interface(lambda real: (*2 * (panels_type(real),), types.CPointer(real), panels_type(real), _INT))


class Products(NamedTuple):
    """Addresses of the functions for one kind of operands, of the interfaces of the same names."""

    prepare: int
    refresh: int
    forward: int
    backward: int
    update: int


@functools.cache
def products(operands: int) -> Products:
    """Compile the functions for operands that are `ROUNDED` or `PACKED`."""
    if operands == PACKED:
        functions = (_pack_rows, _pack_square, _forward_packed, _backward_packed, _update_packed)
    else:
        functions = (_round_rows, _round_square, _forward_rounded, _backward_rounded, _update_rounded)
    interfaces = (PREPARE, REFRESH, FORWARD, BACKWARD, UPDATE)
    return Products(*(i.address(f, FLOAT32) for i, f in zip(interfaces, functions, strict=True)))


@functools.cache
def listed() -> tuple[int, int]:
    """Compile the forward product and the update of `ROUNDED` operands where most of the data are zeros."""
    return FORWARD.address(_forward_listed, FLOAT32), UPDATE.address(_update_listed, FLOAT32)
