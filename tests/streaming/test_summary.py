"""The one pass: what it finds equals NumPy's answers, and it is kept as long as the files are the same."""

import json
import os

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from refusals import refused

from fastmlp import MLP
from fastmlp.datasets import StreamError, stream
from fastmlp.streaming import summary as summaries
from fastmlp.streaming.summary import Moments

COLUMNS = ["a", "b", "c", "flag", "colour"]


@pytest.mark.parametrize("rows_in_memory", [8, 100, 10_000])
def test_what_a_pass_finds(rows, folder, rows_in_memory):
    found = stream(folder, target="kind", rows_in_memory=rows_in_memory).summary(means=True, labels=True)
    assert found.classes == dict(zip(["ash", "birch", "cedar"], np.bincount(rows.y).tolist(), strict=True))
    assert found.categories == {"colour": ["blue", "green", "red"]}
    assert sum(map(sum, found.rows)) == 1000
    for i, name in enumerate(["a", "b", "c", "flag"]):
        moments, values = found.moments[name], rows.X[:, i]
        np.testing.assert_allclose(moments.mean, values.mean(), rtol=1e-12)
        np.testing.assert_allclose(moments.deviation(), values.std(), rtol=1e-12)
        assert (moments.lowest, moments.highest) == ([values.min()], [values.max()])


def test_a_constant_column_has_no_deviation():
    moments = Moments()
    for _ in range(3):
        moments.add(np.full((7, 1), 0.1))
    assert moments.deviation().tolist() == [0.0]


def test_no_pass_where_nothing_of_it_is_needed(folder, monkeypatch):
    monkeypatch.setattr("fastmlp.streaming.stream.summarise", None)
    found = stream(folder, target="kind", columns=["a", "b"], class_names=["ash", "birch", "cedar"])
    assert (len(found), found.n_inputs) == (1000, 2)
    MLP([2, 3]).rows_of(found, "cross_entropy")


def test_only_the_columns_that_are_asked_for_are_read(folder, monkeypatch):
    read = set()
    whole = summaries.len_of
    monkeypatch.setattr(summaries, "len_of", lambda chunk: read.update(chunk) or whole(chunk))
    found = stream(folder, target="kind")
    assert found.class_names == ["ash", "birch", "cedar"]
    assert read == {"kind", "colour"}


def test_labels_that_are_numbers_or_booleans(tmp_path):
    table = pa.table(
        {"x": [1.0, 2, 3, 4], "int": [7, -1, 7, 3], "bool": [True, False, True, True], "whole": [1.0, 0, 2, 0]}
    )
    parquet.write_table(table, tmp_path / "1.parquet")
    names = {column: stream(tmp_path, target=column, columns=["x"]).class_names for column in ("int", "bool", "whole")}
    assert names == {"int": [-1, 3, 7], "bool": [False, True], "whole": [0, 1, 2]}


def test_fractions_are_no_labels(tmp_path):
    parquet.write_table(pa.table({"x": [1.0, 2], "y": [0.5, 1]}), tmp_path / "1.parquet")
    refused(lambda: stream(tmp_path, target="y").class_names, StreamError, ["1.parquet, row group 0", "'y' holds 0.5"])


def test_too_many_classes_and_categories(tmp_path, monkeypatch):
    monkeypatch.setattr(summaries, "MOST_CLASSES", 3)
    monkeypatch.setattr(summaries, "MOST_CATEGORIES", 3)
    table = pa.table({"x": [1.0] * 4, "y": [1, 2, 3, 4], "name": list("abcd")})
    parquet.write_table(table, tmp_path / "1.parquet")
    refused(
        lambda: stream(tmp_path, target="y", columns=["x"]).class_names, StreamError, ["'y' has more than 3 classes"]
    )
    refused(lambda: stream(tmp_path, columns=["name"]).n_inputs, StreamError, ["'name' has more than 3 categories"])


# ---- kept in a file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "summary.json"


def test_a_kept_summary_is_read_instead_of_the_files(folder, path, monkeypatch):
    first = stream(folder, target="kind", summary=path)
    expected = first.summary(means=True, labels=True)
    assert path.exists()
    monkeypatch.setattr("fastmlp.streaming.stream.summarise", None)
    second = stream(folder, target="kind", summary=path)
    assert second.summary(means=True, labels=True) == expected
    assert second.feature_names == first.feature_names


def test_labels_keep_their_type(tmp_path, path):
    parquet.write_table(pa.table({"x": [1.0, 2], "int": [7, 3], "bool": [True, False]}), tmp_path / "1.parquet")
    for column, names in {"int": [3, 7], "bool": [False, True]}.items():
        for _ in range(2):
            found = stream(tmp_path / "1.parquet", target=column, columns=["x"], summary=path).class_names
            assert (found, [type(name) for name in found]) == (names, [type(name) for name in names])


@pytest.mark.parametrize("change", ["content", "columns", "target"])
def test_another_summary_is_made_when_something_differs(rows, folder, path, change):
    stream(folder, target="kind", columns=COLUMNS, summary=path).summary()
    before = path.read_text()
    target, columns = "kind", COLUMNS
    if change == "content":
        parquet.write_table(rows.table.slice(0, 333), folder / "part-0.parquet")
        os.utime(folder / "part-0.parquet", (1, 1))
    elif change == "columns":
        columns = ["a"]
    else:
        target, columns = "flag", ["a"]
    stream(folder, target=target, columns=columns, summary=path).summary()
    assert path.read_text() != before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "another"}', "no JSON"])
def test_a_file_that_is_no_summary_is_refused_and_left(folder, path, text):
    path.write_text(text)
    refused(lambda: stream(folder, target="kind", summary=path).summary(), StreamError, [str(path), "no summary"])
    assert path.read_text() == text


def test_a_summary_with_a_part_missing_is_refused(folder, path):
    stream(folder, target="kind", summary=path).summary()
    document = json.loads(path.read_text())
    del document["moments"]
    path.write_text(json.dumps(document))
    refused(lambda: stream(folder, target="kind", summary=path).summary(), StreamError, [str(path)])
