"""The encoding of tables: which inputs each kind of column becomes, and that it comes back from JSON."""

import json

import numpy as np
import pandas as pd
import pytest

from fastmlp.tables import frames
from fastmlp.tables.encoder import Encoder
from fastmlp.tables.levels import FEWEST_ROWS, MOST_LEVELS, Levels
from fastmlp.tables.numbers import Numbers

# of columns that are there for what a prediction makes of them
pytestmark = pytest.mark.filterwarnings("ignore:column '(a|constant)' has a single value in all rows")

CLIPPED = 2 / np.sqrt(1 + 4 / 9)  # a 1 beside a median of 0 and a range of 1


def learned(weights=None, **columns):
    return Encoder.learned(frames.read(pd.DataFrame(columns)), weights)


def encoded(encoder, **columns):
    return encoder(frames.read(pd.DataFrame(columns), encoder.known))


def test_numbers_with_gaps():
    encoder = learned(a=[1.0, 2.0, 3.0, np.nan, 5.0])
    assert encoder.inputs == ["a", "a.missing"]
    (column,) = encoder.columns
    assert (column.n_missing, column.n_distinct) == (1, 4)
    found = encoded(encoder, a=[2.0, np.nan])
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
    np.testing.assert_allclose(found, [[0, 0], [0, CLIPPED]], rtol=1e-6)


def test_a_gap_that_training_never_saw_is_the_median():
    encoder = learned(a=[1.0, 2.0, 3.0])
    np.testing.assert_array_equal(encoded(encoder, a=[None, 2.0]), [[0], [0]])


def test_two_levels_are_one_input_and_0_without_one():
    encoder = learned(a=["x", "x", "y", "y"], b=[True, False, True, False])
    assert encoder.inputs == ["a=y", "b"]
    z = (np.array([-1, 1, 0, 0]) + 1) / 2  # the median is -1, the quartiles are -1 and 1
    expected = z / np.sqrt(1 + (z / 3) ** 2)
    found = encoded(encoder, a=["x", "y", None, "unknown"], b=pd.array([False, True, None, None], dtype="boolean"))
    np.testing.assert_allclose(found, np.stack([expected, expected], axis=1), rtol=1e-6)


def test_levels_have_an_input_each_and_so_have_gaps():
    encoder = learned(a=["x", "y", "z", None, "x", "y", "z", "x"])
    assert encoder.inputs == ["a=x", "a=y", "a=z", "a.missing"]
    table = encoded(encoder, a=["x", None, "unknown"])
    x = 1 / np.sqrt(1 + 1 / 9)  # three of eight rows: the quartiles are 0 and 1
    np.testing.assert_allclose(table, [[x, 0, 0, 0], [0, 0, 0, CLIPPED], [0, 0, 0, 0]], rtol=1e-6)


def test_of_many_levels_the_frequent_ones_have_inputs():
    frequent = [f"f{i:03}" for i in range(MOST_LEVELS + 5)]
    rare = [f"r{i:05}" for i in range(10_000)]
    encoder = learned(a=frequent * FEWEST_ROWS + frequent[5:] + rare)
    (column,) = encoder.columns
    assert column.levels == tuple(frequent[5:])
    assert (column.n_distinct, column.n_shared) == (len(frequent) + len(rare), 5 + len(rare))
    assert encoder.inputs[-1] == "a.other"
    found = encoded(encoder, a=["f000", "r00007", "never seen"])
    np.testing.assert_array_equal(found, np.tile(found[:1], (3, 1)))
    assert (found[0] != encoded(encoder, a=["f007"])[0]).any()


def test_inputs_are_counted_without_their_names(monkeypatch):
    columns = {
        "number": [1.0, None, 3.0, 4.0], "same": [1, 1, None, 1], "two": ["x", "y", "x", "y"],
        "three": ["x", "y", "z", None], "date": pd.to_datetime(["2020-01-31", "2021-02-28", None, "2022-03-31"]),
        "nothing": [None] * 4,
    }  # fmt: skip
    with pytest.warns(UserWarning, match="column 'nothing' has no value in any row: it is left out"):
        encoder = learned(**columns)
    assert [column.n_inputs for column in encoder.columns] == [2, 1, 1, 4, 5, 0]
    assert [len(column.inputs) for column in encoder.columns] == [2, 1, 1, 4, 5, 0]
    for kind in (Levels, Numbers):
        monkeypatch.setattr(kind, "inputs", property(lambda _: pytest.fail("a prediction builds names")))
    assert encoded(encoder, **columns).shape == (4, 13)


def test_dates_are_numbers_that_vary():
    dates = pd.to_datetime(["2020-01-31 10:00", "2021-02-28 10:00", None, "2022-03-31 10:00"])
    encoder = learned(a=dates)
    assert encoder.inputs == ["a.time", "a.month", "a.day", "a.weekday", "a.missing"]


def test_constant_columns_have_no_inputs():
    with pytest.warns(UserWarning, match="column") as said:
        encoder = learned(a=[1, 1], b=["x", "x"], c=[None, None], d=[1, 2])
    assert [str(warning.message) for warning in said] == [
        "columns 'a', 'b' have a single value in all rows: they are left out",
        "column 'c' has no value in any row: it is left out",
    ]
    assert encoder.inputs == ["d"]
    reasons = [column.left_out for column in encoder.columns]
    assert reasons == ["has a single value in all rows"] * 2 + ["has no value in any row", ""]


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match=r"no column of X has anything to learn from.*'a' has a single value"):
        learned(a=[1, 1], b=[None, None])


