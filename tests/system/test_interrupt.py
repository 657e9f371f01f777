"""Ctrl-C as a flag: it is seen once and never lost, and handlers of users are not changed."""

import signal
import threading

import pytest

from fastmlp.system import interrupt


def _press():
    signal.raise_signal(signal.SIGINT)


def test_a_press_is_seen_once_when_somebody_looks():
    with interrupt.caught():
        interrupt.check()
        _press()
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
        interrupt.check()


def test_a_second_press_that_nobody_looked_for_interrupts_at_once():
    with interrupt.caught():
        _press()
        with pytest.raises(KeyboardInterrupt):
            _press()
        with pytest.raises(KeyboardInterrupt):  # the flag of the first Ctrl-C is still set
            interrupt.check()


def test_a_press_that_nobody_looked_for_is_handed_on_at_the_end():
    before = signal.getsignal(signal.SIGINT)

    def block():
        with interrupt.caught():
            _press()

    with pytest.raises(KeyboardInterrupt):
        block()
    assert signal.getsignal(signal.SIGINT) is before
    interrupt.check()


def test_a_handler_of_the_users_own_stays():
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        with interrupt.caught():
            _press()
            interrupt.check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [True]


def test_other_threads_neither_catch_nor_see_it():
    seen = []

    def look():
        with interrupt.caught():  # only the main thread handles signals, so this does nothing
            try:
                interrupt.check()
            except KeyboardInterrupt:
                seen.append(True)

    with interrupt.caught():
        handler = signal.getsignal(signal.SIGINT)
        _press()
        other = threading.Thread(target=look)
        other.start()
        other.join()
        assert signal.getsignal(signal.SIGINT) is handler
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert not seen
