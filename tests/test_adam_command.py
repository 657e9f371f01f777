"""The command that times Adam beside plain SGD, and beside the time in which memory moves Adam's bytes."""

import re

import numpy as np
import pytest
from peer_commands import load, run_command


def test_table_of_a_run():
    done = run_command("adam.py", "--nets", "20-8-3", "--batches", "32", "128", "--threads", "1", "--rounds", "2")
    assert done.returncode == 0, done.stderr
    title, _, head, _, first, second, _, *notes = done.stdout.splitlines()
    assert title == "**A step of Adam beside plain SGD's, 1 thread, float32**"
    assert head == "| network | batch | SGD, µs | Adam, µs | Adam ÷ SGD | bytes of Adam, µs | of its step |"
    for line, batch in ((first, 32), (second, 128)):
        assert re.fullmatch(rf"\| 20-8-3 \| {batch} \| [\d.,]+ \| [\d.,]+ \| \d+\.\d\d \| \d+\.\d \| \d+% \|", line)
    assert "FMA peak" in notes[1]


def test_figures_by_hand(monkeypatch, capsys):
    command = load("adam")
    monkeypatch.setattr(command, "steps", lambda *_: ([10e-6, 20e-6, 40e-6], [12e-6, 30e-6, 40e-6]))
    monkeypatch.setattr(command, "bound", lambda parameters, threads, repeats: parameters * threads * 1e-9)
    monkeypatch.setattr(command, "machine", lambda threads: [f"a machine of {threads}"])
    assert command.main(["--nets", "784-128-10", "--batches", "32", "--threads", "2"]) == 0
    # 784 · 128 + 128 + 128 · 10 + 10 parameters
    assert capsys.readouterr().out.splitlines()[4:] == [
        "| 784-128-10 | 32 | 20.0 | 30.0 | 1.20 | 203.5 | 678% |",
        "",
        "- a machine of 2",
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_bound_reads_and_writes_every_element(threads, monkeypatch):
    command, arrays = load("adam"), []
    zeros = np.zeros
    monkeypatch.setattr(command.np, "zeros", lambda *arguments: arrays.append(zeros(*arguments)) or arrays[-1])
    monkeypatch.setattr(command, "SWEEP_BYTES", 24 * 1000 * 7)
    assert command.bound(1000, threads, repeats=2) > 0
    whole = next(array for array in arrays if array.shape == (3, 1000))
    assert (whole[:, 1:] == 2 * 7).all()


@pytest.mark.parametrize("arguments", [["--nets", "20"], ["--batches", "0"], ["--rounds", "x"], ["--threads", "0"]])
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("adam").parse(arguments)
    assert arguments[0] in capsys.readouterr().err
