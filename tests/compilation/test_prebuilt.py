"""Compiled kernels in the package: they are used where they fit, and give the same bits as kernels compiled here."""

import itertools
import json
import shutil
import subprocess
import sys

import pytest
from installations import Installation
from processes import answer
from ranks import together

from fastmlp import ahead, prebuild
from fastmlp.compilation.levels import BY_MACHINE, usable_levels
from fastmlp.compilation.prebuilt import MANIFEST, choose, circumstances
from fastmlp.compilation.store import SUFFIX

LEVELS = usable_levels()
needs_level = pytest.mark.skipif(not LEVELS, reason="no level is known for this CPU")


@pytest.fixture(autouse=True)
def plain_settings(monkeypatch):
    for name in ("NUMBA_BOUNDSCHECK", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path):
    """A folder for compiled kernels, still empty, for all levels of this CPU."""
    for level in LEVELS:
        (tmp_path / level.name).mkdir()
    (tmp_path / MANIFEST).write_text(json.dumps(circumstances()), encoding="utf-8")
    return tmp_path


@needs_level
def test_the_highest_level_is_chosen(folder):
    found, reason = choose(folder)
    assert (found.level, found.folder) == (LEVELS[0], folder / LEVELS[0].name)
    assert LEVELS[0].name in reason
    shutil.rmtree(folder / LEVELS[0].name)
    following = choose(folder)
    assert following.found is None if len(LEVELS) == 1 else following.found.level == LEVELS[1]


def test_why_none_is_chosen(folder, tmp_path, monkeypatch):
    for level in LEVELS:
        (folder / level.name).rmdir()
    assert choose(folder) == (None, "none of their levels fits this CPU")
    for name, value in circumstances().items():
        (folder / MANIFEST).write_text(json.dumps(circumstances() | {name: "other"}), encoding="utf-8")
        assert choose(folder) == (None, f"they were compiled for {name} other, here is {value}")
    (folder / MANIFEST).write_text("{", encoding="utf-8")
    assert choose(folder).reason.startswith("the compiled kernels of this installation cannot be read")
    (folder / MANIFEST).unlink()
    assert choose(folder).reason == "this installation came without compiled kernels"
    (folder / MANIFEST).write_text(json.dumps(circumstances()), encoding="utf-8")
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert choose(folder) == (None, "NUMBA_BOUNDSCHECK is set")


def test_levels_go_down():
    for levels in BY_MACHINE.values():
        for higher, lower in itertools.pairwise(levels):
            assert set(lower.features) < set(higher.features)


@needs_level
def test_a_process_loads_them_and_compiles_nothing(tmp_path):
    """One kernel, compiled in a process of its own, as `fastmlp.prebuild` does it, for less than this CPU has."""
    installation, level = Installation(tmp_path), LEVELS[-1]
    target, cache = installation.package / "prebuilt", tmp_path / level.name
    settings = {"NUMBA_CPU_NAME": level.cpu, "NUMBA_CPU_FEATURES": level.flags}
    assert installation.run(NUMBA_CACHE_DIR=str(cache), **settings)["misses"] == 1
    (target / level.name).mkdir(parents=True)
    for file in cache.rglob(f"*{SUFFIX}"):
        shutil.move(file, target / level.name / file.name)
    found = "import json; from fastmlp.compilation.prebuilt import circumstances as c; print(json.dumps(c()))"
    written = subprocess.run(
        [sys.executable, "-P", "-c", found],
        env={"PYTHONPATH": str(installation.package.parent), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (target / MANIFEST).write_text(written, encoding="utf-8")
    result = installation.run()
    assert (result["value"], result["hits"], result["misses"]) == (2.0, 1, 0)
    assert installation.files() == [], "nothing to keep"
    shutil.rmtree(target / level.name)
    assert installation.run()["misses"] == 1, "no level is left"


def test_each_level_has_its_folder(tmp_path, monkeypatch):
    seen = []

    def pretend(command, env, check):
        seen.append((command[-3:], env["NUMBA_CPU_NAME"], env["NUMBA_CPU_FEATURES"]))
        (prebuild.Path(env["NUMBA_CACHE_DIR"]) / f"some{SUFFIX}").write_bytes(b"")

    monkeypatch.setattr(prebuild.subprocess, "run", pretend)
    prebuild.build(tmp_path / "out")
    assert seen == [(["compile", "--all", "--quiet"], level.cpu, level.flags) for level in LEVELS]
    assert json.loads((tmp_path / "out" / MANIFEST).read_text()) == circumstances()
    for level in LEVELS:
        assert [file.name for file in (tmp_path / "out" / level.name).iterdir()] == [f"some{SUFFIX}"]


def test_a_training_by_mpi_compiles_nothing_then():
    # into the cache of all tests, where those by MPI find them: half a minute less than a cache of its own
    answer("compiled_for_mpi", "ahead")
    result = together(2, "compiled_for_mpi", "train")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == [[], []]


def test_every_job_runs():
    jobs = ahead.usual_jobs() + ahead.other_jobs()
    assert len(set(jobs)) == len(jobs)
    for job in jobs:
        ahead.run(job)
