"""The compilation of functions: a body is compiled only as a part of its callers."""

import gc
import signal
import sys

import numpy as np
import pytest
from numba import njit, prange, types
from numba.core.codegen import JITCodeLibrary
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from fastmlp.compilation import cache, jit
from fastmlp.compilation.jit import body, borrowing, machine_code, worker


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


def _in_parallel(x):
    for i in prange(x.size):
        if x[i] < 0:
            _print_twice(x[i])
        x[i] = _double(x[i])


def test_a_loop_of_threads_is_compiled_once(monkeypatch, capfd):
    monkeypatch.setattr(cache, "FOLDER", None)
    finalized = []
    make_machine_code = JITCodeLibrary._finalize_specific

    def noted(library):
        finalized.append(library.name)
        make_machine_code(library)

    monkeypatch.setattr(JITCodeLibrary, "_finalize_specific", noted)
    x = np.array([3, -4, 5])
    jit.driver(_in_parallel)(x)
    assert x.tolist() == [6, -8, 10]
    assert capfd.readouterr().out == "twice -8\n"
    assert finalized == ["_in_parallel"]


def _power(x, n):
    return x**n  # a loop that Numba compiles once for all that need it


def test_no_body_is_kept_for_functions_that_are_not_ours(monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", None)
    kept = cpu_target.target_context.cached_internal_func
    before = dict(kept)
    assert worker(_power)(np.int16(3), np.uint8(4)) == 81
    assert kept == before
    assert njit(_power)(np.int16(3), np.uint8(4)) == 81
    assert len(kept) == len(before) + 1, "it is no loop of this kind"


@borrowing
def _with_a_new_array(x):
    return np.empty(x.size)


@worker
def _size_of_a_new_array(x):
    return _with_a_new_array(x).size


def test_what_counts_no_references_makes_no_array():
    with pytest.raises(TypingError, match="Only accept returning of array passed into the function as argument"):
        _size_of_a_new_array(np.zeros(3))


@borrowing
def _first_of(pair):
    return pair[0][0]


@worker
def _first_twice(pair):
    return _first_of(pair) + _first_of(pair[:1])


def test_references_to_arguments_are_as_many_as_before():
    array = np.full(3, 1.5)
    pair = (array, array)
    before = sys.getrefcount(array)
    assert [_first_twice(pair) for _ in range(100)] == 100 * [3.0]
    assert sys.getrefcount(array) == before


def test_machine_code_takes_what_it_was_asked_for():
    pair = (np.full(3, 1.5), np.zeros(2))
    code = machine_code(_first_twice, pair)
    assert code(pair) == 3.0
    assert code((np.full(1, 2.5), np.zeros(2))) == 5.0
    with pytest.raises(TypeError, match="can't unbox array"):
        code((np.full(3, 1.5, "f4"), np.zeros(2)))


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