def test_identifiers_are_named():
    names, numbers = [f"n{i}" for i in range(30)], np.random.default_rng(0).permutation(40)[:30]
    with pytest.warns(
        UserWarning, match="column 'name' has 30 levels, each in very few rows, as identifiers have: it is left out"
    ):
        encoder = learned(name=names, a=np.arange(30) / 7)
    assert encoder.inputs == ["a"]
    with pytest.warns(UserWarning, match="column 'name' has 39 levels"):
        learned(name=[f"n{i % 39}" for i in range(40)], a=np.arange(40) / 7)
    with pytest.warns(UserWarning, match="column 'number' numbers the rows"):
        encoder = learned(number=numbers)
    assert encoder.inputs == ["number"]


def test_many_rare_levels_are_left_out():
    with pytest.warns(UserWarning, match="column 'name' has 300 levels, each in very few rows: it is left out"):
        encoder = learned(name=[f"n{i % 300}" for i in range(900)], a=np.arange(900) / 7)
    assert encoder.inputs == ["a"]


def test_weights_count_rows():
    values, levels, weights = np.arange(5.0), list("vvwxy"), np.array([1, 3, 2, 1, 4])
    by_weight = learned(weights, a=values, b=levels).described()
    repeated = learned(a=np.repeat(values, weights), b=np.repeat(levels, weights)).described()
    assert by_weight == repeated


MANY = pd.DataFrame(
    {
        "number": [1.5, None, 3.0, 7.0],
        "flag": [True, False, True, True],
        "level": ["x", "y", None, "z"],
        "pair": ["x", "y", "x", "y"],
        "when": pd.to_datetime(["2020-01-01", "2021-02-03", None, "2022-03-04"]).tz_localize("Asia/Tokyo"),
        "constant": ["x"] * 4,
    }
)


def test_it_comes_back_from_json():
    table = frames.read(MANY)
    encoder = Encoder.learned(table)
    again = Encoder.of(json.loads(json.dumps(encoder.described(), allow_nan=False)))
    assert again.described() == encoder.described()
    assert (again.inputs, again.known) == (encoder.inputs, encoder.known)
    np.testing.assert_array_equal(again(table), encoder(table))


@pytest.mark.parametrize(
    "damage",
    [
        lambda columns: columns[0].pop("scaling"),
        lambda columns: columns[0].update(kind="colour"),
        lambda columns: columns[0].update(unknown=1),
        lambda columns: columns[0]["scaling"].update(factor=[1.0, 2.0, 3.0]),
        lambda columns: columns[0]["scaling"].update(centre=["x"], factor=["y"]),
        lambda columns: columns[2].update(kept=[0]),
        lambda columns: columns[2].update(kept=[0, 1, 2, 99]),
        lambda columns: columns[2].update(kept=[0, 1, 2, -1]),
        lambda columns: columns[2].update(levels=["x", 1, "z"]),
        lambda columns: columns[1].update(name=3),
        lambda columns: columns[1].update(n_missing=-1),
        lambda columns: columns[4].update(time_zone=7),
        lambda columns: columns.__delitem__(slice(5)),
        lambda columns: columns.append(3),
    ],
)
def test_damaged_descriptions(damage):
    columns = Encoder.learned(frames.read(MANY)).described()
    damage(columns)
    with pytest.raises((ValueError, TypeError, KeyError, IndexError)):
        Encoder.of(columns)


@pytest.mark.parametrize(
    ("column", "values", "text"),
    [
        ("number", ["x", "y"], r"'number' holds text or categories \(String\), expected numbers \(Float64\)"),
        ("level", [1, 2], r"'level' holds numbers \(Int64\), expected text or categories \(String\)"),
        ("flag", [1, 0], "'flag' holds numbers .* expected booleans"),
        ("when", pd.to_datetime(["2020-01-01", "2020-01-02"]), "no time zone, expected the time zone Asia/Tokyo"),
    ],
)
def test_columns_of_another_kind(column, values, text):
    encoder = Encoder.learned(frames.read(MANY))
    other = MANY.head(2).assign(**{column: values})
    with pytest.raises(TypeError, match=text):
        encoder(frames.read(other, encoder.known))


def test_a_column_without_any_value_is_of_all_kinds():
    encoder = Encoder.learned(frames.read(MANY))
    known = encoder(frames.read(MANY.iloc[[2]], encoder.known))
    nothing = pd.Series([None], index=[2], dtype=object)
    other = MANY.iloc[[2]].assign(level=nothing.astype(float), when=nothing)
    np.testing.assert_array_equal(encoder(frames.read(other, encoder.known)), known)


def test_columns_too_few():
    encoder = Encoder.learned(frames.read(MANY))
    with pytest.raises(ValueError, match="X must have 6 columns, as in training, got 1"):
        frames.read(MANY[["pair"]], encoder.known)


@pytest.mark.parametrize("values", [["a", "b"], [np.inf, 1.0], [[1], [2]]])
def test_columns_without_inputs_are_not_looked_at(values):
    encoder = learned(a=[1, 1], b=[1, 2])
    np.testing.assert_array_equal(encoded(encoder, a=values, b=[1, 2]), encoded(encoder, a=[1, 1], b=[1, 2]))
