"""The benchmark gate. Its builds are this Python with different environment variables, which decide how they differ."""

import functools
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from asv.util import ProcessError
from asv_files import FOLDER, load
from asv_suite import load as load_suite
from processes import PROGRAMS, answer

from fastmlp import kernels

gate = load("gate")
builds = load("pairs.builds")
comparison = load("pairs.comparison")
counts = load("pairs.counts")
dialogue = load("dialogue")
errors = load("pairs.errors")
measures = load("pairs.measures")
process = load("pairs.process")
selection = load("pairs.selection")
timing = load("pairs.timing")
suites = load("pairs.suites")
touched = load("pairs.touched")
verdict = load("pairs.verdict")
Measure = measures.Measure
LOOP = {"name": "suite.Loop.time_loop", "param_names": ["n", "threads"], "params": [["1000", "2000"], ["1", "2"]]}
ODD = {"name": "suite.Odd.time_nothing", "param_names": [], "params": []}
TRACK = LOOP | {"name": "suite.Loop.track_n", "type": "track"}
BENCHMARKS = [LOOP | {"type": "time"}, ODD | {"type": "time"}, TRACK]
(ODD_CASE,) = selection.select(BENCHMARKS, ["Odd"])
CHILD, MEMORY = (
    selection.Case(name, (), None, measure)
    for name, measure in [("suite.Child.time_process", Measure.CHILDREN), ("suite.Memory.peakmem_bytes", Measure.PEAK)]
)


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """The folder of a small suite, of whose processes a round measures a single pair."""
    monkeypatch.setitem(timing.SECONDS, Measure.CHILDREN, 0.0)
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    shutil.copy(PROGRAMS / "gate_suite.py", folder / "suite.py")
    return folder


def build(label="build", **variables):
    return process.Build(label, (sys.executable,), variables)


def silent(_):
    pass


def compare(builds, suite, *groups, **options):
    return comparison.Rounds(builds, suite, silent, **options).compare(groups)


def test_more_work_is_slower_by_cpu_time_and_by_the_wall_clock(suite):
    cases = selection.select(BENCHMARKS, [r"time_loop\(2000, 1", r"time_loop\(2000, 2"])
    assert [case.measure for case in cases] == [Measure.CPU, Measure.WALL]
    findings = compare((build(), build(FACTOR="3")), suite, cases)
    assert [(f.case, f.verdict.name) for f in findings] == [(case, "SLOWER") for case in cases]
    assert all(f.low < f.ratio < f.high and f.rounds >= f.case.measure.looks[0] for f in findings)
    assert all(f.base > 1e-6 for f in findings)


@pytest.mark.skipif(not Measure.PEAK.available, reason="this system measures neither")
def test_more_work_is_slower_by_the_time_of_other_processes_and_by_memory(suite):
    findings = compare((build(), build(FACTOR="3")), suite, [CHILD, MEMORY])
    assert {f.case: f.verdict.name for f in findings} == dict.fromkeys([CHILD, MEMORY], "SLOWER")
    of = {f.case: f for f in findings}
    assert of[CHILD].base > 1e-3
    assert 90e6 < of[MEMORY].head - of[MEMORY].base < 110e6


class FakeWorker:
    """Says that what it starts takes so many seconds of CPU time; every third time it takes ten times as long."""

    def __init__(self, seconds):
        self.seconds, self.asked = seconds, 0

    def send(self, request):
        assert "setup" in request

    def receive(self):
        return {}

    def ask(self, request):
        assert request["calls"] == 1
        self.asked += 1
        return {"wall": 0.0, "cpu": 0.0, "children": self.seconds * (10 if self.asked % 3 == 0 else 1)}


