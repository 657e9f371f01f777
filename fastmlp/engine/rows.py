"""What happens to some rows of a mini-batch: forward through the layers, the gradient of the loss, and back.

Without batch norm, rows go the whole way in one phase. With it, everyone waits twice for every normalised layer,
because its statistics cross the batch; so the way is cut into phases, each with the rows still in the nearest cache.
"""

from typing import Any, NamedTuple

from fastmlp.compilation.jit import body, inlined
from fastmlp.engine.plan import DBETA, DGAMMA, INV_STD, MEAN, NORM_AFTER_RELU, NORM_BEFORE_RELU, NORM_NONE, VAR
from fastmlp.engine.shares import blocks_of
from fastmlp.kernels.activations import activate_rows, multiply_rows
from fastmlp.kernels.gather import gather_rows
from fastmlp.kernels.linear import backward_rows, forward_rows, padded, update_tiles
from fastmlp.kernels.losses import loss_rows
from fastmlp.kernels.relu_batchnorm import (
    block_gradient_sums,
    block_moments,
    merge_gradient_sums,
    merge_moments,
    normalise_backward_rows,
    normalise_rows,
)
from fastmlp.simd.pointer import call, cast_address, offset
from fastmlp.simd.vector import lanes


class Batch(NamedTuple):
    """A mini-batch as one thread sees it: pointers but for the settings, the layers, the state and some numbers."""

    s: Any  # settings
    layers: Any
    tiles: Any  # dealt out
    parameters: Any
    state: Any  # array of the update rule: buffers laid out as the parameters; None of plain SGD, which has none
    rows: Any
    mine: Any  # the thread's own copy of the statistics
    moments: Any  # partial sums of the blocks, in two halves that phases use in turn
    costs: Any  # of the blocks
    squares: Any  # of the gradients, summed by tiles
    weight_squares: Any  # of the weights, summed by tiles
    index: Any  # of the mini-batch's rows in the data
    known: int  # indices from there on
    n: int  # rows of the mini-batch
    step: Any  # record of the step
    lists: Any  # the thread's own memory for lists of what is not zero


@inlined
def phases(b: Any) -> int:
    """How often rows are passed over before the parameters can be updated."""
    return 1 if b.s.norm == NORM_NONE else 2 * len(b.layers) - 1


@inlined
def statistic(b: Any, layer: Any, which: int) -> Any:
    return offset(b.mine, layer.statistics + which * padded(layer.n_out, lanes(b.mine)))


@inlined
def _at(b: Any, region: int, first: int) -> Any:
    return offset(b.rows, region + first * lanes(b.rows))


@inlined
def _moments(b: Any, phase: int, first: int) -> Any:
    """Where the sums of the block that starts at row `first` are."""
    blocks = phase % 2 * blocks_of(b.s, b.s.batch) + first // b.s.block
    return offset(b.moments, blocks * 2 * b.s.widest)


@inlined
def _gather(b: Any, first: int, count: int) -> None:
    s = b.s
    target = _at(b, b.layers[0].input, first)
    index, known = offset(b.index, first), b.known - first
    gather_rows(s.convert, s.address, index, count, known, s.n_features, s.scale, target, s.panel)


@inlined
def linear_rows(s: Any, i: int, layer: Any, parameters: Any, x: Any, out: Any, count: int, relu: bool,
                lists: Any) -> None:  # fmt: skip
    """The linear layer of number `i`, of the first one without the zeros of the data where that pays."""
    weight, bias = offset(parameters, layer.weight), offset(parameters, layer.bias)
    if i == 0 and s.forward != 0:
        call(s.forward, (x, weight, bias, out, count, layer.n_in, layer.n_out, s.panel, int(relu), lists))
    else:
        forward_rows(x, weight, bias, out, count, layer.n_in, layer.n_out, s.panel, relu)


@body
def _linear(b: Any, i: int, first: int, count: int) -> None:
    """The linear layer, and its activation where no batch norm comes between."""
    layer = b.layers[i]
    activated = i < len(b.layers) - 1 and b.s.norm != NORM_BEFORE_RELU
    x, out = _at(b, layer.input, first), _at(b, layer.pre, first)
    linear_rows(b.s, i, layer, b.parameters, x, out, count, activated and b.s.relu != 0, b.lists)
    if activated:
        _activate(b, i, layer.pre, first, count)


