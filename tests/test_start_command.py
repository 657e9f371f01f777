"""The command that times whole programs with an empty and with a full cache: README's programs, right medians."""

import argparse
import re
import sys

import pytest
from peer_commands import load, run_command

pytest.importorskip("sklearn")


def test_a_table():
    done = run_command("start.py", "--tasks", "fastmlp --help", "--rounds", "1", "--python", f"now={sys.executable}")
    assert done.returncode == 0, done.stderr
    title, _, head, _, row, *_ = done.stdout.splitlines()
    assert title == "**Seconds of a whole process, medians of 1 rounds**"
    assert head == "| task | now, cold | now, warm |"
    assert re.fullmatch(r"\| fastmlp --help \| \d+\.\d\d \| \d+\.\d\d \|", row)


def test_medians():
    start = load("start")
    args = argparse.Namespace(rounds=3, tasks=["one"], python=[("a", ""), ("b", "")])
    found = {("one", "a"): [(3, 1), (9, 2), (4, 6)], ("one", "b"): [(1, 1)] * 3}
    assert start.table(args, found)[-1] == "| one | 4.00 | 2.00 | 1.00 | 1.00 |"


def test_a_program_that_fails_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="ended with 3: it broke"):
        load("start").seconds(
            sys.executable, ["-c", "import sys; sys.stderr.write('it broke'); sys.exit(3)"], tmp_path, tmp_path
        )


def test_the_programs_are_those_of_readme():
    known = load("start").tasks()
    assert "fastmlp.datasets.mnist()" in known["ten lines"][1]
    assert "load_digits" in known["MLPClassifier on digits"][1]
    with pytest.raises(ValueError, match="behind the marker 'no such'"):
        load("start").example("no such")


@pytest.mark.parametrize(
    "arguments", [["--python", "x"], ["--python", "x=/no/such"], ["--tasks", "none"], ["--rounds", "0"]]
)
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("start").parse(arguments)
    assert arguments[0] in capsys.readouterr().err
