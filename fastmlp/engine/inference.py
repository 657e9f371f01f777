"""Prediction and evaluation, by the network's parameters as panels, batch norm folded into the linear layers."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import losses
from fastmlp.compilation.jit import worker
from fastmlp.engine import zeros
from fastmlp.engine.chunks import CLASSES, FLAGS, Forward, evaluate_chunks, predict_chunks
from fastmlp.engine.copies import refresh_all
from fastmlp.engine.plan import CHUNK_ROWS, Plan, make_plan
from fastmlp.engine.precision import operands_of
from fastmlp.engine.settings import make_settings, set_data, set_loss, with_products
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
ANSWERS = {"softmax": CLASSES, "logistic": FLAGS}

if TYPE_CHECKING:
    from fastmlp.engine.epoch import Trainer
    from fastmlp.losses import Loss


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


class _Forward:
    """What the chunks of a prediction share: settings, and memory for each thread."""

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
        self._data = self.settings["at"]["data"]
        self._dtype: np.dtype | None = None

    @cached_property
    def every_row(self) -> np.ndarray:
        """The indices of as many rows as are predicted."""
        return np.arange(self.task[0])

    def read(self, x: Gathered, architecture: Architecture) -> None:
        """Let the chunks read `x`, whose address is all that is new if the dtype is that of the last array."""
        if isinstance(x, np.ndarray) and x.dtype is self._dtype:
            self._data[0] = x.ctypes.data  # a third of the time of all settings, which is a quarter of one row's
        else:
            set_data(self.settings, x, architecture.input_scale, architecture.dtype)
            self._dtype = x.dtype if isinstance(x, np.ndarray) else None

    def judge(
        self, architecture: Architecture, targets: np.ndarray, loss: "Loss | None", sample_weight: np.ndarray | None
    ) -> None:
        """Let an evaluation compare the outputs with targets."""
        loss = loss or losses.default(architecture.output)
        set_loss(self.settings, loss, architecture.dtype, targets, sample_weight)
        self.settings["answers"] = ANSWERS.get(architecture.output, 0)

    def chunks_of(self, parameters: np.ndarray, copies: np.ndarray, order: np.ndarray) -> Forward:
        """Return the chunks of the rows `order`, of which none is taken."""
        self.control[TAKEN] = self.control[NOT_FINITE] = 0
        return Forward(self.settings, self.layers, parameters, copies, self.rows, self.lists, self.control, order)

    def run(self, chunks: Any, packed: "Packed", order: np.ndarray, *results: np.ndarray) -> bool:
        """Call ``chunks`` in every thread; return whether all data were finite numbers in the network's dtype."""
        forward = self.chunks_of(packed.buffer, packed.copies, order)

        def work(thread: int) -> None:
            chunks(thread, forward, *results)

        self.run_team(work)
        return not self.control[NOT_FINITE]

    def run_team(self, work: Callable[[int], None]) -> None:
        """Call ``work`` in every thread."""
        if self.chunks == 1:  # waking a thread takes longer than one chunk of a small network
            work(0)
        else:
            run_team(work, self.threads, self.control)


def _listed(architecture: Architecture, x: Gathered, n: int, operands: int) -> bool:
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
    idle : list of _Forward
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
        self.buffer, self.copies, self.idle = packed.buffer, packed.buffer, list[_Forward]()
        if operands != PLAIN:
            self.copies = aligned(plan.n_copies, architecture.dtype)
            settings = make_settings(plan, architecture.dtype, 1, architecture.activation)
            refresh_all(settings, plan.layers, self.buffer, self.copies)

    def take(self, architecture: Architecture, x: Gathered, n: int, threads: int, output: str) -> _Forward:
        """Return what predicts `n` rows of `x`; other threads may do the same meanwhile."""
        try:
            found = self.idle.pop()
        except IndexError:
            found = None
        listed = _listed(architecture, x, n, self.operands)
        if found is None or found.task != (n, threads, output, listed):
            found = _Forward(architecture, n, threads, output, listed=listed, operands=self.operands)
        found.read(x, architecture)
        return found

    def give_back(self, forward: _Forward) -> None:
        """Keep it for the next prediction, unless it is larger than the parameters."""
        if forward.rows.nbytes <= self.buffer.nbytes:
            self.idle[:] = [forward]


