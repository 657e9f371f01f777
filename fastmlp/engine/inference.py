"""Prediction and evaluation: chunks of rows that a team takes one by one, batch norm folded into the linear layers."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import losses
from fastmlp.batchnorm import folded
from fastmlp.compilation.jit import body, worker
from fastmlp.engine.plan import CHUNK_ROWS, make_plan
from fastmlp.engine.rows import linear_rows
from fastmlp.engine.settings import make_settings, set_data, set_loss
from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import Parameters, aligned
from fastmlp.inputs.sparse import Matrix
from fastmlp.kernels import nonzero
from fastmlp.kernels._lists import lists_bytes
from fastmlp.kernels._panels import all_finite, unpack_strip
from fastmlp.kernels.activations import activate_rows, activation
from fastmlp.kernels.gather import gather_rows
from fastmlp.kernels.losses import loss_rows, right_flags_rows
from fastmlp.kernels.softmax import right_class_rows
from fastmlp.simd.atomics import CONTROL_CELLS, NOT_FINITE, STOP, TAKEN, fetch_add, load_shared, store_shared
from fastmlp.simd.pointer import cast_address, number, offset, pointer
from fastmlp.simd.vector import lanes

SAMPLED_FLOP = 3e8  # of the first layer, about 4 ms: looking for zeros takes 1 to 3 % of that
CLASSES, FLAGS = 1, 2  # what a row's right answer is: the class of the largest output, or flags
ANSWERS = {"softmax": CLASSES, "logistic": FLAGS}

if TYPE_CHECKING:
    from fastmlp.losses import Loss
    from fastmlp.mlp import MLP


@body
def _logits(s: Any, layers: Any, parameters: Any, rows: Any, lists: Any, index: Any, known: int, count: int,
            control: Any) -> Any:  # fmt: skip
    """Fill the logits of `count` rows; return where they are."""
    gather_rows(s.convert, s.address, index, count, known, s.n_features, s.scale, rows, s.panel)
    if not all_finite(rows, count, s.n_features, s.panel):
        store_shared(offset(control, NOT_FINITE), 1)
    for i in range(len(layers)):
        layer, relu = layers[i], i < len(layers) - 1 and s.relu != 0
        linear_rows(s, i, layer, parameters, offset(rows, layer.input), offset(rows, layer.out), count, relu, lists)
        if i < len(layers) - 1 and s.activate != 0:
            values, slope = offset(rows, layer.out), offset(rows, layer.slope)
            activate_rows(s.activate, values, slope, count, layer.n_out, s.panel)
    return offset(rows, layers[len(layers) - 1].out)


@worker
def evaluate_chunks(chunks: int, thread: int, settings: Any, layers: Any, parameters: Any, row_buffer: Any,
                    list_buffer: Any, order: Any, costs: Any, right: Any, control: Any) -> None:  # fmt: skip
    """Weighted cost and weight of the right answers of all chunks of the rows `order`, shared with other threads."""
    s = settings[0]
    rows = pointer(row_buffer, thread * (row_buffer.size // s.threads))
    lists = pointer(list_buffer, thread * (list_buffer.size // s.threads))
    n_outputs = layers[len(layers) - 1].n_out
    weights = cast_address(s.weights, 1.0)
    while True:
        chunk = fetch_add(pointer(control, TAKEN), 1)
        if chunk >= chunks or load_shared(pointer(control, STOP)) != 0:
            return
        start = chunk * s.batch
        count = min(s.batch, order.size - start)
        index = pointer(order, start)
        known = order.size - start
        z = _logits(s, layers, pointer(parameters, 0), rows, lists, index, known, count, pointer(control, 0))
        if s.answers == CLASSES:
            labels = cast_address(s.targets, np.int64(0))
            right[chunk] = right_class_rows(z, labels, weights, s.weight_stride, index, count, n_outputs, s.panel)
        elif s.answers == FLAGS:
            flags = cast_address(s.targets, number(z, 0.0))
            right[chunk] = right_flags_rows(z, flags, weights, s.weight_stride, index, count, n_outputs, s.panel)
        loss_rows(
            s.loss, z, s.targets, weights, s.weight_stride, index, count, n_outputs, s.panel, 1.0, s.parameter,
            pointer(costs, chunk),
        )  # fmt: skip


@worker
def predict_chunks(chunks: int, thread: int, settings: Any, layers: Any, parameters: Any, row_buffer: Any,
                   list_buffer: Any, order: Any, outputs: Any, control: Any) -> None:  # fmt: skip
    """Outputs of all chunks of the rows `order`, shared with other threads, into ``outputs (n, n_outputs)``."""
    s = settings[0]
    rows = pointer(row_buffer, thread * (row_buffer.size // s.threads))
    lists = pointer(list_buffer, thread * (list_buffer.size // s.threads))
    width, top = lanes(rows), len(layers) - 1
    while True:
        chunk = fetch_add(pointer(control, TAKEN), 1)
        if chunk >= chunks or load_shared(pointer(control, STOP)) != 0:
            return
        start = chunk * s.batch
        count = min(s.batch, order.size - start)
        index = pointer(order, start)
        known = order.size - start
        z = _logits(s, layers, pointer(parameters, 0), rows, lists, index, known, count, pointer(control, 0))
        if s.output != 0:
            activate_rows(s.output, z, offset(rows, layers[top].slope), count, outputs.shape[1], s.panel)
        for j in range(0, outputs.shape[1], width):
            unpack_strip(offset(z, j // width * s.panel), outputs, start, count, j)


@worker
def _same_bits(a: Any, b: Any) -> bool:
    for start in range(0, a.size, 1024):
        different = a[start] ^ b[start]
        for i in range(start, min(start + 1024, a.size)):
            different |= a[i] ^ b[i]
        if different != 0:
            return False
    return True


class _Forward:
    """What the chunks of so many rows share: memory for each thread, settings."""

    def __init__(self, net: "MLP", n: int, threads: int, output: str, listed: bool) -> None:
        self.task = n, threads, output, listed
        self.plan = make_plan(net.widths, net.dtype, None, min(n, CHUNK_ROWS), slopes=True, training=False)
        self.chunks = -(-n // self.plan.batch)
        self.threads = min(threads, self.chunks)
        self.rows = aligned(self.threads * self.plan.n_rows, net.dtype)
        self.control = aligned(CONTROL_CELLS, np.int64)
        self.settings = make_settings(self.plan, net.dtype, self.threads, net.activation)
        self.settings["output"] = activation(output, net.dtype) if output != "identity" else 0
        if listed:
            self.settings["forward"] = nonzero.forward(net.dtype)
        size = lists_bytes(self.plan.batch, net.widths[0], self.plan.lanes) if listed else 1
        self.lists = aligned(self.threads * size, np.uint8)

    def run(self, chunks: Any, parameters: np.ndarray, *results: np.ndarray) -> bool:
        """Call ``chunks`` in every thread; return whether all data were finite numbers in the network's dtype."""
        self.control[TAKEN] = self.control[NOT_FINITE] = 0

        def work(thread: int) -> None:
            layers = self.plan.layers
            chunks(
                self.chunks, thread, self.settings, layers, parameters, self.rows, self.lists, *results, self.control
            )

        if self.chunks == 1:  # waking a thread takes longer than one chunk of a small network
            work(0)
        else:
            run_team(work, self.threads, self.control)
        return not self.control[NOT_FINITE]


