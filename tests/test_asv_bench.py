"""Every benchmark times every one of its parameter sets once, shrunk, and does what it is said to time."""

import importlib
import importlib.util
import inspect
import itertools
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "asv_bench" / "benchmarks"
MODULES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
ARRAY_MODULES = [stem for stem in MODULES if stem != "startup"]  # that one starts processes and fills no array
POISON = 7


def load(stem):
    """Import a file of the benchmarks under a name that no other package has."""
    package = "fastmlp_asv_bench"
    if package not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            package, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{stem}")


def benchmarks(stem):
    """Yield each class and the names of its methods that asv runs."""
    module = load(stem)
    for _, scenario in inspect.getmembers(module, inspect.isclass):
        methods = [name for name in dir(scenario) if name.startswith(("time_", "peakmem_"))]
        if scenario.__module__ == module.__name__ and methods:
            yield scenario, methods


def cases():
    for stem in ARRAY_MODULES:
        for scenario, methods in benchmarks(stem):
            for method, values in itertools.product(methods, itertools.product(*scenario.params)):
                name = "-".join([stem, scenario.__name__, method, *map(str, values)])
                yield pytest.param(stem, scenario, method, values, id=name)


@pytest.fixture(autouse=True)
def numba_threads():
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize(("stem", "scenario", "method", "values"), list(cases()))
def test_benchmark_runs(stem, scenario, method, values, monkeypatch):
    module = load(stem)
    if hasattr(module, "SAMPLES"):
        monkeypatch.setattr(module, "SAMPLES", 1100)
    benchmark = scenario()
    benchmark.setup(*values)
    for array in getattr(benchmark, method)(*values):
        array.fill(POISON)
    filled = getattr(benchmark, method)(*values)
    assert filled
    for array in filled:
        assert np.isfinite(array).all()
        assert array.size == 1 or (array != POISON).any()


def test_epoch_visits_every_sample(monkeypatch):
    training = load("training")
    monkeypatch.setattr(training, "SAMPLES", 1100)
    benchmark = training.Epoch()
    benchmark.setup("784-20-7-5-10", 32, 1)
    (batch_costs,) = benchmark.time_epoch("784-20-7-5-10", 32, 1)
    assert batch_costs.shape == (35,)


@pytest.mark.parametrize("what", load("startup").CODE)
def test_startup_process_succeeds(what):
    load("startup").Startup().time_process(what)


def test_startup_failure_is_seen(monkeypatch):
    startup = load("startup")
    monkeypatch.setitem(startup.CODE, "nothing", "raise SystemExit(3)")
    with pytest.raises(subprocess.CalledProcessError):
        startup.Startup().time_process("nothing")


def test_one_file_per_kernel_family():
    kernels = {path.stem for path in (ROOT / "fastmlp" / "kernels").glob("[!_]*.py")}
    assert kernels <= set(MODULES)


def test_every_kernel_is_timed():
    sources = "".join((FOLDER / f"{stem}.py").read_text(encoding="utf-8") for stem in MODULES)
    kernels = importlib.import_module("fastmlp.kernels")
    assert [name for name in kernels.__all__ if f"kernels.{name}(" not in sources] == []


@pytest.mark.parametrize("stem", MODULES)
def test_parameters_are_named(stem):
    found = list(benchmarks(stem))
    assert found
    for scenario, methods in found:
        assert len(scenario.params) == len(scenario.param_names)
        assert not (any(m.startswith("time_") for m in methods) and any(m.startswith("peakmem_") for m in methods))
