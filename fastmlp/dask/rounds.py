"""The epochs of a fit on a cluster, as the client sees them: rounds of training, averaging and evaluating."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from distributed import Client, Future

from fastmlp.dask.crews import Crews
from fastmlp.dask.local_sgd import Course, Place, Stretch, Training, average, courses, evaluate, train
from fastmlp.dask.scores import Evaluation, Moments, r2
from fastmlp.history import Validation
from fastmlp.loop import Epoch, WithinEpoch
from fastmlp.mlp import MLP
from fastmlp.optimizers import State
from fastmlp.sklearn.update_rule import UpdateRule

NO_VALIDATION: Validation = {"val_cost": None, "val_accuracy": None, "val_score": None}


class Rounds:
    """The epochs of one fit; it takes the place of `fastmlp.sklearn.epochs.Epochs` on a cluster.

    Parameters
    ----------
    net : MLP
        Has the average of the members' parameters behind each round.
    crews : Crews
        That train and validate.
    moments : Moments or None
        Of the targets of the validation rows, where they are numbers.
    training : Training
        What all members have in common.
    rule : UpdateRule
        Where the learning rate stands.
    sync_every : int
        Epochs or steps between two averages.
    by_steps : bool
        Which of the two.

    Attributes
    ----------
    steps : int
        Of an epoch: those of the member with most rows.
    score : float or None
        Of the validation rows behind the last round; None within a round.
    averaged : bool
        Whether the network is that of the last epoch. It is not within a round of several epochs.
    """

    def __init__(
        self,
        net: MLP,
        crews: Crews,
        moments: Moments | None,
        training: Training,
        rule: UpdateRule,
        *,
        sync_every: int,
        by_steps: bool,
    ) -> None:
        self.net, self.moments, self.training, self.rule = net, moments, training, rule
        self.members, self.held_out, self.supervisor = crews.training, crews.validating, crews.supervisor
        self.sync_every, self.by_steps = sync_every, by_steps
        self.steps = max(-(-member.rows // min(training.batch, member.rows)) for member in self.members.members)
        self.state = net.snapshot()[None]
        self.score: float | None = None
        self.averaged = True
        self._shared: Future | None = None
        self._done = 0
        self._waiting: list[Epoch] = []
        self._evaluations: list[Evaluation] = []

    @property
    def trainer(self) -> "Rounds":
        """Who knows the optimizer's state."""
        return self

    def export_state(self) -> State:
        """Return what the optimizer remembers, averaged; the key is no member's."""
        return State(self._done * self.steps, [moment.copy() for moment in self.state[1:]])

    def run(self, within_epoch: WithinEpoch) -> Epoch | None:
        """Train for an epoch; return what it gave, or None where the training cannot go on."""
        if not self._waiting:
            found = self._epoch_by_steps(within_epoch) if self.by_steps else self._epochs()
            if found is None:
                return None
            self._waiting = found
        epoch = self._waiting.pop(0)
        self.averaged = not self._waiting
        self.score = epoch.validation["val_score"]
        return epoch

    def _epochs(self) -> list[Epoch] | None:
        """Train for as many epochs as lie between two averages."""
        ahead = replace(self.rule)
        last = min(self._done + self.sync_every, self.training.epochs)
        stretches = []
        for epoch in range(self._done, last):
            stretches.append(Stretch(epoch, 0, self.steps, ahead.learning_rate))
            ahead.epoch_ended(self.steps, (epoch + 1) * self.members.n)
        found = self._round(stretches, evaluating=True)
        if found is None:
            return None
        self._done = last
        return [
            self._summed(stretches[i], [own[i] for own in found], i == len(stretches) - 1)
            for i in range(len(stretches))
        ]

    def _epoch_by_steps(self, within_epoch: WithinEpoch) -> list[Epoch] | None:
        """Train for an epoch, with averages in it and at its end."""
        parts: list[list[Course]] = [[] for _ in self.members.members]
        for first in range(0, self.steps, self.sync_every):
            within_epoch(first)
            stretch = Stretch(self._done, first, self.sync_every, self.rule.learning_rate)
            found = self._round([stretch], evaluating=first + self.sync_every >= self.steps)
            if found is None:
                return None
            for own, (course,) in zip(parts, found, strict=True):
                own.append(course)
        joined = [Course(*map(np.concatenate, zip(*own, strict=True))) for own in parts]
        self._done += 1
        return [self._summed(stretch, joined, True)]

    def _round(self, stretches: Sequence[Stretch], *, evaluating: bool) -> list[list[Course]] | None:
        """Train, average and evaluate; return the courses of each member's stretches, None where one is not finite."""
        client = self.members.client

        def attempt() -> tuple[list[list[Course]], list[Evaluation], np.ndarray]:
            shared, self._shared = self._on_the_cluster(client), None
            trained = [
                self.members.submit(
                    train, member, member.data, shared, self.training, stretches, Place(i, member.threads)
                )
                for i, member in enumerate(self.members.members)
            ]
            rows = [self._rows_of(stretches, member.rows) for member in self.members.members]
            homes = [member.worker for member in self.members.members]
            mean = client.submit(average, trained, rows, workers=homes, pure=False)
            told = [
                self.members.submit(courses, member, copy)
                for member, copy in zip(self.members.members, trained, strict=True)
            ]
            validated = self._evaluating(mean) if evaluating else []
            *found, state = self.supervisor.collect([*told, *validated, mean])
            self._shared = mean
            return found[: len(told)], found[len(told) :], state

        found, self._evaluations, state = self.supervisor.repeated(attempt)
        finite = all(
            len(course.costs) == len(course.rows) and np.isfinite(course.costs).all() for own in found for course in own
        )
        if not (finite and np.isfinite(state).all()):
            return None
        self.state = state
        self.net.restore(state[0])
        return found

    def _on_the_cluster(self, client: Client) -> Future:
        """Return where the members find the state: on a worker since the last average, or sent by the client."""
        if self._shared is not None and self._shared.status == "finished":
            return self._shared
        return self.supervisor.scatter(self.state, [member.worker for member in self.members.members])

    def _evaluating(self, state: Future) -> list[Future]:
        if self.held_out is None:
            return []
        return [
            self.held_out.submit(evaluate, member, member.data, state, self.training, member.threads)
            for member in self.held_out.members
        ]

    def _rows_of(self, stretches: Sequence[Stretch], n: int) -> int:
        """Return how many rows a member of `n` is trained on in these stretches."""
        batch = min(self.training.batch, n)
        return sum(min(n, (s.first + s.steps) * batch) - min(n, s.first * batch) for s in stretches)

    def _summed(self, stretch: Stretch, found: Sequence[Course], last: bool) -> Epoch:
        """Return the epoch of all members: means weighted by rows, step by step and of the whole."""
        rows, costs, losses = np.zeros((3, self.steps))
        for course in found:
            done = slice(len(course.rows))
            rows[done] += course.rows
            costs[done] += course.rows * course.costs
            losses[done] += course.rows * course.losses
        total = rows.sum()
        l2 = sum(float(course.l2 @ course.rows) for course in found) / total
        rates = replace(self.rule, learning_rate=stretch.learning_rate, steps=stretch.epoch * self.steps).rates(
            self.steps, self.training.epochs
        )
        return Epoch(
            costs / rows, float(losses.sum() / total), float(losses[-1] / rows[-1]), float(rates[-1]),
            self._validation(l2) if last else NO_VALIDATION.copy(),
        )  # fmt: skip

    def _validation(self, l2: float) -> Validation:
        if not self._evaluations:
            return NO_VALIDATION.copy()
        total, *others = self._evaluations
        for other in others:
            total = total | other
        cost = total.cost / total.weight / self.training.outputs_in_mean + 0.5 * l2 * self.net.penalty(2.0)
        accuracy = None if total.right is None else total.right / total.weight
        score = accuracy
        if total.residuals is not None and self.moments is not None:
            finite = bool(np.isfinite(total.residuals).all())
            score = r2(total.residuals, self.moments.spread) if finite else float("nan")
        return {"val_cost": cost, "val_accuracy": accuracy, "val_score": score}
