"""Waiting for tasks on a cluster whose workers may die."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import dask
from distributed import Client, Future, KilledWorker, wait

from fastmlp.system import interrupt

LOOK = 1.0  # seconds between two looks at the workers
STILL = 30.0  # seconds without a worker, or without a task that runs: a second time in turn, a fit is given up
FETCH = 10.0  # seconds for the first attempt to fetch a result, doubled for each further one

T = TypeVar("T")


class WorkersLostError(Exception):
    """Workers died while the client waited for them; `workers` are their addresses."""

    def __init__(self, workers: set[str]) -> None:
        super().__init__(f"lost {sorted(workers)}")
        self.workers = workers


class StalledError(WorkersLostError):
    """No task has run for a while: the scheduler keeps tasks for workers that are gone."""


class Supervisor:
    """Waits for tasks that are bound to workers, and has them done again where a worker dies.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    homes : callable
        Returns the addresses of the workers that the tasks are bound to.
    replace : callable
        Is called with those of dead workers, before the next attempt.
    """

    def __init__(self, client: Client, homes: Callable[[], set[str]], replace: Callable[[set[str]], None]) -> None:
        self.client, self.homes, self.replace = client, homes, replace
        self.retries = int(dask.config.get("distributed.scheduler.allowed-failures"))

    def workers(self) -> dict[str, int]:
        """Return the threads of each worker that is alive, by its address, in the order of the addresses.

        Raises
        ------
        RuntimeError
            No worker comes for half a minute, or the scheduler does not answer.
        """
        until = time.monotonic() + STILL
        while True:
            found = self._ask(self.client.nthreads)
            if found:
                return dict(sorted(found.items()))
            if time.monotonic() > until:
                raise RuntimeError(f"the cluster must have a worker, got none for {STILL:.0f} s")
            interrupt.check()
            time.sleep(LOOK)

    def repeated(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` does, which is repeated where a worker dies meanwhile.

        Raises
        ------
        RuntimeError
            It fails more often than ``distributed.scheduler.allowed-failures`` allows, or data are lost for good.
        """
        lost: set[str] | None = None
        stalled = False
        for _ in range(self.retries + 1):
            try:
                if lost is not None:
                    self.replace(lost)
                return attempt()
            except WorkersLostError as error:
                lost, again = error.workers, stalled
                stalled = isinstance(error, StalledError)
            if stalled and again:  # all tasks were made anew, in vain
                raise RuntimeError(
                    f"no task has run for {STILL:.0f} s: none of the workers that are left can compute the partitions"
                )
        raise RuntimeError(
            f"workers died {self.retries + 1} times in one part of the training, the last at {sorted(lost or ())}; "
            "look at their logs, often they have too little memory"
        )

    def collect(self, futures: Sequence[Future]) -> list[Any]:
        """Return the results of tasks in their order.

        Raises
        ------
        WorkersLostError
            A worker died, or what a task depends on went with one, or nothing runs for half a minute.
        RuntimeError
            The tasks killed the workers that ran them.
        Exception
            Whatever a task raised.
        """
        self.wait(futures)
        try:
            return [self._fetch(future) for future in futures]
        except CancelledError as error:
            raise WorkersLostError(self._dead()) from error
        except KilledWorker as error:
            raise RuntimeError(
                f"a worker died again and again while it computed a partition of the data: {error}"
            ) from error

    def wait(self, futures: Sequence[Future]) -> None:
        """Wait until all tasks have ended, or one in an error, which is not raised; else raises as `collect` does."""
        still_since = time.monotonic()
        while True:
            try:
                wait(list(futures), timeout=LOOK)
                return
            except CancelledError as error:
                raise WorkersLostError(self._dead()) from error
            except TimeoutError:
                interrupt.check()
            if any(future.status == "error" for future in futures):
                return
            dead = self._dead()
            if dead:
                raise WorkersLostError(dead)
            if any(self._ask(self.client.processing).values()):
                still_since = time.monotonic()
            elif time.monotonic() - still_since > STILL:
                raise StalledError(self.homes())

    def _fetch(self, future: Future) -> Any:
        seconds = FETCH
        while True:
            try:
                return future.result(timeout=seconds)
            except TimeoutError:
                if future.status == "error":  # the task's own
                    raise
            dead = self._dead()
            if dead:
                raise WorkersLostError(dead)
            interrupt.check()
            seconds *= 2

    def scatter(self, array: Any, workers: Sequence[str]) -> Future:
        """Send an array to one of the workers, from which others fetch it."""
        try:
            return self.client.scatter(array, workers=list(workers), hash=False)
        except (KeyError, OSError, TimeoutError, ValueError) as error:  # KeyError: the scheduler has forgotten it
            dead = self._dead()
            if not dead:
                raise
            raise WorkersLostError(dead) from error

    def _dead(self) -> set[str]:
        return self.homes() - set(self._ask(self.client.nthreads))

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except OSError as error:
            raise RuntimeError(f"the scheduler of {self.client} does not answer: {error}") from error
