"""The benchmark gate where the base's benchmarks or its asv configuration differ from those of the working tree."""

import shutil
import subprocess
import sys

import pytest
from asv_files import FOLDER, load

builds = load("pairs.builds")
errors = load("pairs.errors")
process = load("pairs.process")
suites = load("pairs.suites")
BUILD = process.Build("base", (sys.executable,))
BENCHMARK = """class Loop:
    params = ([1, 2], [1])
    param_names = ("n", "threads")

    def time_loop(self, n, threads):
        pass
"""
REMOVED = """class Gone:
    def time_it(self):
        print("benchmarks may print")
"""


def benchmark(name, *params):
    names = ["n", "threads"] if params else []
    return {"name": name, "type": "time", "params": list(params), "param_names": names}


@pytest.fixture
def folder(tmp_path):
    """A repository's folder of asv's configuration, with a benchmark that the base and the working tree have."""
    folder = tmp_path / "asv_bench"
    (folder / "benchmarks").mkdir(parents=True)
    shutil.copy(FOLDER / "asv.conf.json", folder)
    (folder / "benchmarks" / "__init__.py").touch()
    (folder / "benchmarks" / "loop.py").write_text(BENCHMARK, encoding="utf-8")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    return folder


def git(folder, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder.parent, "add", "--all")
    git(folder.parent, "commit", "--quiet", "--message", "base")


def compared(folder, tree, patterns=("time_",), **options):
    git(folder.parent, "add", "--all")
    suite = suites.compare_suites(BUILD, "HEAD", folder)
    cases, left_out = suite.chosen(tree, patterns, all_used=options.get("all_used", True))
    return [str(case) for case in cases], {str(case): reason for case, reason in left_out.items()}, suite.notes


LOOP = benchmark("loop.Loop.time_loop", ["1", "2"], ["1"])


def test_the_same_suite_has_no_differences(folder):
    commit(folder)
    assert compared(folder, [LOOP]) == (["loop.Loop.time_loop(1, 1)", "loop.Loop.time_loop(2, 1)"], {}, [])


def test_changed_parameters_are_compared_where_both_have_them(folder):
    commit(folder)
    (folder / "benchmarks" / "loop.py").write_text(BENCHMARK.replace("[1, 2]", "[2, 3]"), encoding="utf-8")
    cases, left_out, notes = compared(folder, [benchmark("loop.Loop.time_loop", ["2", "3"], ["1"])])
    assert cases == ["loop.Loop.time_loop(2, 1)", "loop.Loop.time_loop(3, 1)"]
    assert left_out == {"loop.Loop.time_loop(1, 1)": "only the base's benchmarks have it with these parameters"}
    assert notes == []


def test_a_removed_benchmark_is_listed(folder):
    (folder / "benchmarks" / "gone.py").write_text(REMOVED, encoding="utf-8")
    commit(folder)
    (folder / "benchmarks" / "gone.py").unlink()
    cases, left_out, _ = compared(folder, [LOOP], ["Loop", "Gone"])
    assert len(cases) == 2
    assert left_out == {"gone.Gone.time_it": "only the base's benchmarks have it"}


def test_an_added_benchmark_is_run_in_both_builds(folder):
    commit(folder)
    (folder / "benchmarks" / "gone.py").write_text(REMOVED, encoding="utf-8")
    cases, left_out, _ = compared(folder, [LOOP, benchmark("gone.Gone.time_it")])
    assert "gone.Gone.time_it" in cases
    assert left_out == {}


def test_a_usual_benchmark_that_is_gone_is_no_error_but_an_unknown_one_is(folder):
    commit(folder)
    assert compared(folder, [LOOP], ["Loop", "nowhere"], all_used=False)[0]
    with pytest.raises(errors.GateError, match="unknown benchmark: nothing matches 'nowhere'"):
        compared(folder, [LOOP], ["Loop", "nowhere"])


def test_a_changed_configuration_is_noted(folder):
    commit(folder)
    settings = (folder / "asv.conf.json").read_text(encoding="utf-8")
    (folder / "asv.conf.json").write_text(settings.replace('"numba": ["', '"numba": ["0.', 1), encoding="utf-8")
    _, _, notes = compared(folder, [LOOP])
    assert notes == ["asv.conf.json differs in matrix: both builds were made by the working tree's."]


@pytest.mark.parametrize("content", ["{", None])
def test_a_configuration_of_the_base_that_cannot_be_read_is_noted(folder, content):
    good = (folder / "asv.conf.json").read_text(encoding="utf-8")
    if content is None:
        (folder / "asv.conf.json").unlink()
    else:
        (folder / "asv.conf.json").write_text(content, encoding="utf-8")
    commit(folder)
    (folder / "asv.conf.json").write_text(good, encoding="utf-8")
    _, left_out, notes = compared(folder, [LOOP])
    assert left_out == {}
    assert notes == ["The base's asv.conf.json cannot be read: both builds were made by the working tree's."]


def test_a_configuration_of_the_tree_that_cannot_be_read_has_no_verdict(folder, monkeypatch):
    monkeypatch.setattr(builds, "FOLDER", folder)
    (folder / "asv.conf.json").write_text("{", encoding="utf-8")
    with pytest.raises(errors.GateError, match="asv cannot read its configuration: "):
        builds.benchmark_folder()


def test_benchmarks_of_the_base_that_cannot_be_imported_are_noted(folder):
    (folder / "benchmarks" / "gone.py").write_text("import no_such_module\n", encoding="utf-8")
    commit(folder)
    (folder / "benchmarks" / "gone.py").unlink()
    cases, left_out, notes = compared(folder, [LOOP])
    assert (len(cases), left_out) == (2, {})
    assert notes == ["The base's own benchmarks cannot be imported: what it alone has is unknown."]


def test_a_base_without_benchmarks_is_noted(folder):
    (folder.parent / "file").touch()
    git(folder.parent, "add", "file")
    git(folder.parent, "commit", "--quiet", "--message", "base")
    cases, left_out, notes = compared(folder, [LOOP])
    assert (len(cases), left_out, notes) == (2, {}, ["The base has no benchmarks of its own."])
