"""Training on all rows at once (solver "lbfgs"): SciPy's L-BFGS-B over the engine's cost and gradient."""

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning

from fastmlp.sklearn.callbacks import Listeners
from fastmlp.sklearn.cost import CostFunction
from fastmlp.sklearn.epochs import held_out_cost
from fastmlp.sklearn.rows import Rows
from fastmlp.system import interrupt

if TYPE_CHECKING:
    from fastmlp.sklearn.base import BaseMLP


class Minimisation:
    """One ``fit`` by L-BFGS-B.

    With several outputs, scikit-learn passes SciPy the mean of their squared errors with the gradient of the sum; here
    both are the sum's, so that the line search finds what it looks for. ``loss_`` is the mean in either case.

    Parameters
    ----------
    estimator : BaseMLP
        Its network is trained.
    data : Rows
        To train on; all of the arrays.
    held_out : Rows or None
        To validate on.
    listeners : Listeners
        Are told of every iteration.
    """

    def __init__(self, estimator: "BaseMLP", data: Rows, held_out: Rows | None, listeners: Listeners) -> None:
        self.estimator, self.held_out, self.listeners = estimator, held_out, listeners
        self.l2 = estimator.alpha / (data.n if data.weights is None else float(data.weights.sum()))
        self.cost = CostFunction(
            estimator.network_, data.x, data.targets,
            loss=estimator._cost(), sample_weight=data.weights, l2=self.l2, threads=estimator.n_threads_,
        )  # fmt: skip
        self.started = time.perf_counter() - estimator.history_.seconds

    def run(self) -> None:
        """Minimise; leave the network at the last point."""
        est, history = self.estimator, self.estimator.history_
        est.n_iter_, history.stopped_because = 0, "epochs"
        options = {"maxfun": est.max_fun, "maxiter": est.max_iter, "gtol": est.tol}
        self.point = est.network_.snapshot().astype(np.float64)
        self.listeners.epoch_begins()
        try:
            with interrupt.caught():
                result = minimize(
                    self.cost, self.point, method="L-BFGS-B", jac=True, options=options, callback=self._after_iteration
                )
        except KeyboardInterrupt:
            est.network_.restore(self.point)  # the line search may be anywhere
            history.stopped_because = "interrupted"
            warnings.warn("Training interrupted by user.", stacklevel=5)
        else:
            self._go_to(result)
            est.n_iter_ = min(result.nit, est.max_iter)
            self._warn(result)
        history.seconds = time.perf_counter() - self.started

    def _go_to(self, point: OptimizeResult) -> None:
        est = self.estimator
        self.point = point.x.copy()
        est.network_.restore(self.point)
        penalty = est.network_.penalty(self.l2)
        est.loss_ = (float(point.fun) - penalty) / est._outputs_in_mean() + penalty

    def _after_iteration(self, intermediate_result: OptimizeResult) -> None:  # SciPy goes by the argument's name
        est, history = self.estimator, self.estimator.history_
        self._go_to(intermediate_result)
        est.n_iter_ += 1
        est._say(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")
        record: dict[str, Any] = {"epoch": history.epochs + 1, "steps": history.steps + 1}
        record |= {"cost": est.loss_, "last_cost": est.loss_, "val_cost": None, "val_accuracy": None, "val_score": None}
        if self.held_out is not None:
            cost, accuracy = held_out_cost(est, self.held_out)
            record |= {"val_cost": cost + est.network_.penalty(self.l2), "val_accuracy": accuracy}
        record |= {"learning_rate": None, "seconds": time.perf_counter() - self.started}
        history.records.append(record)
        if self.listeners.epoch_ended(record):
            history.stopped_because = "callback"
            raise StopIteration
        interrupt.check()
        self.listeners.epoch_begins()

    def _warn(self, result: OptimizeResult) -> None:
        history = self.estimator.history_
        if result.status == 0:
            history.stopped_because = "converged"
        elif history.stopped_because != "callback":
            warnings.warn(
                f"lbfgs failed to converge after {self.estimator.n_iter_} iterations (status={result.status}): "
                f"{result.message}. Scaling the data or a larger max_iter or max_fun may help.",
                ConvergenceWarning,
                stacklevel=5,
            )
