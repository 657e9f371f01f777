"""Warnings that point at the line of the user, however deep they arise."""

import sys
import warnings
from types import FrameType

OURS = ("fastmlp", "sklearn", "numba")  # scikit-learn wraps the fit of an estimator, Numba calls the kernel cache


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn; the warning's line is the one that called into fastmlp."""
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
