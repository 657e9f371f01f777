"""The matrix products of one layer: what they read, and which function computes them.

Each product is compiled into the step, unless the layer has the address of another function for it: one that reads
operands rounded to bfloat16 (`fastmlp.kernels.bfloat16`), or that leaves out the zeros of the data
(`fastmlp.kernels.nonzero`).
"""

from typing import NamedTuple

from fastmlp.compilation.jit import borrowing
from fastmlp.engine.batch import Batch, operand_rows, operand_weights, region_rows, weights_in
from fastmlp.kernels.bfloat16 import BACKWARD, PREPARE
from fastmlp.kernels.linear import backward_rows, descend_all_biases, forward_rows, update_tiles
from fastmlp.kernels.nonzero import FORWARD, UPDATE
from fastmlp.kernels.panels import Panels, dense
from fastmlp.kernels.tiles import Descent
from fastmlp.simd.kinds import Pointer, Record
from fastmlp.simd.pointer import offset

_prepare_call = PREPARE.call
_forward_call, _backward_call, _update_call = FORWARD.call, BACKWARD.call, UPDATE.call


class Operands(NamedTuple):
    """What a layer's linear output is made from: its input, weights and biases, and the factor of the product."""

    x: Panels
    weight: Panels
    bias: Pointer
    scale: float


@borrowing
def linear_rows(layer: Record, by: Operands, out: Panels, relu: bool, lists: Pointer) -> None:
    """The linear layer, by its own function where it has one: rounded, or without the zeros of the data."""
    if layer.forward != 0:
        _forward_call(layer.forward, (by.x, by.weight, by.bias, out, int(relu), by.scale, lists))
    else:
        forward_rows(by.x, by.weight, by.bias, out, relu)


@borrowing
def scale_of_product(settings: Record, i: int) -> float:
    """Return what multiplies the products of the layer of number `i`."""
    return settings.product_scale if i == 0 else 1.0


@borrowing
def operands_at(b: Batch, i: int, first: int, count: int) -> Operands:
    """Return what the linear output of some rows is made from, in the layer of number `i`."""
    layer = b.layers[i]
    return Operands(
        x=operand_rows(b, layer.input_rows, first, count, layer.n_in),
        weight=operand_weights(b.copies, layer.weight_copy, layer.n_in, layer.n_out, b.settings.packed),
        bias=offset(b.parameters, layer.bias),
        scale=scale_of_product(b.settings, i),
    )


@borrowing
def linear_backward_rows(b: Batch, i: int, first: int, mask: Pointer, dx: Panels, masked: bool) -> None:
    """Write the gradient of the input of the layer of number `i` for the rows of `dx`, the first of number `first`."""
    layer = b.layers[i]
    dout = operand_rows(b, layer.dz_rows, first, dx.rows, layer.n_out)
    transposed = operand_weights(b.copies, layer.transposed_copy, layer.n_out, layer.n_in, b.settings.packed)
    if layer.backward != 0:
        _backward_call(layer.backward, (dout, transposed, mask, dx, int(masked)))
    else:
        backward_rows(dout, transposed, mask, dx, masked)


@borrowing
def _prepare(b: Batch, values: Panels, rows: int, pairs: int, first: int, read_again: bool) -> None:
    """Round what the products will read and write its copies, where they are not to read the values themselves.

    `rows` and `pairs` are the regions of the copies, `first` the number of the first row.
    """
    if b.settings.at.prepare != 0:
        copies = operand_rows(b, rows, first, values.rows, values.columns)
        others = operand_rows(b, pairs, first, values.rows, values.columns)
        _prepare_call(b.settings.at.prepare, (values, copies.start, others.start, int(read_again)))


@borrowing
def prepare_input(b: Batch, i: int, values: Panels, first: int) -> None:
    """Prepare the input of the layer of number `i`: `values` are its rows from number `first` on."""
    layer = b.layers[i]
    _prepare(b, values, layer.input_rows, layer.input_pairs, first, False)


@borrowing
def prepare_output(b: Batch, i: int, first: int, count: int) -> None:
    """Prepare the output of a hidden layer, as the input of the next one."""
    prepare_input(b, i + 1, region_rows(b, b.layers[i].out, first, count, b.layers[i].n_out), first)


@borrowing
def prepare_dz(b: Batch, i: int, first: int, count: int) -> None:
    """Prepare the gradient of the linear output of the layer of number `i`, which the biases' gradient sums as well."""
    layer = b.layers[i]
    values = region_rows(b, layer.dz, first, count, layer.n_out)
    _prepare(b, values, layer.dz_rows, layer.dz_pairs, first, True)


@borrowing
def descend_tiles(
    b: Batch, i: int, buffer: Pointer, first: int, last: int, step: Descent, has_transposed: bool
) -> None:
    """A step of the weights and biases in a buffer, along the gradient over all rows, for some tiles."""
    layer = b.layers[i]
    x = operand_rows(b, layer.input_pairs, 0, b.n, layer.n_in)
    dz = operand_rows(b, layer.dz_pairs, 0, b.n, layer.n_out)
    weight, bias = weights_in(buffer, layer), offset(buffer, layer.bias)
    if layer.update != 0:
        scaled = Descent(rate=step.rate * scale_of_product(b.settings, i), keep=step.keep, bias_rate=step.bias_rate)
        _update_call(layer.update, (x, dz, weight, first, last, scaled, b.lists))
        gradients = region_rows(b, layer.dz, 0, b.n, layer.n_out)
        descend_all_biases(gradients, layer.n_in, bias, first, last, step.bias_rate)
    else:
        start = offset(buffer, layer.transposed if has_transposed else layer.weight)
        transposed = dense(start, layer.n_out, layer.n_in if has_transposed else 0)
        update_tiles(x, dz, weight, transposed, bias, first, last, step)
