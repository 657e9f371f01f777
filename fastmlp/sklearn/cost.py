"""The cost that a fit minimises, and its gradient over a whole data set for other optimizers, such as SciPy's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp import engine
from fastmlp.history import Validation
from fastmlp.inputs.sparse import Matrix
from fastmlp.network import Network
from fastmlp.optimizers import Optimizer

if TYPE_CHECKING:
    from fastmlp.losses import Loss
    from fastmlp.mlp import MLP
    from fastmlp.sklearn.dataset import ScoredDataset

BATCH = 1000  # rows whose activations are in memory at the same time


@dataclass(frozen=True)
class _Gradient(Optimizer):
    """The update rule that adds up the gradients and does not change the parameters."""

    learning_rate: float = 1.0
    weight_decay: float = 0.0
    clip_norm: None = None

    def _rule(self) -> dict[str, Any]:
        return {"rule": "gradient"}


@dataclass(frozen=True)
class Objective:
    """The cost that a fit minimises.

    Attributes
    ----------
    loss : Loss
        The loss of a row: a sum over the outputs.
    outputs_in_mean : int
        Number of outputs over which scikit-learn's loss is a mean; 1 where it is a sum.
    alpha : float
        The cost has the term ``λ/2 · Σ‖W‖²``. λ is `alpha` divided by the weight of the rows of a step.
    threads : int
        Number of threads.
    """

    loss: "Loss"
    outputs_in_mean: int
    alpha: float
    threads: int

    def validation(self, network: Network, held_out: "ScoredDataset | None", penalty: float) -> Validation:
        """Return the cost of the validation rows as scikit-learn counts it, with its L2 part, and the accuracy."""
        if held_out is None:
            return {"val_cost": None, "val_accuracy": None, "val_score": None}
        cost, accuracy = engine.evaluate(
            network, held_out.x, held_out.targets, None, self.threads, loss=self.loss, sample_weight=held_out.weights
        )
        return {"val_cost": cost / self.outputs_in_mean + penalty, "val_accuracy": accuracy, "val_score": None}


class CostFunction:
    """``cost, gradient = function(parameters)`` over all rows, the parameters as one flat float64 array.

    Parameters
    ----------
    net : MLP
        A network without batch norm and dropout. A call sets its parameters.
    x, targets, threads, loss, sample_weight
        As for `Trainer`.
    l2 : float
        λ of the cost's term ``λ/2 · Σ‖W‖²``.
    """

    def __init__(
        self,
        net: "MLP",
        x: Matrix,
        targets: np.ndarray,
        *,
        threads: int,
        loss: "Loss | None" = None,
        sample_weight: np.ndarray | None = None,
        l2: float = 0.0,
    ) -> None:
        if net.batch_norm is not None or any(net.dropout):
            raise ValueError(
                f"the cost of a whole data set needs a network without batch norm and dropout, got {net!r}"
            )
        self.net, self.l2, self.order = net, l2, np.arange(len(x))
        self.trainer = engine.Trainer(
            net.network, x, targets, min(len(x), BATCH), _Gradient(), threads,
            options=engine.StepOptions(loss), sample_weight=sample_weight,
        )  # fmt: skip
        self.weight = len(x) if sample_weight is None else float(sample_weight.sum())

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the cost and its gradient.

        Parameters
        ----------
        parameters : numpy.ndarray
            All parameters, in the order of ``MLP.snapshot``.

        Returns
        -------
        float, numpy.ndarray
            The cost and its gradient, in float64 and in the order of the parameters.
        """
        self.net.restore(parameters)
        cost, gradient = self.trainer.whole_gradient(self.order, self.weight)
        n_weights = sum(w.size for w in self.net.views["weights"])
        gradient[:n_weights] += self.l2 * self.net.snapshot()[:n_weights]
        return cost + self.net.penalty(self.l2), gradient
