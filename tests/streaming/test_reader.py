"""Reading ahead: blocks are full, an error comes to the consumer, and leaving early ends the thread."""

import threading

import numpy as np
import pytest
from streaming_rows import numbered

from fastmlp.streaming.order import Share
from fastmlp.streaming.reader import Reader


def test_blocks_are_full_but_for_the_last():
    reading, filler, blocks = numbered([7, 7, 7, 4], block=10)
    with Reader(reading, filler, Share(), blocks) as reader:
        found = [block.values[: block.rows, 0].tolist() for block in reader]
    assert [len(rows) for rows in found] == [10, 10, 5]
    assert np.concatenate(found).tolist() == list(range(25))


def test_a_block_is_filled_while_the_other_is_used():
    reading, filler, blocks = numbered([5] * 4, block=5)
    filled = threading.Semaphore(0)
    write = filler.write

    def told(*arguments):
        count = write(*arguments)
        filled.release()
        return count

    filler.write = told
    with Reader(reading, filler, Share(), blocks) as reader:
        blocks_read = iter(reader)
        first = next(blocks_read)
        assert filled.acquire(timeout=60)
        assert filled.acquire(timeout=60)  # the second one, though nobody asked for it
        np.testing.assert_array_equal(first.values[:, 0], np.arange(5))
        assert not filled.acquire(blocking=False)  # the third one needs the first one's memory
        second = next(blocks_read)
        np.testing.assert_array_equal(second.values[:, 0], np.arange(5, 10))


def test_an_error_comes_after_the_blocks_before_it():
    reading, filler, blocks = numbered([5, 5, 5], block=5, fail_at=2)
    found = []
    with pytest.raises(OSError, match="broke"), Reader(reading, filler, Share(), blocks) as reader:
        found.extend(block.values[0, 0] for block in reader)
    assert found == [0, 5]
    assert not [thread for thread in threading.enumerate() if thread.name == "fastmlp-reader"]


def test_leaving_early_ends_the_thread():
    reading, filler, blocks = numbered([5] * 1000, block=5)
    with Reader(reading, filler, Share(), blocks) as reader:
        next(iter(reader))
    assert not [thread for thread in threading.enumerate() if thread.name == "fastmlp-reader"]


def test_an_error_of_the_consumer_ends_the_thread():
    reading, filler, blocks = numbered([5] * 1000, block=5)
    with pytest.raises(KeyError), Reader(reading, filler, Share(), blocks) as reader:
        {}[next(iter(reader)).rows]
    assert not [thread for thread in threading.enumerate() if thread.name == "fastmlp-reader"]


def test_ctrl_c_while_waiting(monkeypatch):
    wait = threading.Event()
    reading, filler, blocks = numbered([5], block=5)

    def slow():
        wait.wait(60)
        return reading()

    def pressed():
        wait.set()
        raise KeyboardInterrupt

    monkeypatch.setattr("fastmlp.streaming.reader.interrupt.check", pressed)
    with pytest.raises(KeyboardInterrupt), Reader(slow, filler, Share(), blocks) as reader:
        next(iter(reader))
