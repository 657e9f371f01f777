"""The members that train and those that validate, under one supervisor."""

from typing import Any

from distributed import Client

from fastmlp.dask.blocks import Summary
from fastmlp.dask.members import Members, Recipe
from fastmlp.dask.partitions import Partitions
from fastmlp.dask.scores import Moments
from fastmlp.dask.supervision import Supervisor


class Crews:
    """The members of one fit; their workers begin to make the blocks.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    data, held_out : Partitions
        To train on; to validate on, or None.
    estimator : fastmlp.sklearn.MLPClassifier or MLPRegressor
        With the number and the names of the features, and no network.
    threads : int or None
        At most this many for each member.
    """

    def __init__(
        self, client: Client, data: Partitions, held_out: Partitions | None, estimator: Any, threads: int | None
    ) -> None:
        self.supervisor = Supervisor(client, self._homes, self._replace)
        self.training = Members(client, data, estimator, threads)
        self.validating = None if held_out is None else Members(client, held_out, estimator, threads)
        for members in self._all():
            self._settle(members)

    def _settle(self, members: Members) -> None:
        self.supervisor.repeated(lambda: members.settle(self.supervisor))

    def _all(self) -> list[Members]:
        return [self.training] if self.validating is None else [self.training, self.validating]

    def _homes(self) -> set[str]:
        return {member.worker for members in self._all() for member in members.members if member.worker}

    def _replace(self, dead: set[str]) -> None:
        # first all leave: while the scheduler knows a task, it keeps to the workers that were named first
        for members in self._all():
            members.leave(dead)
        for members in self._all():
            members.settle_again(self.supervisor)

    def summaries(self, classes: bool) -> list[list[Summary]]:
        """Return what the client must know of the blocks: of those to train on and, if there are any, of the others.

        Raises
        ------
        ValueError, TypeError
            A partition holds what the estimator refuses, or there is no row.
        """
        found = [self._summaries(members, classes) for members in self._all()]
        for name, summaries in zip(("X", "X_val"), found, strict=False):
            if not summaries:
                raise ValueError(f"{name} must have at least one row, got none in all its partitions")
        return found

    def _summaries(self, members: Members, classes: bool) -> list[Summary]:
        return self.supervisor.repeated(lambda: members.summaries(self.supervisor, classes))

    def prepare(self, estimator: Any, dtype: str) -> None:
        """Begin to make what the engine takes, by an estimator that knows the targets."""
        for members in self._all():
            members.prepare(Recipe(estimator, dtype, members is self.training))

    def moments(self) -> Moments | None:
        """Return those of the targets of the validation rows."""
        validating = self.validating
        if validating is None:
            return None
        first, *others = self.supervisor.repeated(lambda: self.supervisor.collect(validating.moments()))
        for other in others:
            first = first | other
        return Moments(*first)

    def release(self) -> None:
        """Let the workers forget all blocks."""
        for members in self._all():
            members.release()
