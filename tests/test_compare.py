"""The comparison with other libraries: same work, honest arithmetic, and a plain word for what was left out."""

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "asv_bench"
TINY = [
    "--nets",
    "16-8-3",
    "--batches",
    "32",
    "--samples",
    "100",
    "--rounds",
    "2",
    "--budget",
    "0.01",
    "--threads",
    "1",
]
REQUIRED = {"sklearn": "sklearn", "torch": "torch", "jax": "jax", "jax_uint8": "jax"}


def load(name):
    """Import a file of `peers` under a package name that no other package has."""
    package = "fastmlp_peers"
    if package not in sys.modules:
        path = FOLDER / "peers"
        spec = importlib.util.spec_from_file_location(
            package, path / "__init__.py", submodule_search_locations=[str(path)]
        )
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{name}") if name else sys.modules[package]


LIBRARIES = load("").LIBRARIES


def run(*arguments, path=None):
    """Run the script."""
    environment = os.environ | ({} if path is None else {"PYTHONPATH": str(path)})
    command = [sys.executable, str(FOLDER / "compare.py"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=300, check=False
    )


@pytest.fixture
def broken_sklearn(tmp_path):
    """Return a function that makes a folder in which scikit-learn raises an error."""

    def make(error):
        (tmp_path / "sklearn").mkdir()
        (tmp_path / "sklearn" / "__init__.py").write_text(f"raise {error}", encoding="utf-8")
        return tmp_path

    return make


def test_table_of_a_run(broken_sklearn, tmp_path):
    path = broken_sklearn("ModuleNotFoundError(\"No module named 'sklearn'\")")
    out = tmp_path / "times.json"
    done = run(*TINY, "--libraries", "fastmlp", "numpy", "sklearn", "--json", out, path=path)
    assert done.returncode == 0, done.stderr
    head, _, row, *notes = done.stdout.splitlines()
    assert head == "| network | batch | fastmlp | NumPy | best peer ÷ fastmlp |"
    assert re.fullmatch(r"\| 16-8-3 \| 32 \| \*\*[\d.,]+\*\* \| [\d.,]+ \| [\d.]+ \(NumPy\) \|", row)
    assert "- **not installed, left out: scikit-learn** (No module named 'sklearn')" in notes
    text = "\n".join(notes)
    for part in ("1 thread\n", "GFLOP/s", f"numpy {np.__version__}", "geometric mean"):
        assert part in text
    (times,) = json.loads(out.read_text(encoding="utf-8"))
    assert {name: len(seconds) for name, seconds in times["seconds"].items()} == {"fastmlp": 2, "numpy": 2}
    assert times["steps"] == 4
    assert list(times["missing"]) == ["sklearn"]


def test_crash_of_a_library_fails_the_run(broken_sklearn):
    path = broken_sklearn("RuntimeError('it is broken')")
    done = run(*TINY, "--libraries", "numpy", "sklearn", path=path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["compare.py: scikit-learn ended with 1: RuntimeError: it is broken"]


def test_nothing_to_compare_is_an_error(broken_sklearn):
    path = broken_sklearn("ModuleNotFoundError('not here')")
    done = run(*TINY, "--libraries", "sklearn", path=path)
    assert done.returncode == 1
    assert "left out: scikit-learn** (not here)" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--nets", "784"], ["--nets", "784-0-10"], ["--threads", "0"], ["--batches", "101", "--samples", "100"],
     ["--libraries", "theano"]],
)  # fmt: skip
def test_wrong_options(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr


@pytest.mark.parametrize("name", LIBRARIES)
def test_library_learns(name):
    if name in REQUIRED:
        pytest.importorskip(REQUIRED[name])
    task = load("task").Task((16, 32, 3), 8, 1, 640)
    training = load(LIBRARIES[name].module).make(task)
    labels = task.pixels()[1]
    for seed in range(20):
        training.epoch(seed)
    assert training.predict().shape == labels.shape
    assert (training.predict() == labels).mean() > 0.97


def test_numpy_and_fastmlp_take_the_same_steps():
    task = load("task").Task((16, 12, 7, 3), 100, 1, 100)  # one batch an epoch: the order of rows does not matter
    ours, theirs = load("ours").make(task), load("numpy_loop").make(task)
    for weight, first in zip(ours.net.weights, task.weights(), strict=True):
        weight[...] = first
    for seed in range(30):
        ours.epoch(seed)
        theirs.epoch(seed)
    for mine, their, first in zip(ours.net.weights, theirs.weights, task.weights(), strict=True):
        np.testing.assert_allclose(mine, their, rtol=0, atol=1e-5)
        assert np.abs(mine - first).max() > 1e-2


def test_data_is_the_same_for_all():
    task = load("task").Task((16, 3), 10, 1, 50)
    pixels, labels = task.pixels()
    floats, again = task.floats()
    assert (pixels.dtype, floats.dtype, labels.dtype) == (np.uint8, np.float32, np.int64)
    np.testing.assert_allclose(floats * 255, pixels, rtol=1e-6)
    np.testing.assert_array_equal(labels, again)
    assert set(labels) == {0, 1, 2}
    assert task.steps == 5
    assert load("task").Task((16, 3), 15, 1, 50).steps == 4


def worked_example():
    comparison, task = load("comparison"), load("task").Task((4, 3), 10, 2, 100)
    first = comparison.Comparison(task)
    first.seconds = {"fastmlp": [1e-3, 3e-3, 2e-3], "numpy": [4e-3, 4e-3, 9e-3], "torch": [8e-3, 8e-3, 1.0]}
    first.versions = {"fastmlp": "1.0", "numpy": "2.0", "torch": "3.0"}
    first.missing = {"jax": "No module named 'jax'", "jax_uint8": "No module named 'jax'"}
    second = comparison.Comparison(load("task").Task((4, 3), 50, 2, 100))
    second.seconds = {"fastmlp": [1e-3], "numpy": [8e-3], "torch": [2e-3]}
    return first, second


def test_figures_by_hand():
    first, second = worked_example()
    assert first.microseconds("fastmlp") == pytest.approx(200)  # the median of three, over ten steps
    assert first.ratio("numpy") == pytest.approx(2)
    assert (first.best_peer(), second.best_peer()) == ("numpy", "torch")
    assert load("comparison").geometric_mean([2.0, 8.0]) == pytest.approx(4)


def test_table_by_hand():
    assert load("table").markdown(list(worked_example()), ["a machine"]).splitlines() == [
        "| network | batch | fastmlp | NumPy | PyTorch | best peer ÷ fastmlp |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| 4-3 | 10 | **200** | 400 | 800 | 2.00 (NumPy) |",
        "| 4-3 | 50 | **500** | 4,000 | 1,000 | 2.00 (PyTorch) |",
        "",
        "- a machine",
        "- versions: fastmlp 1.0, numpy 2.0, torch 3.0",
        "- best peer of each row ÷ fastmlp: 2.00 in the geometric mean, 2.00 where it comes closest",
        "- NumPy ÷ fastmlp: 4.00, least 2.00",
        "- PyTorch ÷ fastmlp: 2.83, least 2.00",
        "- **not installed, left out: JAX float32** (No module named 'jax')",
        "- **not installed, left out: JAX uint8** (No module named 'jax')",
    ]


def test_every_pool_gets_the_threads(monkeypatch):
    process = load("process")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    one, two = process.environment(1), process.environment(2)
    assert {name: two[name] for name in process.POOLS} == dict.fromkeys(process.POOLS, "2")
    assert one["OMP_NUM_THREADS"] == "1"
    assert "intra_op_parallelism_threads=1" in one["XLA_FLAGS"]
    assert "OPENBLAS_CORETYPE" not in one


def test_leaving_ends_the_process():
    task = load("task").Task((16, 3), 10, 1, 50)
    with load("process").Worker("numpy", task) as worker:
        assert worker.best_epoch(0.0) > 0
    assert worker.process.returncode is not None