@pytest.mark.parametrize(("seconds", "pairs"), [(0.1, 5), (30.0, 1)])
def test_a_round_starts_quick_processes_several_times_and_takes_the_median(seconds, pairs):
    base, head = FakeWorker(seconds), FakeWorker(1.5 * seconds)
    base.asked = 1  # so that no pair has both disturbances
    sample = timing._measured(base, head, CHILD, [0], {CHILD: None}, random.Random(0))
    assert head.asked == pairs
    assert math.exp(sample.log_ratio) == pytest.approx(1.5)


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_when_the_time_is_over_no_round_begins(suite, seconds):
    cases = selection.select(BENCHMARKS, [r"time_loop\(2000, [12]"])
    findings = compare((build(), build()), suite, cases[:1], cases[1:], seconds=seconds)
    assert len(findings) < 2
    assert all(f.rounds < f.case.measure.looks[0] for f in findings)
    reasons = comparison.not_measured(cases, findings, cases[1:])
    assert reasons[cases[1]] == "no time was left; the change cannot touch it"


def test_the_change_comes_first_and_what_takes_long_last():
    cases = selection.select(BENCHMARKS, ["time_loop"])
    assert comparison.in_order([CHILD, *cases], [cases[0]]) == [cases[1:], [CHILD], [cases[0]]]


def test_the_proof_ends_when_its_slowdown_is_found(suite):
    cases = selection.select(BENCHMARKS, [r"time_loop\(2000, [12]"])
    findings = compare((build(), build(FACTOR="3")), suite, cases[:1], cases[1:], enough=cases[:1])
    assert [f.case for f in findings] == cases[:1]


def test_rounds_take_turns_with_the_compilations():
    one = process.Build("x", (), {process.CACHE: "folder"})
    assert [one.compilation(n).variables[process.CACHE] for n in range(3)] == ["folder-0", "folder-1", "folder-0"]
    assert build().compilation(1) == build()


def test_what_fails_in_the_base_alone_is_not_compared(suite):
    cases = selection.select(BENCHMARKS, ["Odd", r"time_loop\(1000, 1"])
    reasons = comparison.warm_up((build("old", ODD="fail"), build("new")), suite, cases)
    assert reasons == {ODD_CASE: "fails in the base, old: AttributeError: no such kernel"}


def test_what_fails_in_the_head_ends_the_comparison(suite):
    with pytest.raises(errors.GateError, match=r"Odd.time_nothing fails in the head, new: AttributeError: no such ker"):
        comparison.warm_up((build(), build("new", ODD="fail")), suite, [ODD_CASE])


@pytest.mark.parametrize("skipping", [0, 1])
def test_nothing_to_compare_is_no_pass(suite, skipping):
    both = [build(), build()]
    both[skipping] = build(ODD="skip")
    with pytest.raises(errors.GateError, match=r"nothing to compare: suite.*no such thing here"):
        comparison.warm_up(tuple(both), suite, [ODD_CASE])


def test_crash_is_reported_with_its_last_line(suite):
    with pytest.raises(dialogue.CrashError, match="the process of new ended with 3: out of luck"):
        comparison.warm_up((build(), build("new", ODD="crash")), suite, [ODD_CASE])


def test_benchmark_that_stops_working_ends_the_comparison(suite):
    with pytest.raises(errors.GateError, match="ran before and now does not"):
        compare((build(), build(ODD="fail")), suite, [ODD_CASE])


