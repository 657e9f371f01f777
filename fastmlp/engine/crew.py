"""Threads that each do one job after the other.

The members of a team share one training; the members of a crew each have trainings of their own.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from fastmlp.engine.group import Group
from fastmlp.simd.atomics import STEPS_DONE, STOP
from fastmlp.system import interrupt
from fastmlp.system.interrupt import Watch

Job: TypeAlias = Callable[[Callable[[], int]], None]


class _Crew(Group):
    """One call of `run_crew`."""

    def __init__(self, jobs: Sequence[Job], size: int) -> None:
        super().__init__(size)
        self.jobs = deque(jobs)
        self.ending = threading.Event()
        self.watches = [Watch(self.ending) for _ in range(size)]

    def begin(self) -> None:
        for number in range(self.size):
            threading.Thread(target=self._work, args=(number,), name=f"fastmlp-crew-{number}", daemon=True).start()
        self.go.append(True)
        self.gate.set()

    def end(self) -> None:
        self.ending.set()

    def stop(self) -> None:
        """Stop what runs after its current mini-batch; again and again, as a training that begins clears the cell."""
        for watch in self.watches:
            watch.write(STOP, 1)

    def _work(self, number: int) -> None:
        """Do one job after the other, until none is left."""
        watch = self.watches[number]
        if not self.may_begin():
            return
        try:
            with interrupt.watched(watch):
                while self.jobs and self._do_next(watch):
                    pass
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            self.errors.append(error)
            self.ending.set()
        finally:
            self.leave(number)

    def _do_next(self, watch: Watch) -> bool:
        """Do the next job; return False where another member has taken the last one."""
        try:
            job = self.jobs.popleft()
        except IndexError:
            return False
        job(lambda: watch.read(STEPS_DONE))
        return True


def run_crew(jobs: Sequence[Job], size: int, poll: Callable[[], None]) -> None:
    """Do all jobs in `size` threads and wait for them.

    Parameters
    ----------
    jobs : sequence of callable
        In the order in which they begin. Each is called with a function that returns the steps that the running epoch
        of the member has done. After an error or Ctrl-C, those that are left are called too: they end at their first
        `interrupt.check`.
    size : int
        Number of threads, at least 1.
    poll : callable
        Called now and then in the caller's thread.

    Raises
    ------
    BaseException
        The first error of a job, or what came up in the caller's thread, such as its KeyboardInterrupt; after all
        threads have ended.
    """
    crew = _Crew(jobs, size)

    def look() -> None:
        if crew.ending.is_set():
            crew.stop()
        else:
            poll()

    crew.run(look)
