"""The copies of the weights that the products read: with the factors of the inputs, transposed, in bfloat16."""

from fastmlp.compilation.jit import borrowing, worker
from fastmlp.kernels.bfloat16 import REFRESH
from fastmlp.kernels.tiles import Tile, square_of, tile_at, transposed_square_of
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Array, Pointer, Record
from fastmlp.simd.pointer import offset, pointer
from fastmlp.simd.transpose import transpose_tile

_call = REFRESH.call


@borrowing
def scale_square(factors: Pointer, square: Pointer, out: Pointer) -> None:
    """Write a square of weights or of their gradients, each row of which is multiplied by the factor of its input."""
    lanes = v.lanes(square)
    for r in range(lanes):
        v.store(v.multiply(v.splat(factors[r]), v.load(offset(square, r * lanes))), offset(out, r * lanes))


@borrowing
def refresh_square(settings: Record, layer: Record, parameters: Pointer, copies: Pointer, tile: Tile, p: int) -> None:
    """Copy the square of weights of a panel of outputs of a tile, whose parameters have changed."""
    lanes, has_transposed = v.lanes(parameters), int(layer.transposed_copy >= 0)
    square, transposed = square_of(tile, p, lanes), transposed_square_of(tile, p, lanes)
    if layer.factors >= 0:
        factors = offset(parameters, layer.factors + tile.k * lanes)
        scale_square(factors, offset(parameters, layer.weight + square), offset(parameters, layer.scaled + square))
    weights = offset(parameters, layer.scaled + square)
    if settings.at.refresh != 0:
        copy = offset(copies, layer.weight_copy + (square >> settings.packed))
        other = offset(copies, layer.transposed_copy + (transposed >> settings.packed))
        _call(settings.at.refresh, (weights, copy, other, has_transposed))
    elif has_transposed != 0:
        transpose_tile(weights, offset(copies, layer.transposed_copy + transposed))


@borrowing
def refresh_tiles(settings: Record, layer: Record, parameters: Pointer, copies: Pointer, first: int, last: int) -> None:
    """Copy the weights of some tiles, where the products read copies."""
    if settings.at.refresh == 0 and layer.factors < 0:
        return
    for i in range(first, last):
        tile = tile_at(i, layer.n_in, layer.n_out, v.lanes(parameters))
        for p in range(tile.first, tile.last):
            refresh_square(settings, layer, parameters, copies, tile, p)


@worker
def refresh_all(settings: Array, layers: Array, parameters: Array, copies: Array) -> None:
    """Copy the weights of all layers."""
    for i in range(len(layers)):
        layer = layers[i]
        refresh_tiles(settings[0], layer, pointer(parameters, 0), pointer(copies, 0), 0, layer.tiles)
