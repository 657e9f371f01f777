"""The factors of the inputs: their gradients, those of the first layer's weights, and the steps of the factors.

With data x, factors s and weights W of the first layer, ``z = x · (s W) + b``: the products read a copy of W whose rows
are multiplied by the factors. So the data stay as they are, bytes and zeros included. The products sum
``G = xᵀ · dz`` over the mini-batch, from which both gradients follow: ``dW = s G``, row by row, and ``ds = Σ W ∘ G``,
the sum over the outputs. This needs no gradient of the inputs, whose product would take as long as that of G, and no
division by s.

A panel of inputs belongs to one thread, which sums in the order of the outputs.
"""

from fastmlp.compilation.jit import borrowing
from fastmlp.engine.batch import Batch
from fastmlp.engine.copies import scale_square
from fastmlp.engine.rules import note_gradient_squares, rule_factors
from fastmlp.kernels.tiles import tile_at
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Pointer, Record
from fastmlp.simd.pointer import number as typed
from fastmlp.simd.pointer import offset, pointer
from fastmlp.simd.sizes import ceil_divide


@borrowing
def _panels_of(b: Batch, thread: int) -> tuple[int, int]:
    """Return the first and the last panel of inputs, the last one excluded, that belong to a thread."""
    panels, threads = ceil_divide(b.layers[0].n_in, v.lanes(b.parameters)), b.settings.threads
    return panels * thread // threads, panels * (thread + 1) // threads


@borrowing
def _factor_gradient(layer: Record, weights: Pointer, gradients: Pointer, r: int) -> float:
    """Return ``Σ W ∘ G`` of an input, whose weights and gradients begin in row `r` of some squares."""
    lanes = v.lanes(weights)
    total = v.splat(typed(weights, 0.0))
    inputs = ceil_divide(layer.n_in, lanes)
    for p in range(ceil_divide(layer.n_out, lanes)):
        here = (p * inputs * lanes + r) * lanes
        total = v.fma(v.load(offset(weights, here)), v.load(offset(gradients, here)), total)
    return v.sum_lanes(total)


@borrowing
def _gradients(b: Batch, k: int) -> None:
    """From G of a panel of inputs to the gradients of their factors and weights, in the state."""
    layer, lanes = b.layers[0], v.lanes(b.parameters)
    factors, first = layer.factors + k * lanes, layer.weight + k * lanes * lanes
    inputs = ceil_divide(layer.n_in, lanes)
    found = pointer(b.state, factors)
    for r in range(lanes):
        found[r] = _factor_gradient(layer, offset(b.parameters, first), pointer(b.state, first), r)
    for p in range(ceil_divide(layer.n_out, lanes)):
        square = pointer(b.state, first + p * inputs * lanes * lanes)
        scale_square(offset(b.parameters, factors), square, square)


@borrowing
def has_input_of(b: Batch, number: int, thread: int) -> bool:
    """Whether the panel of inputs of a tile of the first layer belongs to a thread."""
    layer, (first, last) = b.layers[0], _panels_of(b, thread)
    return first <= tile_at(number, layer.n_in, layer.n_out, v.lanes(b.parameters)).k < last


@borrowing
def factor_gradients(b: Batch, thread: int) -> None:
    """Compute the gradients of a thread's inputs; with clipping, note the squares of those of the weights."""
    first, last = _panels_of(b, thread)
    for k in range(first, last):
        _gradients(b, k)
    if b.settings.clip > 0:
        for number in range(b.layers[0].tiles):
            if has_input_of(b, number, thread):
                note_gradient_squares(b, 0, number, number + 1)


@borrowing
def step_factors(b: Batch, thread: int, factor: float) -> None:
    """The steps of the factors of a thread's inputs, whose gradients are in the state."""
    first, last = _panels_of(b, thread)
    start, lanes = b.layers[0].factors, v.lanes(b.parameters)
    for k in range(first, last):
        rule_factors(b, start + k * lanes, lanes, factor)
