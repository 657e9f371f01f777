"""Warnings that point at the line of the user, however deep they arise."""

import contextlib
import sys
import threading
import warnings
from collections.abc import Iterator
from types import FrameType

OURS = ("fastmlp", "sklearn", "numba")  # scikit-learn wraps the fit of an estimator, Numba calls the kernel cache


class _OfThread(threading.local):
    found: list[tuple[str, type[Warning]]] | None = None


_of_thread = _OfThread()


@contextlib.contextmanager
def collected() -> Iterator[list[tuple[str, type[Warning]]]]:
    """Collect what this thread warns of inside the block: no line of the user is in the stack of our own threads."""
    earlier, _of_thread.found = _of_thread.found, []
    try:
        yield _of_thread.found
    finally:
        _of_thread.found = earlier


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn; the warning's line is the one that called into fastmlp."""
    if _of_thread.found is not None:
        _of_thread.found.append((message, category))
        return
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in OURS:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


_said: set[str] = set()


def warn_once(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, unless this process has heard it."""
    if message not in _said:
        _said.add(message)
        warn(message, category)
