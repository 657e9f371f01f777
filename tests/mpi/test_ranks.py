"""Processes that agree before they train, and end together."""

import json
import os
import re
import signal
import subprocess

import pytest
from processes import WATCHDOG, command_of, environment_of
from ranks import mpiexec, together

DIFFER = ("OtherRankError", "the processes must be asked for the same")
WORDS = {
    "rate": (DIFFER, "optimizer.learning_rate is 0.2 in process 1, 0.1 in process 0"),
    "seed": (DIFFER, "seed is"),
    "batch size": (DIFFER, "batch_size is 11 in process 1, 10 in process 0"),
    "epochs": (DIFFER, "epochs is 4 in process 1, 3 in process 0"),
    "parameters": (DIFFER, "parameters is"),
    "widths": (DIFFER, "network.widths is [4, 6, 3] in process 1, [4, 5, 3] in process 0"),
    "validation": (DIFFER, "validation is None in process 1, 0.2 in process 0"),
    "weights": (DIFFER, "sample_weight is True in process 1, False in process 0"),
    "checkpoint": (DIFFER, "checkpoint is True in process 1, False in process 0"),
    "Adam": (DIFFER, "optimizer.type is 'Adam' in process 1, 'SGD' in process 0"),
    "sync": (DIFFER, "batch_norm is 'sync' in process 1, 'shard' in process 0"),
    "dtype": (("ValueError", "X must be of the same kind and dtype"), "got dense float32 and dense float64"),
    "shards": (("ValueError", "61 shards leaves 60 to train on and 0 to validate on"), "of 60 rows"),
    "nothing": (("ValueError", "X must have at least one row"), "got none"),
    "few rows": (("ValueError", "validation=0.01 of 60 rows"), "leaves 60 to train on"),
    "no pair": (("ValueError", "validation must be a fraction, a pair"), "got 0 items"),
    "metric": (("ValueError", "a metric of your own needs validation"), "in one process"),
    "stream": (DIFFER, "X.files.0 is ['an array', 29] in process 1, ['an array', 30] in process 0"),
    "room": (DIFFER, "X.room is [100, 8] in process 1, [99, 8] in process 0"),
    "no room": (("ValueError", "rows_in_memory must be at least 30"), "got 20"),
    "labels": (DIFFER, "class_names is [2, 1, 0] in process 1, [0, 1, 2] in process 0"),
    "y beside a stream": (("ValueError", "y must be left out beside a stream"), "got ndarray"),
    "X": (DIFFER, "X is 'absent' in process 1, 'rows' in process 0"),
}
OF_ONE = {
    "data": (1, "ValueError", "X must be finite in float32, got nan at row 0, column 0"),
    "one optimizer": (1, "TypeError", "optimizer must be a Optimizer, got 7"),
    "callbacks": (1, "TypeError", "callbacks must be a sequence of functions, got 7"),
    "folder": (0, "FileNotFoundError", "the folder no such folder does not exist"),
}


@pytest.fixture(scope="module")
def refusals():
    """What each case raised in each process, and what `Processes` raised."""
    result = together(2, "refused_together")
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_all_processes_refuse_what_differs(refusals):
    assert set(refusals[0]) == set(WORDS) | set(OF_ONE)
    for name, ((kind, beginning), words) in WORDS.items():
        for found, message, unchanged in refusals[0][name]:
            assert (found, unchanged) == (kind, True), name
            assert beginning in message
            assert words in message


def test_all_processes_end_where_one_refuses(refusals):
    for name, (rank, kind, words) in OF_ONE.items():
        answers = refusals[0][name]
        assert all(unchanged for *_, unchanged in answers)
        (found, message, _), (other, text, _) = answers[rank], answers[1 - rank]
        assert (found, other) == (kind, "OtherRankError"), name
        assert words in message
        assert text == f"process {rank} of 2: {kind}: {message}"


def test_processes_are_checked(refusals):
    (kind, message), *others = refusals[1]
    assert kind == "TypeError"
    assert message == "comm must be a communicator of mpi4py, such as mpi4py.MPI.COMM_WORLD, got 3 (int)"
    words = [
        "at least the number of processes, 2, got 1",
        "left out with reduction='allreduce', got 4",
        "got 'ring'",
        "got True",
    ]
    for (kind, message), expected in zip(others, words, strict=True):
        assert kind == "ValueError"
        assert message.endswith(expected)


def test_all_processes_end_where_their_parameters_differ():
    result = together(2, "failing_rank", "drift")
    assert result.returncode != 0
    assert "RuntimeError: process 1 has other parameters than process 0 behind an epoch" in result.stderr


def test_all_processes_end_where_one_fails():
    result = together(2, "failing_rank", "callback")
    assert result.returncode != 0
    assert "process 1 of 2 failed, so all end:" in result.stderr
    assert "OSError: the disk of this process is full" in result.stderr


def test_ctrl_c_in_one_process_ends_all_after_the_same_step(tmp_path):
    path = tmp_path / "run.safetensors"
    result = together(2, "interrupted_together", path)
    assert (result.returncode, result.stderr) == (0, "")
    for first, second in json.loads(result.stdout):
        assert first == second
        assert first[1] == "interrupted"
        assert first[3] >= 3
    assert path.exists()


def test_ctrl_c_in_the_terminal_ends_all():
    """``mpiexec`` hands it on to all processes, and says so."""
    command = mpiexec(2, command_of("until_interrupted"))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment_of(), **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        lines = process.communicate(timeout=WATCHDOG)[0].splitlines()
    assert process.returncode == 0
    ended = [line for line in lines if not line.startswith("[mpiexec@")]
    assert len(ended) == 1, lines
    assert re.fullmatch(r"\['interrupted', \d+\]", ended[0])


def test_another_number_of_processes_goes_on_from_a_checkpoint(tmp_path):
    path = tmp_path / "run.safetensors"
    whole = together(1, "resumed_together", 4)
    together(2, "resumed_together", 2, path)
    assert os.listdir(tmp_path) == [path.name]
    result = together(3, "resumed_together", 4, path)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == 3 * json.loads(whole.stdout)
