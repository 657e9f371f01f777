"""Tiles of a weight matrix: the pieces in which threads update the parameters."""

from typing import NamedTuple

from fastmlp.compilation.jit import body
from fastmlp.kernels.panels import Panels, strip_of
from fastmlp.simd import vector as v
from fastmlp.simd.gemm import LISTED
from fastmlp.simd.pointer import offset
from fastmlp.simd.sizes import ceil_divide

SUM_ROWS = LISTED  # rows of one partial sum of dW: the 3 panels that a tile reads then fill 24 KB of a 32 KB cache
TILE_PANELS = 2  # panels of outputs in a tile


class Tile(NamedTuple):
    """A piece of a weight matrix: one panel of the layer's inputs by up to `TILE_PANELS` panels of its outputs.

    Attributes
    ----------
    k : int
        The panel of inputs.
    first, last : int
        The panels of outputs, the last one excluded.
    inputs, outputs : int
        Panels of the whole layer.
    """

    k: int
    first: int
    last: int
    inputs: int
    outputs: int


@body
def tile_at(number_of_tile: int, n_in: int, n_out: int, lanes: int) -> Tile:
    """Return a tile of a layer by its number.

    The longer side is cut: a thread with neighbouring tiles reads a part of the wider of x and dout.
    """
    inputs, outputs = ceil_divide(n_in, lanes), ceil_divide(n_out, lanes)
    groups = ceil_divide(outputs, TILE_PANELS)
    by_inputs = inputs >= groups
    k = number_of_tile // groups if by_inputs else number_of_tile % inputs
    first = (number_of_tile % groups if by_inputs else number_of_tile // inputs) * TILE_PANELS
    return Tile(k=k, first=first, last=min(first + TILE_PANELS, outputs), inputs=inputs, outputs=outputs)


@body
def square_of(tile: Tile, p: int, lanes: int) -> int:
    """Return where the square of weights of a panel of outputs of a tile starts, in elements."""
    return (p * tile.inputs + tile.k) * lanes * lanes


@body
def transposed_square_of(tile: Tile, p: int, lanes: int) -> int:
    """Return where the transpose of that square starts among the transposed weights."""
    return (tile.k * tile.outputs + p) * lanes * lanes


class Descent(NamedTuple):
    """A step: ``weight = keep · weight - rate · gradient`` and ``bias -= bias_rate · gradient``."""

    rate: float
    keep: float
    bias_rate: float


@body
def factors_of(x: Panels, dout: Panels, tile: Tile, start: int, row: int) -> tuple[Panels, Panels]:
    """Return the factors of a tile's gradient, for at most `SUM_ROWS` rows of the batch from `start` on.

    `row` is the number of elements from one row of a panel to the next.
    """
    lanes, count = v.lanes(x.start), min(SUM_ROWS, x.rows - start)
    height = min(lanes, x.columns - tile.k * lanes)
    width = min(TILE_PANELS * lanes, dout.columns - tile.first * lanes)
    below, above = strip_of(x, tile.k * lanes), strip_of(dout, tile.first * lanes)
    return (
        Panels(start=offset(below, start * row), stride=x.stride, rows=count, columns=height),
        Panels(start=offset(above, start * row), stride=dout.stride, rows=count, columns=width),
    )
