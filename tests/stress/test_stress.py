"""The stress run: some fits of every kind pass, and the run reports the errors that it finds."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from stress import __main__ as stress
from stress.child import KINDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")
FITS, CASES = 30, 6


def test_every_kind_is_here():
    assert tuple(KINDS) == stress.KINDS


def test_some_fits_of_every_kind(capsys, monkeypatch):
    monkeypatch.setattr(stress, "FITS", 6)
    assert stress.main(["--fits", str(FITS), "--cases", str(CASES), "--jobs", "2"]) == 0, capsys.readouterr().out
    lines = capsys.readouterr().out.splitlines()
    numbers = {line.split("|")[1].strip(): int(line.split("|")[2].replace(",", "")) for line in lines[2:]}
    assert numbers["fits whose bits were compared"] >= FITS
    assert numbers["processes"] >= len(KINDS)
    assert numbers["forks in the middle of a training"] > 0
    assert numbers["exits in the middle of a training"] > 0
    assert numbers["SIGSTOP and SIGCONT"] + numbers["changes of the cores"] > 0


BROKEN = {
    "wrong bits": ("child.say('fit', 3, 5, 'other'); child.say('end')", "fit 3 by 5 threads"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "ended by -11"),
    "hangs": ("import time; child.say('interrupted'); time.sleep(99)", "time.sleep(99)"),
    "an error": ("child.say('failed', 'forked process ended by 1')", "forked process ended by 1"),
    "no end": ("", "ended by 0"),
    "a word on stderr": ("child.say('end'); sys.stderr.write('a warning')", "a warning"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_found_is_reported(how, tmp_path, monkeypatch):
    does, text = BROKEN[how]
    program = tmp_path / "child.py"
    program.write_text(
        "import faulthandler, signal, sys\n"
        "from stress import child\n"
        f"def work():\n    {does or 'pass'}  # time.sleep(99)\n"
        "faulthandler.register(signal.SIGUSR1)\n"
        "work()\n"
    )
    monkeypatch.setattr(stress, "CHILD", program)
    expected = dict.fromkeys(range(CASES), "right")
    batch = stress.Batch(7, 11, FITS, expected, hang=8 if how == "hangs" else 60).run()
    kind = how if how in ("wrong bits", "hangs") else "crashes"
    assert [report.partition(":")[0] for report in batch.reports] == [kind]
    assert batch.counts[kind] == 1
    assert "python tests/stress --seed 7 --first 11 --fits 30" in batch.reports[0]
    assert text in batch.reports[0] or (how == "hangs" and "in work" in batch.reports[0])
    assert f"| 1 {kind} |" in stress.table(batch.counts, 2, 1.0)


def test_a_process_that_says_something_does_not_hang(tmp_path, monkeypatch):
    program = tmp_path / "child.py"
    program.write_text(
        "import os, time\n"
        "for _ in range(8):\n    time.sleep(0.5)\n    os.write(1, b'interrupted\\n')\n"
        "os.write(1, b'end\\n')"
    )
    monkeypatch.setattr(stress, "CHILD", program)
    batch = stress.Batch(7, 11, FITS, {0: ""}, hang=3).run()
    assert batch.reports == []
    assert batch.counts["interrupted"] == 8


def test_a_quiet_process_that_fails(tmp_path, monkeypatch):
    program = tmp_path / "child.py"
    program.write_text("raise SystemExit('broken')")
    monkeypatch.setattr(stress, "CHILD", program)
    with pytest.raises(RuntimeError, match="broken"):
        stress.quiet_digests(3)


def test_the_command_ends_with_1(monkeypatch, capsys):
    counts = Counter({"fits": 3, "hangs": 1})
    monkeypatch.setattr(stress, "run", lambda *_: (counts, ["hangs: the command"], 2))
    assert stress.main(["--fits", "3"]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("hangs: the command\n\n| what |")
    assert "| 0 | 1 hangs |" in printed


def test_the_help():
    command = [sys.executable, str(Path(stress.__file__).parent), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--fits" in done.stdout
