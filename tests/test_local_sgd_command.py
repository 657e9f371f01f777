"""Accuracies of local SGD beside one machine: the table has all that was asked for."""

import re

import pytest
from peer_commands import load, run_command

pytest.importorskip("distributed")

FIGURE = r"0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)"


def test_a_table():
    options = ["--rows", "300", "--epochs", "2", "--seeds", "2", "--workers", "2", "--sync", "1", "2s", "--batch", "32"]
    done = run_command("local_sgd.py", "--data", "digits", *options)
    assert done.returncode == 0, done.stderr
    title, _, head, _, one, *rows = done.stdout.splitlines()
    assert title == "**Test accuracy on digits, 300 rows, 2 epochs, mini-batches of 32, 2 seeds**"
    assert head == "| average every | 2 workers |"
    assert re.fullmatch(rf"\| one machine \| {FIGURE} \|", one)
    assert re.fullmatch(rf"\| 1 epoch \| {FIGURE} \|", rows[0])
    assert re.fullmatch(rf"\| 2 steps \| {FIGURE} \|", rows[1])


@pytest.mark.parametrize("arguments", [["--sync", "0"], ["--sync", "x"], ["--data", "none"], ["--workers", "0"]])
def test_wrong_options(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        load("local_sgd").parse(arguments)
    assert arguments[0] in capsys.readouterr().err


def test_the_first_rows_are_mixed():
    X, y, X_test, _ = load("local_sgd").load("mnist", 500)
    assert (X.shape, X.dtype, X_test.shape) == ((500, 784), "float32", (10_000, 784))
    assert len(set(y)) == 10
    assert X.max() == 1
