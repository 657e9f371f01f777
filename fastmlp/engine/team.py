"""Threads that run one compiled worker together, and the main thread that waits for them."""

import os
import threading
from collections.abc import Callable

import numpy as np

from fastmlp import interrupt
from fastmlp.cores import usable_cores
from fastmlp.simd.atomics import ABANDONED, STOP

POLL_SECONDS = 0.1

_pinned: list[threading.Thread] = []  # the team of this process whose threads are pinned, while they live
_lock = threading.Lock()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _claim_cores(members: list[threading.Thread]) -> list[int]:
    """Return a core for each of the started threads, or none at all.

    Only a team that takes all cores the process may use is pinned, and one at a time: a smaller one shares the machine
    with others (a second training, a joblib worker) whose cores cannot be known.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0))
    if len(members) < 2 or len(members) != len(cores) or len(members) != usable_cores():
        return []
    with _lock:
        if any(member.is_alive() for member in _pinned):
            return []
        _pinned[:] = members
    return cores


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
    cores: list[int] = []
    # members of an incomplete team would wait for one another at the first barrier, so each waits at the gate, and the
    # first element of `go` decides for all
    gate, go = threading.Event(), list[bool]()
    # Thread.join and is_alive lie after a Ctrl-C inside join (CPython 3.11): each member says itself that it has ended
    ended, all_ended = list[int](), threading.Event()

    def run(thread: int) -> None:
        try:
            gate.wait()
            if go[0]:
                if cores:
                    os.sched_setaffinity(0, {cores[thread]})
                worker(thread)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)
            control[ABANDONED] = 1
        finally:
            ended.append(thread)
            if len(ended) == threads:
                all_ended.set()

    members = [threading.Thread(target=run, args=(i,), name=f"fastmlp-{i}", daemon=True) for i in range(threads)]
    interrupted: BaseException | None = None
    start = True
    while True:
        try:  # Ctrl-C may come at any line: none of them may leave a thread behind
            if start:
                start = False
                for member in members:
                    member.start()
                cores.extend(_claim_cores(members))
                go.append(True)
                gate.set()
            while go[0] and not all_ended.wait(POLL_SECONDS):
                interrupt.check()
                if poll is not None:
                    poll()
            for member in members:
                if member.ident is not None:
                    member.join()
            break
        except BaseException as error:  # noqa: BLE001 - raised again when all have ended
            interrupted = interrupted or error
            go.append(False)
            control[STOP] = 1
            gate.set()
    if errors:
        raise errors[0]
    if interrupted is not None:
        raise interrupted
