"""Forks: a forked process must not wait for a lock of a thread that exists only in the parent process."""

import os
import threading
import time

import pytest
from numba.core.compiler_lock import global_compiler_lock
from processes import answer

from fastmlp import engine
from fastmlp.system import forks

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
SECONDS = 0.3  # seconds for which another thread holds a lock


def _has_it(lock):
    """Whether another thread can take a lock. The lock is released again."""
    taken = []

    def take():
        if lock.acquire(timeout=5):
            taken.append(True)
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken == [True]


def _fork_while_another_thread_has(lock):
    """Fork while another thread holds a lock; return whether the forked process could take the lock."""
    taken = threading.Event()

    def hold():
        with lock:
            taken.set()
            time.sleep(SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if _has_it(lock) else 1)
    holder.join()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("lock", [engine._importing, global_compiler_lock._lock], ids=["imports", "compiles"])
def test_a_fork_beside_a_thread_that(lock):
    assert _fork_while_another_thread_has(lock)
    assert _has_it(lock), "the fork has kept it"


def test_locks_in_their_order(monkeypatch):
    """A fork also waits for a lock that is registered while it waits for another; it releases all in reverse order."""
    calls = []

    class Lock:
        def __init__(self, name):
            self.name = name

        def acquire(self):
            calls.append(f"take {self.name}")
            if self.name == "a":
                forks.wait_for(Lock("b"))

        def release(self):
            calls.append(f"give {self.name}")

    monkeypatch.setattr(forks, "_locks", [Lock("a")])
    forks._before()
    forks._after()
    assert calls == ["take a", "take b", "give b", "give a"]


def test_a_training_in_a_process_forked_while_another_training_begins():
    (expected,), found, clean = answer("forked_while_a_training_begins")
    assert found == [[expected, True]] * 5
    assert clean
