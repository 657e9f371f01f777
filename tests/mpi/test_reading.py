"""Rows of several shards in every block, read ahead."""

import threading

import numpy as np
import pytest
from streaming_rows import numbered

from fastmlp.mpi.reading import Feed, ShardReader
from fastmlp.streaming.order import HeldOut, Share


def feeds_of(sizes, share=Share(), **options):  # noqa: B008 - immutable
    """A feed for each list of sizes of chunks, and two blocks."""
    feeds, blocks = [], None
    for some in sizes:
        reading, filler, blocks = numbered(some, block=40, **options)
        feeds.append(Feed(reading(), filler, share, share.count(sum(some))))
    return feeds, blocks


def read(feeds, counts, blocks):
    with ShardReader(feeds, [np.array(some) for some in counts], blocks) as reader:
        return [block.values[: block.rows, 0].tolist() for block in reader]


def test_each_block_has_rows_of_all_shards():
    found = read(*with_counts([[7, 7, 7], [], [3, 20]], [[10, 0, 9], [0, 0, 0], [11, 0, 14]]))
    assert found == [[*range(10), *range(9)], [], [*range(10, 21), *range(9, 23)]]


def with_counts(sizes, counts):
    feeds, blocks = feeds_of(sizes)
    return feeds, counts, blocks


def test_rows_that_are_held_out_are_left_out():
    for inside in (False, True):
        share = Share(HeldOut(0.4, 3), inside)
        rows = np.flatnonzero(share.held_out.mask(0, 30) == inside).tolist()
        assert 0 < len(rows) < 30
        feeds, blocks = feeds_of([[8, 1, 21]], share)
        assert read(feeds, [[5], [len(rows) - 5]], blocks) == [rows[:5], rows[5:]]


def test_an_error_comes_after_the_blocks_before_it():
    feeds, blocks = feeds_of([[5, 5, 5]], fail_at=2)
    found = []
    with (
        pytest.raises(OSError, match="broke"),
        ShardReader(feeds, [np.array([5]), np.array([5]), np.array([5])], blocks) as reader,
    ):
        found.extend(block.values[0, 0] for block in reader)
    assert found == [0, 5]
    assert not [thread for thread in threading.enumerate() if thread.name == "fastmlp-reader"]


def test_what_follows_the_last_row_is_read_too():
    """There a file says that it holds more or fewer rows than it should."""
    feeds, blocks = feeds_of([[5, 5]], fail_at=1)
    reading, filler, _ = numbered([5, 5], block=40, fail_at=1)
    feeds = [Feed(reading(), filler, Share(), 5)]
    with pytest.raises(OSError, match="broke"):
        read(feeds, [[5]], blocks)


def test_leaving_early_ends_the_thread():
    feeds, blocks = feeds_of([[5] * 1000])
    with ShardReader(feeds, [np.array([5])] * 1000, blocks) as reader:
        next(iter(reader))
    assert not [thread for thread in threading.enumerate() if thread.name == "fastmlp-reader"]
