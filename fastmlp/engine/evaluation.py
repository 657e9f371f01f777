"""Evaluation: the mean loss and the accuracy, after a training or by the team that trains."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fastmlp import losses
from fastmlp.engine.chunks import CLASSES, FLAGS, evaluate_chunks
from fastmlp.engine.inference import ForwardPass, Task, lists_zeros, packed_for
from fastmlp.engine.settings import set_loss
from fastmlp.inputs.encoded import Gathered
from fastmlp.kernels.bfloat16 import PLAIN
from fastmlp.network import Architecture, Network

if TYPE_CHECKING:
    from fastmlp.engine.epoch import Trainer
    from fastmlp.losses import Loss

ANSWERS = {"softmax": CLASSES, "logistic": FLAGS}


class _Sums:
    """What the chunks of a forward pass compare the outputs with, and what they add up."""

    def __init__(
        self,
        forward: ForwardPass,
        architecture: Architecture,
        targets: np.ndarray,
        rows: np.ndarray | None,
        loss: "Loss | None",
        sample_weight: np.ndarray | None,
    ) -> None:
        self.forward, self.has_classes = forward, architecture.has_classes
        set_loss(
            forward.settings, loss or losses.default(architecture.output), architecture.dtype, targets, sample_weight
        )
        forward.settings["answers"] = ANSWERS.get(architecture.output, 0)
        self.chunks = forward.every_row if rows is None else forward.of(np.ascontiguousarray(rows))
        order = self.chunks.order
        self.weight = len(order) if sample_weight is None else float(sample_weight[order].sum())

    def begin(self) -> Callable[[int], None]:
        """Return what each thread of a team does."""
        chunks, threads = self.chunks, self.forward.threads
        self.costs, self.right = costs, right = np.zeros(self.forward.chunks), np.zeros(self.forward.chunks)

        def work(thread: int) -> None:
            if thread < threads:  # the team may have more
                evaluate_chunks(thread, chunks, costs, right)

        return work

    def means(self) -> tuple[float, float | None]:
        """Return the mean loss and the accuracy."""
        accuracy = float(self.right.sum()) / self.weight if self.has_classes else None
        return float(self.costs.sum()) / self.weight, accuracy


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
    architecture, packed = network.architecture, packed_for(network, PLAIN)
    forward = packed.take(architecture, x, n, threads, "identity")
    sums = _Sums(forward, architecture, targets, rows, loss, sample_weight)
    forward.run(sums.begin())
    packed.give_back(forward)
    return sums.means()


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
        architecture, parameters = trainer.network.architecture, trainer.packed.buffer  # which the products read, too
        n = len(x) if rows is None else len(rows)
        task = Task(n, threads, "identity", lists_zeros(architecture, x, n, PLAIN))
        control = trainer.workspace.control  # Ctrl-C ends both
        self.forward = forward = ForwardPass(
            architecture, task, parameters, parameters, operands=PLAIN, control=control
        )
        forward.layers["bias"], forward.layers["weight_copy"] = trainer.layers["bias"], trainer.layers["scaled"]
        forward.read(x, architecture)
        self.sums = _Sums(forward, architecture, targets, rows, loss, sample_weight)
        self.kept = x, targets, sample_weight  # whose addresses the settings have
        self.fits, self.begun = forward.threads <= trainer.threads, False

    def begin(self) -> Callable[[int], None] | None:
        """Return what each thread of the trainer's team does behind the last step; None where it has too few."""
        self.begun = self.fits
        return self.sums.begin() if self.fits else None

    def __call__(self) -> tuple[float, float | None]:
        """Return what `evaluate` returns of the parameters as they are; the trainer's team may have begun it."""
        if not self.begun:
            self.forward.run(self.sums.begin())
        self.begun = False
        return self.sums.means()
