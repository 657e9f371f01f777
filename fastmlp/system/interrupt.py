"""Ctrl-C during a training, as a flag that is looked at between steps.

An exception at an arbitrary line could leave half an update behind, and CPython drops one that is raised inside a
weak reference's callback, as threads and the compiler have many.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import numpy as np

_pressed = False
_held = False
_looked_at = False


class Watch:
    """How one thread ends the trainings of another, in which Ctrl-C does not come.

    Parameters
    ----------
    ending : threading.Event
        When it is set, `check` raises KeyboardInterrupt in the thread that is watched.
    """

    def __init__(self, ending: threading.Event) -> None:
        self.ending = ending
        self._control: np.ndarray | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def over(self, control: np.ndarray) -> Iterator[None]:
        """Let the other thread reach a control block (`fastmlp.simd.atomics`) inside the block, and not afterwards."""
        with self._lock:
            self._control = control
        try:
            yield
        finally:
            with self._lock:
                self._control = None

    def write(self, cell: int, value: int) -> None:
        """Write into a cell of the control block, if there is one."""
        with self._lock:
            if self._control is not None:
                self._control[cell] = value

    def read(self, cell: int) -> int:
        """Read a cell of the control block, 0 if there is none."""
        with self._lock:
            return 0 if self._control is None else int(self._control[cell])


class _OfThread(threading.local):
    watch: Watch | None = None


_of_thread = _OfThread()


def watch() -> Watch | None:
    """Return the watch of this thread, or None."""
    return _of_thread.watch


@contextlib.contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let another thread end the trainings of this one inside the block."""
    earlier, _of_thread.watch = _of_thread.watch, watch
    try:
        yield
    finally:
        _of_thread.watch = earlier


def _press(number: int, frame: FrameType | None) -> None:
    global _pressed
    if _pressed and not _looked_at:  # since the last Ctrl-C
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
    """Raise KeyboardInterrupt where the flag is set, and clear it: in the main thread, or in one that is watched."""
    if _of_thread.watch is not None and _of_thread.watch.ending.is_set():
        raise KeyboardInterrupt
    if not _held and _in_main_thread() and taken():
        raise KeyboardInterrupt


def taken() -> bool:
    """Whether the flag is set; clear it."""
    global _pressed
    found, _pressed = _pressed, False
    return found


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let `check` raise nothing in the main thread inside the block, which looks at the flag by `taken`."""
    global _held
    _held = True
    try:
        yield
    finally:
        _held = False


@contextlib.contextmanager
def looked_at() -> Iterator[None]:
    """Let a second Ctrl-C wait for `check`, too, inside the block, which calls it again and again.

    The block waits for threads by the locks of `threading`. An exception just behind ``Condition.__enter__`` would
    leave such a lock locked for ever, and whoever wants it would wait for ever.
    """
    global _looked_at
    if not _in_main_thread():
        yield
        return
    earlier, _looked_at = _looked_at, True
    try:
        yield
    finally:
        _looked_at = earlier