def _packed(network: Network, operands: int) -> Packed:
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
    architecture, packed = network.architecture, _packed(network, operands_of(matmul_precision))
    out = np.empty((len(x), architecture.n_outputs), architecture.dtype)
    forward = packed.take(architecture, x, len(x), threads, architecture.output)
    finite = forward.run(predict_chunks, packed, forward.every_row, out)
    packed.give_back(forward)
    return out, finite


def evaluate(
    network: Network,
    x: Gathered,
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
    n = len(x) if rows is None else len(rows)
    architecture, packed = network.architecture, _packed(network, PLAIN)
    forward = packed.take(architecture, x, n, threads, "identity")
    order = forward.every_row if rows is None else np.ascontiguousarray(rows)
    forward.judge(architecture, targets, loss, sample_weight)
    costs, right = np.zeros(forward.chunks), np.zeros(forward.chunks)
    forward.run(evaluate_chunks, packed, order, costs, right)
    packed.give_back(forward)
    return _means(architecture, costs, right, _weight(order, sample_weight))


def _weight(order: np.ndarray, sample_weight: np.ndarray | None) -> float:
    return len(order) if sample_weight is None else float(sample_weight[order].sum())


def _means(
    architecture: Architecture, costs: np.ndarray, right: np.ndarray, weight: float
) -> tuple[float, float | None]:
    """Mean loss and accuracy from the sums of the chunks."""
    return float(costs.sum()) / weight, float(right.sum()) / weight if architecture.has_classes else None


class Evaluation:
    """Rows by which a trainer's parameters are judged after every epoch, as by `evaluate`, without packing them anew.

    To pack 256-256-256 takes a third of the time of an evaluation on 400 rows. A network with batch norm has to be
    packed: its statistics disappear into the weights. The threads that have trained an epoch can evaluate at once, as
    to wake them again would take longer than many a step.

    Parameters
    ----------
    trainer : Trainer
        Of a network without batch norm.
    x, targets, rows, threads, loss, sample_weight
        As for `evaluate`.
    """

    def __init__(
        self,
        trainer: "Trainer",
        x: Gathered,
        targets: np.ndarray,
        rows: np.ndarray | None,
        threads: int,
        *,
        loss: "Loss | None" = None,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        self.architecture = architecture = trainer.network.architecture
        self.order = np.arange(len(x)) if rows is None else np.ascontiguousarray(rows)
        self.parameters = trainer.packed.buffer  # which the products read, too
        n, listed = len(self.order), _listed(architecture, x, len(self.order), PLAIN)
        self.forward = forward = _Forward(architecture, n, threads, "identity", listed=listed, operands=PLAIN)
        forward.control = trainer.workspace.control  # Ctrl-C ends both
        self.fits, self.begun = forward.threads <= trainer.threads, False
        forward.layers["bias"], forward.layers["weight_copy"] = trainer.layers["bias"], trainer.layers["scaled"]
        forward.read(x, architecture)
        forward.judge(architecture, targets, loss, sample_weight)
        self.kept = x, targets, sample_weight  # whose addresses the settings have
        self.weight = _weight(self.order, sample_weight)

    def begin(self) -> Callable[[int], None] | None:
        """Return what each thread of the trainer's team does behind the last step; None where it has too few."""
        return self._begin() if self.fits else None

    def _begin(self) -> Callable[[int], None]:
        chunks = self.forward.chunks_of(self.parameters, self.parameters, self.order)
        self.costs, self.right = costs, right = np.zeros(self.forward.chunks), np.zeros(self.forward.chunks)
        self.begun = True

        def work(thread: int) -> None:
            if thread < self.forward.threads:
                evaluate_chunks(thread, chunks, costs, right)

        return work

    def __call__(self) -> tuple[float, float | None]:
        """Return what `evaluate` returns of the parameters as they are; the trainer's team may have begun it."""
        if not self.begun:
            self.forward.run_team(self._begin())
        self.begun = False
        return _means(self.architecture, self.costs, self.right, self.weight)
