"""Update rules that need the gradient in memory: momentum, Adam, and any with its norm clipped.

The gradients of tiles of weights, and of their biases, go into the state's first buffer; then each parameter takes its
step, elementwise. Buffers of the state are laid out as the parameters, `slot` elements apart.

Plain: ``parameter ← keep · parameter - rate · gradient``.

Momentum μ (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013):
``velocity ← μ · velocity - rate · (gradient + decay · parameter)``, then ``parameter += velocity``, and with Nesterov's
correction ``parameter += μ · velocity - rate · (gradient + decay · parameter)``.

Adam (Kingma and Ba, 2015, in the form at the end of their section 2): ``first ← β₁ · first + (1 - β₁) · gradient``,
``second ← β₂ · second + (1 - β₂) · gradient²``, ``parameter -= size · first / (√second + ε)``, where `size` is the rate
times ``√(1 - β₂ᵗ) / (1 - β₁ᵗ)`` in step t.

Clipping multiplies the gradient by a `factor` (Pascanu, Mikolov and Bengio, 2013), 1 where there is none.
"""

from typing import Any

from fastmlp.compilation.jit import body
from fastmlp.kernels.linear import TILE_PANELS, tile_at
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import number, offset


@body
def plain(parameter: Any, gradient: Any, n: int, rate: float, keep: float, factor: float) -> None:
    down, kept = v.splat(number(parameter, -rate * factor)), v.splat(number(parameter, keep))
    for i in range(0, n, v.lanes(parameter)):
        here = offset(parameter, i)
        v.store(v.fma(down, v.load(offset(gradient, i)), v.multiply(kept, v.load(here))), here)


@body
def momentum(parameter: Any, gradient: Any, velocity: Any, n: int, rate: float, decay: float, mu: float,
             nesterov: bool, factor: float) -> None:  # fmt: skip
    down, shrunk = v.splat(number(parameter, -rate * factor)), v.splat(number(parameter, -rate * decay))
    kept = v.splat(number(parameter, mu))
    for i in range(0, n, v.lanes(parameter)):
        here, there = offset(parameter, i), offset(velocity, i)
        before = v.load(here)
        change = v.fma(shrunk, before, v.multiply(down, v.load(offset(gradient, i))))
        speed = v.fma(kept, v.load(there), change)
        v.store(speed, there)
        v.store(v.add(before, v.fma(kept, speed, change) if nesterov else speed), here)


@body
def adam(parameter: Any, gradient: Any, first: Any, second: Any, n: int, size: float, beta_1: float, beta_2: float,
         eps: float, decay: float, keep: float, factor: float) -> None:  # fmt: skip
    """A step for the gradient ``factor · gradient + decay · parameter``, from ``keep · parameter`` on."""
    down, least = v.splat(number(parameter, -size)), v.splat(number(parameter, eps))
    shrunk, kept = v.splat(number(parameter, decay)), v.splat(number(parameter, keep))
    clipped = v.splat(number(parameter, factor))
    old_1, new_1 = v.splat(number(parameter, beta_1)), v.splat(number(parameter, 1.0 - beta_1))
    old_2, new_2 = v.splat(number(parameter, beta_2)), v.splat(number(parameter, 1.0 - beta_2))
    for i in range(0, n, v.lanes(parameter)):
        here, there, behind = offset(parameter, i), offset(first, i), offset(second, i)
        before = v.load(here)
        slope = v.fma(shrunk, before, v.multiply(clipped, v.load(offset(gradient, i))))
        mean = v.fma(new_1, slope, v.multiply(old_1, v.load(there)))
        square = v.fma(new_2, v.multiply(slope, slope), v.multiply(old_2, v.load(behind)))
        v.store(mean, there)
        v.store(square, behind)
        move = v.divide(mean, v.add(v.square_root(square), least))
        v.store(v.fma(down, move, v.multiply(kept, before)), here)


@body
def clear_biases(bias: Any, first: int, last: int, n_in: int, n_out: int) -> None:
    """Zeros for the biases that belong to some tiles."""
    lanes = v.lanes(bias)
    inputs, outputs = (n_in + lanes - 1) // lanes, (n_out + lanes - 1) // lanes
    nothing = v.splat(number(bias, 0.0))
    for tile in range(first, last):
        k, j = tile_at(tile, inputs, outputs)
        for p in range(j, min(j + TILE_PANELS, outputs)):
            if k == 0:
                v.store(nothing, offset(bias, p * lanes))


@body
def square_sum(values: Any, n: int) -> float:
    """Σ values²: lanes of every 16 vectors in their own dtype, then in float64."""
    lanes, total = v.lanes(values), 0.0
    for first in range(0, n, 16 * lanes):
        squares = v.splat(number(values, 0.0))
        for i in range(first, min(first + 16 * lanes, n), lanes):
            vector = v.load(offset(values, i))
            squares = v.fma(vector, vector, squares)
        total += v.sum_lanes(squares)
    return total
