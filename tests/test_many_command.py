"""The command that times many networks: a row for each way, and ratios to `train_many`."""

import re

import pytest
from peer_commands import load, run_command

pytest.importorskip("joblib")


def test_a_table():
    done = run_command("many.py", "--tasks", "small", "--rows", "300", "--epochs", "1", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    title, _, head, _, *rows = done.stdout.splitlines()
    assert title == "**20 networks 20-64-32-2, 1 epochs, medians of 1 rounds**"
    assert head == "| way | seconds | ÷ train_many |"
    found = [re.fullmatch(r"\| (.+) \| (\d+\.\d{3}) \| (\d+\.\d\d) \|", row) for row in rows[:4]]
    assert [match[1].split(",")[0] for match in found] == ["train_many", *2 * ["one after the other"], "joblib"]
    assert found[0][3] == "1.00"


def test_the_ways_of_one_process_train_the_same_networks():
    many = load("many")
    X, y = many.data("small", 200)
    before = many.nets("small")[0].snapshot()
    digests = []
    for name, run in many.ways(X, y, 1).items():
        if not name.startswith("joblib"):  # whose processes cannot import a module that a test has loaded
            nets = many.nets("small")
            run(nets)
            digests.append([net.snapshot().tobytes() for net in nets])
    assert len(digests) == 3
    assert all(found == digests[0] for found in digests)
    assert digests[0][0] != before.tobytes()


def test_wrong_options(capsys):
    with pytest.raises(SystemExit, match="2"):
        load("many").parse(["--rounds", "0"])
    assert "--rounds" in capsys.readouterr().err
