"""The race to an accuracy: all use the same recipe, the medians are right, and failures to reach it are shown."""

import json
import math
import re

import numpy as np
import pytest
from peer_commands import broken, load, run_command

TINY = [
    "--net", "784-8-10", "--samples", "300", "--batch", "100", "--epochs", "2", "--seeds", "2", "--threads", "1",
]  # fmt: skip
MISSING = "ModuleNotFoundError('not here')"


def test_table_of_a_run(tmp_path):
    out = tmp_path / "laps.json"
    arguments = [*TINY, "--target", "0.05", "--libraries", "fastmlp", "numpy", "sklearn", "--json", out]
    done = run_command("race.py", *arguments, path=broken(tmp_path, "sklearn", MISSING))
    assert done.returncode == 0, done.stderr
    title, _, head, _, ours, theirs, _, *notes = done.stdout.splitlines()
    assert title == "**Training to 5% on MNIST, 784-8-10, 1 thread**"
    assert head.startswith("| library | seconds, median | ÷ fastmlp |")
    assert re.fullmatch(r"\| fastmlp \| \d+\.\d\d \| - \| \d+\.\d\d \| \d+\.\d\d% \| 2 of 2 \|", ours)
    assert theirs.startswith("| NumPy | ")
    assert "- **not installed, left out: scikit-learn** (not here)" in notes
    laps = json.loads(out.read_text(encoding="utf-8"))["laps"]
    assert [len(seeds) for seeds in laps.values()] == [2, 2]
    for mine, their in zip(laps["fastmlp"], laps["numpy"], strict=True):  # the same weights, order and steps
        assert mine[-1][1] == pytest.approx(their[-1][1], abs=2e-4)


def test_crash_of_a_library_fails_the_run(tmp_path):
    path = broken(tmp_path, "sklearn", "RuntimeError('it is broken')")
    done = run_command("race.py", *TINY, "--libraries", "sklearn", path=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["race.py: scikit-learn ended with 1: RuntimeError: it is broken"]


def test_rows_in_bfloat16(tmp_path):
    out, names = tmp_path / "laps.json", ["fastmlp", "fastmlp_bfloat16", "torch_autocast", "torch_bfloat16"]
    path = broken(tmp_path, "torch", MISSING)
    done = run_command("race.py", *TINY, "--target", "1", "--libraries", *names, "--json", out, path=path)
    assert done.returncode == 0, done.stderr
    _, _, _, _, ours, rounded, _, *notes = done.stdout.splitlines()
    assert ours.startswith("| fastmlp | not reached |")
    assert rounded.startswith("| fastmlp bfloat16 | not reached |")
    assert notes[-2:] == [
        f"- **not installed, left out: PyTorch {name}** (not here)" for name in ("autocast", "bfloat16")
    ]
    laps = json.loads(out.read_text(encoding="utf-8"))["laps"]
    for mine, their in zip(laps["fastmlp"], laps["fastmlp_bfloat16"], strict=True):
        assert mine[-1][1] == pytest.approx(their[-1][1], abs=0.02)


def test_racers_in_bfloat16():
    assert {"fastmlp_bfloat16", "torch_autocast", "torch_bfloat16"} < set(load("race").parse([]).libraries)


@pytest.mark.parametrize(
    "arguments", [["--net", "20-10"], ["--net", "784-5"], ["--batch", "70000"], ["--seeds", "0"], ["--libraries", "x"]]
)
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("race").parse(arguments)
    assert arguments[0] in capsys.readouterr().err


def test_figures_by_hand():
    recipe = load("peers.recipe").Recipe((784, 10), 100, 1, 300)
    race = load("peers.laps").Race(recipe, target=0.98)
    race.laps = {
        "fastmlp": [[(1.0, 0.97), (2.0, 0.98)], [(3.0, 0.99)], [(1.5, 0.5), (4.0, 0.979)]],
        "numpy": [[(9.0, 0.9)], [(6.0, 0.98)], [(5.0, 0.9)]],
    }
    assert race.seconds("fastmlp") == 3
    assert math.isinf(race.seconds("numpy"))
    assert (race.reached("fastmlp"), race.reached("numpy")) == (2, 1)
    assert race.seconds_of_an_epoch("fastmlp") == 2
    lines = load("peers.laps").markdown("Of a title", race, ["a machine"]).splitlines()
    assert lines[4:6] == [
        "| fastmlp | 3.00 | - | 2.00 | 98.00% | 2 of 3 |",
        "| NumPy | not reached | - | 6.00 | 90.00% | 1 of 3 |",
    ]


def test_rates_of_a_recipe():
    recipe = load("peers.recipe").Recipe((784, 10), 10, 1, 100, peak=0.5, epochs=2)
    rates = np.concatenate([recipe.rates(0), recipe.rates(1)])
    assert len(rates) == 20
    np.testing.assert_allclose(rates[:5], [0, 0.125, 0.25, 0.375, 0.5])
    np.testing.assert_allclose(np.diff(rates[4:]), -0.5 / 16)


def test_rows_are_standardised(tmp_path):
    rng = np.random.default_rng(0)
    x, x_test = rng.integers(256, size=(50, 3), dtype=np.uint8), rng.integers(256, size=(20, 3), dtype=np.uint8)
    y, y_test = rng.integers(2, size=50, dtype=np.uint8), rng.integers(2, size=20, dtype=np.uint8)
    load("peers.recipe").write(tmp_path / "rows.npz", x, y, x_test, y_test)
    recipe = load("peers.recipe").Recipe((3, 2), 10, 1, 50, file=str(tmp_path / "rows.npz"))
    (rows, labels), (test_rows, _) = recipe.rows(), recipe.test_rows()
    assert (rows.dtype, labels.dtype) == (np.float32, np.int64)
    assert (float(rows.mean()), float(rows.std())) == pytest.approx((0, 1), abs=1e-5)
    np.testing.assert_allclose(test_rows * x.std() + x.mean(), x_test, atol=1e-3)
