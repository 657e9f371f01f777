"""What an update rule with a state does to tiles and to vectors: gradients first, then each parameter's step."""

from typing import Any

import numpy as np

from fastmlp.compilation.jit import body, inlined
from fastmlp.engine.plan import DBETA, DGAMMA
from fastmlp.engine.rows import descend_tiles, statistic
from fastmlp.engine.settings import ADAM, GRADIENT, MOMENTUM
from fastmlp.kernels._rules import adam, clear_biases, momentum, plain, square_sum
from fastmlp.kernels.linear import TILE_PANELS, padded, tile_at
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import offset, pointer

TOGETHER = 16  # tiles between gradients and steps: in float32 32 KB; 1 to 3 % of Adam's step faster than 4, or than all


@inlined
def _step(b: Any, which: int, gradient: Any, n: int, l2: float, decay: float, factor: float) -> None:
    """The step of `n` parameters from the place `which` on, which decay in the cost (`l2`) or beside it (`decay`)."""
    s, step = b.s, b.step
    parameter, state = offset(b.parameters, which), pointer(b.state, which)
    keep = 1.0 - step.rate * decay
    if s.rule == MOMENTUM:
        momentum(parameter, gradient, offset(state, s.slot), n, step.rate, l2, s.beta_1, s.nesterov != 0, factor)
    elif s.rule == ADAM:
        first, second = offset(state, s.slot), offset(state, 2 * s.slot)
        adam(parameter, gradient, first, second, n, step.size, s.beta_1, s.beta_2, s.epsilon, l2, keep, factor)
    else:
        plain(parameter, gradient, n, step.rate, 1.0 - step.rate * l2, factor)


@body
def step_tiles(b: Any, i: int, first: int, last: int, factor: float) -> None:
    """The steps of some tiles, whose gradients are in the state, and of the biases that belong to them."""
    layer, lanes = b.layers[i], v.lanes(b.parameters)
    inputs, outputs = padded(layer.n_in, lanes) // lanes, padded(layer.n_out, lanes) // lanes
    square = lanes * lanes
    for tile in range(first, last):
        k, j = tile_at(tile, inputs, outputs)
        for p in range(j, min(j + TILE_PANELS, outputs)):
            weight = layer.weight + (p * inputs + k) * square
            _step(b, weight, pointer(b.state, weight), square, b.step.l2, b.s.decay, factor)
            if i > 0:
                turned = layer.transposed + (k * outputs + p) * square
                v.transpose_tile(offset(b.parameters, weight), offset(b.parameters, turned))
            if k == 0:
                bias = layer.bias + p * lanes
                _step(b, bias, pointer(b.state, bias), lanes, 0.0, 0.0, factor)


@body
def _squares(layer: Any, values: Any, tile: int, bias: bool) -> float:
    """The summed squares of a tile of what is laid out as the parameters."""
    lanes = v.lanes(values)
    inputs, outputs = padded(layer.n_in, lanes) // lanes, padded(layer.n_out, lanes) // lanes
    square, total = lanes * lanes, 0.0
    k, j = tile_at(tile, inputs, outputs)
    for p in range(j, min(j + TILE_PANELS, outputs)):
        total += square_sum(offset(values, layer.weight + (p * inputs + k) * square), square)
        if bias and k == 0:
            total += square_sum(offset(values, layer.bias + p * lanes), lanes)
    return total


@body
def _note_squares(b: Any, i: int, first: int, last: int) -> None:
    """The summed squares of the gradients of each of some tiles, for `clip_factor`."""
    layer = b.layers[i]
    for tile in range(first, last):
        b.squares[layer.first_tile + tile] = _squares(layer, pointer(b.state, 0), tile, True)


@body
def note_weight_squares(b: Any, i: int, first: int, last: int) -> None:
    """Σ‖W‖² of each of some tiles, where it is wanted."""
    if b.s.weight_squares == 0:
        return
    layer = b.layers[i]
    for tile in range(first, last):
        b.weight_squares[layer.first_tile + tile] = _squares(layer, b.parameters, tile, False)


@inlined
def rule_tiles(b: Any, i: int, first: int, last: int) -> None:
    """Gradients of some tiles, and their steps unless those wait for the norm of all gradients."""
    s, layer = b.s, b.layers[i]
    for start in range(first, last, TOGETHER):
        end = min(start + TOGETHER, last)
        added = s.rule == GRADIENT
        if not added:
            clear_biases(pointer(b.state, layer.bias), start, end, layer.n_in, layer.n_out)
        descend_tiles(b, i, pointer(b.state, 0), start, end, -1.0, 1.0 if added else 0.0, False)
        if s.clip > 0:
            _note_squares(b, i, start, end)
        elif s.rule != GRADIENT:
            step_tiles(b, i, start, end, 1.0)


@inlined
def total_of(b: Any, squares: Any) -> float:
    """The sum over the tiles of all layers, in their order."""
    last, total = b.layers[len(b.layers) - 1], 0.0
    for tile in range(last.first_tile + last.tiles):
        total += squares[tile]
    return total


@body
def clip_factor(b: Any) -> float:
    """What the gradients are multiplied by so that their norm is at most ``clip``: 1 without clipping.

    Every thread sums in the order of the tiles.
    """
    s, top = b.s, len(b.layers) - 1
    if s.clip == 0:
        return 1.0
    total = total_of(b, b.squares)
    if s.affine != 0:
        for i in range(top):
            layer = b.layers[i]
            total += square_sum(statistic(b, layer, DGAMMA), layer.n_out)
            total += square_sum(statistic(b, layer, DBETA), layer.n_out)
    norm = np.sqrt(total)
    return s.clip / norm if norm > s.clip else 1.0


@inlined
def rule_vector(b: Any, which: int, gradient: Any, n: int) -> None:
    """The step of a vector, which does not decay."""
    _step(b, which, gradient, n, 0.0, 0.0, clip_factor(b))
