"""The team: what is called, what is raised, which cores are held."""

import os
import threading
import time

import numpy as np
import pytest

from fastmlp.engine import team
from fastmlp.engine.team import run_team
from fastmlp.simd.atomics import ABANDONED, CONTROL_CELLS, STOP

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
needs_affinity = pytest.mark.skipif(CORES < 2, reason="needs affinity and two cores")


@pytest.fixture
def control():
    return np.zeros(CONTROL_CELLS, np.int64)


@pytest.fixture(autouse=True)
def _as_it_was():
    """Afterwards no thread is left, no core is held, and the caller may use the same cores."""
    cores = os.sched_getaffinity(0) if CORES else None
    threads = set(threading.enumerate())
    yield
    _until(lambda: set(threading.enumerate()) == threads)
    assert not any(member.is_alive() for member in team._pinned)
    assert cores == (os.sched_getaffinity(0) if CORES else None)


def _until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_thread_once(threads, control):
    seen = []
    run_team(lambda thread: seen.append((thread, threading.current_thread())), threads, control)
    assert sorted(thread for thread, _ in seen) == list(range(threads))
    assert threading.main_thread() not in {member for _, member in seen}


def test_poll_is_called_while_they_work(control, monkeypatch):
    monkeypatch.setattr(team, "POLL_SECONDS", 0.001)
    polled = []
    run_team(lambda _: _until(lambda: len(polled) > 3), 2, control, lambda: polled.append(threading.current_thread()))
    assert set(polled) == {threading.current_thread()}


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_reaches_the_caller_after_all_have_ended(failing, control):
    ended = []

    def work(thread):
        if thread == failing:
            raise OSError(f"thread {thread}")
        _until(lambda: control[ABANDONED])
        time.sleep(0.02)
        ended.append(thread)

    with pytest.raises(OSError, match=f"^thread {failing}$"):
        run_team(work, 3, control)
    assert sorted(ended) == sorted({0, 1, 2} - {failing})


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_thread_that_does_not_start(failing, control, monkeypatch):
    original, ended = threading.Thread.start, []

    def start(self):
        if self.name == f"fastmlp-{failing}":
            raise RuntimeError("can't start new thread")
        original(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        run_team(ended.append, 3, control)
    assert ended == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_error_in_poll_stops_the_workers(error, control, monkeypatch):
    monkeypatch.setattr(team, "POLL_SECONDS", 0.001)
    ended = []

    def work(thread):
        _until(lambda: control[STOP])
        ended.append(thread)

    def poll():
        if not control[STOP]:
            raise error

    with pytest.raises(error):
        run_team(work, 2, control, poll)
    assert sorted(ended) == [0, 1]
    assert control[ABANDONED] == 0


def test_the_error_of_a_worker_goes_before_an_interrupt(control, monkeypatch):
    monkeypatch.setattr(team, "POLL_SECONDS", 0.001)

    def work(thread):
        _until(lambda: control[STOP])
        raise OSError("worker")

    def poll():
        if not control[STOP]:
            raise KeyboardInterrupt

    with pytest.raises(OSError, match="worker"):
        run_team(work, 2, control, poll)


# ---- cores


def _affinities(control, threads):
    found = {}

    def work(thread):
        found[thread] = os.sched_getaffinity(0)

    run_team(work, threads, control)
    return [found[thread] for thread in range(threads)]


@pytest.fixture
def free_cores(monkeypatch):
    """A machine whose every core may be used, whatever a container's quota says."""
    monkeypatch.setattr(team, "usable_cores", lambda: CORES)


@needs_affinity
def test_a_team_of_all_cores_is_pinned(control, free_cores):
    own = os.sched_getaffinity(0)
    found = _affinities(control, CORES)
    assert [len(cores) for cores in found] == [1] * CORES
    assert set.union(*found) == own
    assert os.sched_getaffinity(0) == own


@needs_affinity
@pytest.mark.parametrize("threads", sorted({1, CORES + 1, 3 * CORES}))
def test_any_other_team_is_not(threads, control, free_cores):
    assert _affinities(control, threads) == [os.sched_getaffinity(0)] * threads


@needs_affinity
def test_nor_is_one_under_a_quota(control, monkeypatch):
    monkeypatch.setattr(team, "usable_cores", lambda: CORES - 1)
    assert _affinities(control, CORES) == [os.sched_getaffinity(0)] * CORES


@needs_affinity
def test_a_second_team_leaves_the_cores_to_the_first(control, free_cores):
    inner, seen = [], threading.Event()

    def work(thread):
        if thread == 0:
            inner.append([member.is_alive() for member in team._pinned])
            seen.set()
        seen.wait(60)

    def outer(thread):
        if thread == 0:
            second = threading.Thread(target=lambda: inner.append(_affinities(control.copy(), CORES)))
            second.start()
            second.join()

    run_team(outer, CORES, control)
    run_team(work, CORES, control)
    affinities, held = inner
    assert all(cores == affinities[0] for cores in affinities)  # as the thread that started them
    assert held == [True] * CORES


@needs_affinity
@pytest.mark.parametrize("place", ["worker", "start", "poll"])
def test_cores_are_free_after_an_error(place, control, free_cores, monkeypatch):
    monkeypatch.setattr(team, "POLL_SECONDS", 0.001)

    def fail(*_):
        raise OSError(place)

    def wait(_):
        _until(lambda: control[STOP])

    with monkeypatch.context() as patch:
        if place == "start":
            patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(OSError, match=place):
            run_team(fail if place == "worker" else wait, CORES, control, fail if place == "poll" else None)
    assert not any(member.is_alive() for member in team._pinned)
    assert [len(cores) for cores in _affinities(control, CORES)] == [1] * CORES
