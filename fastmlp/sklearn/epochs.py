"""Training by mini-batches (solvers "sgd" and "adam"): the loop over the epochs."""

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from fastmlp.engine import Trainer, evaluate
from fastmlp.mlp import MLP
from fastmlp.sklearn import improvement
from fastmlp.sklearn.callbacks import Listeners
from fastmlp.sklearn.rows import Rows
from fastmlp.sklearn.update_rule import UpdateRule
from fastmlp.system import interrupt
from fastmlp.system.progress import progress_bar

if TYPE_CHECKING:
    from fastmlp.sklearn.base import BaseMLP

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


class Epochs:
    """The epochs of one ``fit``, or the single one of a ``partial_fit``.

    Parameters
    ----------
    estimator : BaseMLP
        Its network is trained, its fitted attributes are kept up to date from epoch to epoch.
    data : Rows
        To train on.
    held_out : Rows or None
        To validate on.
    rule : UpdateRule
        Its state goes on from here.
    listeners : Listeners
        Are told of every epoch.
    rng : numpy.random.RandomState
        For the shuffling.
    """

    def __init__(
        self,
        estimator: "BaseMLP",
        data: Rows,
        held_out: Rows | None,
        rule: UpdateRule,
        listeners: Listeners,
        rng: np.random.RandomState,
    ) -> None:
        self.estimator, self.data, self.held_out, self.rule = estimator, data, held_out, rule
        self.listeners, self.rng = listeners, rng
        self.batch = batch_rows(estimator.batch_size, data.n)
        self.steps = -(-data.n // self.batch)
        self.positions = np.arange(data.n)
        self.started = time.perf_counter() - estimator.history_.seconds
        net = estimator.network_
        self.squares = np.full(self.steps + 1, _weight_squares(net))  # Σ‖W‖² before each step and behind the last
        key = int(rng.randint(np.iinfo(np.int32).max)) if any(net.dropout) else 0
        self.trainer = Trainer(
            net.network, data.x, data.targets, self.batch, rule.optimizer, estimator.n_threads_,
            loss=estimator._cost(), sample_weight=data.weights, key=key,
        )  # fmt: skip
        if rule.state is not None:
            self.trainer.import_state(rule.state)

    def run(self, epochs: int) -> None:
        """Train for at most this many epochs."""
        est, history = self.estimator, self.estimator.history_
        est.n_iter_, history.stopped_because = 0, "epochs"
        try:
            with interrupt.caught(), progress_bar(est.progress, epochs * self.steps, "step") as bar:
                while est.n_iter_ < epochs and history.stopped_because == "epochs":
                    self.listeners.epoch_begins()
                    record = self._epoch(bar)
                    if record is None:
                        break
                    bar.end_epoch(record | {"steps": est.n_iter_ * self.steps})
                    if improvement.exhausted(est):
                        self._stop_or_slow_down()
                    if self.listeners.epoch_ended(record) and history.stopped_because == "epochs":
                        history.stopped_because = "callback"
                    interrupt.check()
        except KeyboardInterrupt:
            history.stopped_because = "interrupted"
            warnings.warn("Training interrupted by user.", stacklevel=5)
        self.rule.state = self.trainer.export_state()
        history.seconds = time.perf_counter() - self.started

    def _epoch(self, bar: progress_bar) -> dict[str, Any] | None:
        """Train for an epoch; return its record, or None where the training cannot go on."""
        est, net = self.estimator, self.estimator.network_
        if est.shuffle:
            drawn = np.arange(self.data.n)  # as sklearn.utils.shuffle draws, in a tenth of its time
            self.rng.shuffle(drawn)
            self.positions = self.positions[drawn]
        order = self.data.order(self.positions)
        rates = self.rule.rates(self.steps, est.max_iter)
        weights = self.trainer.weights(order)
        l2 = np.divide(est.alpha, weights, out=np.zeros(self.steps), where=weights > 0)
        self.squares[0] = self.squares[-1]
        costs = self.trainer.run_epoch(order, bar.within_epoch, rates=rates, l2=l2, weight_squares=self.squares[1:])
        if not (len(costs) == self.steps and np.isfinite(costs).all() and net.is_finite()):
            self._diverged()
            return None
        record = self._record(costs / est._outputs_in_mean(), l2)
        est.n_iter_ += 1
        est.t_ += self.data.n
        self.rule.epoch_ended(self.steps, est.t_)
        est.loss_ = record["cost"]
        est._say(f"Iteration {est.n_iter_}, loss = {est.loss_:.8f}")
        improvement.update(est, self.held_out)
        if self.held_out is not None:
            record["val_score"] = est.validation_scores_[-1]
            est._say(f"Validation score: {record['val_score']:f}")
        est.history_.batch_costs = np.append(est.history_.batch_costs, costs)
        record |= {"learning_rate": float(rates[-1]), "seconds": time.perf_counter() - self.started}
        est.history_.records.append(record)
        return record

    def _record(self, costs: np.ndarray, l2: np.ndarray) -> dict[str, Any]:
        history = self.estimator.history_
        shares = np.full(self.steps, self.batch / self.data.n)
        shares[-1] = 1 - shares[:-1].sum()
        losses = costs + 0.5 * l2 * self.squares[:-1]  # scikit-learn's, with the weights before each step
        record = {
            "epoch": history.epochs + 1,
            "steps": history.steps + self.steps,
            "cost": float(losses @ shares),
            "last_cost": float(losses[-1]),
            "val_cost": None,
            "val_accuracy": None,
            "val_score": None,
        }
        if self.held_out is not None:
            cost, accuracy = held_out_cost(self.estimator, self.held_out)
            record |= {"val_cost": cost + 0.5 * float(l2 @ shares * self.squares[-1]), "val_accuracy": accuracy}
        return record

    def _diverged(self) -> None:
        """End the training; early stopping has better weights to go back to."""
        est = self.estimator
        est.history_.stopped_because = "cost not finite"
        est.loss_ = float("nan")
        est.loss_curve_.append(est.loss_)
        est.n_iter_ += 1
        if self.held_out is not None:
            est.validation_scores_.append(float("nan"))
        message = f"{NOT_FINITE} That was in epoch {est.n_iter_}; learning_rate_init={est.learning_rate_init}."
        if not est.early_stopping:
            raise ValueError(message)
        warnings.warn(message, RuntimeWarning, stacklevel=6)

    def _stop_or_slow_down(self) -> None:
        est = self.estimator
        what = "Validation score" if est.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs."
        if self.rule.slows_down():
            est._no_improvement_count = 0
            est._say(f"{message} Setting learning rate to {self.rule.learning_rate:f}")
        else:
            est.history_.stopped_because = "early stopping" if est.early_stopping else "converged"
            est._say(f"{message} Stopping.")


def _weight_squares(net: MLP) -> float:
    with np.errstate(over="ignore"):  # the training ends there
        return net.penalty(2.0)


def batch_rows(batch_size: int | str, n: int) -> int:
    """Return the rows of a mini-batch, at most `n`."""
    if isinstance(batch_size, str):
        return min(200, n)
    if batch_size > n:
        warnings.warn(f"Got batch_size={batch_size}, larger than the {n} rows: it is clipped", stacklevel=6)
    return min(int(batch_size), n)


def held_out_cost(estimator: "BaseMLP", held_out: Rows) -> tuple[float, float | None]:
    """Return the loss of the validation rows without L2 part, as scikit-learn counts it, and the accuracy."""
    cost, accuracy = evaluate(
        estimator.network_.network, held_out.x, held_out.targets, None, estimator.n_threads_,
        loss=estimator._cost(), sample_weight=held_out.weights,
    )  # fmt: skip
    return cost / estimator._outputs_in_mean(), accuracy


def warn_of_the_end(estimator: "BaseMLP") -> None:
    """Warn where all epochs were used up."""
    if estimator.history_.stopped_because == "epochs":
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
            "converged yet.",
            ConvergenceWarning,
            stacklevel=5,
        )
