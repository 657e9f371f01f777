"""The team of threads: its calls, its errors, and the cores that its threads are pinned to."""

import os
import threading
import time
import weakref

import numpy as np
import pytest

from fastmlp.engine import group, team
from fastmlp.engine.team import run_team
from fastmlp.simd.atomics import ABANDONED, CONTROL_CELLS, STOP

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
needs_affinity = pytest.mark.skipif(CORES < 2, reason="needs affinity and two cores")


@pytest.fixture
def control():
    return np.zeros(CONTROL_CELLS, np.int64)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch):
    """Check after each test that no thread is left, no core is held, and the caller may use the same cores."""
    monkeypatch.setattr(team, "IDLE_SECONDS", 0.01)
    cores = os.sched_getaffinity(0) if CORES else None
    _until(lambda: not _members())  # threads of other tests
    yield
    _until(lambda: not _members())
    assert not _cores_are_held()
    assert team._idle == []
    assert cores == (os.sched_getaffinity(0) if CORES else None)


def _members():
    return [thread for thread in threading.enumerate() if isinstance(thread, team._Member)]


def _cores_are_held():
    return team._pinned is not None and not team._pinned.is_set()


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
    monkeypatch.setattr(group, "POLL_SECONDS", 0.001)
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
    monkeypatch.setattr(group, "POLL_SECONDS", 0.001)
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
    monkeypatch.setattr(group, "POLL_SECONDS", 0.001)

    def work(thread):
        _until(lambda: control[STOP])
        raise OSError("worker")

    def poll():
        if not control[STOP]:
            raise KeyboardInterrupt

    with pytest.raises(OSError, match="worker"):
        run_team(work, 2, control, poll)


# ---- from one team to the next


def test_the_next_team_has_the_same_threads(control, monkeypatch):
    monkeypatch.setattr(team, "IDLE_SECONDS", 1)
    seen = []
    for _ in range(20):
        run_team(lambda thread: seen.append((thread, threading.get_ident())), 3, control)
    assert len(set(seen)) == 3, "or a thread has another share than before"


def test_a_larger_team_takes_idle_threads_and_new_ones(control, monkeypatch):
    monkeypatch.setattr(team, "IDLE_SECONDS", 1)
    seen = {2: set(), 5: set()}
    for threads in (2, 5, 2, 5):
        run_team(lambda _, threads=threads: seen[threads].add(threading.get_ident()), threads, control)
    assert len(seen[2]) == 2
    assert len(seen[5]) == 5
    assert seen[2] < seen[5]


def test_threads_go_at_the_moment_they_are_wanted(control, monkeypatch):
    monkeypatch.setattr(team, "IDLE_SECONDS", 0.001)
    started, original = [], threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (started.append(self), original(self)))
    calls = np.zeros(3, int)

    def work(thread):
        calls[thread] += 1

    for pause in np.random.default_rng(0).uniform(-0.0004, 0.0014, 500):
        run_team(work, 3, control)
        if pause > 0:
            time.sleep(pause)
    assert calls.tolist() == [500] * 3
    assert 3 < len(started) < 1500, "none went, or all"


def test_an_idle_thread_holds_nothing_of_its_last_team(control, monkeypatch):
    monkeypatch.setattr(team, "IDLE_SECONDS", 60)

    class Worker:
        def __call__(self, thread):
            pass

    worker = Worker()
    gone = weakref.ref(worker)
    run_team(worker, 2, control)
    del worker
    _until(lambda: gone() is None)
    assert len(_members()) == 2
    team._before_fork()  # ends idle threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_idle_thread_is_there_at_a_fork(control, monkeypatch):
    monkeypatch.setattr(team, "IDLE_SECONDS", 60)
    run_team(lambda _: None, 2, control)
    assert len(_members()) == 2
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert _members() == []
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# ---- cores


def _affinities(control, threads):
    found = {}

    def work(thread):
        found[thread] = os.sched_getaffinity(0)

    run_team(work, threads, control)
    return [found[thread] for thread in range(threads)]


@pytest.fixture
def free_cores(monkeypatch):
    """A machine on which all cores may be used, without the quota of a container."""
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
def test_threads_that_were_pinned_are_free_in_the_next_team(control, free_cores, monkeypatch):
    monkeypatch.setattr(team, "IDLE_SECONDS", 1)
    own = os.sched_getaffinity(0)
    assert [len(cores) for cores in _affinities(control, CORES)] == [1] * CORES
    assert _affinities(control, 1) == [own]
    os.sched_setaffinity(0, {max(own)})
    try:
        assert _affinities(control, CORES) == [{max(own)}] * CORES
    finally:
        os.sched_setaffinity(0, own)
    assert [len(cores) for cores in _affinities(control, CORES)] == [1] * CORES


@needs_affinity
def test_a_thread_keeps_its_core(control, free_cores, monkeypatch):
    monkeypatch.setattr(team, "IDLE_SECONDS", 1)
    first = _affinities(control, CORES)
    monkeypatch.setattr(os, "sched_setaffinity", None)  # a call of it would raise an error
    assert all(_affinities(control, CORES) == first for _ in range(10))


@needs_affinity
def test_nor_is_one_under_a_quota(control, monkeypatch):
    monkeypatch.setattr(team, "usable_cores", lambda: CORES - 1)
    assert _affinities(control, CORES) == [os.sched_getaffinity(0)] * CORES


@needs_affinity
def test_a_second_team_leaves_the_cores_to_the_first(control, free_cores):
    inner, seen = [], threading.Event()

    def work(thread):
        if thread == 0:
            inner.append(_cores_are_held())
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
    assert all(cores == affinities[0] for cores in affinities)  # the cores of the thread that started them
    assert held


@needs_affinity
@pytest.mark.parametrize("place", ["worker", "start", "poll"])
def test_cores_are_free_after_an_error(place, control, free_cores, monkeypatch):
    monkeypatch.setattr(group, "POLL_SECONDS", 0.001)

    def fail(*_):
        raise OSError(place)

    def wait(_):
        _until(lambda: control[STOP])

    with monkeypatch.context() as patch:
        if place == "start":
            patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(OSError, match=place):
            run_team(fail if place == "worker" else wait, CORES, control, fail if place == "poll" else None)
    assert not _cores_are_held()
    assert [len(cores) for cores in _affinities(control, CORES)] == [1] * CORES
