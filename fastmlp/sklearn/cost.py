"""The cost of a whole data set and its gradient, for optimizers of others such as SciPy's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.engine import Trainer
from fastmlp.inputs.sparse import Matrix
from fastmlp.kernels.update import GRADIENT
from fastmlp.optimizers import Optimizer

if TYPE_CHECKING:
    from fastmlp.losses import Loss
    from fastmlp.mlp import MLP

BATCH = 1000  # rows whose activations are in memory at a time


@dataclass(frozen=True)
class _Gradient(Optimizer):
    """The rule that adds up gradients and leaves the parameters."""

    learning_rate: float = 1.0
    weight_decay: float = 0.0
    clip_norm: None = None

    def _rule(self) -> dict[str, float]:
        return {"rule": GRADIENT}


class CostFunction:
    """``cost, gradient = function(parameters)`` over all rows, the parameters as one flat float64 array.

    Parameters
    ----------
    net : MLP
        Without batch norm and dropout; its parameters are those of the last call.
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
        self.trainer = Trainer(
            net.network, x, targets, min(len(x), BATCH), _Gradient(), threads, loss=loss, sample_weight=sample_weight
        )
        self.weight = len(x) if sample_weight is None else float(sample_weight.sum())

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the cost and its gradient, in the order of ``MLP.snapshot``.

        Parameters
        ----------
        parameters : numpy.ndarray
            In the same order.

        Returns
        -------
        float, numpy.ndarray
            The gradient is float64.
        """
        self.net.restore(parameters)
        cost, gradient = self.trainer.whole_gradient(self.order, self.weight)
        n_weights = sum(w.size for w in self.net.views["weights"])
        gradient[:n_weights] += self.l2 * self.net.snapshot()[:n_weights]
        return cost + self.net.penalty(self.l2), gradient
