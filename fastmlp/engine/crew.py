"""Threads that each do one job after the other, and the thread that waits for them and takes Ctrl-C.

The members of a team share one training; the members of a crew each have trainings of their own.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from fastmlp.simd.atomics import STEPS_DONE, STOP
from fastmlp.system import interrupt
from fastmlp.system.interrupt import Watch

POLL_SECONDS = 0.1

Job: TypeAlias = Callable[[Callable[[], int]], None]


class _Crew:
    """One call of `run_crew`, as its members see it.

    A member waits at the gate until all members are there. The first element of `go` decides for all: none of them
    begins where one could not be started.
    """

    def __init__(self, jobs: Sequence[Job], size: int) -> None:
        self.jobs = deque(jobs)
        self.gate, self.go = threading.Event(), list[bool]()
        self.ended, self.all_ended = list[int](), threading.Event()
        self.ending = threading.Event()
        self.watches = [Watch(self.ending) for _ in range(size)]
        self.errors: list[BaseException] = []

    def begin(self) -> None:
        """Start all members, then let them begin."""
        for number in range(len(self.watches)):
            threading.Thread(target=self._work, args=(number,), name=f"fastmlp-crew-{number}", daemon=True).start()
        self.go.append(True)
        self.gate.set()

    def end(self) -> None:
        """Let every member end after its current mini-batch."""
        self.go.append(False)
        self.ending.set()
        self.gate.set()

    def stop(self) -> None:
        """Stop what runs, if the crew is to end; again and again, as a training that begins clears the cell."""
        if self.ending.is_set():
            for watch in self.watches:
                watch.write(STOP, 1)

    def _work(self, number: int) -> None:
        """Do one job after the other, until none is left."""
        watch = self.watches[number]
        self.gate.wait()
        if not self.go[0]:
            return
        try:
            with interrupt.watched(watch):
                while self.jobs and self._do_next(watch):
                    pass
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            self.errors.append(error)
            self.ending.set()
        finally:
            self.ended.append(number)
            if len(self.ended) == len(self.watches):
                self.all_ended.set()

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
        Called every `POLL_SECONDS` seconds in the caller's thread.

    Raises
    ------
    BaseException
        The first error of a job, or what came up in the caller's thread, such as its KeyboardInterrupt; after all
        threads have ended.
    """
    crew = _Crew(jobs, size)
    with interrupt.looked_at():
        interrupted = _wait(crew, poll)
    if crew.errors:
        raise crew.errors[0]
    if interrupted is not None:
        raise interrupted


def _wait(crew: _Crew, poll: Callable[[], None]) -> BaseException | None:
    """Let the members begin, and wait until all have ended; return what came up meanwhile in the caller's thread."""
    interrupted: BaseException | None = None
    start = True
    while True:
        try:  # a handler of the user's own may raise at any of these lines, and no member may be left waiting
            if start:
                start = False
                crew.begin()
            while crew.go[0] and not crew.all_ended.wait(POLL_SECONDS):
                crew.stop()
                interrupt.check()
                if not crew.ending.is_set():
                    poll()
            return interrupted
        except BaseException as error:  # noqa: BLE001 - raised again when all have ended
            interrupted = interrupted or error
            crew.end()
