"""The fuzzers: some cases of each pass, and they report the errors that they find."""

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import __main__ as fuzz
from fuzz import files, worker
from fuzz.targets import TARGETS

CASES = {"training": 5, "prediction": 15, "kernels": 10, "estimators": 5, "files": 100}  # .ci/run tries more


def test_every_target_is_here():
    assert set(CASES) == set(TARGETS) == set(fuzz.BATCH)


@pytest.mark.parametrize("name", CASES)
def test_some_cases(name, tmp_path):
    done, failure = worker.tries(TARGETS[name], 12345, CASES[name], worker.Note(tmp_path / "note"))
    assert failure is None, failure
    assert done >= CASES[name]


@pytest.mark.parametrize("kind", files.NAMES)
def test_good_files_are_read(kind, tmp_path):
    for seed in range(8):
        path = tmp_path / files.NAMES[kind]
        path.write_bytes(files.original(kind, seed))
        if not kind.endswith(" header"):
            files.READERS[kind](path)


@pytest.mark.parametrize("kind", files.NAMES)
@pytest.mark.parametrize("change", files.CHANGES)
def test_changes_change(kind, change):
    damaged = [files.Damaged(kind, 1, ((change, at, 129),)).content() for at in (1, 9, 20, 33)]
    assert any(content != files.original(kind, 1) for content in damaged)


BROKEN = {
    "fails": "assert case < 7, 'too large'",
    "crashes": "import os; os.abort() if case > 7 else None",
    "hangs": "import time; time.sleep(99) if case > 7 else None",
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_found_is_reported(how, tmp_path, monkeypatch):
    """Targets that fail, kill their process, or never end: each is reported with its case."""
    program = tmp_path / "fuzz"
    program.mkdir()
    for name in ("__init__.py", "worker.py"):
        (program / name).write_bytes((Path(fuzz.__file__).parent / name).read_bytes())
    (program / "targets.py").write_text(
        "from hypothesis import strategies as st\n"
        f"class Broken:\n    CASES = st.integers(0, 9)\n    def check(case):\n        {BROKEN[how]}\n"
        "TARGETS = {'files': Broken}\n"
    )
    monkeypatch.setattr(fuzz, "TESTS", tmp_path)
    found = fuzz.Fuzzer("files", 1, tmp_path, hang=8)
    found.batch(0, 30)
    reports = {"fails": found.found.failures, "crashes": found.found.crashes, "hangs": found.found.hangs}
    assert [len(reports[name]) for name in reports] == [int(name == how) for name in reports]
    assert {"fails": "case=7", "crashes": "at\n8", "hangs": "at\n8"}[how] in reports[how][0].replace("at\n9", "at\n8")
    assert f"| {found.found.cases} |" in fuzz.table({"files": found.found})


def test_a_run(monkeypatch, capsys):
    monkeypatch.setitem(fuzz.BATCH, "files", 20)
    assert fuzz.main(["--targets", "files", "--batches", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("| files | 20 | 0 | 0 | 0 |")


def test_the_help():
    command = [sys.executable, str(Path(fuzz.__file__).parent), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--batches" in done.stdout
