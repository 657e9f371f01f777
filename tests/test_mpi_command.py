"""The command that times processes of MPI, and its model of the cost."""

import re

import numpy as np
import pytest
from peer_commands import load, run_command
from ranks import MPIEXEC

FIGURE = r"\d+ µs"


@pytest.mark.skipif(not MPIEXEC.exists(), reason="no MPI library")
def test_tables():
    done = run_command("mpi.py", "--rows", "300", "--seconds", "0.01", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "| network | batch | 1 process, 2 threads | 2 processes, tree | 2 processes, Allreduce |"
    settings = [(network, batch) for network in ("784-128-10", "784-512-512-10") for batch in (128, 1000)]
    for (network, batch), line in zip(settings, lines[2:6], strict=True):
        assert re.fullmatch(
            rf"\| {network} \| {batch} \| {FIGURE} \| {FIGURE} \(\d+\.\d\d\) \| {FIGURE} \(\d+\.\d\d\) \|", line
        )
    assert lines[7].startswith("The fit: a = ")
    assert sum("by the model" in line for line in lines) == 1
    assert sum("Gbit/s" in line for line in lines) == 3 * 2 * 2


def test_a_model_is_found_again():
    pytest.importorskip("mpi4py")
    model = load("mpi_model")
    truth = model.Model(np.array([5e-5, 4e-12, 1e-10, 3e-10]), 2e-6, 2e-10)
    steps = [
        [widths, rows, shards, float(truth.compute @ model._features(widths, rows, shards))]
        for widths in ((784, 128, 10), (784, 512, 512, 10))
        for rows, shards in ((32, 1), (128, 1), (128, 4), (500, 1), (1000, 8))
    ]
    exchanges = [[n, 3 * truth.latency + 4 * n * truth.byte] for n in model.SIZES]
    found = model.fitted({"steps": steps, "exchanges": exchanges})
    np.testing.assert_allclose(found.compute, truth.compute, rtol=1e-6)
    assert (found.latency, found.byte) == pytest.approx((truth.latency, truth.byte))
    alone, four = (found.here((784, 128, 10), 1000, size) for size in (1, 4))
    assert alone / 4 < four < alone


def test_wrong_options(capsys):
    pytest.importorskip("mpi4py")
    with pytest.raises(SystemExit, match="2"):
        load("mpi").parse(["--rounds", "0"])
    assert "--rounds" in capsys.readouterr().err