class Packed:
    """The parameters of a network as it predicts by them.

    Attributes
    ----------
    version : int
        Of the network.
    bits : numpy.ndarray
        Of all parameters and running statistics.
    buffer : numpy.ndarray
        Batch norm folded into the linear layers, as panels.
    idle : list of _Forward
        At most one, of the last prediction: a row of a small network takes less time than to make another.
    """

    def __init__(self, net: "MLP") -> None:
        self.version, self.bits = net.version, net.bits.copy()  # first: who writes meanwhile is noticed later
        plan = make_plan(net.widths, net.dtype, None, CHUNK_ROWS, slopes=True, training=False)
        parameters = Parameters(plan, net.dtype)
        weights, biases = folded(net)
        parameters.pack(weights, {"bias": biases})
        self.buffer, self.idle = parameters.buffer, list[_Forward]()

    def take(self, net: "MLP", x: Matrix, n: int, threads: int, output: str) -> _Forward:
        """Return what predicts `n` rows of `x`; other threads may do the same meanwhile."""
        try:
            found = self.idle.pop()
        except IndexError:
            found = None
        listed = 2 * n * net.widths[0] * net.widths[1] >= SAMPLED_FLOP and nonzero.mostly_zeros(x, net.widths[1])
        if found is None or found.task != (n, threads, output, listed):
            found = _Forward(net, n, threads, output, listed)
        set_data(found.settings, x, net.input_scale, net.dtype)
        return found

    def give_back(self, forward: _Forward) -> None:
        """Keep it for the next prediction, unless it is larger than the parameters."""
        if forward.rows.nbytes <= self.buffer.nbytes:
            self.idle[:] = [forward]


def _packed(net: "MLP") -> Packed:
    """Return the parameters as panels, packed anew only when they may have changed.

    Views that were lent may be written to at any time: then every bit is compared. That takes 5 to 20 times less than
    packing, and may take longer than to predict one row.
    """
    packed = net.packed
    if packed is None or packed.version != net.version or (net.lent and not _same_bits(net.bits, packed.bits)):
        net.packed = packed = Packed(net)
    return packed


def outputs(net: "MLP", x: Matrix, threads: int) -> tuple[np.ndarray, bool]:
    """Outputs ``(n, n_outputs)`` of the rows of `x`, and whether all of `x` was finite in the network's dtype."""
    out, packed = np.empty((len(x), net.n_outputs), net.dtype), _packed(net)
    forward = packed.take(net, x, len(x), threads, net.output)
    finite = forward.run(predict_chunks, packed.buffer, np.arange(len(x)), out)
    packed.give_back(forward)
    return out, finite


def evaluate(
    net: "MLP",
    x: Matrix,
    targets: np.ndarray,
    rows: np.ndarray | None,
    threads: int,
    *,
    loss: "Loss | None" = None,
    sample_weight: np.ndarray | None = None,
) -> tuple[float, float | None]:
    """Mean loss and accuracy over `x` and `targets`, or over some of their `rows`, weighted where rows have weights.

    A row with several logistic outputs is right when all of them are on their flag's side of ½. Where the outputs are
    no classes, the accuracy is None.
    """
    order = np.arange(len(x)) if rows is None else np.ascontiguousarray(rows)
    packed = _packed(net)
    forward = packed.take(net, x, len(order), threads, "identity")
    set_loss(forward.settings, loss or losses.default(net.output), net.dtype, targets, sample_weight)
    forward.settings["answers"] = ANSWERS.get(net.output, 0)
    costs, right = np.zeros(forward.chunks), np.zeros(forward.chunks)
    forward.run(evaluate_chunks, packed.buffer, order, costs, right)
    packed.give_back(forward)
    weight = len(order) if sample_weight is None else float(sample_weight[order].sum())
    return float(costs.sum()) / weight, float(right.sum()) / weight if net.output in ANSWERS else None
