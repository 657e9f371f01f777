"""``fastmlp predict`` with a model of tables."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from fastmlp.datasets import raw
from fastmlp.sklearn import load

FEATURES = ["size", "city", "built", "garden"]


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_numbers(run, priced, houses):
    outcome = run("predict", priced, houses)
    assert (outcome.code, outcome.err) == (0, "")
    expected = load(priced).predict(raw.read_frame(houses)[FEATURES])
    np.testing.assert_allclose([float(line) for line in outcome.out.splitlines()], expected, rtol=1e-7)
    last = run("predict", priced, houses, "--target", "price").out.splitlines()[-1]
    assert [part.split()[0] for part in last.split(", ")] == ["MAE", "RMSE", "R²"]


def test_classes(run, classified, houses):
    outcome = run("predict", classified, houses, "--target", "kind")
    *predicted, last = outcome.out.splitlines()
    assert predicted == load(classified).predict(raw.read_frame(houses)[FEATURES]).tolist()
    right = sum(row["kind"] == found for row, found in zip(rows_of(houses), predicted, strict=True))
    assert last == f"accuracy {right / 120:.4f} ({right} of 120 rows)"


def test_columns_are_appended(run, classified, houses):
    """The cells of the table stay as they are in the file: a date stays a date, a gap a gap."""
    outcome = run("predict", classified, houses, "--proba", "--out", "more.csv")
    assert outcome.out == "wrote 120 predictions to more.csv\n"
    before, after = rows_of(houses), rows_of("more.csv")
    new = ["predicted", "probability_cheap", "probability_dear"]
    assert list(after[0]) == [*before[0], *new]
    assert [{name: row[name] for name in before[0]} for row in after] == before
    expected = load(classified).predict_proba(raw.read_frame(houses)[FEATURES])
    np.testing.assert_allclose([[float(row[name]) for name in new[1:]] for row in after], expected, rtol=1e-6)


def test_parquet(run, priced, houses):
    frame = raw.read_frame(houses)
    frame.to_parquet("houses.parquet")
    run("predict", priced, "houses.parquet", "--out", "more.parquet")
    found = raw.read_frame(Path("more.parquet"))
    assert found.columns.tolist() == [*frame.columns, "predicted"]
    np.testing.assert_array_equal(found["predicted"], load(priced).predict(frame[FEATURES]))
    run("predict", priced, "houses.parquet", "--out", "more.csv")
    assert len(rows_of("more.csv")) == 120


def test_json(run, classified, priced, houses):
    found = json.loads(run("predict", classified, houses, "--proba", "--target", "kind", "--json").out)
    assert found["classes"] == ["cheap", "dear"]
    assert found["rows"] == len(found["predicted"]) == len(found["probabilities"]) == 120
    assert found["correct"] == round(120 * found["accuracy"])
    found = json.loads(run("predict", priced, houses, "--json").out)
    assert len(found["predicted"]) == 120
    assert not {"classes", "probabilities", "MAE"} & set(found)


def test_quiet_prints_nothing(run, refused, priced, houses):
    outcome = run("predict", priced, houses, "--target", "price", "--quiet", "--out", "more.csv")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert len(rows_of("more.csv")) == 120
    assert json.loads(run("predict", priced, houses, "--quiet", "--json").out)["rows"] == 120
    assert "--quiet: expected with --out" in refused("predict", priced, houses, "--quiet")


def test_probabilities_on_the_terminal(run, classified, houses):
    header, *lines = run("predict", classified, houses, "--proba").out.splitlines()
    assert header == "predicted,cheap,dear"
    assert len(lines) == 120


def test_columns_in_another_order_more_of_them_levels_and_gaps_that_training_did_not_see(run, priced, tmp_path):
    (tmp_path / "new.csv").write_text("city,other,garden,built,size\nOslo,1,,,\n12,2,True,2001-01-01,99\n")
    outcome = run("predict", priced, "new.csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert len(outcome.out.split()) == 2
    (tmp_path / "digits.csv").write_text("city,garden,built,size\n12,,,\n13,True,2001-01-01,99\n")
    assert run("predict", priced, "digits.csv").code == 0  # a text column whose cells all look like numbers


@pytest.mark.parametrize(
    ("content", "options", "complaint"),
    [
        ("size,city,built\n1,a,2001-01-01\n", (), "new.csv lacks 'garden', which the network was trained with"),
        ("size,city,built,garden\nbig,a,2001-01-01,True\n", (), "column 'size' holds text"),
        ("size,city,built,garden\n1,a,2001-01-01,True\n", ("--target", "price"), "--target: no column 'price'"),
        (
            "size,city,built,garden,price\n1,a,2001-01-01,True,\n",
            ("--target", "price"),
            "'price' has no value in row 0",
        ),
        ("size,city,built,garden,price\n1,a,2001-01-01,True,x\n", ("--target", "price"), "expected numbers in column"),
        ("size,city,built,garden\n1,a,2001-01-01,True\n", ("--proba",), "--proba: expected with a model of classes"),
        ("size,city,built,garden\n1,a,2001-01-01,True\n", ("--rows-in-memory", "9"), "--rows-in-memory: expected with"),
        ("size,city,built,garden\n1,a,2001-01-01,True\n", ("--out", "a.txt"), "ends in .csv or .parquet"),
        (
            "size,city,built,garden,predicted\n1,a,2001-01-01,True,1\n",
            ("--out", "a.csv"),
            "a column 'predicted' already",
        ),
        ("size,city,built,garden\n", (), "has columns but no rows"),
    ],
)
def test_bad_tables(refused, priced, tmp_path, content, options, complaint):
    (tmp_path / "new.csv").write_text(content)
    assert complaint in refused("predict", priced, "new.csv", *options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["houses.csv", "new.csv", priced]


def test_classes_that_the_model_does_not_know(refused, classified, tmp_path):
    (tmp_path / "new.csv").write_text("size,city,built,garden,kind\n1,a,2001-01-01,True,odd\n")
    complaint = refused("predict", classified, "new.csv", "--target", "kind")
    assert "new.csv has the class 'odd', the model knows 'cheap', 'dear'" in complaint


def test_what_is_no_table(refused, priced, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 4)))
    assert "x.npy: unknown format of a table" in refused("predict", priced, "x.npy")
    assert "expected one table, got 2 files" in refused("predict", priced, "x.npy", "x.npy")
    assert "none.csv: No such file" in refused("predict", priced, "none.csv")