@body
def _activate(b: Any, i: int, region: int, first: int, count: int) -> None:
    """An activation that the matrix products do not do, and its slope."""
    layer = b.layers[i]
    if b.s.activate != 0:
        values, slope = _at(b, region, first), _at(b, layer.slope, first)
        activate_rows(b.s.activate, values, slope, count, layer.n_out, b.s.panel)


@body
def _drop(b: Any, i: int, region: int, first: int, count: int) -> None:
    """Dropout of a hidden layer's output, or of its gradient by the same mask."""
    layer = b.layers[i]
    if layer.threshold > 0:
        values, number = _at(b, region, first), b.step.number
        call(b.s.drop, (values, first, count, layer.n_out, b.s.panel, i, number, b.s.key, layer.threshold))


@body
def _loss(b: Any, first: int, count: int) -> None:
    """Cost and gradient of the last layer's linear output, block by block."""
    layer = b.layers[len(b.layers) - 1]
    for start in range(first, first + count, b.s.block):
        loss_rows(
            b.s.loss,
            _at(b, layer.out, start),
            b.s.targets,
            cast_address(b.s.weights, 1.0),
            b.s.weight_stride,
            offset(b.index, start),
            min(b.s.block, first + count - start),
            layer.n_out,
            b.s.panel,
            1.0 / b.step.weight,
            b.s.parameter,
            offset(b.costs, start // b.s.block),
        )


@body
def _linear_backward(b: Any, i: int, first: int, count: int) -> None:
    """From the gradient of a layer's linear output to that of the layer below, or of its batch norm's output."""
    layer, below = b.layers[i], b.layers[i - 1]
    backward_rows(
        _at(b, layer.dz, first),
        offset(b.parameters, layer.transposed),
        _at(b, below.out, first),
        _at(b, below.dz, first),
        count,
        layer.n_in,
        layer.n_out,
        b.s.panel,
        b.s.relu != 0 and b.s.norm != NORM_AFTER_RELU,
    )
    _drop(b, i - 1, below.dz, first, count)
    if b.s.norm != NORM_AFTER_RELU:
        _activate_backward(b, i - 1, first, count)


@body
def _activate_backward(b: Any, i: int, first: int, count: int) -> None:
    layer = b.layers[i]
    if b.s.activate != 0:
        multiply_rows(_at(b, layer.dz, first), _at(b, layer.slope, first), count, layer.n_out, b.s.panel)


@body
def _sum_moments(b: Any, i: int, phase: int, first: int, count: int) -> None:
    layer = b.layers[i]
    for start in range(first, first + count, b.s.block):
        rows = min(b.s.block, first + count - start)
        block_moments(_at(b, layer.pre, start), rows, layer.n_out, b.s.panel, _moments(b, phase, start))


@body
def _normalise(b: Any, i: int, first: int, count: int) -> None:
    layer = b.layers[i]
    normalise_rows(
        _at(b, layer.pre, first),
        statistic(b, layer, MEAN),
        statistic(b, layer, INV_STD),
        offset(b.parameters, layer.gamma),
        offset(b.parameters, layer.beta),
        count,
        layer.n_out,
        b.s.panel,
        b.s.relu != 0 and b.s.norm == NORM_BEFORE_RELU,
        _at(b, layer.out, first),
    )
    if b.s.norm == NORM_BEFORE_RELU:
        _activate(b, i, layer.out, first, count)


@body
def _sum_gradients(b: Any, i: int, phase: int, first: int, count: int) -> None:
    layer = b.layers[i]
    for start in range(first, first + count, b.s.block):
        block_gradient_sums(
            _at(b, layer.pre, start),
            statistic(b, layer, MEAN),
            statistic(b, layer, INV_STD),
            _at(b, layer.dz, start),
            min(b.s.block, first + count - start),
            layer.n_out,
            b.s.panel,
            _moments(b, phase, start),
        )


@body
def _normalise_backward(b: Any, i: int, first: int, count: int) -> None:
    layer = b.layers[i]
    normalise_backward_rows(
        _at(b, layer.pre, first),
        statistic(b, layer, MEAN),
        statistic(b, layer, INV_STD),
        offset(b.parameters, layer.gamma),
        statistic(b, layer, DGAMMA),
        statistic(b, layer, DBETA),
        b.n,
        count,
        layer.n_out,
        b.s.panel,
        b.s.relu != 0 and b.s.norm == NORM_AFTER_RELU,
        _at(b, layer.dz, first),
    )
    if b.s.norm == NORM_AFTER_RELU:
        _activate_backward(b, i, first, count)


@body
def descend_tiles(b: Any, i: int, buffer: Any, first: int, last: int, rate: float, keep: float,
                  has_transposed: bool) -> None:  # fmt: skip
    """Weights and biases, or their gradients, less `rate` times the gradient over all rows, for some tiles."""
    layer = b.layers[i]
    x, dz = offset(b.rows, layer.input), offset(b.rows, layer.dz)
    weight, bias = offset(buffer, layer.weight), offset(buffer, layer.bias)
    n_in, n_out, panel = layer.n_in, layer.n_out, b.s.panel
    if i == 0 and b.s.update != 0:
        call(b.s.update, (x, dz, weight, bias, first, last, b.n, n_in, n_out, panel, rate, keep, b.lists))
    else:
        transposed = offset(buffer, layer.transposed if has_transposed else layer.weight)
        update_tiles(x, dz, weight, transposed, bias, first, last, b.n, n_in, n_out, panel, rate, keep, has_transposed)


@body
def merge(b: Any, phase: int) -> None:
    """Combine the sums that the phase before left: statistics of a layer, or the gradients of its γ and β."""
    top = len(b.layers) - 1
    layer = b.layers[phase - 1 if phase <= top else 2 * top - phase]
    sums, stride = _moments(b, phase - 1, 0), 2 * b.s.widest
    if phase <= top:
        mean, inv_std, var = statistic(b, layer, MEAN), statistic(b, layer, INV_STD), statistic(b, layer, VAR)
        merge_moments(sums, stride, b.s.block, b.n, layer.n_out, b.s.eps, mean, inv_std, var)
    else:
        blocks = blocks_of(b.s, b.n)
        merge_gradient_sums(sums, stride, blocks, layer.n_out, statistic(b, layer, DGAMMA), statistic(b, layer, DBETA))


@body
def _all_the_way(b: Any, first: int, count: int) -> None:
    top = len(b.layers) - 1
    _gather(b, first, count)
    for i in range(top):
        _linear(b, i, first, count)
        _drop(b, i, b.layers[i].out, first, count)
    _linear(b, top, first, count)
    _loss(b, first, count)
    for i in range(top, 0, -1):
        _linear_backward(b, i, first, count)


@body
def _forward_phase(b: Any, phase: int, first: int, count: int) -> None:
    """Up to the layer of that number; behind the last, back to the gradient of the normalised layer below."""
    top = len(b.layers) - 1
    if phase == 0:
        _gather(b, first, count)
    else:
        _normalise(b, phase - 1, first, count)
        _drop(b, phase - 1, b.layers[phase - 1].out, first, count)
    _linear(b, phase, first, count)
    if phase < top:
        _sum_moments(b, phase, phase, first, count)
        return
    _loss(b, first, count)
    if top > 0:
        _linear_backward(b, top, first, count)
        _sum_gradients(b, top - 1, phase, first, count)


@body
def _backward_phase(b: Any, phase: int, first: int, count: int) -> None:
    i = 2 * (len(b.layers) - 1) - phase
    _normalise_backward(b, i, first, count)
    if i > 0:
        _linear_backward(b, i, first, count)
        _sum_gradients(b, i - 1, phase, first, count)


@inlined
def pass_over(b: Any, phase: int, first: int, count: int) -> None:
    """Do one phase of `count` rows from `first` on."""
    if b.s.norm == NORM_NONE:
        _all_the_way(b, first, count)
    elif phase < len(b.layers):
        _forward_phase(b, phase, first, count)
    else:
        _backward_phase(b, phase, first, count)
