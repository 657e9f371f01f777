"""The entry point: exit codes, errors in one line, help, pipes."""

import argparse
import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import warnings

import pytest

import fastmlp.cli
from fastmlp.cli import build_parser, main, output

SUBCOMMANDS = ["compile", "experiments", "info", "predict", "sweep", "train"]


@pytest.fixture
def subcommand(monkeypatch):
    """Replace the function that ``fastmlp info`` runs."""

    def replace(action):
        monkeypatch.setattr("fastmlp.cli.info.run", action)

    return replace


def parsers():
    actions = build_parser()._actions
    return next(action for action in actions if isinstance(action, argparse._SubParsersAction)).choices


def test_every_subcommand_is_there():
    assert sorted(parsers()) == SUBCOMMANDS


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_has_examples_that_parse(run, name):
    outcome = run(name, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert "--json" in outcome.out
    examples = re.findall(rf"^  fastmlp ({name}\b.*)$", outcome.out, flags=re.MULTILINE)
    assert examples
    for example in examples:
        assert callable(build_parser().parse_args(shlex.split(example)).run)


def test_help_of_the_whole(run):
    outcome = run("--help")
    assert outcome.code == 0
    assert all(re.search(rf"^    {name}\b", outcome.out, flags=re.MULTILINE) for name in SUBCOMMANDS)
    example = re.search(r"^  fastmlp (.+)$", outcome.out, flags=re.MULTILINE).group(1)
    assert build_parser().parse_args(shlex.split(example))


def test_version(run):
    assert run("--version").out == f"fastmlp {fastmlp.__version__}\n"


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ([], "COMMAND"),
        (["fly"], "'fly'"),
        (["info", "--fly"], "--fly"),
        (["train"], "DATA"),
        (["train", "x.csv", "--epochs", "many"], "--epochs"),
        (["train", "x.csv", "--epoch", "3"], "--epoch"),  # abbreviations are not accepted
        (["train", "x.csv", "--hidden", "12,0"], "--hidden"),
        (["train", "x.csv", "--hidden", "12,,3"], "--hidden"),
        (["train", "x.csv", "--init", "zeros"], "--init"),
        (["train", "x.csv", "--standardize", "--input-scale", "1"], "--input-scale"),
        (["predict", "model.safetensors"], "DATA"),
    ],
)
def test_bad_usage(refused, argv, complaint):
    assert complaint in refused(*argv)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("rate must be above 0,\n  got -1"), "rate must be above 0, got -1"),
        (TypeError("X must hold numbers"), "X must hold numbers"),
        (ImportError("pandas is not installed"), "pandas is not installed"),
        (OSError("no room"), "no room"),
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "a.csv"), "a.csv: No such file or directory"),
        (ValueError(""), "ValueError"),
    ],
)
def test_bad_input_is_one_line(refused, subcommand, error, line):
    def fail(args):
        raise error

    subcommand(fail)
    assert refused("info") == f"fastmlp: error: {line}\n"


def test_defects_keep_their_traceback(run, subcommand):
    subcommand(lambda args: {}["missing"])
    with pytest.raises(KeyError):
        run("info")


def test_debugging_shows_every_traceback(run, subcommand, monkeypatch):
    monkeypatch.setenv("FASTMLP_DEBUG", "1")
    subcommand(lambda args: int("x"))
    with pytest.raises(ValueError, match="invalid literal"):
        run("info")


def test_interrupt(run, subcommand):
    def interrupt(args):
        raise KeyboardInterrupt

    subcommand(interrupt)
    outcome = run("info")
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "fastmlp: interrupted\n")


def test_interrupt_inside_a_finalizer(run, subcommand):
    """Python prints a KeyboardInterrupt of a finalizer and drops it. LLVM's objects have finalizers."""

    class Finalized:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.001)

    def work(args):
        Finalized()
        for _ in range(1000):
            time.sleep(0.02)

    subcommand(work)
    started = time.monotonic()
    outcome = run("info")
    assert (outcome.code, outcome.err) == (130, "fastmlp: interrupted\n")
    assert time.monotonic() - started < 10


@pytest.mark.filterwarnings("default")
def test_warnings_are_one_line(run, subcommand):
    subcommand(lambda args: warnings.warn("the cost is\ninfinite", RuntimeWarning, stacklevel=1) or 0)
    assert run("info").err == "fastmlp: warning: the cost is infinite\n"


def test_json_has_no_nan(capsys):
    import json

    import numpy as np

    output.say_json({"a": [float("nan"), np.float32(0.5)], "b": np.array([1, 2]), "c": np.inf, 4: None})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 0.5], "b": [1, 2], "c": None, "4": None}


@pytest.mark.parametrize("argv", [["--help"], ["info"], ["info", "--json"]])
def test_a_reader_that_leaves_is_no_error(process, argv):
    reading, writing = os.pipe()
    os.close(reading)
    running = process(*argv, stdout=writing)
    os.close(writing)
    assert running.communicate(timeout=120)[1] == ""
    assert running.returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_one_line(process):
    with open("/dev/full", "w") as full:
        running = process("info", stdout=full)
        complaint = running.communicate(timeout=120)[1]
    assert running.returncode == 2
    assert complaint.count("\n") == 1
    assert "No space left" in complaint


def test_the_process_ends_with_the_code(process):
    running = process("train", "missing.csv", "--target", "y")
    out, err = running.communicate(timeout=120)
    assert running.returncode == 2
    assert out == ""
    assert err.count("\n") == 1
    assert "missing.csv" in err


def test_parsing_imports_nothing_heavy():
    program = (
        "import sys, fastmlp; before = set(sys.modules); import fastmlp.cli; fastmlp.cli.build_parser();"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pandas", "pyarrow", "matplotlib", "joblib", "jinja2", "scipy"} & set(loaded)


def test_main_reads_the_arguments_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fastmlp", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("fastmlp ")
