"""The compiled worker: every thread of a team runs `train_steps`, one SGD step after the other.

A step: gather → linear → relu_batchnorm → … → softmax → back up → barrier → update → barrier. A thread owns rows of the
mini-batch up to the first barrier and tiles of the parameters between the two; batch norm waits twice more for every
normalised layer, because its statistics cross the batch.
"""

from typing import Any

import numpy as np

from fastmlp.engine.plan import (
    CHUNK_ROWS,
    DBETA,
    DGAMMA,
    INV_STD,
    MEAN,
    NORM_AFTER_RELU,
    NORM_BEFORE_RELU,
    NORM_NONE,
    VAR,
    Plan,
)
from fastmlp.jit import body, worker
from fastmlp.kernels.gather import DTYPES, gather_rows
from fastmlp.kernels.linear import backward_rows, forward_rows, padded, update_tiles
from fastmlp.kernels.relu_batchnorm import (
    block_gradient_sums,
    block_moments,
    merge_gradient_sums,
    merge_moments,
    normalise_backward_rows,
    normalise_rows,
)
from fastmlp.kernels.softmax import cross_entropy_rows
from fastmlp.kernels.update import average, descend
from fastmlp.simd.atomics import HALT, SKIPPED, STEPS_DONE, STOP, barrier, load_shared, store_shared
from fastmlp.simd.pointer import offset, pointer
from fastmlp.simd.vector import lanes

_INTEGERS = ("threads", "batch", "block", "panel", "norm", "affine", "address", "code", "n_features", "widest", "spins")
_NUMBERS = ("scale", "rate", "decay", "eps", "momentum")
# what stays the same from step to step
SETTINGS = np.dtype([(name, np.int64) for name in _INTEGERS] + [(name, np.float64) for name in _NUMBERS])


def make_settings(plan: Plan, x: np.ndarray, scale: float, threads: int) -> np.ndarray:
    """Return the record of what a forward pass needs; what concerns training alone is 0."""
    record = np.zeros(1, SETTINGS)
    for name in ("batch", "block", "panel", "norm", "widest"):
        record[name] = getattr(plan, name)
    record["threads"], record["scale"] = threads, scale
    record["address"], record["code"], record["n_features"] = x.ctypes.data, DTYPES.index(x.dtype), x.shape[1]
    return record


@body
def _statistic(mine: Any, layer: Any, which: int) -> Any:
    return offset(mine, layer.statistics + which * padded(layer.n_out, lanes(mine)))


