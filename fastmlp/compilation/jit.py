"""Every Numba option of the package.

``error_model="numpy"``: a division by zero gives infinity or NaN as in NumPy, and no check for it stops vectorisation.
Only what Python calls is cached: its machine code holds that of the bodies it calls, and setting up a cache costs about
a millisecond a function when the package is imported.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy.ma  # noqa: F401 - Numba imports it for the type of an array, when no fork waits for the import
from numba import njit, typeof
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.sigutils import normalize_signature

from fastmlp.compilation import cache
from fastmlp.compilation.pipeline import Body, Entry
from fastmlp.compilation.prebuilt import CHOICE
from fastmlp.compilation.store import KernelCache
from fastmlp.system import forks, interrupt

F = TypeVar("F", bound=Callable[..., Any])
_BODY: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_INNER: dict[str, Any] = {**_BODY, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": Body}
_CALLED: dict[str, Any] = {**_BODY, "pipeline_class": Entry}
_BORROWING: dict[str, Any] = {"_nrt": False}  # no references are counted, which is less to compile

forks.wait_for(global_compiler_lock)


def _cached(compiled: Any, function: Callable[..., Any], *, lasting: bool = False) -> Any:
    """Let a function that Numba compiles be kept in files, where there is a folder for them, and come from files."""
    kept = KernelCache(function, cache.FOLDER, CHOICE.found, lasting=lasting)
    compile_it, compile_whole = compiled._compiler.compile, compiled.compile

    def compile_or_end_turn(*arguments: Any) -> Any:
        try:
            return compile_it(*arguments)
        except BaseException:
            kept.end_turn()
            raise

    def compile_or_load(*arguments: Any) -> Any:
        # Ctrl-C waits until it is done: a library that LLVM has half loaded crashes the process at its next use
        with interrupt.caught():
            return compile_whole(*arguments)

    compiled._cache, compiled._compiler.compile, compiled.compile = kept, compile_or_end_turn, compile_or_load
    return compiled


def body(function: F) -> F:
    """Compile what only compiled code calls: a serial loop over a range of rows, columns or tiles, or a few lines."""
    return cast(F, njit(**_INNER)(function))


def borrowing(function: F) -> F:
    """Compile a body that makes no array, calls none that returns one, and raises no error with a text.

    Its arrays are held by who calls the worker.
    """
    return cast(F, njit(**_INNER, **_BORROWING)(function))


def inlined(function: F) -> F:
    """Compile a body that returns a record, or takes a function, into whatever calls it.

    Numba cannot return a record, and it caches nothing that passes a function on. Elsewhere a `body` takes less time:
    its types are inferred once, and not for each call.
    """
    return cast(F, njit(inline="always", **_INNER)(function))


def worker(function: F) -> F:
    """Compile what a thread of a team runs, which makes no array either."""
    return cast(F, _cached(njit(**_CALLED, **_BORROWING)(function), function, lasting=True))


def machine_code(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Return a worker's machine code for arguments of exactly these types, of which no call of it makes sure.

    To find out the types of a record of eight arrays takes Numba longer than a small network needs for a row.
    """
    code: Callable[..., Any] = cast(Any, function).compile(tuple(typeof(argument) for argument in arguments))
    return code


def driver(function: F) -> F:
    """Compile a public kernel: a ``prange`` over the ranges of a body."""
    return cast(F, _cached(njit(parallel=True, **_CALLED)(function), function))


_kept: dict[tuple[Callable[..., Any], Any], Any] = {}


def address(function: Callable[..., Any], signature: Any) -> int:
    """Compile a C function that compiled code calls (`fastmlp.simd.interface`); return its address.

    A choice made by address is compiled on its own, and not into every training that could make it.
    """
    options = {"error_model": _BODY["error_model"]}  # called where the GIL is free
    made = _cached(CFunc(function, normalize_signature(signature), {}, options, pipeline_class=Entry), function)
    made.compile()
    # two threads may compile at once: the first one's is kept, whose address may be in use
    return int(_kept.setdefault((function, signature), made).address)
