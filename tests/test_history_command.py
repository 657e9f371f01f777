"""Commits of the past and other libraries in turns: which commits, their ratios, and asv's files."""

import dataclasses
import json
import math
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from asv_files import ROOT, Files, benchmark, load, trends, versus

history = load("history")
commits = load("past.commits")
results = load("past.results")
turns = load("past.turns")
package = load("past")
process = load("peers.process")
task = load("peers.task")
training = load("past.training")
dialogue = load("dialogue")

NET = "8-4-2"
A, B = "a" * 40, "b" * 40


def git(folder, *arguments):
    settings = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository: a commit before the package can train, four of the package, one of README, one of the package."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    hashes = []
    for i, path in enumerate(["fastmlp/mlp.py", commits.FIRST, *["fastmlp/mlp.py"] * 3, "README.md", "fastmlp/mlp.py"]):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(str(i), encoding="utf-8")
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", str(i))
        hashes.append(git(tmp_path, "rev-parse", "HEAD"))
    monkeypatch.setattr(commits, "FOLDER", tmp_path / "asv_bench")
    return hashes


def test_commits_are_spread_from_the_first_that_trains_to_the_newest(repository):
    able = [*repository[1:5], repository[6]]
    assert commits.choose(2) == [able[0], able[-1]]
    assert commits.choose(3) == [able[0], able[2], able[-1]]
    assert commits.choose(99) == able
    with pytest.raises(commits.HistoryError, match="expected at least 2 commits, got 1"):
        commits.choose(1)


def test_package_of_a_commit_lies_in_a_folder_of_its_own(repository, tmp_path):
    past = commits.unpack(repository[2], tmp_path / "unpacked")
    assert past.hash == repository[2]
    assert (past.folder / "fastmlp" / "mlp.py").read_text(encoding="utf-8") == "2"
    assert not (past.folder / "README.md").exists()
    assert past.date.tzinfo is UTC
    with pytest.raises(commits.HistoryError, match="git rev-parse"):
        commits.unpack("nowhere", tmp_path)


class Process:
    """A process whose rounds take the given seconds; it ends when there are none left."""

    def __init__(self, seconds):
        self.seconds = list(seconds)

    def best_epoch(self, budget):
        if not self.seconds:
            raise dialogue.CrashError("it ended")
        return self.seconds.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def past(digit):
    return commits.Past(digit * 40, datetime(1970, 1, 2, tzinfo=UTC), Path())


@pytest.fixture
def timed():
    """Two commits and three libraries: `torch` is missing, `jax` ends in the second round, commit b cannot train."""
    seconds = {"numpy": [0.4, 0.6, 0.5], "jax": [0.1], A: [0.1, 0.2, 0.2]}

    def maker(name):
        def make():
            if name == "torch":
                raise process.MissingError("no module")
            if name == B:
                raise dialogue.CrashError("cannot train")
            return Process(seconds[name])

        return make

    return turns.in_turns("work", {name: maker(name) for name in ("numpy", "torch", "jax", A, B)}, 0.1, 0.0)


def test_turns_by_hand(timed):
    assert timed.seconds == {"numpy": [0.4, 0.6, 0.5], A: [0.1, 0.2, 0.2]}
    assert timed.failed == {"torch": "no module", "jax": "it ended", B: "cannot train"}
    assert timed.ratio("numpy", A) == pytest.approx(3)  # of 4, 3 and 2.5
    assert timed.median("numpy") == 0.5


