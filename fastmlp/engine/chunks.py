"""The compiled workers of prediction and evaluation: a team takes the rows chunk by chunk."""

from typing import Any, NamedTuple

import numpy as np

from fastmlp.compilation.jit import borrowing, worker
from fastmlp.engine.batch import operand_weights, targets_at
from fastmlp.engine.products import Operands, linear_rows, scale_of_product
from fastmlp.kernels.activations import activate_rows
from fastmlp.kernels.bfloat16 import PREPARE
from fastmlp.kernels.gather import gather_rows
from fastmlp.kernels.losses import loss_rows, right_flags_rows
from fastmlp.kernels.panels import Panels, all_finite, unpack_rows
from fastmlp.kernels.softmax import right_class_rows
from fastmlp.kernels.targets import typed
from fastmlp.simd.atomics import NOT_FINITE, STOP, TAKEN, fetch_add, load_shared, store_shared
from fastmlp.simd.bfloat16 import flush_denormals, set_mode
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import number, offset, pointer

CLASSES, FLAGS = 1, 2  # what a row's right answer is: the class of the largest output, or flags

_prepare_call = PREPARE.call


class Forward(NamedTuple):
    """What the chunks of a prediction share.

    Attributes
    ----------
    settings : numpy.ndarray of SETTINGS
        One record.
    layers : numpy.ndarray of LAYER
        Of the plan.
    parameters, copies, rows, lists, control : numpy.ndarray
        Buffers; each thread has a part of `rows` and of `lists`. Where the products read the parameters, they are the
        copies, too.
    order : numpy.ndarray
        The rows to predict, int64.
    """

    settings: Array
    layers: Array
    parameters: Array
    copies: Array
    rows: Array
    lists: Array
    control: Array
    order: Array


@borrowing
def _part_of(buffer: Array, thread: int, threads: int) -> Pointer:
    return pointer(buffer, thread * (buffer.size // threads))


@borrowing
def _take(forward: Forward) -> tuple[int, int, int]:
    """Take the next chunk; return its number, its first row and its rows, 0 when nothing is left."""
    batch, n = forward.settings[0].batch, forward.order.size
    chunk = fetch_add(pointer(forward.control, TAKEN), 1)
    stopped = load_shared(pointer(forward.control, STOP)) != 0
    return chunk, chunk * batch, 0 if stopped else max(0, min(batch, n - chunk * batch))


@borrowing
def _operands(forward: Forward, i: int, rows: Pointer, x: Panels) -> Operands:
    """Return what the linear output of the layer of number `i` is made from, its input `x` being prepared for that."""
    s, layer = forward.settings[0], forward.layers[i]
    place = offset(rows, layer.input_rows)
    if s.at.prepare != 0:
        _prepare_call(s.at.prepare, (x, place, offset(rows, layer.input_pairs), 0))
    return Operands(
        x=Panels(start=place, stride=s.stride >> s.packed, rows=x.rows, columns=x.columns),
        weight=operand_weights(pointer(forward.copies, 0), layer.weight_copy, layer.n_in, layer.n_out, s.packed),
        bias=pointer(forward.parameters, layer.bias),
        scale=scale_of_product(s, i),
    )


@borrowing
def _outputs(forward: Forward, thread: int, start: int, count: int) -> Panels:
    """Return the linear outputs of the last layer for `count` rows from the one of number `start` on."""
    s, layers = forward.settings[0], forward.layers
    rows, lists = _part_of(forward.rows, thread, s.threads), _part_of(forward.lists, thread, s.threads)
    x = Panels(start=rows, stride=s.stride, rows=count, columns=s.n_features)
    gather_rows(s.at.convert, s.at.data, pointer(forward.order, start), forward.order.size - start, s.scale, x)
    if not all_finite(x):
        store_shared(pointer(forward.control, NOT_FINITE), 1)
    for i in range(len(layers)):
        layer, relu = layers[i], i < len(layers) - 1 and s.relu != 0
        out = Panels(start=offset(rows, layer.out), stride=s.stride, rows=count, columns=layer.n_out)
        linear_rows(layer, _operands(forward, i, rows, x), out, relu, lists)
        if i < len(layers) - 1 and s.at.activate != 0:
            activate_rows(s.at.activate, out, offset(rows, layer.slope))
        x = out
    return x


@borrowing
def _begin(forward: Forward) -> Any:
    """Set the floating point mode of the thread, for `_end`."""
    return flush_denormals() if forward.settings[0].at.prepare != 0 else np.int64(0)


@borrowing
def _end(forward: Forward, mode: Any) -> None:
    if forward.settings[0].at.prepare != 0:
        set_mode(mode)


@worker
def evaluate_chunks(thread: int, forward: Forward, costs: Array, right: Array) -> None:
    """Weighted cost and weight of the right answers of all chunks of the rows, shared with other threads."""
    s, mode = forward.settings[0], _begin(forward)
    while True:
        chunk, start, count = _take(forward)
        if count == 0:
            break
        z = _outputs(forward, thread, start, count)
        targets = targets_at(s, pointer(forward.order, start))
        if s.answers == CLASSES:
            right[chunk] = right_class_rows(z, typed(targets, np.int64(0)))
        elif s.answers == FLAGS:
            right[chunk] = right_flags_rows(z, typed(targets, number(z.start, 0.0)))
        loss_rows(s.at.loss, z, targets, 1.0, s.parameter, pointer(costs, chunk))
    _end(forward, mode)


@worker
def predict_chunks(thread: int, forward: Forward, outputs: Array) -> None:
    """Outputs of all chunks of the rows, shared with other threads, into ``outputs (n, n_outputs)``."""
    s, last = forward.settings[0], forward.layers[len(forward.layers) - 1]
    mode = _begin(forward)
    while True:
        _, start, count = _take(forward)
        if count == 0:
            break
        z = _outputs(forward, thread, start, count)
        if s.at.output != 0:
            slope = offset(_part_of(forward.rows, thread, s.threads), last.slope)
            activate_rows(s.at.output, z, slope)
        unpack_rows(z, outputs, start)
    _end(forward, mode)
