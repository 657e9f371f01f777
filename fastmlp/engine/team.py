"""Threads that run one compiled worker together, and the main thread that waits for them."""

import os
import threading
from collections.abc import Callable

import numpy as np

from fastmlp.cores import usable_cores
from fastmlp.simd.atomics import ABANDONED, STOP

POLL_SECONDS = 0.1

_held: dict[int, int] = {}  # core → teams of this process that pinned a thread to it
_lock = threading.Lock()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _reserve(threads: int) -> list[int] | None:
    """Reserve a core for every thread of a team, or none.

    Only a team that takes all cores the process may use is pinned: a smaller one shares the machine with others (a
    second training, a joblib worker) whose cores cannot be known.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    if threads < 2 or threads != len(cores) or threads != usable_cores():
        return None
    with _lock:
        if any(_held.get(core) for core in cores):
            return None
        for core in cores:
            _held[core] = 1
    return cores


def _release(cores: list[int] | None) -> None:
    with _lock:
        for core in cores or ():
            _held.pop(core, None)


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
        Called every `POLL_SECONDS` seconds.

    Raises
    ------
    BaseException
        The first error of a worker, after all threads have ended; or a KeyboardInterrupt of the caller's, after the
        workers have stopped at the end of a step.
    """
    errors: list[BaseException] = []
    cores = _reserve(threads)
    all_started, cancelled = threading.Event(), threading.Event()

    def run(thread: int) -> None:
        all_started.wait()
        if cancelled.is_set():
            return
        try:
            if cores is not None:
                os.sched_setaffinity(0, {cores[thread]})
            worker(thread)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)
            control[ABANDONED] = 1

    members = [threading.Thread(target=run, args=(i,), name=f"fastmlp-{i}", daemon=True) for i in range(threads)]
    try:
        interrupted = _start_and_wait(members, all_started, cancelled, control, poll)
    finally:
        _release(cores)
    if errors:
        raise errors[0]
    if interrupted is not None:
        raise interrupted


def _start_and_wait(
    members: list[threading.Thread],
    all_started: threading.Event,
    cancelled: threading.Event,
    control: np.ndarray,
    poll: Callable[[], None] | None,
) -> BaseException | None:
    """Return what interrupted the caller, after all members have ended."""
    interrupted: BaseException | None = None
    try:
        for member in members:
            member.start()
    except BaseException as error:  # noqa: BLE001 - raised again by run_team
        # a team that is not complete does nothing: its members would wait for one another at the first barrier
        interrupted, members = error, []
        cancelled.set()
    all_started.set()
    while members:
        try:
            members[-1].join(POLL_SECONDS)
            if not members[-1].is_alive():
                members.pop()
            elif poll is not None:
                poll()
        except BaseException as error:  # noqa: BLE001 - raised again by run_team
            interrupted = interrupted or error
            control[STOP] = 1
    return interrupted
