"""Turns: one process at a time, and no process waits for a dead one."""

import subprocess
import sys

from fastmlp.system.turns import Turn

HOLD = "import sys, pathlib; from fastmlp.system.turns import Turn; t = Turn(pathlib.Path(sys.argv[1])); t.wait(0); "


def _holder(path):
    code = HOLD + "print('held', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_one_at_a_time(tmp_path):
    with _holder(tmp_path / "lock") as other:
        mine = Turn(tmp_path / "lock")
        assert not mine.wait(0.2)
        other.communicate("\n")
        assert mine.wait(10)
        mine.end()


def test_a_dead_process_holds_nothing(tmp_path):
    with _holder(tmp_path / "lock") as other:
        other.kill()
        other.wait()
        mine = Turn(tmp_path / "lock")
        assert mine.wait(10)
        mine.end()
        mine.end()


def test_no_turn_where_there_is_no_folder(tmp_path):
    turn = Turn(tmp_path / "missing" / "lock")
    assert not turn.wait(0)
    turn.end()
