"""Forks beside a thread that imports or compiles.

The forked process has no such thread, but its locks: whoever needs one there waits for ever. So a fork waits until they
are free.
"""

import logging  # noqa: F401 - see below
import os
from typing import Protocol


class Lock(Protocol):
    """What can be held."""

    def acquire(self) -> object:
        """Wait for it and take it; the thread that has it gets it again."""

    def release(self) -> object:
        """Give it back."""


_locks: list[Lock] = []
_held: list[Lock] = []


def wait_for(lock: Lock) -> None:
    """Let every fork wait for a lock, after those that were named before.

    A thread that holds several takes them in this order.
    """
    _locks.append(lock)


def _before() -> None:
    for lock in _locks:  # one more may be named while this waits for the first
        lock.acquire()
        _held.append(lock)


def _after() -> None:
    while _held:
        _held.pop().release()


if hasattr(os, "register_at_fork"):
    # What was registered last is called first. `logging` holds its lock during a fork; an import that this waits for
    # may need it, so `logging` must be registered before.
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
