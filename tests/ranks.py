"""Functions that run the programs in `tests/programs` in several processes by MPI."""

import subprocess
import sys
from pathlib import Path

import pytest
from processes import WATCHDOG, command_of, environment_of

MPIEXEC = Path(sys.executable).with_name("mpiexec")  # of the wheel mpich


def together(size, program, *arguments):
    """Run a program of `tests/programs` in `size` processes; return the finished process of ``mpiexec``."""
    return run_together(size, command_of(program, *arguments))


def run_together(size, arguments, **options):
    """Run a command in `size` processes for at most `WATCHDOG` seconds; return the finished process of ``mpiexec``."""
    command, settings = mpiexec(size, arguments), environment_of()
    return subprocess.run(
        command, env=settings, capture_output=True, text=True, timeout=WATCHDOG, check=False, **options
    )


def mpiexec(size, arguments):
    """The command that runs a command in `size` processes; the test is skipped where there is no MPI."""
    pytest.importorskip("mpi4py", reason="the extra mpi is not installed")
    if not MPIEXEC.exists():
        pytest.skip(f"no MPI library beside {sys.executable}: pip install mpich")
    return [str(MPIEXEC), "-n", str(size), *arguments]