def test_every_kernel_prediction_and_training_are_among_the_usual_benchmarks():
    cases = selection.select(discovered(), selection.DEFAULT)
    scenarios = [
        ("gather", "Gather"), ("linear", "Linear"), ("relu_batchnorm", "Relu"), ("relu_batchnorm", "ReluBatchNorm"),
        ("relu_batchnorm", "BatchNormRelu"), ("softmax", "Softmax"), ("update", "Sgd"), ("prediction", "Prediction"),
        ("prediction", "EstimatorOneRow"), ("training", "Step"), ("training", "StepInBfloat16"), ("training", "Rule"),
        ("training", "Call"), ("activations", "Activation"), ("dropout", "Dropout"), ("losses", "Loss"),
        ("startup", "Startup"), ("startup", "ColdStart"), ("memory", "ProcessMemory"),
    ]  # fmt: skip
    measured = {
        f"{stem}.{scenario}.{method}"
        for stem, scenario in scenarios
        for method in dir(getattr(load_suite(stem), scenario))
        if method.startswith(("time_", "track_", "peakmem_"))
    }
    assert {case.name for case in cases} == measured
    sources = "".join((FOLDER / "benchmarks" / f"{stem}.py").read_text(encoding="utf-8") for stem, _ in scenarios)
    assert [name for name in kernels.__all__ if f"kernels.{name}(" not in sources] == []
    assert {case.measure for case in cases} == set(Measure)
    usual = "\n".join(map(str, cases))
    assert all(selection.select(discovered(), [pattern]) for pattern in selection.DEFAULT), "a pattern matches nothing"
    assert "import fastmlp" in usual
    assert "first training" in usual


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("training.Rule.time_steps('adam', '784-128-10', 128)", Measure.CPU),
        ("prediction.OneRow.time_predict_proba('784-128-10')", Measure.CPU),
        ("linear.LinearByWidth.time_forward(16, 'float32')", Measure.CPU),
        ("training.Step.time_steps('784-128-10', 'none', 128, 2)", Measure.WALL),
        ("startup.Startup.time_process('import numba')", Measure.CHILDREN),
        ("startup.ColdStart.track_first_training", Measure.CHILDREN),
    ],
)
def test_measures(name, measure):
    found = {str(case): case.measure for case in selection.select(discovered(), [re.escape(name)])}
    assert found == {name: measure}


@functools.cache
def discovered():
    """Return the benchmarks that asv discovers in the suite, with the fields that the selection reads."""
    names = ("name", "type", "params", "param_names")
    return [dict(zip(names, row, strict=True)) for row in answer("discover_benchmarks", FOLDER / "benchmarks")]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("nothing like it", "unknown benchmark: nothing matches 'nothing like it'"),
        ("(", r"expected a regular expression, got '\('"),
        ("track_n", r"track_n\(1000, 1\): expected a benchmark of time or peak memory, got one of type 'track'"),
    ],
)
def test_bad_patterns(pattern, message):
    with pytest.raises(errors.GateError, match=message):
        selection.select(BENCHMARKS, ["Odd", pattern])


