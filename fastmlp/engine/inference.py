"""Prediction and evaluation: chunks of rows that a team takes one by one, batch norm folded into the linear layers."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastmlp import losses
from fastmlp.compilation.jit import body, worker
from fastmlp.engine import zeros
from fastmlp.engine.batch import operand_weights, targets_at
from fastmlp.engine.copies import refresh_all
from fastmlp.engine.plan import CHUNK_ROWS, Plan, make_plan
from fastmlp.engine.precision import operands_of
from fastmlp.engine.rows import Operands, linear_rows, scale_of_product
from fastmlp.engine.settings import make_settings, set_data, set_loss, with_products
from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import PackedParameters, aligned
from fastmlp.inputs.sparse import Matrix
from fastmlp.kernels.activations import activate_rows, activation
from fastmlp.kernels.bfloat16 import PACKED, PLAIN, PREPARE
from fastmlp.kernels.gather import gather_rows
from fastmlp.kernels.losses import loss_rows, right_flags_rows
from fastmlp.kernels.nonzero import lists_bytes
from fastmlp.kernels.panels import Panels, all_finite, unpack_rows
from fastmlp.kernels.softmax import right_class_rows
from fastmlp.kernels.targets import typed
from fastmlp.network import Architecture, Network
from fastmlp.network.folding import folded
from fastmlp.simd.atomics import CONTROL_CELLS, NOT_FINITE, STOP, TAKEN, fetch_add, load_shared, store_shared
from fastmlp.simd.bfloat16 import flush_denormals, set_mode
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import number, offset, pointer

SAMPLED_FLOP = 3e8  # of the first layer, about 4 ms: looking for zeros takes 1 to 3 % of that
CLASSES, FLAGS = 1, 2  # what a row's right answer is: the class of the largest output, or flags
ANSWERS = {"softmax": CLASSES, "logistic": FLAGS}

_prepare_call = PREPARE.call

if TYPE_CHECKING:
    from fastmlp.losses import Loss


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


@body
def _part_of(buffer: Array, thread: int, threads: int) -> Pointer:
    return pointer(buffer, thread * (buffer.size // threads))


@body
def _take(forward: Forward) -> tuple[int, int, int]:
    """Take the next chunk; return its number, its first row and its rows, 0 when nothing is left."""
    batch, n = forward.settings[0].batch, forward.order.size
    chunk = fetch_add(pointer(forward.control, TAKEN), 1)
    stopped = load_shared(pointer(forward.control, STOP)) != 0
    return chunk, chunk * batch, 0 if stopped else max(0, min(batch, n - chunk * batch))


@body
def _operands(forward: Forward, i: int, rows: Pointer, x: Panels) -> Operands:
    """Return what the linear output of the layer of number `i` is made from, its input `x` being prepared for that."""
    s, layer = forward.settings[0], forward.layers[i]
    place = offset(rows, layer.input_rows)
    if s.at.prepare != 0:
        _prepare_call(s.at.prepare, (x, place, offset(rows, layer.input_pairs)))
    return Operands(
        x=Panels(start=place, stride=s.stride >> s.packed, rows=x.rows, columns=x.columns),
        weight=operand_weights(pointer(forward.copies, 0), layer.weight_copy, layer.n_in, layer.n_out, s.packed),
        bias=pointer(forward.parameters, layer.bias),
        scale=scale_of_product(s, i),
    )


@body
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


@body
def _begin(forward: Forward) -> Any:
    """Set the floating point mode of the thread, for `_end`."""
    return flush_denormals() if forward.settings[0].at.prepare != 0 else np.int64(0)


@body
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


@worker
def _same_bits(a: Any, b: Any) -> bool:
    for start in range(0, a.size, 1024):
        different = a[start] ^ b[start]
        for i in range(start, min(start + 1024, a.size)):
            different |= a[i] ^ b[i]
        if different != 0:
            return False
    return True


def _plan(architecture: Architecture, rows: int, operands: int) -> Plan:
    """Lay out a prediction of so many rows at a time, with batch norm folded."""
    return make_plan(
        architecture.widths, architecture.dtype, None, rows, slopes=True, training=False, operands=operands
    )


class _Forward:
    """What the chunks of so many rows share: memory for each thread, settings."""

    def __init__(
        self, architecture: Architecture, n: int, threads: int, output: str, *, listed: bool, operands: int
    ) -> None:
        self.task = n, threads, output, listed
        self.plan = _plan(architecture, min(n, CHUNK_ROWS), operands)
        self.layers = with_products(self.plan, architecture.dtype, listed)
        self.chunks = -(-n // self.plan.batch)
        self.threads = min(threads, self.chunks)
        self.rows = aligned(self.threads * self.plan.n_rows, architecture.dtype)
        self.control = aligned(CONTROL_CELLS, np.int64)
        self.settings = make_settings(self.plan, architecture.dtype, self.threads, architecture.activation)
        self.settings["at"]["output"] = activation(output, architecture.dtype) if output != "identity" else 0
        size = lists_bytes(self.plan.batch, architecture.widths[0], self.plan.lanes) if listed else 1
        self.lists = aligned(self.threads * size, np.uint8)

    def run(self, chunks: Any, packed: "Packed", order: np.ndarray, *results: np.ndarray) -> bool:
        """Call ``chunks`` in every thread; return whether all data were finite numbers in the network's dtype."""
        self.control[TAKEN] = self.control[NOT_FINITE] = 0
        forward = Forward(
            self.settings, self.layers, packed.buffer, packed.copies, self.rows, self.lists, self.control, order
        )

        def work(thread: int) -> None:
            chunks(thread, forward, *results)

        if self.chunks == 1:  # waking a thread takes longer than one chunk of a small network
            work(0)
        else:
            run_team(work, self.threads, self.control)
        return not self.control[NOT_FINITE]


