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

    With several outputs, scikit-learn passes SciPy the mean of their squared errors with the gradient of the sum; here
    both are the sum's, so that the line search finds what it looks for. The loss of a record is the mean in either
    case.

    Parameters
    ----------
    net : MLP
        Is trained.
    data : ScoredDataset
        To train on; all of the arrays.
    held_out : ScoredDataset or None
        To validate on.
    objective : Objective
        Is minimised.
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
        """Minimise until an `after_iteration` returns True; leave the network at the last point, its loss in `loss`.

        Returns
        -------
        scipy.optimize.OptimizeResult or None
            None after Ctrl-C.
        """
        options = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol}
        self.point, self.loss = self.net.snapshot().astype(np.float64), np.nan

        def callback(intermediate_result: OptimizeResult) -> None:  # SciPy goes by the argument's name
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
            self.net.restore(self.point)  # the line search may be anywhere
            return None
        self._go_to(result)
        return result

    def _go_to(self, point: OptimizeResult) -> None:
        self.point = point.x.copy()
        self.net.restore(self.point)
        penalty = self.net.penalty(self.l2)
        self.loss = (float(point.fun) - penalty) / self.objective.outputs_in_mean + penalty
