"""Prediction, by the network's parameters as panels, batch norm folded into the linear layers."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from fastmlp.compilation.jit import machine_code, worker
from fastmlp.engine import zeros
from fastmlp.engine.chunks import Forward, predict_chunks
from fastmlp.engine.copies import refresh_all
from fastmlp.engine.plan import CHUNK_ROWS, Plan, make_plan
from fastmlp.engine.precision import operands_of
from fastmlp.engine.settings import make_settings, set_data, with_products
from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import PackedParameters, aligned
from fastmlp.inputs.encoded import Gathered
from fastmlp.kernels.activations import activation
from fastmlp.kernels.bfloat16 import PACKED, PLAIN
from fastmlp.kernels.nonzero import lists_bytes
from fastmlp.network import Architecture, Network
from fastmlp.network.folding import folded
from fastmlp.simd.atomics import CONTROL_CELLS, NOT_FINITE, TAKEN

SAMPLED_FLOP = 3e8  # of the first layer, about 4 ms: with less, the search for zeros takes more than 3 % of the time


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
    """Lay out a prediction of so many rows at a time."""
    return make_plan(architecture, rows, training=False, operands=operands)


_compiled: dict[np.dtype, Callable[..., None]] = {}  # by the dtype of the network, on which alone the types depend


def _prediction(chunks: Forward) -> Callable[..., None]:
    """Return the machine code of `predict_chunks` for networks of the dtype of these chunks."""
    dtype = chunks.rows.dtype
    if dtype not in _compiled:
        _compiled[dtype] = machine_code(predict_chunks, 0, chunks, np.empty((0, 0), dtype))
    return _compiled[dtype]


class Task(NamedTuple):
    """What a forward pass is for: rows, threads, the function of the last layer, whether the first one has lists."""

    rows: int
    threads: int
    output: str
    listed: bool


class ForwardPass:
    """What the chunks of a prediction share: settings, and memory for each thread.

    Parameters
    ----------
    architecture : Architecture
        Of the network.
    task : Task
        What is done.
    parameters, copies : numpy.ndarray
        Panels, as the products read them.
    operands : int
        What the products read.
    control : numpy.ndarray, optional
        Cells of a team; default: cells of its own.
    """

    def __init__(
        self,
        architecture: Architecture,
        task: Task,
        parameters: np.ndarray,
        copies: np.ndarray,
        *,
        operands: int,
        control: np.ndarray | None = None,
    ) -> None:
        n, threads, output, listed = self.task = task
        self.plan = _plan(architecture, min(n, CHUNK_ROWS), operands)
        self.layers = with_products(self.plan, architecture.dtype, listed)
        self.chunks = -(-n // self.plan.batch)
        self.threads = min(threads, self.chunks)
        self.parameters, self.copies = parameters, copies
        self.rows = aligned(self.threads * self.plan.n_rows, architecture.dtype)
        self.control = aligned(CONTROL_CELLS, np.int64) if control is None else control
        self.settings = make_settings(self.plan, architecture.dtype, self.threads, architecture.activation)
        self.settings["at"]["output"] = activation(output, architecture.dtype) if output != "identity" else 0
        size = lists_bytes(self.plan.batch, architecture.widths[0], self.plan.lanes) if listed else 1
        self.lists = aligned(self.threads * size, np.uint8)
        self._data = self.settings["at"]["data"]
        self._dtype: np.dtype | None = None

    @cached_property
    def every_row(self) -> Forward:
        """The chunks of all rows in their order."""
        return self.of(np.arange(self.task.rows))

    @cached_property
    def _predict(self) -> Callable[..., None]:
        return _prediction(self.every_row)

    def of(self, order: np.ndarray) -> Forward:
        """Return the chunks of the rows `order`, as many as the task has."""
        return Forward(
            self.settings, self.layers, self.parameters, self.copies, self.rows, self.lists, self.control, order
        )

    def read(self, x: Gathered, architecture: Architecture) -> None:
        """Let the chunks read `x`, whose address is all that is new if the dtype is that of the last array."""
        if isinstance(x, np.ndarray) and x.dtype is self._dtype:
            self._data[0] = x.ctypes.data  # a third of the time of all settings, which is a quarter of one row's
        else:
            set_data(self.settings, x, architecture.input_scale, architecture.dtype)
            self._dtype = x.dtype if isinstance(x, np.ndarray) else None

    def predict(self, out: np.ndarray) -> bool:
        """Write the outputs of all rows; return whether all data were finite numbers in the network's dtype."""
        predict, chunks = self._predict, self.every_row
        return self.run(lambda thread: predict(thread, chunks, out))

    def run(self, work: Callable[[int], None]) -> bool:
        """Call ``work`` in every thread, which takes chunks until none is left; return what `predict` returns."""
        self.control[TAKEN] = self.control[NOT_FINITE] = 0
        if self.chunks == 1:  # waking a thread takes longer than one chunk of a small network
            work(0)
        else:
            run_team(work, self.threads, self.control)
        return not self.control[NOT_FINITE]


