"""Threads that run one compiled worker together."""

import os
import queue
import threading
from collections.abc import Callable

import numpy as np

from fastmlp.engine.group import Group
from fastmlp.simd.atomics import ABANDONED, STOP
from fastmlp.system import interrupt
from fastmlp.system.cores import usable_cores

IDLE_SECONDS = 1.0  # how long a thread waits for its next team; to start a thread takes ten times as long as to wake it


class _Team(Group):
    """One call of `run_team`; members of an incomplete team would wait for one another at the first barrier."""

    def __init__(self, worker: Callable[[int], None], size: int, control: np.ndarray) -> None:
        super().__init__(size)
        self.worker, self.control = worker, control
        self.allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        self.cores: list[int] = []  # of its pinned members

    def begin(self) -> None:
        _gather(self)
        self.go.append(True)
        _claim_cores(self)
        self.gate.set()

    def end(self) -> None:
        self.control[STOP] = 1

    def work(self, thread: int, member: "_Member") -> None:
        """Do the share of one member."""
        if not self.may_begin():
            return
        try:
            member.move({self.cores[thread]} if self.cores else self.allowed)
            self.worker(thread)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            self.errors.append(error)
            self.control[ABANDONED] = 1


class _Member(threading.Thread):
    """Works in one team after the other, and ends when none takes it for a while."""

    def __init__(self, thread: int, cores: set[int] | None) -> None:
        super().__init__(name=f"fastmlp-{thread}", daemon=True)
        self.last, self.cores = thread, cores
        self.teams: queue.SimpleQueue[tuple[_Team, int] | None] = queue.SimpleQueue()

    def run(self) -> None:
        """Work until there is nothing more to do."""
        while self._work_once():
            pass

    def move(self, cores: set[int] | None) -> None:
        """Go to these cores."""
        if cores is not None and cores != self.cores:
            os.sched_setaffinity(0, cores)
            self.cores = cores

    def _work_once(self) -> bool:
        try:
            share = self.teams.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            with _lock:  # who takes a member out of `_idle` holds the lock until its share is in `teams`
                if self in _idle:
                    _idle.remove(self)
                return not self.teams.empty()
        if share is None:
            return False
        team, self.last = share
        try:
            team.work(self.last, self)
        finally:
            with _lock:
                _idle.append(self)
            team.leave(self.last)
        return True


_idle: list[_Member] = []
_pinned: threading.Event | None = None  # set when the team that was pinned last has ended
_lock = threading.Lock()


def _before_fork() -> None:
    """End the idle members: Python warns of a fork beside other threads."""
    with _lock:
        members = _idle.copy()
        _idle.clear()
    for member in members:
        member.teams.put(None)
    for member in members:
        member.join()


def _after_fork() -> None:
    global _lock, _pinned
    _lock, _pinned = threading.Lock(), None
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _gather(team: _Team) -> None:
    """Give every member its share: idle ones, each the one that it had before, and new ones."""
    with _lock:
        _idle.sort(key=lambda member: member.last)
        found = min(len(_idle), team.size)
        for thread in reversed(range(found)):
            _idle.pop(thread).teams.put((team, thread))
    for thread in range(found, team.size):
        member = _Member(thread, team.allowed)
        member.teams.put((team, thread))
        member.start()


def _claim_cores(team: _Team) -> None:
    """Take a core for each member, or none at all.

    Only a team that takes all cores the process may use is pinned, and one at a time: a smaller one shares the machine
    with others (a second training, a joblib worker) whose cores cannot be known.
    """
    global _pinned
    if team.allowed is None or team.size < 2 or team.size != len(team.allowed) or team.size != usable_cores():
        return
    with _lock:
        if _pinned is None or _pinned.is_set():
            team.cores, _pinned = sorted(team.allowed), team.all_ended


def run_team(
    worker: Callable[[int], None], threads: int, control: np.ndarray, poll: Callable[[], None] | None = None
) -> None:
    """Call ``worker(thread)`` in `threads` threads and wait for all.

    Parameters
    ----------
    worker : callable
        Releases the GIL; watches the stop cell, and in barriers the abandoned cell.
    threads : int
        At least 1. All run beside the caller's, so that the caller can take Ctrl-C.
    control : numpy.ndarray
        The team's control block (`fastmlp.simd.atomics`).
    poll : callable, optional
        Called now and then in the caller's thread.

    Raises
    ------
    BaseException
        The first error of a worker, after all threads have ended; or a KeyboardInterrupt of the caller's, after the
        workers have stopped at the end of a step.
    """
    watch = interrupt.watch()
    if watch is not None and threads == 1:  # its thread takes no Ctrl-C, so it can do the work itself
        with watch.over(control):
            worker(0)
        interrupt.check()
        return
    _Team(worker, threads, control).run(poll or _no_poll)


def _no_poll() -> None:
    """Tell nobody how far the team is."""
