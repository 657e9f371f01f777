"""Update rules that keep a state for every parameter: momentum and Adam, on vectors and on tiles of weights.

Momentum μ (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013):
``velocity ← μ · velocity - rate · gradient``, then ``parameter += velocity``, and with Nesterov's correction
``parameter += μ · velocity - rate · gradient``, which is ``(1 + μ) · new velocity - μ · old velocity``.

Adam (Kingma and Ba, 2015, in the form at the end of their section 2): ``first ← β₁ · first + (1 - β₁) · gradient``,
``second ← β₂ · second + (1 - β₂) · gradient²``, ``parameter -= size · first / (√second + ε)``, where `size` is the rate
times ``√(1 - β₂ᵗ) / (1 - β₁ᵗ)`` in step t.

States are laid out as the parameters. A tile is one of `fastmlp.kernels.linear.update_tiles`, with the biases of its
outputs if it is the first of its inputs; the arguments are those of that function.
"""

from typing import Any

from fastmlp.jit import body
from fastmlp.kernels.linear import TILE_PANELS, tile_at, update_tiles
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import number, offset


@body
def begin_momentum(parameter: Any, velocity: Any, n: int, momentum: float, decay: float, nesterov: bool) -> None:
    """``velocity ← momentum · velocity - decay · parameter``; with `nesterov`, ``parameter -= momentum · velocity``."""
    kept, shrunk = v.splat(number(parameter, momentum)), v.splat(number(parameter, -decay))
    for i in range(0, n, v.lanes(parameter)):
        here, there = offset(parameter, i), offset(velocity, i)
        before, old = v.load(here), v.multiply(kept, v.load(there))
        v.store(v.fma(shrunk, before, old), there)
        if nesterov:
            v.store(v.subtract(before, old), here)


@body
def end_momentum(parameter: Any, velocity: Any, n: int, momentum: float, nesterov: bool) -> None:
    """``parameter += velocity``, with `nesterov` ``(1 + momentum) · velocity``."""
    factor = v.splat(number(parameter, 1.0 + momentum if nesterov else 1.0))
    for i in range(0, n, v.lanes(parameter)):
        here = offset(parameter, i)
        v.store(v.fma(factor, v.load(offset(velocity, i)), v.load(here)), here)


@body
def momentum_tiles(x: Any, dout: Any, weight: Any, velocity: Any, transposed: Any, bias: Any, bias_velocity: Any,
                   first: int, last: int, rows: int, n_in: int, n_out: int, panel: int, rate: float, decay: float,
                   momentum: float, nesterov: bool, has_transposed: bool) -> None:  # fmt: skip
    """A step with momentum; the gradients go from the registers into the velocities."""
    lanes = v.lanes(x)
    inputs, outputs = (n_in + lanes - 1) // lanes, (n_out + lanes - 1) // lanes
    square = lanes * lanes
    for tile in range(first, last):
        k, j = tile_at(tile, inputs, outputs)
        for p in range(j, min(j + TILE_PANELS, outputs)):
            at = (p * inputs + k) * square
            begin_momentum(offset(weight, at), offset(velocity, at), square, momentum, rate * decay, nesterov)
            if k == 0:
                here = offset(bias_velocity, p * lanes)
                begin_momentum(offset(bias, p * lanes), here, lanes, momentum, 0.0, nesterov)
    update_tiles(x, dout, velocity, velocity, bias_velocity, first, last, rows, n_in, n_out, panel, rate, 1.0, False)
    for tile in range(first, last):
        k, j = tile_at(tile, inputs, outputs)
        for p in range(j, min(j + TILE_PANELS, outputs)):
            here = offset(weight, (p * inputs + k) * square)
            end_momentum(here, offset(velocity, (p * inputs + k) * square), square, momentum, nesterov)
            if has_transposed:
                v.transpose_tile(here, offset(transposed, (k * outputs + p) * square))
            if k == 0:
                end_momentum(offset(bias, p * lanes), offset(bias_velocity, p * lanes), lanes, momentum, nesterov)


@body
def adam(parameter: Any, gradient: Any, first: Any, second: Any, n: int, size: float, beta_1: float, beta_2: float,
         eps: float, decay: float, keep: float) -> None:  # fmt: skip
    """A step of Adam for the gradient ``gradient + decay · parameter``, from ``keep · parameter`` on."""
    down, least = v.splat(number(parameter, -size)), v.splat(number(parameter, eps))
    shrunk, kept = v.splat(number(parameter, decay)), v.splat(number(parameter, keep))
    old_1, new_1 = v.splat(number(parameter, beta_1)), v.splat(number(parameter, 1.0 - beta_1))
    old_2, new_2 = v.splat(number(parameter, beta_2)), v.splat(number(parameter, 1.0 - beta_2))
    for i in range(0, n, v.lanes(parameter)):
        here, there, behind = offset(parameter, i), offset(first, i), offset(second, i)
        before = v.load(here)
        slope = v.fma(shrunk, before, v.load(offset(gradient, i)))
        mean = v.fma(new_1, slope, v.multiply(old_1, v.load(there)))
        square = v.fma(new_2, v.multiply(slope, slope), v.multiply(old_2, v.load(behind)))
        v.store(mean, there)
        v.store(square, behind)
        move = v.divide(mean, v.add(v.square_root(square), least))
        v.store(v.fma(down, move, v.multiply(kept, before)), here)


@body
def adam_tiles(x: Any, dout: Any, weight: Any, transposed: Any, bias: Any, state: Any, bias_state: Any, slot: int,
               first: int, last: int, rows: int, n_in: int, n_out: int, panel: int, size: float, beta_1: float,
               beta_2: float, eps: float, decay: float, keep: float, has_transposed: bool) -> None:  # fmt: skip
    """A step of Adam; `state` holds the gradients, and `slot` and twice `slot` elements on the two moments."""
    lanes = v.lanes(x)
    inputs, outputs = (n_in + lanes - 1) // lanes, (n_out + lanes - 1) // lanes
    square = lanes * lanes
    nothing = v.splat(number(x, 0.0))
    for tile in range(first, last):
        k, j = tile_at(tile, inputs, outputs)
        for p in range(j, min(j + TILE_PANELS, outputs)):
            if k == 0:
                v.store(nothing, offset(bias_state, p * lanes))
    update_tiles(x, dout, state, state, bias_state, first, last, rows, n_in, n_out, panel, -1.0, 0.0, False)
    for tile in range(first, last):
        k, j = tile_at(tile, inputs, outputs)
        for p in range(j, min(j + TILE_PANELS, outputs)):
            at = (p * inputs + k) * square
            here, slope = offset(weight, at), offset(state, at)
            adam(
                here, slope, offset(slope, slot), offset(slope, 2 * slot), square, size, beta_1, beta_2, eps, decay,
                keep,
            )  # fmt: skip
            if has_transposed:
                v.transpose_tile(here, offset(transposed, (k * outputs + p) * square))
            if k == 0:
                slope = offset(bias_state, p * lanes)
                adam(
                    offset(bias, p * lanes), slope, offset(slope, slot), offset(slope, 2 * slot), lanes, size, beta_1,
                    beta_2, eps, 0.0, 1.0,
                )  # fmt: skip
