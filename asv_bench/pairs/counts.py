"""The number of instructions of a call, which Valgrind counts. Noise does not change it, but it is not a time."""

import dataclasses
import random
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dialogue import CrashError

from .errors import GateError
from .measures import Measure
from .process import Build, Worker, set_up
from .selection import Case
from .verdict import Finding, Verdict

# Valgrind supports AVX2, but not AVX-512; with one target, the counts of different machines are comparable
TARGET = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+sse2,+sse4.2,+avx,+avx2,+fma"}
VALGRIND = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null")
FIXED = {"PYTHONHASHSEED": "0"}  # string hashes, and so the work of dictionaries, are the same in every process
FEW, MANY = 1, 5  # calls of two requests; the difference of their counts is used
LONGEST = 1e-3  # longest seconds of a call at full speed: Valgrind takes some thousand times as long


@dataclass(frozen=True)
class Counts:
    """Instructions of a call.

    Attributes
    ----------
    instructions : mapping of Case to (int, int)
        Instructions in the base and in the head.
    missing : str
        The reason why there are no counts; empty if there are counts.
    """

    instructions: Mapping[Case, tuple[int, int]] = field(default_factory=dict)
    missing: str = ""


def countable(findings: Sequence[Finding]) -> list[Case]:
    """Return the benchmarks whose instructions a reader wants to know, if Valgrind is quick enough for them."""
    single = [f for f in findings if f.case.measure is Measure.CPU and f.base <= LONGEST]
    return [f.case for f in single if f.verdict is not Verdict.SAME]


def count(builds: tuple[Build, Build], folder: Path, cases: Sequence[Case]) -> Counts:
    """Count the instructions of one call of each benchmark, compiled for AVX2, in both builds at the same time."""
    if not cases:
        return Counts(missing="no quick benchmark of one thread differs or is unclear")
    for program in ("valgrind", "callgrind_control"):
        if shutil.which(program) is None:
            return Counts(missing=f"{program} is not installed")
    targeted = [dataclasses.replace(build, variables=build.variables | TARGET | FIXED) for build in builds]
    try:
        _compile(targeted, folder, cases)
        traced = [dataclasses.replace(build, command=(*VALGRIND, *build.command)) for build in targeted]
        instructions = _count(traced, folder, cases)
    except (GateError, CrashError) as error:
        return Counts(missing=str(error))
    return Counts(instructions)


def _compile(builds: Sequence[Build], folder: Path, cases: Sequence[Case]) -> None:
    """Compile the kernels into the cache without Valgrind, at full speed."""
    rng = random.Random()
    with Worker(builds[0], folder, rng) as base, Worker(builds[1], folder, rng) as head:
        for case in cases:
            _ready(base, head, case)


def _count(builds: Sequence[Build], folder: Path, cases: Sequence[Case]) -> dict[Case, tuple[int, int]]:
    instructions = {}
    base_rng, head_rng = random.Random(0), random.Random(0)  # both processes get environments of the same size
    with Worker(builds[0], folder, base_rng) as base, Worker(builds[1], folder, head_rng) as head:
        for case in cases:
            _ready(base, head, case)
            for worker in (base, head):
                worker.ask({"calls": FEW, "untimed": 1})  # Python loads something at the first request
                _control(worker, "--instr=on")
            few, many = ([_calls(worker, n) for worker in (base, head)] for n in (FEW, MANY))
            for worker in (base, head):
                _control(worker, "--instr=off")
            of_base, of_head = ((b - a) // (MANY - FEW) for a, b in zip(few, many, strict=True))
            instructions[case] = of_base, of_head
    return instructions


def _ready(base: Worker, head: Worker, case: Case) -> None:
    if any(answers := set_up(base, head, case)):
        raise GateError(f"{case}: {answers}")


def _calls(worker: Worker, calls: int) -> int:
    """Return the instructions of a request for `calls` calls."""
    _control(worker, "--zero")
    worker.ask({"calls": calls, "untimed": 1})
    said = _control(worker, "-e")
    return sum(int(n.replace(",", "")) for n in re.findall(r"Th \d+\s+([\d,]+)", said))


def _control(worker: Worker, option: str) -> str:
    command = ["callgrind_control", option, str(worker.process.pid)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
