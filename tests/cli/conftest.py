"""Files to train on, and fixtures that run the command line in this process or in a process of its own."""

import csv
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from fastmlp.cli import main

COLUMNS = ["height", "width", "weight"]
CLASSES = ["ash", "birch", "cedar, red"]  # the comma tests the quoting of CSV fields


@dataclass
class Outcome:
    """The result of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Call ``main`` with arguments, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*argv):
        capsys.readouterr()
        code = main([str(argument) for argument in argv])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def refused(run):
    """Call ``main`` with bad input, check that it returns 2 and prints nothing; return its one line of error."""

    def call(*argv):
        outcome = run(*argv)
        assert outcome.code == 2
        assert outcome.out == ""
        assert outcome.err.endswith("\n")
        assert outcome.err.count("\n") == 1
        assert outcome.err.startswith("fastmlp")
        assert ": error: " in outcome.err
        return outcome.err

    return call


@pytest.fixture
def process(tmp_path):
    """Start ``python -m fastmlp`` in an empty folder."""

    def start(*argv, **options):
        environment = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": ""}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        command = [sys.executable, "-m", "fastmlp", *map(str, argv)]
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes))
        return started[-1]

    started = []
    yield start
    for running in started:
        with running:  # closes the pipes and waits for the process
            running.kill()


def _rows(n, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CLASSES), n)
    labels[: len(CLASSES)] = range(len(CLASSES))
    centres = np.array([[1.0, 0.01, 900], [2.0, 0.05, 800], [3.0, 0.01, 1000]])  # columns of very different spread
    X = centres[labels] + np.array([0.1, 0.002, 10]) * rng.standard_normal((n, 3))
    return X, labels


@pytest.fixture
def rows():
    """``(X, labels)``: three separable classes in columns of very different spread."""
    return _rows(90, seed=5)


@pytest.fixture
def write_table(tmp_path):
    """Write a CSV of columns and labels (None for none) under a name; returns the path."""

    def write(name, X, labels, columns=COLUMNS, target="tree"):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*columns, *([] if labels is None else [target])])
            for i, row in enumerate(X):
                writer.writerow([*(repr(float(value)) for value in row), *([] if labels is None else [labels[i]])])
        return tmp_path / name

    return write


@pytest.fixture
def trees(rows, write_table):
    """A CSV whose column ``tree`` holds the names of three classes."""
    X, labels = rows
    return write_table("trees.csv", X, [CLASSES[label] for label in labels])
