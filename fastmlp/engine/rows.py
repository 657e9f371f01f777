"""What happens to some rows of a mini-batch: forward through the layers, the gradient of the loss, and back.

Without batch norm, rows go the whole way in one pass. With it, everyone waits twice for every normalised layer, because
its statistics cross the batch. So the way is cut into passes (`fastmlp.engine.plan.make_passes`), each with the rows
still in the nearest cache.
"""

from fastmlp.compilation.jit import borrowing
from fastmlp.engine.batch import Batch, normalisation, region_at, region_rows, statistic, targets_at
from fastmlp.engine.plan import (
    DBETA,
    DGAMMA,
    FORWARD,
    INV_STD,
    MEAN,
    NORM_AFTER_RELU,
    NORM_BEFORE_RELU,
    NORM_NONE,
    VAR,
    WHOLE,
)
from fastmlp.engine.products import (
    linear_backward_rows,
    linear_rows,
    operands_at,
    prepare_dz,
    prepare_input,
    prepare_output,
)
from fastmlp.engine.shares import blocks_of
from fastmlp.kernels.activations import activate_rows, multiply_rows
from fastmlp.kernels.batchnorm import (
    BlockSums,
    block_gradient_sums,
    block_moments,
    merge_gradient_sums,
    merge_moments,
    normalise_backward_rows,
    normalise_rows,
)
from fastmlp.kernels.dropout import DROP, Mask
from fastmlp.kernels.gather import gather_rows
from fastmlp.kernels.losses import loss_rows
from fastmlp.kernels.panels import Panels
from fastmlp.simd.kinds import Pointer, Record
from fastmlp.simd.pointer import offset

STRIP_ROWS = 16  # even, as copies are made of two rows at a time; of 784 columns they fill 50 KB in float32

_drop_call = DROP.call


@borrowing
def _block_sums(b: Batch, half: int, first: int) -> Pointer:
    """Return where the sums of the block that starts at row `first` are."""
    blocks = half * blocks_of(b.settings, b.settings.batch) + first // b.settings.block
    return offset(b.sums, blocks * 2 * b.settings.widest)


@borrowing
def _gather(b: Batch, first: int, count: int) -> None:
    s, layer = b.settings, b.layers[0]
    # where the products read copies, nobody reads the rows themselves again, and a strip of them takes the place of all
    strip = STRIP_ROWS if s.packed != 0 else count
    for start in range(first, first + count, strip):
        values = region_rows(b, layer.input, first, min(strip, first + count - start), s.n_features)
        gather_rows(s.at.convert, s.at.data, offset(b.index, start), b.readable - start, s.scale, values)
        prepare_input(b, 0, values, start)


@borrowing
def _linear(b: Batch, i: int, first: int, count: int) -> None:
    """The linear layer, and its activation where no batch norm comes between."""
    layer = b.layers[i]
    activated = i < len(b.layers) - 1 and b.settings.norm != NORM_BEFORE_RELU
    out = region_rows(b, layer.pre, first, count, layer.n_out)
    linear_rows(layer, operands_at(b, i, first, count), out, activated and b.settings.relu != 0, b.lists)
    if activated:
        _activate(b, layer, out, first)


@borrowing
def _activate(b: Batch, layer: Record, values: Panels, first: int) -> None:
    """An activation that the matrix products do not do, and its slope."""
    if b.settings.at.activate != 0:
        activate_rows(b.settings.at.activate, values, region_at(b, layer.slope, first))


@borrowing
def _drop(b: Batch, i: int, region: int, first: int, count: int) -> None:
    """Dropout of a hidden layer's output, or of its gradient by the same mask."""
    layer = b.layers[i]
    if layer.threshold > 0:
        mask = Mask(key=b.settings.key, step=b.step.number, layer=i, threshold=layer.threshold)
        _drop_call(b.settings.at.drop, (region_rows(b, region, first, count, layer.n_out), first, mask))