def test_asvs_files_have_the_figures_and_say_what_failed(timed, tmp_path):
    choices = {"library": ["numpy", "torch"], "network": [NET, "784-128-10"], "batch (rows)": [10]}
    described = {name: benchmark(name, **choices) for name in (results.RATIO, results.THEIR_STEP)}
    shape = {"batch norm": ["none", "after_relu"], "batch (rows)": [128], "threads": [1, 2]}
    described[results.OUR_STEP] = benchmark(results.OUR_STEP, network=[NET], **shape)
    files = Files(tmp_path)
    files.list(*described.values())
    machine = results.write_machine(tmp_path, "here")
    found = results.Found({(NET, "10"): timed}, {NET: timed}, 100)
    results.save(tmp_path, machine, [past("a"), past("b")], described, found)
    (history,) = files.read()
    assert history.machine["machine"] == "here"
    assert [commit.hash[0] for commit in history.commits] == ["a"]
    key = (("library", "'numpy'"), ("network", f"'{NET}'"), ("batch (rows)", "10"))
    values = history.commits[0].values
    assert values[versus.TIMES_AS_LONG] == {key: pytest.approx(3)}
    assert values[results.THEIR_STEP] == {key: pytest.approx(50_000)}  # ten steps
    ours = (("network", f"'{NET}'"), ("batch norm", "'none'"), ("batch (rows)", "128"), ("threads", "2"))
    assert values[results.OUR_STEP] == {ours: 0.2}
    assert history.left_out == ["commit bbbbbbbb: every benchmark failed"]
    written = json.loads((tmp_path / "here" / f"{'a' * 8}-{results.ENVIRONMENT}.json").read_text(encoding="utf-8"))
    assert all(math.isnan(value) for value in written["results"][results.RATIO][0][1:])  # skipped, not failed


def test_headline_benchmark_runs_as_often_as_the_time_allows():
    class Step:
        calls = 0

        def time_steps(self):
            self.calls += 1

    step = Step()
    worker = load("past.steps")
    assert 0 <= worker.quickest(step, 0.01) < 0.01
    assert step.calls > 1
    worker.quickest(step, 0.0)


def test_training_of_a_commit_takes_the_steps_of_numpy():
    one_batch = task.Task((16, 12, 7, 3), 100, 1, 100)  # the order of rows does not matter
    ours, numpys = training.Past(one_batch), load("peers.numpy_loop").make(one_batch)
    for each in (ours, numpys):
        each.begin(3)
        for seed in range(30):
            each.epoch(seed, one_batch.rates(seed))
    for mine, their in zip(ours.net.weights, numpys.weights, strict=True):
        np.testing.assert_allclose(mine, their, rtol=0, atol=1e-4)
    assert ours.predict(one_batch.rows()[0]).shape == (100,)


@pytest.mark.parametrize("module", ["past.training", "past.steps"])
def test_process_of_a_commit_answers(module):
    small = task.Task((8, 4, 2), 10, 1, 20)
    arguments = [json.dumps(dataclasses.asdict(small))] if module == "past.training" else ["784-20-7-5-10"]
    here = commits.Past("a" * 40, datetime(1970, 1, 2, tzinfo=UTC), ROOT)
    with commits.PastWorker(here, package.THREADS, module, *arguments) as process:
        assert 0 < process.best_epoch(0.0) < 600


def test_tasks_are_those_of_the_benchmark():
    networks, batches = history.NETWORKS, history.BATCHES
    text = (history.FOLDER / "benchmarks" / "libraries.py").read_text(encoding="utf-8")
    assert f"NETWORKS, {list(batches)})" in text
    assert f"SAMPLES = {history.SAMPLES:_}" in text
    assert f"THREADS = {history.THREADS}" in text
    headline = dict(trends.HEADLINES[0].parameters)
    assert headline["batch norm"] == repr(package.NORM)
    assert (headline["batch (rows)"], headline["threads"]) == (str(package.BATCH), str(package.THREADS))
    assert f"NETWORKS = {json.dumps(networks)}" in (history.FOLDER / "benchmarks" / "_data.py").read_text(
        encoding="utf-8"
    )


def test_too_few_commits_are_an_error(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert history.main(["--commits", "1", "--results", str(tmp_path / "results")]) == 2
    assert "expected at least 2 commits, got 1" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