@body
def _chunk(block: int) -> int:
    return max(block, CHUNK_ROWS // block * block)


@body
def _gather(s: Any, layers: Any, rows: Any, index: Any, known: int, first: int, count: int) -> None:
    target = offset(rows, layers[0].input + first * lanes(rows))
    gather_rows(s.address, s.code, offset(index, first), count, known - first, s.n_features, s.scale, target, s.panel)


@body
def _linear(s: Any, layer: Any, hidden: bool, parameters: Any, rows: Any, first: int, count: int) -> None:
    start = first * lanes(rows)
    forward_rows(
        offset(rows, layer.input + start),
        offset(parameters, layer.weight),
        offset(parameters, layer.bias),
        offset(rows, layer.pre + start),
        count,
        layer.n_in,
        layer.n_out,
        s.panel,
        hidden and s.norm != NORM_BEFORE_RELU,
    )


@body
def _softmax(
    s: Any, layer: Any, rows: Any, labels: Any, index: Any, n: int, first: int, count: int, costs: Any
) -> None:
    """Cost and gradient of the logits, block by block."""
    for start in range(first, first + count, s.block):
        costs[start // s.block] = cross_entropy_rows(
            offset(rows, layer.out + start * lanes(rows)),
            labels,
            offset(index, start),
            min(s.block, first + count - start),
            layer.n_out,
            s.panel,
            1.0 / n,
        )


@body
def _linear_backward(s: Any, layer: Any, below: Any, parameters: Any, rows: Any, first: int, count: int) -> None:
    """From the gradient of a layer's linear output to that of the layer below, or of its batch norm's output."""
    start = first * lanes(rows)
    backward_rows(
        offset(rows, layer.dz + start),
        offset(parameters, layer.transposed),
        offset(rows, below.out + start),
        offset(rows, below.dz + start),
        count,
        layer.n_in,
        layer.n_out,
        s.panel,
        s.norm != NORM_AFTER_RELU,
    )


@body
def _stopping(control: Any) -> bool:
    """Whether the stop cell is set; if so, the team learns that this step's rows are not all done."""
    if load_shared(offset(control, STOP)) == 0:
        return False
    store_shared(offset(control, SKIPPED), 1)
    return True


@body
def _rows_without_norm(
    s: Any, layers: Any, parameters: Any, rows: Any, labels: Any, index: Any, known: int, n: int, first: int, last: int,
    costs: Any, control: Any,
) -> None:  # fmt: skip
    """All of a thread's rows, chunk by chunk through the whole network and back; no waiting."""
    top = len(layers) - 1
    step = _chunk(s.block)
    for start in range(first, last, step):
        if _stopping(control):
            return
        count = min(step, last - start)
        _gather(s, layers, rows, index, known, start, count)
        for i in range(top + 1):
            _linear(s, layers[i], i < top, parameters, rows, start, count)
        _softmax(s, layers[top], rows, labels, index, n, start, count, costs)
        for i in range(top, 0, -1):
            _linear_backward(s, layers[i], layers[i - 1], parameters, rows, start, count)


@body
def _wait(s: Any, control: Any, arrivals: Any) -> bool:
    arrivals[0] += s.threads
    return barrier(control, arrivals[0], s.spins)


@body
def _normalise(s: Any, layer: Any, parameters: Any, rows: Any, mine: Any, moments: Any, n: int, first: int, last: int,
               control: Any, arrivals: Any) -> bool:  # fmt: skip
    stride = 2 * s.widest
    for start in range(first, last, s.block):
        pre = offset(rows, layer.pre + start * lanes(rows))
        count = min(s.block, last - start)
        block_moments(pre, count, layer.n_out, s.panel, offset(moments, start // s.block * stride))
    if not _wait(s, control, arrivals):
        return False
    mean, inv_std = _statistic(mine, layer, MEAN), _statistic(mine, layer, INV_STD)
    merge_moments(moments, stride, s.block, n, layer.n_out, s.eps, mean, inv_std, _statistic(mine, layer, VAR))
    normalise_rows(
        offset(rows, layer.pre + first * lanes(rows)),
        mean,
        inv_std,
        offset(parameters, layer.gamma),
        offset(parameters, layer.beta),
        last - first,
        layer.n_out,
        s.panel,
        s.norm == NORM_BEFORE_RELU,
        offset(rows, layer.out + first * lanes(rows)),
    )
    return True


@body
def _normalise_backward(s: Any, layer: Any, parameters: Any, rows: Any, mine: Any, moments: Any, n: int, first: int,
                        last: int, control: Any, arrivals: Any) -> bool:  # fmt: skip
    stride = 2 * s.widest
    mean, inv_std = _statistic(mine, layer, MEAN), _statistic(mine, layer, INV_STD)
    dgamma, dbeta = _statistic(mine, layer, DGAMMA), _statistic(mine, layer, DBETA)
    for start in range(first, last, s.block):
        here = start * lanes(rows)
        pre, dout = offset(rows, layer.pre + here), offset(rows, layer.dz + here)
        count = min(s.block, last - start)
        sums = offset(moments, start // s.block * stride)
        block_gradient_sums(pre, mean, inv_std, dout, count, layer.n_out, s.panel, sums)
    if not _wait(s, control, arrivals):
        return False
    merge_gradient_sums(moments, stride, (n + s.block - 1) // s.block, layer.n_out, dgamma, dbeta)
    normalise_backward_rows(
        offset(rows, layer.pre + first * lanes(rows)),
        mean,
        inv_std,
        offset(parameters, layer.gamma),
        dgamma,
        dbeta,
        n,
        last - first,
        layer.n_out,
        s.panel,
        s.norm == NORM_AFTER_RELU,
        offset(rows, layer.dz + first * lanes(rows)),
    )
    return True


@body
def _rows_with_norm(
    s: Any, layers: Any, parameters: Any, rows: Any, mine: Any, moments: Any, labels: Any, index: Any, known: int,
    n: int, first: int, last: int, costs: Any, control: Any, arrivals: Any,
) -> bool:  # fmt: skip
    """All of a thread's rows, layer by layer; False when the team was abandoned."""
    top = len(layers) - 1
    step = _chunk(s.block)
    half = s.widest * 2 * ((s.batch + s.block - 1) // s.block)
    turn = 0  # the two halves of `moments` take turns: a slow thread may still read the last one
    _stopping(control)
    _gather(s, layers, rows, index, known, first, last - first)
    for i in range(top + 1):
        for start in range(first, last, step):
            if _stopping(control):
                break
            _linear(s, layers[i], i < top, parameters, rows, start, min(step, last - start))
        if i < top:
            if not _normalise(
                s, layers[i], parameters, rows, mine, offset(moments, turn * half), n, first, last, control, arrivals
            ):
                return False
            turn = 1 - turn
    _softmax(s, layers[top], rows, labels, index, n, first, last - first, costs)
    for i in range(top, 0, -1):
        for start in range(first, last, step):
            if _stopping(control):
                break
            _linear_backward(s, layers[i], layers[i - 1], parameters, rows, start, min(step, last - start))
        if not _normalise_backward(
            s, layers[i - 1], parameters, rows, mine, offset(moments, turn * half), n, first, last, control, arrivals
        ):
            return False
        turn = 1 - turn
    return True


@body
def _update(s: Any, layers: Any, tiles: Any, parameters: Any, rows: Any, mine: Any, thread: int, n: int) -> None:
    """Own tiles of all layers: the gradient over all rows goes straight into the parameters."""
    top = len(layers) - 1
    for i in range(top, -1, -1):
        layer = layers[i]
        update_tiles(
            offset(rows, layer.input),
            offset(rows, layer.dz),
            offset(parameters, layer.weight),
            offset(parameters, layer.transposed if i > 0 else layer.weight),
            offset(parameters, layer.bias),
            tiles[thread, i, 0],
            tiles[thread, i, 1],
            n,
            layer.n_in,
            layer.n_out,
            s.panel,
            s.rate,
            1.0 - s.rate * s.decay,
            i > 0,
        )
        if s.norm != NORM_NONE and i < top and thread == 0:
            average(offset(parameters, layer.running_mean), _statistic(mine, layer, MEAN), layer.n_out, s.momentum)
            average(offset(parameters, layer.running_var), _statistic(mine, layer, VAR), layer.n_out, s.momentum)
            if s.affine != 0:
                descend(offset(parameters, layer.gamma), _statistic(mine, layer, DGAMMA), layer.n_out, s.rate)
                descend(offset(parameters, layer.beta), _statistic(mine, layer, DBETA), layer.n_out, s.rate)


@worker
def train_steps(thread: int, settings: Any, layers: Any, tiles: Any, parameter_buffer: Any, row_buffer: Any,
                statistics: Any, moments: Any, block_costs: Any, step_costs: Any, order: Any, labels: Any,
                control_cells: Any, arrival_counts: Any) -> None:  # fmt: skip
    """Train on the rows `order`, cut into mini-batches, as one thread of a team.

    Every thread of the team calls this with the same arguments but `thread`. The cost of every finished step is in
    `step_costs`. Ends early, after a whole step, when the stop cell is set or a cost is not finite.
    """
    s = settings[0]
    parameters, rows = pointer(parameter_buffer, 0), pointer(row_buffer, 0)
    mine = pointer(statistics, thread * (statistics.size // s.threads))
    control, arrivals = pointer(control_cells, 0), pointer(arrival_counts, 8 * thread)
    costs = pointer(block_costs, 0)
    total = order.size
    for step in range(step_costs.size):
        position = step * s.batch
        n = min(s.batch, total - position)
        index = pointer(order, position)
        blocks = (n + s.block - 1) // s.block
        first = blocks * thread // s.threads * s.block
        last = min(n, blocks * (thread + 1) // s.threads * s.block)
        if s.norm == NORM_NONE:
            _rows_without_norm(s, layers, parameters, rows, pointer(labels, 0), index, total - position, n, first, last,
                               costs, control)  # fmt: skip
        elif not _rows_with_norm(s, layers, parameters, rows, mine, pointer(moments, 0), pointer(labels, 0), index,
                                 total - position, n, first, last, costs, control, arrivals):  # fmt: skip
            return
        if not _wait(s, control, arrivals) or load_shared(offset(control, SKIPPED)) != 0:
            return
        if thread == 0:
            cost = 0.0
            for b in range(blocks):
                cost += block_costs[b]
            step_costs[step] = cost / n
            if load_shared(offset(control, STOP)) != 0 or not np.isfinite(cost):
                store_shared(offset(control, HALT), 1)
        _update(s, layers, tiles, parameters, rows, mine, thread, n)
        if not _wait(s, control, arrivals):
            return
        if thread == 0:
            store_shared(offset(control, STEPS_DONE), step + 1)
        if load_shared(offset(control, HALT)) != 0:
            return