@borrowing
def _loss(b: Batch, first: int, count: int) -> None:
    """Cost and gradient of the last layer's linear output, block by block."""
    s, layer = b.settings, b.layers[len(b.layers) - 1]
    for start in range(first, first + count, s.block):
        z = region_rows(b, layer.out, start, min(s.block, first + count - start), layer.n_out)
        targets, cost = targets_at(s, offset(b.index, start)), offset(b.costs, start // s.block)
        loss_rows(s.at.loss, z, targets, 1.0 / b.step.weight, s.parameter, cost)
    prepare_dz(b, len(b.layers) - 1, first, count)


@borrowing
def _linear_backward(b: Batch, i: int, first: int, count: int) -> None:
    """From the gradient of a layer's linear output to that of the layer below, or of its batch norm's output."""
    s, layer, below = b.settings, b.layers[i], b.layers[i - 1]
    dx, mask = region_rows(b, below.dz, first, count, layer.n_in), region_at(b, below.out, first)
    linear_backward_rows(b, i, first, mask, dx, s.relu != 0 and s.norm != NORM_AFTER_RELU)
    _drop(b, i - 1, below.dz, first, count)
    if s.norm != NORM_AFTER_RELU:
        _activate_backward(b, below, dx, first)
    if s.norm == NORM_NONE:
        prepare_dz(b, i - 1, first, count)


@borrowing
def _activate_backward(b: Batch, layer: Record, dz: Panels, first: int) -> None:
    if b.settings.at.activate != 0:
        multiply_rows(dz, region_at(b, layer.slope, first))


@borrowing
def _sum_moments(b: Batch, i: int, half: int, first: int, count: int) -> None:
    layer, block = b.layers[i], b.settings.block
    for start in range(first, first + count, block):
        pre = region_rows(b, layer.pre, start, min(block, first + count - start), layer.n_out)
        block_moments(pre, _block_sums(b, half, start))


@borrowing
def _normalise(b: Batch, i: int, first: int, count: int) -> None:
    s, layer = b.settings, b.layers[i]
    pre = region_rows(b, layer.pre, first, count, layer.n_out)
    out = region_rows(b, layer.out, first, count, layer.n_out)
    normalise_rows(pre, normalisation(b, layer), s.relu != 0 and s.norm == NORM_BEFORE_RELU, out)
    if s.norm == NORM_BEFORE_RELU:
        _activate(b, layer, out, first)


@borrowing
def _sum_gradients(b: Batch, i: int, half: int, first: int, count: int) -> None:
    layer, block = b.layers[i], b.settings.block
    for start in range(first, first + count, block):
        rows = min(block, first + count - start)
        pre = region_rows(b, layer.pre, start, rows, layer.n_out)
        dout = region_rows(b, layer.dz, start, rows, layer.n_out)
        block_gradient_sums(pre, normalisation(b, layer), dout, _block_sums(b, half, start))


@borrowing
def _normalise_backward(b: Batch, i: int, first: int, count: int) -> None:
    s, layer = b.settings, b.layers[i]
    pre = region_rows(b, layer.pre, first, count, layer.n_out)
    dz = region_rows(b, layer.dz, first, count, layer.n_out)
    dgamma, dbeta = statistic(b, layer, DGAMMA), statistic(b, layer, DBETA)
    masked = s.relu != 0 and s.norm == NORM_AFTER_RELU
    normalise_backward_rows(pre, normalisation(b, layer), dgamma, dbeta, b.n, masked, dz)
    if s.norm == NORM_AFTER_RELU:
        _activate_backward(b, layer, dz, first)
    prepare_dz(b, i, first, count)


@borrowing
def merge(b: Batch, statistics: Pointer, number: int) -> None:
    """Combine the sums of the pass before a pass: statistics of a layer, or the gradients of its γ and β."""
    if statistics is None:  # decided when compiling, as in `pass_over`
        return
    s, coming = b.settings, b.passes[number]
    sums = BlockSums(start=_block_sums(b, 1 - coming.half, 0), stride=2 * s.widest, block=s.block, rows=b.n)
    if coming.kind == FORWARD:
        layer = b.layers[coming.layer - 1]
        mean, inv_std, var = statistic(b, layer, MEAN), statistic(b, layer, INV_STD), statistic(b, layer, VAR)
        merge_moments(sums, layer.n_out, s.eps, mean, inv_std, var)
    else:
        layer = b.layers[coming.layer]
        merge_gradient_sums(sums, layer.n_out, statistic(b, layer, DGAMMA), statistic(b, layer, DBETA))


@borrowing
def _whole_way(b: Batch, first: int, count: int) -> None:
    top = len(b.layers) - 1
    _gather(b, first, count)
    for i in range(top):
        _linear(b, i, first, count)
        _drop(b, i, b.layers[i].out, first, count)
        prepare_output(b, i, first, count)
    _linear(b, top, first, count)
    _loss(b, first, count)
    for i in range(top, 0, -1):
        _linear_backward(b, i, first, count)


@borrowing
def _forward_to(b: Batch, i: int, half: int, first: int, count: int) -> None:
    """Up to a layer; at the last one, back to the gradient of the normalised layer below."""
    top = len(b.layers) - 1
    if i == 0:
        _gather(b, first, count)
    else:
        _normalise(b, i - 1, first, count)
        _drop(b, i - 1, b.layers[i - 1].out, first, count)
        prepare_output(b, i - 1, first, count)
    _linear(b, i, first, count)
    if i < top:
        _sum_moments(b, i, half, first, count)
        return
    _loss(b, first, count)
    if top > 0:
        _linear_backward(b, top, first, count)
        _sum_gradients(b, top - 1, half, first, count)


@borrowing
def _back_from(b: Batch, i: int, half: int, first: int, count: int) -> None:
    """Back through a normalised layer to the gradient of the one below."""
    _normalise_backward(b, i, first, count)
    if i > 0:
        _linear_backward(b, i, first, count)
        _sum_gradients(b, i - 1, half, first, count)


@borrowing
def pass_over(b: Batch, statistics: Pointer, number: int, first: int, count: int) -> None:
    """Do one pass over `count` rows from `first` on."""
    if statistics is None:  # decided when compiling: who has no batch norm does not wait for its compilation
        _whole_way(b, first, count)
        return
    this = b.passes[number]
    if this.kind == WHOLE:
        _whole_way(b, first, count)
    elif this.kind == FORWARD:
        _forward_to(b, this.layer, this.half, first, count)
    else:
        _back_from(b, this.layer, this.half, first, count)
