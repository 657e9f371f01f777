"""Columns of a stream matched to the names of a network's inputs."""

import numpy as np
import pytest
from refusals import refused

from fastmlp.streaming.columns import CATEGORY, LIST, NUMBER, Column
from fastmlp.streaming.matching import matched

COLUMNS = [
    Column("a", NUMBER, np.dtype("f8")),
    Column("a=b", NUMBER, np.dtype("f8")),
    Column("c", CATEGORY, np.dtype("i4")),
    Column("c=d", CATEGORY, np.dtype("i4")),
    Column("p", LIST, np.dtype("u1"), 3),
]


def test_other_order_and_columns_left_out():
    found = matched(COLUMNS, ["p[0]", "p[1]", "p[2]", "c=x", "c=y=z", "a"])
    assert [column.name for column in found] == ["p", "c", "a"]
    assert found[1].categories == ("x", "y=z")


def test_a_name_with_a_sign_in_it_is_a_column_first():
    assert matched(COLUMNS, ["a=b"])[0].name == "a=b"


@pytest.mark.parametrize("names", [["z"], ["z=1"], ["p[1]"], ["c"], ["a[0]"]])
def test_what_the_stream_lacks(names):
    refused(lambda: matched(COLUMNS, names), ValueError, [repr(names[0]), "the stream lacks"])


def test_a_list_of_another_length():
    refused(lambda: matched(COLUMNS, ["p[0]", "p[1]"]), ValueError, ["other parts of 'p'"])


def test_inputs_of_columns_match_themselves():
    columns = [COLUMNS[4], Column("c", CATEGORY, np.dtype("i4"), 1, ("", "=", "x")), COLUMNS[0]]
    assert matched(COLUMNS, [name for column in columns for name in column.inputs]) == columns
