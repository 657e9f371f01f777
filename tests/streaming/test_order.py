"""The order of an epoch: every row once, row groups side by side, and rows held out by a hash."""

from collections import Counter

import numpy as np
import pytest

from fastmlp.streaming.order import WHOLE_TURNS, HeldOut, Piece, Share, pieces_of, read_in_order


class FakeFile:
    """A file whose rows are their own numbers."""

    def __init__(self, *rows):
        self.rows, self.whole = list(rows), {}

    def read(self, part, names, size, *, whole):
        self.whole[part] = whole
        first = sum(self.rows[:part])
        for start in range(0, self.rows[part], size):
            yield {"a": np.arange(first + start, first + min(start + size, self.rows[part]))}

    def where(self, part):
        return f"part {part}"


def pieces(*rows):
    return pieces_of([FakeFile(*rows)], [rows])


@pytest.mark.parametrize("side_by_side", [1, 2, 3, 10])
@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize("rows", [(5,), (5, 1, 7), (3, 0, 3, 9, 1, 1, 20)])
def test_every_row_is_read_once(rows, size, side_by_side):
    found = list(read_in_order(pieces(*rows), ["a"], size, side_by_side))
    numbers = np.concatenate([read.chunk["a"] for read in found])
    assert Counter(numbers.tolist()) == Counter(range(sum(rows)))
    for read in found:
        assert (read.chunk["a"][0], len(read.chunk["a"])) == (read.first, read.rows)
        assert read.rows <= size


def test_one_after_the_other_is_the_order_of_the_files():
    found = read_in_order(pieces(5, 1, 7), ["a"], 2)
    np.testing.assert_array_equal(np.concatenate([read.chunk["a"] for read in found]), np.arange(13))


def test_side_by_side_takes_turns():
    found = read_in_order(pieces(4, 4, 4), ["a"], 2, 2)
    assert [read.piece.part for read in found][:4] in ([0, 1, 0, 1], [1, 0, 1, 0])


@pytest.mark.parametrize(("side_by_side", "expected"), [(1, [False, False, False]), (2, [True, True, False])])
def test_small_pieces_that_take_turns_are_decoded_as_a_whole(side_by_side, expected):
    some = pieces(4, WHOLE_TURNS * 2, WHOLE_TURNS * 2 + 1)
    list(read_in_order(some, ["a"], 2, side_by_side))
    assert some[0].file.whole == dict(enumerate(expected))


def test_pieces_know_their_first_row():
    found = pieces_of([FakeFile(3, 0), FakeFile(2)], [[3, 0], [2]])
    assert [(piece.part, piece.first, piece.rows) for piece in found] == [(0, 0, 3), (0, 3, 2)]
    assert found[0].where == "part 0"


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
def test_rows_held_out_are_about_the_fraction(fraction):
    n = 100_000
    mask = HeldOut(fraction, 12345).mask(0, n)
    assert abs(mask.mean() - fraction) < 5 * np.sqrt(fraction * (1 - fraction) / n)
    # neighbours are independent of each other
    both = (mask[1:] & mask[:-1]).mean()
    assert abs(both - fraction**2) < 5 * np.sqrt(fraction**2 / n)


def test_who_is_held_out_depends_on_row_and_key_alone():
    held_out = HeldOut(0.3, 7)
    whole = held_out.mask(0, 1000)
    np.testing.assert_array_equal(np.concatenate([held_out.mask(start, 10) for start in range(0, 1000, 10)]), whole)
    assert (HeldOut(0.3, 8).mask(0, 1000) != whole).any()
    assert held_out.count(1000, at_once=77) == whole.sum()


def test_shares_are_the_rows_and_the_others():
    (read,) = read_in_order(pieces(50), ["a"], 100)
    held_out = HeldOut(0.3, 7)
    inside, outside = Share(held_out, inside=True), Share(held_out)
    joined = np.sort(np.concatenate([inside.places(read), outside.places(read)]))
    np.testing.assert_array_equal(joined, np.arange(50))
    assert (inside.count(50), outside.count(50)) == (len(inside.places(read)), len(outside.places(read)))
    assert Share().places(read) is None
    assert Share().count(50) == 50


def test_an_empty_piece_is_none():
    assert pieces_of([FakeFile(0)], [[0]]) == []
    assert Piece(FakeFile(2), 0, 0, 2).rows == 2
