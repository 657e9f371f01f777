"""What an update rule with a state does to tiles and to vectors: gradients first, then each parameter's step."""

import numpy as np

from fastmlp.compilation.jit import borrowing
from fastmlp.engine.batch import Batch, statistic
from fastmlp.engine.copies import refresh_square
from fastmlp.engine.plan import DBETA, DGAMMA
from fastmlp.engine.products import descend_tiles
from fastmlp.kernels.tiles import Descent, Tile, square_of, tile_at
from fastmlp.kernels.update import (
    ADAM,
    GRADIENT,
    MOMENTUM,
    AdamStep,
    MomentumStep,
    adam,
    clear,
    momentum,
    plain,
    square_sum,
)
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Pointer, Record
from fastmlp.simd.pointer import offset, pointer

TOGETHER = 16  # tiles whose gradients are computed before their steps, 32 KB in float32; with 4, or all, Adam is slower


@borrowing
def _tile(layer: Record, number: int, lanes: int) -> Tile:
    return tile_at(number, layer.n_in, layer.n_out, lanes)


@borrowing
def _step(b: Batch, which: int, gradient: Pointer, n: int, decays: bool, multiplier: float, factor: float) -> None:
    """Do the step of `n` parameters from the offset `which` on. Weights decay; vectors do not.

    `multiplier` is that of the learning rate, `factor` that of the gradient.
    """
    s, step, rate = b.settings, b.step, b.step.rate * multiplier
    parameter, state = offset(b.parameters, which), pointer(b.state, which)
    l2, keep = step.l2 if decays else 0.0, 1.0 - rate * (s.decay if decays else 0.0)
    if s.rule == MOMENTUM:
        by = MomentumStep(rate=rate, l2=l2, momentum=s.momentum, nesterov=s.nesterov)
        momentum(parameter, gradient, offset(state, s.slot), n, by, factor)
    elif s.rule == ADAM:
        size = step.size * multiplier
        how = AdamStep(size=size, beta_1=s.beta_1, beta_2=s.beta_2, epsilon=s.epsilon, l2=l2, keep=keep)
        adam(parameter, gradient, offset(state, s.slot), offset(state, 2 * s.slot), n, how, factor)
    else:
        plain(parameter, gradient, n, rate, 1.0 - rate * l2, factor)


@borrowing
def step_tiles(b: Batch, i: int, first: int, last: int, factor: float) -> None:
    """The steps of some tiles, whose gradients are in the state, and of the biases that belong to them."""
    layer, lanes = b.layers[i], v.lanes(b.parameters)
    for number in range(first, last):
        tile = _tile(layer, number, lanes)
        for p in range(tile.first, tile.last):
            weight = layer.weight + square_of(tile, p, lanes)
            _step(b, weight, pointer(b.state, weight), lanes * lanes, True, layer.weight_rate, factor)
            refresh_square(b.settings, layer, b.parameters, b.copies, tile, p)
            if tile.k == 0:
                bias = layer.bias + p * lanes
                _step(b, bias, pointer(b.state, bias), lanes, False, layer.bias_rate, factor)


@borrowing
def _squares(layer: Record, values: Pointer, number: int, bias: bool) -> float:
    """Return the summed squares of one tile of a buffer that is laid out as the parameters."""
    lanes, total = v.lanes(values), 0.0
    tile = _tile(layer, number, lanes)
    for p in range(tile.first, tile.last):
        total += square_sum(offset(values, layer.weight + square_of(tile, p, lanes)), lanes * lanes)
        if bias and tile.k == 0:
            total += square_sum(offset(values, layer.bias + p * lanes), lanes)
    return total


@borrowing
def note_gradient_squares(b: Batch, i: int, first: int, last: int) -> None:
    """Note the summed squares of the gradients of some tiles, one number for each tile, for `clip_factor`."""
    layer = b.layers[i]
    for number in range(first, last):
        b.gradient_squares[layer.first_tile + number] = _squares(layer, pointer(b.state, 0), number, True)


