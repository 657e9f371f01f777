"""The figures of benchmarks that do more than call a function: accuracy, other libraries, files, sizes."""

import importlib
import itertools
import os
import sys
import types

import numpy as np
import pytest
from asv_suite import load, ready

accuracy = load("accuracy")


@pytest.fixture
def optimizers(monkeypatch):
    """Replace training by a function that counts two seconds for each epoch; return the optimizers of all epochs."""
    used = []

    def train(net, X, y, *, optimizer, **_):
        used.append(optimizer)
        return types.SimpleNamespace(seconds=2.0)

    monkeypatch.setattr(accuracy.fastmlp, "train", train)
    monkeypatch.setattr(accuracy, "SEEDS", 1)
    return used


def test_time_to_accuracy_counts_the_epochs_until_it(optimizers, monkeypatch):
    with ready(accuracy.TimeToAccuracy, "784-128-10", 1) as benchmark:
        accuracies = iter([0.9, 0.979, 0.98])
        monkeypatch.setattr(benchmark, "accuracy", lambda net: next(accuracies))
        optimizers.clear()
        assert benchmark.track_seconds("784-128-10", 1) == 6.0
    assert [round(optimizer.learning_rate, 9) for optimizer in optimizers] == [0.3, 0.27, 0.24]


def test_time_to_accuracy_fails_where_it_is_not_reached(optimizers, monkeypatch):
    with ready(accuracy.TimeToAccuracy, "784-128-10", 1) as benchmark:
        accuracies = itertools.chain([0.9799], itertools.repeat(0.5))
        monkeypatch.setattr(benchmark, "accuracy", lambda net: next(accuracies))
        with pytest.raises(RuntimeError, match=r"seed 0: 97\.99% after 10 epochs, expected 98%"):
            benchmark.track_seconds("784-128-10", 1)


def test_time_to_accuracy_is_the_median_over_the_seeds(optimizers, monkeypatch):
    monkeypatch.setattr(accuracy, "SEEDS", 3)
    with ready(accuracy.TimeToAccuracy, "784-128-10", 1) as benchmark:
        monkeypatch.setattr(benchmark, "seconds", [5.0, 1.0, 3.0].__getitem__)
        assert benchmark.track_seconds("784-128-10", 1) == 3.0


@pytest.mark.parametrize(("method", "epochs"), [("track_error_after_epochs", 33), ("track_error_after_seconds", 3)])
def test_budget_is_kept(optimizers, monkeypatch, method, epochs):
    monkeypatch.setattr(accuracy, "SECONDS", 5.0)
    with ready(accuracy.Budget, "none") as benchmark:
        monkeypatch.setattr(benchmark, "accuracy", lambda net: 0.75)
        optimizers.clear()
        assert getattr(benchmark, method)("none") == 25.0
    assert len(optimizers) == epochs


class _Worker:
    """A library whose epochs take chosen numbers of milliseconds."""

    milliseconds = types.MappingProxyType({"fastmlp": 2.0, "numpy": 6.0})

    def __init__(self, name, task, python=sys.executable):
        self.name, self.python, self.closed = name, python, False

    def best_epoch(self, seconds):
        return self.milliseconds[self.name] / 1000

    def close(self):
        self.closed = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


VALUES = ("numpy", "784-128-10", 1000)


def test_other_library_by_hand(monkeypatch, tmp_path):
    libraries = load("libraries")
    python = tmp_path / "python"
    python.touch(mode=0o755)
    monkeypatch.setenv("FASTMLP_PEERS_PYTHON", str(python))
    monkeypatch.setattr(libraries, "Worker", _Worker)
    with ready(libraries.Library, *VALUES) as benchmark:
        assert benchmark.track_step(*VALUES) == pytest.approx(500)  # 6 ms over the twelve steps of 12,000 rows
        assert benchmark.track_ratio(*VALUES) == pytest.approx(3)
        workers = benchmark.workers
        assert {name: worker.python for name, worker in workers.items()} == {
            "numpy": str(python),
            "fastmlp": sys.executable,
        }
        assert not any(worker.closed for worker in workers.values())
    assert all(worker.closed for worker in workers.values())


@pytest.mark.parametrize("value", ["", "/nowhere/python", os.curdir, __file__])
def test_wrong_python_is_an_error_and_no_skip(monkeypatch, value):
    libraries = load("libraries")
    monkeypatch.setenv("FASTMLP_PEERS_PYTHON", value)
    with pytest.raises(ValueError, match=r"FASTMLP_PEERS_PYTHON: got .* expected the path of a Python"):
        libraries.Library().setup(*VALUES)


@pytest.fixture
def broken_sklearn(monkeypatch, tmp_path):
    """Return a function that lets scikit-learn raise an error."""

    def make(error):
        (tmp_path / "sklearn").mkdir()
        (tmp_path / "sklearn" / "__init__.py").write_text(f"raise {error}('told so')", encoding="utf-8")
        monkeypatch.delenv("FASTMLP_PEERS_PYTHON", raising=False)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    return make


def test_absent_library_is_skipped(broken_sklearn):
    broken_sklearn("ModuleNotFoundError")
    scenario = load("libraries").Library
    with pytest.raises(NotImplementedError, match="scikit-learn: told so"), ready(scenario, "sklearn", *VALUES[1:]):
        pass


def test_broken_library_fails(broken_sklearn):
    broken_sklearn("RuntimeError")
    scenario = load("libraries").Library
    crash = importlib.import_module("dialogue").CrashError  # the benchmarks have added its folder to the path
    with pytest.raises(crash, match="RuntimeError: told so"), ready(scenario, "sklearn", *VALUES[1:]):
        pass


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_data_file_holds_the_rows_and_their_labels(monkeypatch, kind):
    check_data_file(monkeypatch, kind)


def test_table_holds_the_rows_and_their_labels(monkeypatch):
    pytest.importorskip("pandas")
    check_data_file(monkeypatch, "csv")


def test_table_is_skipped_without_pandas(monkeypatch):
    files = load("files")
    monkeypatch.setattr(files.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotImplementedError, match=r"fastmlp\[tables\]"), ready(files.DataFile, "csv"):
        pass


def check_data_file(monkeypatch, kind):
    files = load("files")
    monkeypatch.setattr(files, "SAMPLES", 50)
    with ready(files.DataFile, kind) as benchmark:
        X, y = benchmark.time_load()
        folder = benchmark.path.parent
    np.testing.assert_array_equal(X, files.pixels(50, 784))
    np.testing.assert_array_equal(y, files.labels(50, 10))
    assert not folder.exists()


def test_saved_network_is_the_loaded_one():
    with ready(load("files").Network, "784-20-7-5-10") as benchmark:
        benchmark.path.unlink()
        benchmark.net.weights[0][0, 0] = 42
        benchmark.time_save()
        for saved, loaded in zip(benchmark.net.weights, benchmark.time_load(), strict=True):
            np.testing.assert_array_equal(saved, loaded)


def test_sizes_are_those_that_are_named(monkeypatch):
    linear = load("linear")
    monkeypatch.setattr(load("_scenarios"), "BATCH", 4)
    with ready(linear.LinearByWidth, 2048, "float64") as benchmark:
        assert (benchmark.x.shape, benchmark.weight.shape) == ((4, 2048), (2048, 2048))
    with ready(linear.LinearOddSizes, 257, "float32") as benchmark:
        assert (benchmark.x.shape, benchmark.weight.shape) == ((257, 257), (257, 257))


def test_one_row_is_one_row():
    with ready(load("prediction").OneRow, "784-128-10") as benchmark:
        assert benchmark.time_predict_proba()[0].shape == (1, 10)
