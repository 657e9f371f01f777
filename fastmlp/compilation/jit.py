"""Every Numba option of the package.

``error_model="numpy"``: a division by zero gives infinity or NaN as in NumPy, and no check for it stops vectorisation.
Only what Python calls is cached: its machine code holds that of the bodies it calls, and setting up a cache costs about
a millisecond a function when the package is imported.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import cfunc, njit

from fastmlp.compilation import cache as kernel_cache
from fastmlp.compilation.pipeline import Body, Entry

F = TypeVar("F", bound=Callable[..., Any])
_BODY: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_INNER: dict[str, Any] = {**_BODY, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": Body}
_CALLED: dict[str, Any] = {**_BODY, "cache": kernel_cache.FOLDER is not None, "pipeline_class": Entry}


def body(function: F) -> F:
    """Compile what only compiled code calls: a serial loop over a range of rows, columns or tiles, or a few lines."""
    return cast(F, njit(**_INNER)(function))


def inlined(function: F) -> F:
    """Compile a body that returns a record, or takes a function, into whatever calls it.

    Numba cannot return a record, and it caches nothing that passes a function on. Elsewhere a `body` takes less time:
    its types are inferred once, and not for each call.
    """
    return cast(F, njit(inline="always", **_INNER)(function))


def worker(function: F) -> F:
    """Compile what a thread of a team runs."""
    with kernel_cache.in_use():
        return cast(F, njit(**_CALLED)(function))


def driver(function: F) -> F:
    """Compile a public kernel: a ``prange`` over the ranges of a body."""
    with kernel_cache.in_use():
        return cast(F, njit(parallel=True, **_CALLED)(function))


_kept: dict[tuple[Callable[..., Any], Any], Any] = {}


def address(function: Callable[..., Any], signature: Any) -> int:
    """Compile a C function that compiled code calls (`fastmlp.simd.interface`); return its address.

    A choice made by address is compiled on its own, and not into every training that could make it.
    """
    options = {name: value for name, value in _CALLED.items() if name != "nogil"}  # called where the GIL is free
    with kernel_cache.in_use():
        made = cfunc(signature, **options)(function)
    # two threads may compile at once: the first one's is kept, whose address may be in use
    return int(_kept.setdefault((function, signature), made).address)
