"""By what a checkpoint knows a training again: plain values, and what differs in words."""

import json

import numpy as np
import pytest
from scipy import sparse

from fastmlp import SGD, schedules
from fastmlp.inputs.identity import SHOWN, described, differences, plain_state, rows_described, state_like
from fastmlp.inputs.sparse import CsrRows


def test_settings_become_plain_values():
    found = described({"a": SGD(schedules.Cosine(0.1)), "b": (np.float32(0.5), None), "c": np.dtype("f4"), "d": max})
    assert json.loads(json.dumps(found)) == found
    assert found["a"]["type"] == "SGD"
    assert found["a"]["learning_rate"] == {"type": "Cosine", "rate": 0.1, "final": 0.0}
    assert (found["b"], found["c"], found["d"]) == ([0.5, None], "float32", "builtins.max")


def test_generators_are_known_by_their_state():
    one, other = np.random.default_rng(1), np.random.default_rng(1)
    assert described(one) == described(other)
    other.random()
    assert described(one) != described(other)
    old = np.random.RandomState(1)
    assert described(old) == described(np.random.RandomState(1)) != described(np.random.RandomState(2))


@pytest.mark.parametrize("rows", [3, 1000, 5000])
def test_rows_are_known_by_shape_dtype_and_content(rows):
    x = np.arange(rows * 2, dtype="f4").reshape(rows, 2)
    found = rows_described(x)
    assert (found["shape"], found["dtype"]) == ([rows, 2], "float32")
    assert rows_described(x.copy()) == found
    assert rows_described(x.astype("f8")) != found
    for changed in (x + 1, x[::-1], np.where(np.arange(rows)[:, None] == 0, 7, x)):
        assert rows_described(np.ascontiguousarray(changed, "f4"))["rows"] != found["rows"]


def test_sparse_rows():
    x = sparse.random(40, 5, 0.3, format="csr", rng=1)
    found = rows_described(CsrRows(x))
    assert found == rows_described(CsrRows(x.copy()))
    assert found["shape"] == [40, 5]
    assert rows_described(CsrRows(2 * x))["rows"] != found["rows"]
    assert rows_described(None) is None


def test_differences_are_named():
    there = {"a": {"b": 1, "c": [1, 2]}, "d": None}
    assert differences(there, {"a": {"b": 1, "c": (1, 2)}, "d": None}) == []
    assert differences(there, {"a": {"b": 2, "c": [1, 2]}, "d": {"e": 3}}) == [
        "a.b is 1 there, 2 here",
        "d is None there, 'absent' here",
        "d.e is 'absent' there, 3 here",
    ]
    many = differences({str(i): i for i in range(SHOWN + 3)}, {})
    assert many[SHOWN:] == ["and 3 more"]


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_a_generator_goes_on_from_plain_values(kind):
    rng = np.random.Generator(kind(5))
    rng.random(3)
    kept = json.loads(json.dumps(plain_state(rng.bit_generator.state)))
    expected = rng.permutation(9)
    other = np.random.Generator(kind(6))
    other.bit_generator.state = state_like(kept, other.bit_generator.state)
    np.testing.assert_array_equal(other.permutation(9), expected)


def test_the_state_of_another_kind_is_refused():
    kept = plain_state(np.random.default_rng(1).bit_generator.state)
    with pytest.raises(ValueError, match="MT19937"):
        state_like(kept, np.random.Generator(np.random.MT19937(1)).bit_generator.state)