@borrowing
def note_weight_squares(b: Batch, i: int, first: int, last: int) -> None:
    """Note the Σ‖W‖² of some tiles, one number for each tile, where it is wanted."""
    if b.settings.weight_squares == 0:
        return
    layer = b.layers[i]
    for number in range(first, last):
        b.weight_squares[layer.first_tile + number] = _squares(layer, b.parameters, number, False)


@borrowing
def _clear_biases(b: Batch, i: int, first: int, last: int) -> None:
    """Set the gradients of the biases that belong to some tiles to 0: the products add to them."""
    layer, lanes = b.layers[i], v.lanes(b.parameters)
    for number in range(first, last):
        tile = _tile(layer, number, lanes)
        if tile.k == 0:
            clear(pointer(b.state, layer.bias + tile.first * lanes), (tile.last - tile.first) * lanes)


@borrowing
def waits(b: Batch, i: int) -> bool:
    """Whether the steps of a layer wait: for the gradients of its inputs' factors, or for the norm of all gradients."""
    return b.settings.clip > 0 or b.layers[i].factors >= 0


@borrowing
def rule_tiles(b: Batch, i: int, first: int, last: int) -> None:
    """Compute the gradients of some tiles and do their steps, unless the steps wait."""
    s = b.settings
    for start in range(first, last, TOGETHER):
        end = min(start + TOGETHER, last)
        added = s.rule == GRADIENT
        if not added:
            _clear_biases(b, i, start, end)
        sums = Descent(rate=-1.0, keep=1.0 if added else 0.0, bias_rate=-1.0)
        descend_tiles(b, i, pointer(b.state, 0), start, end, sums, False)
        if b.layers[i].factors >= 0:  # see `fastmlp.engine.factors`
            continue
        if s.clip > 0:
            note_gradient_squares(b, i, start, end)
        elif s.rule != GRADIENT:
            step_tiles(b, i, start, end, 1.0)


@borrowing
def total_of(b: Batch, squares: Pointer) -> float:
    """The sum over the tiles of all layers, in their order."""
    last, total = b.layers[len(b.layers) - 1], 0.0
    for number in range(last.first_tile + last.tiles):
        total += squares[number]
    return total


@borrowing
def _with_norms(b: Batch, statistics: Pointer, total: float) -> float:
    """Add the squares of the gradients of all γ and β, where there are any."""
    if statistics is None:  # decided when compiling, as in `fastmlp.engine.rows.pass_over`
        return total
    if b.settings.affine != 0:
        for i in range(len(b.layers) - 1):
            layer = b.layers[i]
            total += square_sum(statistic(b, layer, DGAMMA), layer.n_out)
            total += square_sum(statistic(b, layer, DBETA), layer.n_out)
    return total


@borrowing
def clip_factor(b: Batch) -> float:
    """Return the factor that makes the norm of the gradients at most ``clip``: 1 without clipping.

    Every thread sums in the order of the tiles.
    """
    s = b.settings
    if s.clip == 0:
        return 1.0
    total = _with_norms(b, b.statistics, total_of(b, b.gradient_squares))
    below = b.layers[0]
    if below.factors >= 0:
        total += square_sum(pointer(b.state, below.factors), below.n_in)
    norm = np.sqrt(total)
    return s.clip / norm if norm > s.clip else 1.0


@borrowing
def rule_vector(b: Batch, which: int, gradient: Pointer, n: int) -> None:
    """Do the step of a γ or β, which does not decay."""
    _step(b, which, gradient, n, False, b.settings.norm_rate, clip_factor(b))


@borrowing
def rule_factors(b: Batch, which: int, n: int, factor: float) -> None:
    """Do the step of factors of the inputs, which do not decay, and whose gradients are in the state."""
    _step(b, which, pointer(b.state, which), n, False, b.settings.factor_rate, factor)
