"""The comparison of estimators: they do the same fits, the ratios are right, and missing libraries are named."""

import dataclasses
import gc
import json
import os
import re
import weakref

import numpy as np
import pytest
from peer_commands import broken, load, run_command

pytest.importorskip("sklearn")

TINY = ["--data", "digits", "--hidden", "3", "--dtypes", "float32", "--threads", "1"]
TIME = r"[\d.,]+"


@pytest.fixture
def cell():
    """A cell with three rounds."""
    job = load("estimation.job").Job("", "float32", (100, 5), 1)
    made = load("estimation.cell").Cell("digits", job)
    made.found = {"fastmlp": [1.0, 2.0, 4.0], "sklearn": [3.0, 4.0, 20.0]}
    made.versions = {"fastmlp": "1.0"}
    made.missing = {"PyTorch": "not here"}
    return made


def test_seconds_of_an_epoch(tmp_path):
    out = tmp_path / "rounds.json"
    done = run_command("estimators.py", *TINY, "--rounds", "2", "--json", out)
    assert done.returncode == 0, done.stderr
    title, _, head, _, row, _, *notes = done.stdout.splitlines()
    assert title == "**Seconds of an epoch of MLPClassifier.fit, 1 thread**"
    assert head.endswith("| fastmlp.sklearn, s | scikit-learn, s | scikit-learn ÷ fastmlp |")
    assert re.fullmatch(rf"\| digits \| 3 \| float32 \| {TIME} \| {TIME} \| {TIME} \|", row)
    assert "in the geometric mean" in notes[0]
    (found,) = json.loads(out.read_text(encoding="utf-8"))
    assert {name: len(seconds) for name, seconds in found["found"].items()} == {"fastmlp": 2, "sklearn": 2}
    assert found["job"]["hidden"] == [3]


@pytest.fixture
def digits(cell, tmp_path):
    """A cell with the digits and without measurements."""
    load("estimation.data").DATA["digits"].write(tmp_path / "digits.npz")
    job = dataclasses.replace(cell.job, file=str(tmp_path / "digits.npz"), hidden=(20,))
    return load("estimation.cell").Cell("digits", job)


def test_scores(digits):
    load("estimation.cell").scores(digits, ["fastmlp", "sklearn"], 1, 5)
    (ours,), (theirs,) = digits.found["fastmlp"], digits.found["sklearn"]
    assert 0.1 < ours < 1
    assert ours == pytest.approx(theirs, abs=0.02)  # the same weights, orders and steps


def test_table_of_scores(cell):
    cell.found = {"fastmlp": [0.5, 0.7], "sklearn": [0.5]}
    assert load("estimation.table").scores([cell])[2] == "| digits | 100-5 | float32 | 0.6000 ± 0.1414 | 0.5000 |"


def test_predictions(cell):
    cell.found |= {"kernel": [0.5, 1.0, 1.5], "mlp": [1.5, 1.5, 1.5]}
    cell.found = {name: [value / 1e6 for value in seconds] for name, seconds in cell.found.items()}
    lines = load("estimation.table").predictions([cell])
    assert lines[2] == "| digits | 100-5 | float32 | 2.0 | 4.0 | 1.5 | 1.0 | - | 1.0 | 3.00 |"


@pytest.fixture
def broken_torch(monkeypatch, tmp_path):
    """Return a function that lets PyTorch raise an error."""

    def make(error):
        monkeypatch.setenv("PYTHONPATH", str(broken(tmp_path, "torch", error)), prepend=os.pathsep)

    return make


def test_missing_library_is_left_out(broken_torch, digits):
    broken_torch("ModuleNotFoundError('not here')")
    load("estimation.cell").seconds_of_a_prediction(digits, ["torch"], 1, 1)
    assert (digits.found, digits.missing) == ({}, {"PyTorch": "not here"})


def test_crashed_process_is_named(broken_torch, digits):
    broken_torch("RuntimeError('it is broken')")
    with pytest.raises(load("dialogue").CrashError, match="PyTorch ended with 1: RuntimeError: it is broken"):
        load("estimation.cell").seconds_of_a_prediction(digits, ["torch"], 1, 1)


@pytest.mark.parametrize(
    "arguments", [["--data", "iris"], ["--hidden", "3-0"], ["--predict", "2"], ["--scores", "--predict", "1"]]
)
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("estimators").parse(arguments)
    assert arguments[0] in capsys.readouterr().err


def test_figures_by_hand(cell):
    assert cell.ratio() == 3  # the median of 3, 2 and 5, which is not the ratio of the medians
    assert cell.median("sklearn") == 4
    assert load("estimation.table").fits([cell]) == [
        "| data | hidden | dtype | fastmlp.sklearn, s | scikit-learn, s | scikit-learn ÷ fastmlp |",
        "| --- | --- | --- | ---: | ---: | ---: |",
        "| digits | 100-5 | float32 | 2.0000 | 4.0000 | 3.00 |",
        "",
        "- scikit-learn ÷ fastmlp: 3.00 in the geometric mean, least 3.00",
        "- versions: fastmlp 1.0",
        "- **not installed, left out: PyTorch** (not here)",
    ]


def test_data_sets():
    data = load("estimation.data").DATA
    x, x_test, y, y_test = data["20000x50"].read()
    assert (x.shape, x_test.shape, len(set(y)), len(y_test)) == ((20_000, 50), (5_000, 50), 10, 5_000)
    x, x_test, _, _ = data["digits"].read()
    assert len(x) + len(x_test) == 1797
    assert (x.min(), x.max()) == (0, 1)


def test_kernel_computes_at_every_call(digits):
    arrays, kernel = digits.job.arrays(), load("estimation.kernel").make(digits.job)
    kernel.fit(arrays["x"], arrays["y"], 1, 0)
    call = kernel.predictor(arrays["x_test"])
    call()[...] = 0
    np.testing.assert_array_equal(call(), kernel.net.predict_proba(arrays["x_test"]))


def test_kernel_keeps_the_rows_that_it_has_the_address_of(digits):
    arrays, kernel = digits.job.arrays(), load("estimation.kernel").make(digits.job)
    kernel.fit(arrays["x"], arrays["y"], 1, 0)
    rows = arrays["x_test"].copy()
    alive, call = weakref.ref(rows), kernel.predictor(rows)
    del rows
    gc.collect()
    assert alive() is not None
    np.testing.assert_array_equal(call(), kernel.net.predict_proba(arrays["x_test"]))


def test_torch_predicts_as_the_estimators_do(tmp_path):
    pytest.importorskip("torch")
    load("estimation.data").DATA["digits"].write(tmp_path / "digits.npz")
    job = load("estimation.job").Job(str(tmp_path / "digits.npz"), "float32", (4,), 1)
    arrays = job.arrays()
    model = load("estimation.pytorch").make(job)
    model.fit(arrays["x"], arrays["y"], 1, 0)
    probabilities = model.predictor(arrays["x_test"])()
    assert probabilities.shape == (len(arrays["x_test"]), 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