class Packed:
    """The parameters of a network as it predicts by them.

    Attributes
    ----------
    architecture : Architecture
        Of the network.
    version : int
        Of its parameters.
    bits : numpy.ndarray
        Of all parameters and running statistics.
    operands : int
        What the products read.
    buffer, copies : numpy.ndarray
        Batch norm folded into the linear layers, as panels; and the weights as the products read them.
    idle : list of _Forward
        At most one, of the last prediction: a row of a small network takes less time than to make another.
    """

    def __init__(self, network: Network, operands: int) -> None:
        architecture, parameters = network
        self.architecture, self.operands = architecture, operands
        # before they are packed: who writes meanwhile is noticed by the next prediction
        self.version, self.bits = parameters.version, parameters.bits.copy()
        plan = _plan(architecture, CHUNK_ROWS, operands)
        packed = PackedParameters(plan, architecture.dtype)
        weights, biases = folded(architecture, parameters.views)
        packed.pack(weights, {"bias": biases})
        self.buffer, self.copies, self.idle = packed.buffer, packed.buffer, list[_Forward]()
        if operands != PLAIN:
            self.copies = aligned(plan.n_copies, architecture.dtype)
            settings = make_settings(plan, architecture.dtype, 1, architecture.activation)
            refresh_all(settings, plan.layers, self.buffer, self.copies)

    def take(self, architecture: Architecture, x: Matrix, n: int, threads: int, output: str) -> _Forward:
        """Return what predicts `n` rows of `x`; other threads may do the same meanwhile."""
        try:
            found = self.idle.pop()
        except IndexError:
            found = None
        worth = self.operands != PACKED and 2 * n * architecture.widths[0] * architecture.widths[1] >= SAMPLED_FLOP
        listed = worth and zeros.mostly_zeros(x, architecture.widths[1])
        if found is None or found.task != (n, threads, output, listed):
            found = _Forward(architecture, n, threads, output, listed=listed, operands=self.operands)
        set_data(found.settings, x, architecture.input_scale, architecture.dtype)
        return found

    def give_back(self, forward: _Forward) -> None:
        """Keep it for the next prediction, unless it is larger than the parameters."""
        if forward.rows.nbytes <= self.buffer.nbytes:
            self.idle[:] = [forward]


def _packed(network: Network, operands: int) -> Packed:
    """Return the parameters as panels, packed anew only when they may have changed.

    Views that were lent may be written to at any time: then every bit is compared. That takes 5 to 20 times less than
    packing, and may take longer than to predict one row.
    """
    architecture, own = network
    packed: Packed | None = own.packed
    known = (
        packed is not None
        and packed.architecture is architecture
        and packed.operands == operands
        and packed.version == own.version
    )
    if packed is None or not known or (own.lent and not _same_bits(own.bits, packed.bits)):
        own.packed = packed = Packed(network, operands)
    return packed


def outputs(network: Network, x: Matrix, threads: int, matmul_precision: str = "float32") -> tuple[np.ndarray, bool]:
    """Outputs ``(n, n_outputs)`` of the rows of `x`, and whether all of `x` was finite in the network's dtype."""
    architecture, packed = network.architecture, _packed(network, operands_of(matmul_precision))
    out = np.empty((len(x), architecture.n_outputs), architecture.dtype)
    forward = packed.take(architecture, x, len(x), threads, architecture.output)
    finite = forward.run(predict_chunks, packed, np.arange(len(x)), out)
    packed.give_back(forward)
    return out, finite


def evaluate(
    network: Network,
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
    architecture, packed = network.architecture, _packed(network, PLAIN)
    forward = packed.take(architecture, x, len(order), threads, "identity")
    set_loss(forward.settings, loss or losses.default(architecture.output), architecture.dtype, targets, sample_weight)
    forward.settings["answers"] = ANSWERS.get(architecture.output, 0)
    costs, right = np.zeros(forward.chunks), np.zeros(forward.chunks)
    forward.run(evaluate_chunks, packed, order, costs, right)
    packed.give_back(forward)
    weight = len(order) if sample_weight is None else float(sample_weight[order].sum())
    return float(costs.sum()) / weight, float(right.sum()) / weight if architecture.output in ANSWERS else None