def git(folder, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, which the gate uses in place of this one."""
    folder = tmp_path / "repository"
    shutil.copytree(FOLDER, folder / "asv_bench", ignore=shutil.ignore_patterns("env", "results", "html"))
    (folder / "file").write_text("a", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    monkeypatch.setattr(builds, "FOLDER", folder / "asv_bench")
    monkeypatch.chdir(tmp_path)  # make_builds changes it
    return folder


@pytest.mark.parametrize(("factor", "status"), [("1", 0), ("3", 1)])
def test_command_from_end_to_end(factor, status, suite, tmp_path, monkeypatch, capsys):
    def make_builds(commits):
        assert commits == {"base": "HEAD~1", "head": "HEAD"}
        os.chdir(suite)  # asv's functions do the same
        return [build("aaaa"), build("bbbb", FACTOR=factor, ODD="skip")], BENCHMARKS

    monkeypatch.setattr(builds, "check_tree", lambda: None)
    monkeypatch.setattr(builds, "make_builds", make_builds)
    monkeypatch.setattr(builds, "benchmark_folder", lambda: suite)
    gone = ODD | {"name": "suite.Gone.time_it", "type": "time"}
    monkeypatch.setattr(suites, "compare_suites", lambda *_: suites.Suites([gone], ["asv.conf.json differs in x."]))
    monkeypatch.setattr(touched, "changed_files", lambda *_: ["pyproject.toml"])
    monkeypatch.chdir(tmp_path)
    options = ["--no-counts", "--markdown", "report.md", "--json", "all.json"]
    assert gate.main(["--bench", r"time_loop\(2000, 1\)", "Odd", "Gone", *options]) == status
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text
    assert ("**slower**" in text) == (status == 1)
    assert "2 not compared" in text.splitlines()[0]
    assert "no such thing here" in text
    assert "- `suite.Gone.time_it`: only the base's benchmarks have it" in text
    assert "asv.conf.json differs in x." in text
    found = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert (found["base"], found["head"], len(found["findings"])) == ("aaaa", "bbbb", 1)


def test_a_folder_without_history_has_no_verdict(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(builds, "FOLDER", tmp_path / "asv_bench")
    (tmp_path / "asv_bench").mkdir()
    assert gate.main([]) == 2
    assert f"expected a clone of the repository in {tmp_path}" in capsys.readouterr().err


def test_dirty_tree_has_no_verdict(repository, capsys):
    (repository / "file").write_text("b", encoding="utf-8")
    assert gate.main([]) == 2
    assert "no verdict: the working tree is dirty" in (said := capsys.readouterr().err)
    assert said.rstrip().endswith("commit or stash file")


def test_unknown_commit_has_no_verdict(repository, capsys):
    assert gate.main(["HEAD", "no-such-commit"]) == 2
    assert "unknown commit: expected the name of a commit for head, got 'no-such-commit'" in capsys.readouterr().err


def test_commit_that_does_not_build_has_no_verdict(repository, capsys, monkeypatch):
    def fail(*_):
        raise ProcessError(["pip"], 1, "Collecting\nerror: no such backend", "")

    monkeypatch.setattr("asv.plugins.virtualenv.Virtualenv.create", lambda self: None)
    monkeypatch.setattr("asv.plugins.virtualenv.Virtualenv.install_project", fail)
    assert gate.main(["HEAD", "HEAD"]) == 2
    said = capsys.readouterr().err
    assert f"base, commit {git(repository, 'rev-parse', 'HEAD')[:8]}, does not build" in said
    assert "error: no such backend" in said


def test_missing_package_is_named_with_its_remedy(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pairs", None)
    for name in [name for name in sys.modules if name.startswith("pairs.")]:
        monkeypatch.setitem(sys.modules, name, None)
    assert gate.main([]) == 2
    assert "is not installed: python -m pip install --group bench" in capsys.readouterr().err


def test_counts_need_valgrind(monkeypatch, suite):
    monkeypatch.setenv("PATH", "")
    counted = counts.count((build(), build()), suite, [ODD_CASE])
    assert counted.missing == "valgrind is not installed"
    assert not counted.instructions


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="without valgrind nothing is counted")
def test_counts_follow_the_work(suite):
    (case,) = selection.select(BENCHMARKS, [r"time_loop\(1000, 1\)"])
    counted = counts.count((build(), build(FACTOR="2")), suite, [case])
    assert not counted.missing
    base, head = counted.instructions[case]
    assert base > 1000
    assert 1.6 < head / base < 2.4


def test_a_benchmark_of_the_suite_runs_in_both_builds():
    (case,) = selection.select(discovered(), [r"softmax\.Softmax\.time_softmax\(10, 1000, 1\)"])
    found = timing.one_round((build(), build()), FOLDER / "benchmarks", {case: None}, 0, random.Random(1))
    assert found[case].base > 1e-6
    assert found[case].head > 1e-6


def test_a_worker_inherits_no_python_path(suite, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(os.sep, "nowhere")))
    (suite / "paths.py").write_text(
        "import os\ndef setup():\n    assert 'PYTHONPATH' not in os.environ\ndef time_it():\n    pass\n",
        encoding="utf-8",
    )
    case = selection.Case("paths.time_it", (), None, Measure.WALL)
    assert comparison.warm_up((build(), build()), suite, [case]) == {}
