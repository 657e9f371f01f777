"""Commits of the past and other libraries in turns: which commits, their ratios, and asv's files."""

import json
import math
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asv_files import Files, benchmark, load, versus

history = load("history")
commits = load("past.commits")
results = load("past.results")
turns = load("past.turns")
task = load("peers.task")
process = load("peers.process")
dialogue = load("dialogue")

NET = "8-4-2"
TASK = task.Task((8, 4, 2), 10, 1, 100)  # ten steps


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
def timed(monkeypatch):
    """Two commits and three libraries: `torch` is missing, `jax` ends in the second round, commit b cannot train."""
    libraries = {"numpy": [0.4, 0.6, 0.5], "jax": [0.1]}
    seconds = {"a" * 40: [0.1, 0.2, 0.2]}

    def worker(name, task, python):
        if name not in libraries:
            raise process.MissingError("no module")
        return Process(libraries[name])

    def past_worker(commit, task):
        if commit.hash not in seconds:
            raise dialogue.CrashError("cannot train")
        return Process(seconds[commit.hash])

    monkeypatch.setattr(turns, "Worker", worker)
    monkeypatch.setattr(turns, "PastWorker", past_worker)
    return turns.in_turns(TASK, [past("a"), past("b")], ["numpy", "torch", "jax"], "python", 0.1, 0.0)


def test_turns_by_hand(timed):
    assert timed.seconds == {"numpy": [0.4, 0.6, 0.5], "a" * 40: [0.1, 0.2, 0.2]}
    assert timed.failed == {"torch": "no module", "jax": "it ended", "b" * 40: "cannot train"}
    assert timed.ratio("numpy", "a" * 40) == pytest.approx(3)  # of 4, 3 and 2.5
    assert timed.microseconds("numpy") == pytest.approx(50_000)


def test_asvs_files_have_the_ratios_and_say_what_failed(timed, tmp_path):
    choices = {"library": ["numpy", "torch"], "network": [NET, "784-128-10"], "batch (rows)": [10]}
    described = {name: benchmark(name, **choices) for name in (results.RATIO, results.STEP)}
    files = Files(tmp_path)
    files.list(*described.values())
    machine = results.write_machine(tmp_path, "here")
    results.save(tmp_path, machine, [past("a"), past("b")], described, [timed])
    (found,) = files.read()
    assert found.machine["machine"] == "here"
    assert [commit.hash[0] for commit in found.commits] == ["a"]
    key = (("library", "'numpy'"), ("network", f"'{NET}'"), ("batch (rows)", "10"))
    assert found.commits[0].values[versus.TIMES_AS_LONG] == {key: pytest.approx(3)}
    assert found.commits[0].values[results.STEP] == {key: pytest.approx(50_000)}
    assert found.left_out == ["commit bbbbbbbb: every benchmark failed"]
    written = json.loads((tmp_path / "here" / f"{'a' * 8}-in-turns.json").read_text(encoding="utf-8"))
    assert written["results"][results.RATIO][0][0] == pytest.approx(3)
    assert all(math.isnan(value) for value in written["results"][results.RATIO][0][1:])  # skipped, not failed


def test_tasks_are_those_of_the_benchmark():
    networks, batches = history.NETWORKS, history.BATCHES
    text = (history.FOLDER / "benchmarks" / "libraries.py").read_text(encoding="utf-8")
    assert f"NETWORKS, {list(batches)})" in text
    assert f"SAMPLES = {history.SAMPLES:_}" in text
    assert f"THREADS = {history.THREADS}" in text
    assert f"NETWORKS = {json.dumps(networks)}" in (history.FOLDER / "benchmarks" / "_data.py").read_text(
        encoding="utf-8"
    )


def test_too_few_commits_are_an_error(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert history.main(["--commits", "1", "--results", str(tmp_path / "results")]) == 2
    assert "expected at least 2 commits, got 1" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
