"""The compilation of functions: a body is compiled only as a part of its callers."""

import gc
import signal

import numpy as np
import pytest
from numba import types
from numba.extending import intrinsic

from fastmlp.compilation import cache, jit
from fastmlp.compilation.jit import body, worker


@body
def _double(x):
    return 2 * x


@body
def _print_twice(x):
    print("twice", _double(x))  # noqa: T201 - compiled: what it is about


@worker
def _printed(x):
    _print_twice(x)


@worker
def _fourfold(x):
    return _double(_double(x))


def test_a_body_has_no_machine_code_of_its_own():
    assert _fourfold(3) == 12
    _double.compile((types.int64,))  # explicitly, because the worker may have been loaded from a file
    (compiled,) = _double.overloads.values()
    assert compiled.library.get_pointer_to_function(compiled.fndesc.mangled_name) == 0


def test_a_body_can_print(capfd):  # the guide recommends it for debugging a kernel
    _printed(np.int64(21))
    assert capfd.readouterr().out == "twice 42\n"


def test_collections_are_as_before():
    before = gc.get_threshold()
    _fourfold(1.5)
    assert gc.get_threshold() == before


@intrinsic
def _press_while_compiling(context):
    def emit(target, *_):
        signal.raise_signal(signal.SIGINT)
        return target.get_constant(types.int64, 7)

    return types.int64(), emit


def _pressed_while_compiling():
    return _press_while_compiling()


def test_ctrl_c_waits_for_the_end_of_a_compilation(monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", None)
    function = worker(_pressed_while_compiling)
    with pytest.raises(KeyboardInterrupt):
        function()
    assert len(function.signatures) == 1, "the compilation was broken off"
    assert function() == 7


def test_ctrl_c_waits_for_the_end_of_a_compilation_by_address(monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", None)
    with pytest.raises(KeyboardInterrupt):
        jit.address(_pressed_while_compiling, types.int64())
    with pytest.raises(KeyboardInterrupt):  # compiled again: the interrupted call returned no address
        jit.address(_pressed_while_compiling, types.int64())
