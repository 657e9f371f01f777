"""How a fit trains the network: epoch by epoch, or on all rows at once; what an estimator shows of it."""

import copy
import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer

from fastmlp import loop
from fastmlp.history import History, Record
from fastmlp.inputs.sparse import plain
from fastmlp.loop import Epoch, Extent, WithinEpoch, run_epochs
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.sklearn.callbacks import CallbackSupportMixin, Listeners
from fastmlp.sklearn.cost import Objective
from fastmlp.sklearn.course import FitCourse, checkpoints_of
from fastmlp.sklearn.dataset import ScoredDataset
from fastmlp.sklearn.epochs import EpochOptions, Epochs
from fastmlp.sklearn.improvement import Improvement
from fastmlp.sklearn.lbfgs import Minimisation
from fastmlp.sklearn.update_rule import UpdateRule, update_rule
from fastmlp.system.warning import warn

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


class EstimatorWithSolvers(CallbackSupportMixin, BaseEstimator, ABC):
    """The solvers of an estimator whose parameters are attributes; they keep its fitted attributes up to date."""

    network_: MLP
    history_: History
    n_threads_: int
    t_: int
    _optimizer: UpdateRule
    _improvement: Improvement

    @abstractmethod
    def _cost(self) -> Loss:
        """Return the cost that training minimises."""

    @abstractmethod
    def _default_score(self, held_out: ScoredDataset) -> float:
        """Return the score of the validation rows that scikit-learn's MLP stops by."""

    def _outputs_in_mean(self) -> int:
        """Over how many outputs scikit-learn's loss is a mean, where the engine's is a sum."""
        return 1

    def _run_epochs(
        self,
        data: ScoredDataset,
        held_out: ScoredDataset | None,
        listeners: Listeners,
        rng: np.random.RandomState,
        anew: bool,
        incremental: bool,
    ) -> None:
        if not incremental or not hasattr(self, "_optimizer"):
            self._optimizer = update_rule(self.get_params(deep=False))
        rule, net, history, curves = self._optimizer, self.network_, self.history_, self._curves(anew, held_out)
        started = time.perf_counter() - history.seconds
        training = self._epochs(data, held_out, rule, rng)
        course, ended = FitCourse(training, curves, history, self.tol, self.n_iter_no_change), False
        checkpoints = checkpoints_of(self.get_params(deep=False), data, held_out)
        if checkpoints is not None:
            ended = course.take_up(checkpoints)
            started -= history.seconds
        self.n_iter_ = 0 if incremental or self.warm_start else history.epochs
        if self.n_iter_:
            self.t_ = self.n_iter_ * data.n
            self._show(history.records[-1]["cost"], curves)

        def one_epoch(within_epoch: WithinEpoch) -> Epoch | None:
            listeners.epoch_begins()
            epoch = training.run(within_epoch)
            self.n_iter_ += 1
            if epoch is None:
                curves.add_not_finite()
                self._show(np.nan, curves)
                return None
            self.t_ += data.n
            rule.epoch_ended(training.steps, self.t_)
            self.loss_ = epoch.cost
            self._say(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
            score = None if held_out is None else self._score(held_out)
            if curves.add(epoch.cost, score, self.tol) and self.early_stopping:
                curves.best = net.snapshot()
            self._show(epoch.cost, curves)
            epoch.validation["val_score"] = score
            if score is not None:
                self._say(f"Validation score: {score:f}")
            return epoch

        def after_epoch(record: Record) -> str | None:
            reason = self._reason_to_stop(curves, rule) if curves.waited > self.n_iter_no_change else None
            if checkpoints is not None:
                checkpoints.epoch_ended(course.content())
            return reason if not listeners.epoch_ended(record) or reason else "callback"

        if not ended:
            extent = Extent(1 if incremental else self.max_iter, training.steps, self.n_iter_)
            run_epochs(
                history, extent, one_epoch, after_epoch,
                checkpoints=checkpoints, progress=self.progress, started=started,
            )  # fmt: skip
        if history.stopped_because == loop.NOT_FINITE:
            self._end_not_finite()
        rule.state = training.trainer.export_state()
        if curves.best is not None:
            net.restore(curves.best)
        if history.stopped_because == "interrupted":
            warn("Training interrupted by user.")
        elif history.stopped_because == "epochs" and not incremental:
            warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
            )

    def _epochs(
        self, data: ScoredDataset, held_out: ScoredDataset | None, rule: UpdateRule, rng: np.random.RandomState
    ) -> Epochs:
        options = EpochOptions(self.batch_size, self.shuffle, self.max_iter, self.matmul_precision)
        return Epochs(self.network_, data, held_out, rule, self._objective(), rng, options)

    def _curves(self, anew: bool, held_out: ScoredDataset | None) -> Improvement:
        """Return the curves of the earlier fit that this one continues, or new ones."""
        early = bool(self.early_stopping)
        if anew or not hasattr(self, "_improvement") or self._improvement.by_score != early:
            self._improvement = Improvement(early, best=self.network_.snapshot() if early else None)
        if held_out is not None:
            self._improvement.expect_scores()
        return self._improvement

    def _show(self, loss: float, curves: Improvement) -> None:
        """Set the attributes that scikit-learn's MLPs have."""
        self.loss_, self.loss_curve_, self.best_loss_ = loss, curves.loss_curve, curves.best_loss
        self.validation_scores_, self.best_validation_score_ = curves.validation_scores, curves.best_validation_score

    def _end_not_finite(self) -> None:
        """Raise, unless early stopping has better weights to go back to."""
        message = f"{NOT_FINITE} That was in epoch {self.n_iter_}; learning_rate_init={self.learning_rate_init}."
        if not self.early_stopping:
            raise ValueError(message)
        warn(message, RuntimeWarning)

    def _reason_to_stop(self, curves: Improvement, rule: UpdateRule) -> str | None:
        """Return why the fit ends after epochs without improvement; None where the learning rate falls instead."""
        what = "Validation score" if self.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs."
        if rule.slows_down():
            curves.waited = 0
            self._say(f"{message} Setting learning rate to {rule.learning_rate:f}")
            return None
        self._say(f"{message} Stopping.")
        return "early stopping" if self.early_stopping else "converged"

    def _minimise(self, data: ScoredDataset, held_out: ScoredDataset | None, listeners: Listeners) -> None:
        history = self.history_
        started = time.perf_counter() - history.seconds
        minimisation = Minimisation(self.network_, data, held_out, self._objective())
        self.n_iter_, history.stopped_because = 0, "epochs"

        def after_iteration(epoch: Epoch) -> bool:
            self.n_iter_ += 1
            self.loss_ = epoch.cost
            self._say(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
            record = epoch.record(history, 1, started)
            history.records.append(record)
            if listeners.epoch_ended(record):
                history.stopped_because = "callback"
                return True
            listeners.epoch_begins()
            return False

        listeners.epoch_begins()
        result = minimisation.run(after_iteration, max_fun=self.max_fun, max_iter=self.max_iter, tol=self.tol)
        history.seconds = time.perf_counter() - started
        if result is None:
            history.stopped_because = "interrupted"
            warn("Training interrupted by user.")
            return
        self.loss_, self.n_iter_ = minimisation.loss, min(result.nit, self.max_iter)
        if result.status == 0:
            history.stopped_because = "converged"
        elif history.stopped_because != "callback":
            warn(
                f"lbfgs failed to converge after {self.n_iter_} iterations (status={result.status}): "
                f"{result.message}. Scaling the data or a larger max_iter or max_fun may help.",
                ConvergenceWarning,
            )

    def _objective(self) -> Objective:
        return Objective(self._cost(), self._outputs_in_mean(), self.alpha, self.n_threads_)

    def _score(self, held_out: ScoredDataset) -> float:
        if self.metric is None:
            return self._default_score(held_out)
        unnamed: Any = copy.copy(self)  # a scorer predicts from plain arrays: without names, no warning that they lack
        vars(unnamed).pop("feature_names_in_", None)
        weights = {} if held_out.weights is None else {"sample_weight": held_out.weights}
        return float(get_scorer(self.metric)(unnamed, plain(held_out.x), held_out.y, **weights))

    def _say(self, message: str) -> None:
        if self.verbose:
            print(message)  # noqa: T201 - verbose=True asks for it
