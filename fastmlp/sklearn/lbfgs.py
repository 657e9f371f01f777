"""Training on all rows at once (solver "lbfgs"): SciPy's L-BFGS-B over the engine's cost and gradient."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from fastmlp.loop import Epoch
from fastmlp.mlp import MLP
from fastmlp.sklearn.cost import CostFunction, Objective
from fastmlp.sklearn.dataset import ScoredDataset
from fastmlp.system import interrupt

NO_STEPS = np.empty(0)


class Minimisation:
    """One ``fit`` by L-BFGS-B.

    With several outputs, scikit-learn passes to SciPy the mean of the squared errors, but the gradient of their sum.
    This class passes the sum and its gradient: a line search needs a gradient that belongs to the cost. The loss of a
    record is the mean, as in scikit-learn.

    Parameters
    ----------
    net : MLP
        The network that is trained.
    data : ScoredDataset
        The training rows; all rows of the arrays.
    held_out : ScoredDataset or None
        The validation rows.
    objective : Objective
        The cost that is minimised.
    """

    def __init__(self, net: MLP, data: ScoredDataset, held_out: ScoredDataset | None, objective: Objective) -> None:
        self.net, self.held_out, self.objective = net, held_out, objective
        self.l2 = objective.alpha / (data.n if data.weights is None else float(data.weights.sum()))
        self.cost = CostFunction(
            net, data.x, data.targets,
            loss=objective.loss, sample_weight=data.weights, l2=self.l2, threads=objective.threads,
        )  # fmt: skip

    def run(
        self, after_iteration: Callable[[Epoch], bool], *, max_fun: int, max_iter: int, tol: float
    ) -> OptimizeResult | None:
        """Minimise until SciPy ends or `after_iteration` returns True.

        The network then has the parameters of the last iteration, and `loss` has its loss.

        Returns
        -------
        scipy.optimize.OptimizeResult or None
            None after Ctrl-C.
        """
        options = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol}
        self.point, self.loss = self.net.snapshot().astype(np.float64), np.nan

        def callback(intermediate_result: OptimizeResult) -> None:  # SciPy requires this name of the argument
            self._go_to(intermediate_result)
            validation = self.objective.validation(self.net.network, self.held_out, self.net.penalty(self.l2))
            if after_iteration(Epoch(NO_STEPS, self.loss, self.loss, None, validation)):
                raise StopIteration
            interrupt.check()

        try:
            with interrupt.caught():
                result = minimize(
                    self.cost, self.point, method="L-BFGS-B", jac=True, options=options, callback=callback
                )
        except KeyboardInterrupt:
            self.net.restore(self.point)  # the network may have the parameters of a point of the line search
            return None
        self._go_to(result)
        return result

    def _go_to(self, point: OptimizeResult) -> None:
        self.point = point.x.copy()
        self.net.restore(self.point)
        penalty = self.net.penalty(self.l2)
        self.loss = (float(point.fun) - penalty) / self.objective.outputs_in_mean + penalty