def lists_zeros(architecture: Architecture, x: Gathered, n: int, operands: int) -> bool:
    """Whether the first layer leaves out the zeros of the data."""
    worth = operands != PACKED and 2 * n * architecture.widths[0] * architecture.widths[1] >= SAMPLED_FLOP
    return worth and zeros.mostly_zeros(x, architecture.widths[1])


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
    idle : list of ForwardPass
        At most one, of the last prediction: a row of a small network takes less time than to make another.
    """

    def __init__(self, network: Network, operands: int) -> None:
        architecture, parameters = network
        self.architecture, self.operands = architecture, operands
        # read before packing: if another thread writes meanwhile, the next prediction notices it
        self.version, self.bits = parameters.version, parameters.bits.copy()
        plan = _plan(architecture, CHUNK_ROWS, operands)
        packed = PackedParameters(plan, architecture.dtype)
        weights, biases = folded(architecture, parameters.views)
        packed.pack(weights, {"bias": biases})
        self.buffer, self.copies, self.idle = packed.buffer, packed.buffer, list[ForwardPass]()
        if operands != PLAIN:
            self.copies = aligned(plan.n_copies, architecture.dtype)
            settings = make_settings(plan, architecture.dtype, 1, architecture.activation)
            refresh_all(settings, plan.layers, self.buffer, self.copies)

    def take(self, architecture: Architecture, x: Gathered, n: int, threads: int, output: str) -> ForwardPass:
        """Return what predicts `n` rows of `x`; other threads may do the same meanwhile."""
        try:
            found = self.idle.pop()
        except IndexError:
            found = None
        task = Task(n, threads, output, lists_zeros(architecture, x, n, self.operands))
        if found is None or found.task != task:
            found = ForwardPass(architecture, task, self.buffer, self.copies, operands=self.operands)
        found.read(x, architecture)
        return found

    def give_back(self, forward: ForwardPass) -> None:
        """Keep it for the next prediction, unless it is larger than the parameters."""
        if forward.rows.nbytes <= self.buffer.nbytes:
            self.idle[:] = [forward]


def packed_for(network: Network, operands: int) -> Packed:
    """Return the parameters as panels, packed anew only when they may have changed.

    A user who holds a view of the arrays may write to it at any time. Then every bit is compared, which takes 5 to 20
    times less than packing.
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


def outputs(network: Network, x: Gathered, threads: int, matmul_precision: str = "float32") -> tuple[np.ndarray, bool]:
    """Outputs ``(n, n_outputs)`` of the rows of `x`, and whether all of `x` was finite in the network's dtype."""
    architecture, packed = network.architecture, packed_for(network, operands_of(matmul_precision))
    out = np.empty((len(x), architecture.n_outputs), architecture.dtype)
    forward = packed.take(architecture, x, len(x), threads, architecture.output)
    finite = forward.predict(out)
    packed.give_back(forward)
    return out, finite
