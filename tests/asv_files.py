"""asv's result files for tests, which asv's own classes write, and the modules of the page that reads them."""

import importlib
import itertools
import json
from pathlib import Path

import pytest
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.machine import Machine
from asv.results import Results
from asv.runner import BenchmarkResult

pytest.importorskip("ruptures", reason="it has no wheels for the newest Python")
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "asv_bench"
STEP = "training.Step.time_steps"
COLD = "startup.ColdStart.track_first_training"
ENVIRONMENT = "virtualenv-py3.11"
DAY = 86_400_000  # milliseconds of a day: asv's timestamps are milliseconds


def load(name):
    """Import a module as the command does: with the command's folder first on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        return importlib.import_module(name)


summary = load("summary")
changes = load("dashboard.changes")
chart = load("dashboard.chart")
facts = load("dashboard.facts")
nights = load("dashboard.nights")
page = load("dashboard.page")
question = load("dashboard.question")
store = load("dashboard.store")
trends = load("dashboard.trends")
versus = load("dashboard.versus")


def benchmark(name, version="1", **parameters):
    """Return asv's description of a benchmark."""
    values = [list(map(repr, choices)) for choices in parameters.values()]
    return {"name": name, "version": version, "param_names": list(parameters), "params": values, "type": "track"}


def step(version="1"):
    choices = {"batch norm": ["none"], "batch (rows)": [128], "threads": [2]}
    return benchmark(STEP, version, network=["784-20-7-5-10", "784-128-10"], **choices)


def peers(libraries=("fastmlp", "torch", "other"), networks=("a", "b"), batches=(32, 128)):
    return benchmark(versus.TIMES_AS_LONG, library=libraries, network=networks, batch=batches)


class Files:
    """asv's files in a folder, which asv's classes write."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = Config.from_json({"repo": str(ROOT), "results_dir": str(folder)})

    def machine(self, name="example", **facts):
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        content = {"machine": name, "version": Machine.api_version} | facts
        (self.folder / name / "machine.json").write_text(json.dumps(content), encoding="utf-8")

    def list(self, *benchmarks):
        Benchmarks(self.conf, benchmarks).save()

    def commit(self, digit, day, values, machine="example", environment=ENVIRONMENT, **facts):
        """Write the result of a commit whose hash repeats `digit`; `values` are pairs of a benchmark and its values."""
        digits = digit * (40 // len(digit))
        result = Results({"machine": machine} | facts, {}, digits, day * DAY, "3.11", environment, {})
        for what, numbers in values:
            n = len(list(itertools.product(*what["params"])))
            nothing = [None] * n
            assert len(numbers) == n
            result.add_result(what, BenchmarkResult(list(numbers), nothing, nothing, 0, "", None))
        result.save(str(self.folder))

    def read(self):
        return store.read(self.folder, self.conf)


def ratios():
    """Ratios of fastmlp, torch and other on networks a and b with batches 32 and 128; other failed at the last."""
    return (peers(), [1, 1, 1, 1, 2, 8, 4, 1, 0.5, 2, 1, None])
