"""Training by mini-batches (solvers "sgd" and "adam"): one epoch, with scikit-learn's shuffling and costs."""

from typing import NamedTuple

import numpy as np

from fastmlp import engine
from fastmlp.history import Validation
from fastmlp.loop import Epoch, WithinEpoch, train_epoch
from fastmlp.mlp import MLP
from fastmlp.sklearn.cost import Objective
from fastmlp.sklearn.dataset import ScoredDataset
from fastmlp.sklearn.update_rule import UpdateRule
from fastmlp.system.warning import warn

AUTO_BATCH = 200  # rows of a mini-batch where batch_size="auto", as in scikit-learn


class EpochOptions(NamedTuple):
    """The parameters of an estimator that say what an epoch is.

    Attributes
    ----------
    batch_size : int or "auto"
        Rows of a mini-batch.
    shuffle : bool
        Whether every epoch shuffles the rows again.
    max_iter : int
        Number of epochs that a schedule covers.
    matmul_precision : {"float32", "bfloat16"}
        Precision of the operands of the matrix products.
    """

    batch_size: int | str
    shuffle: bool
    max_iter: int
    matmul_precision: str


class Epochs:
    """The epochs of one ``fit``, or the single one of a ``partial_fit``.

    Parameters
    ----------
    net : MLP
        The network that is trained.
    data : ScoredDataset
        The training rows.
    held_out : ScoredDataset or None
        The validation rows.
    rule : UpdateRule
        The optimizer. The training continues from its state.
    objective : Objective
        The cost that is minimised.
    rng : numpy.random.RandomState
        The generator for the shuffling and the dropout.
    options : EpochOptions
        Of the estimator.
    """

    def __init__(
        self,
        net: MLP,
        data: ScoredDataset,
        held_out: ScoredDataset | None,
        rule: UpdateRule,
        objective: Objective,
        rng: np.random.RandomState,
        options: EpochOptions,
    ) -> None:
        self.net, self.data, self.held_out, self.rule, self.objective = net, data, held_out, rule, objective
        self.rng, self.options = rng, options
        self.batch = batch_rows(options.batch_size, data.n)
        self.steps = -(-data.n // self.batch)
        self.positions = np.arange(data.n)
        self.squares = np.full(self.steps + 1, _weight_squares(net))  # Σ‖W‖² before each step and after the last
        key = int(rng.randint(np.iinfo(np.int32).max)) if any(net.dropout) else 0
        self.trainer = engine.Trainer(
            net.network, data.x, data.targets, self.batch, rule.optimizer, objective.threads,
            options=engine.StepOptions(objective.loss, key, options.matmul_precision), sample_weight=data.weights,
        )  # fmt: skip
        if rule.state is not None:
            self.trainer.import_state(rule.state)

    def run(self, within_epoch: WithinEpoch) -> Epoch | None:
        """Train for an epoch; return its costs and figures, or None if the training cannot go on."""
        if self.options.shuffle:
            drawn = np.arange(self.data.n)  # gives the order of sklearn.utils.shuffle, ten times as fast
            self.rng.shuffle(drawn)
            self.positions = self.positions[drawn]
        order = self.data.order(self.positions)
        rates = self.rule.rates(self.steps, self.options.max_iter)
        weights = self.trainer.weights(order)
        l2 = np.divide(self.objective.alpha, weights, out=np.zeros(self.steps), where=weights > 0)
        self.squares[0] = self.squares[-1]
        batch_costs = train_epoch(
            self.trainer, order, within_epoch, rates=rates, l2=l2, weight_squares=self.squares[1:]
        )
        if batch_costs is None:
            return None
        shares = np.full(self.steps, self.batch / self.data.n)
        shares[-1] = 1 - shares[:-1].sum()
        # as in scikit-learn, the L2 part has the weights before each step
        losses = batch_costs / self.objective.outputs_in_mean + 0.5 * l2 * self.squares[:-1]
        return Epoch(
            batch_costs, float(losses @ shares), float(losses[-1]), float(rates[-1]), self._validation(l2, shares)
        )

    def _validation(self, l2: np.ndarray, shares: np.ndarray) -> Validation:
        penalty = 0.5 * float(l2 @ shares * self.squares[-1])
        return self.objective.validation(self.net.network, self.held_out, penalty)


def _weight_squares(net: MLP) -> float:
    with np.errstate(over="ignore"):  # an infinite sum ends the training, without NumPy's warning
        return net.penalty(2.0)


def batch_rows(batch_size: int | str, n: int) -> int:
    """Return the rows of a mini-batch, at most `n`."""
    if isinstance(batch_size, str):
        return min(AUTO_BATCH, n)
    if batch_size > n:
        warn(f"Got batch_size={batch_size}, larger than the {n} rows: it is clipped")
    return min(int(batch_size), n)
