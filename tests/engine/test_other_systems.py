"""Trainings without the calls that only Linux has: the branches for other systems give the same bits."""

import ctypes
import os
import sys
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from engine_runs import network, problem, run_epoch
from llvmlite import binding, ir
from networks import digest
from processes import answer

from fastmlp.engine import team
from fastmlp.simd import atomics
from fastmlp.simd.atomics import CONTROL_CELLS
from fastmlp.system import cores


@pytest.fixture
def no_affinity(monkeypatch):
    """A system without affinity, such as macOS: it does not tell the cores of a process, and cannot pin threads."""
    for name in ("sched_getaffinity", "sched_setaffinity"):
        monkeypatch.delattr(os, name, raising=False)


@pytest.fixture
def no_quota(monkeypatch):
    """A system without a container's limit on the cores."""
    monkeypatch.setattr(cores, "_quota", lambda: float("inf"))


@pytest.mark.parametrize(("counted", "usable"), [(6, 6), (1, 1), (None, 1)])
def test_all_cores_count_without_affinity(no_affinity, no_quota, monkeypatch, counted, usable):
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert cores.usable_cores() == usable


def test_nobody_is_pinned_without_affinity(no_affinity, monkeypatch):
    monkeypatch.setattr(team, "usable_cores", lambda: 2)
    held = []
    team.run_team(lambda _: held.append(team._pinned), 2, np.zeros(CONTROL_CELLS, np.int64))
    assert held == [team._pinned] * 2
    assert team._pinned is None or team._pinned.is_set()


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_bits_without_affinity(no_affinity, all_threads, norm, threads):
    X, y = problem(150, 40, 7, "uint8")
    digests = []
    for count in (1, threads):
        net = network([40, 33, 7], norm, input_scale=1 / 255)
        run_epoch(net, X, y, 32, count)
        digests.append(digest(net))
    assert digests[0] == digests[1]


def _llvm_of(intrinsic):
    """The LLVM code of an intrinsic without arguments. It is not compiled, so it may be for another system."""
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "f")
    _, emit = intrinsic._defn(None)
    emit(SimpleNamespace(get_dummy_value=lambda: None), ir.IRBuilder(function.append_basic_block()), None, ())
    return str(module)


@pytest.mark.parametrize("what", ["affinity", "forks"])
def test_a_process_without_it(what):
    one, several, clean = answer("without_linux_calls", what)
    assert several == [one, one]
    assert clean


@pytest.mark.skipif(sys.platform == "win32", reason="there the name is that of another function")
def test_threads_wait_by_the_call_of_windows(monkeypatch):
    monkeypatch.setattr(atomics, "platform", SimpleNamespace(system=lambda: "Windows", machine=lambda: "another"))
    calls = []
    switch = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: calls.append("yields") or 0)
    binding.add_symbol("SwitchToThread", ctypes.cast(switch, ctypes.c_void_p).value)

    @numba.njit
    def wait(turns):
        for _ in range(turns):
            atomics.pause()
            atomics.yield_core()
            atomics.sleep()

    wait(3)
    assert calls == 6 * ["yields"]


@pytest.mark.parametrize(
    ("system", "yields", "sleeps"),
    [
        ("Linux", "i32 @sched_yield()", "i32 @usleep(i32 20)"),
        ("Darwin", "i32 @sched_yield()", "i32 @usleep(i32 20)"),
        ("Windows", "i32 @SwitchToThread()", "i32 @SwitchToThread()"),
    ],
)
@pytest.mark.parametrize(
    ("machine", "pauses"), [("x86_64", True), ("AMD64", True), ("arm64", False), ("aarch64", False)]
)
def test_the_calls_of_a_system(system, yields, sleeps, machine, pauses, monkeypatch):
    monkeypatch.setattr(atomics, "platform", SimpleNamespace(system=lambda: system, machine=lambda: machine))
    for intrinsic, call in ((atomics.yield_core, yields), (atomics.sleep, sleeps)):
        assert f"call {call}" in _llvm_of(intrinsic).replace('"', "")
    assert ("llvm.x86.sse2.pause" in _llvm_of(atomics.pause)) == pauses
