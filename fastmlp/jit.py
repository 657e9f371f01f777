"""Every Numba option of the package.

``error_model="numpy"``: a division by zero gives infinity or NaN as in NumPy,
and no check for it stops vectorisation.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

from fastmlp import kernel_cache

F = TypeVar("F", bound=Callable[..., Any])
_COMMON: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": kernel_cache.FOLDER is not None}


def body(function: F) -> F:
    """Compile a serial loop over a range of rows, columns or tiles."""
    with kernel_cache.in_use():
        return cast(F, njit(**_COMMON)(function))


def driver(function: F) -> F:
    """Compile a public kernel: a ``prange`` over the ranges of a body."""
    with kernel_cache.in_use():
        return cast(F, njit(parallel=True, **_COMMON)(function))
