"""Ctrl-C during a training, as a flag that is looked at between steps.

An exception at an arbitrary line could leave half an update behind, and CPython drops one that is raised inside a
weak reference's callback, as threads and the compiler have many.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_pressed = False


def _press(number: int, frame: FrameType | None) -> None:
    global _pressed
    if _pressed:  # nobody has looked since the last Ctrl-C
        raise KeyboardInterrupt
    _pressed = True


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def caught() -> Iterator[None]:
    """Let Ctrl-C set the flag inside the block, in the main thread and where the user has no handler of his own."""
    global _pressed
    if not _in_main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    _pressed = False
    signal.signal(signal.SIGINT, _press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if _pressed:
            _pressed = False
            signal.raise_signal(signal.SIGINT)


def check() -> None:
    """Raise KeyboardInterrupt where the flag is set, and clear it; for the main thread only."""
    global _pressed
    if _pressed and _in_main_thread():
        _pressed = False
        raise KeyboardInterrupt
