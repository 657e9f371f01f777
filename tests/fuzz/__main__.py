"""Tries random cases for some time, each batch of cases in its own process, and prints the errors that it found.

    python tests/fuzz                                  # all targets, 20 seconds each
    python tests/fuzz --seconds 600 --seed 7           # longer, other cases
    python tests/fuzz --targets files --batches 100    # a fixed number of cases, the same on every machine

The seed of a batch determines its cases, so the same command tries the same cases. A slower machine tries fewer of
them, unless their number is given. A process that dies or hangs is reported with its last case. The command ends with 1
if it found anything.
"""

import argparse
import concurrent.futures
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).parent.parent

if __name__ == "__main__":
    sys.path[0] = str(TESTS)

from processes import environment_of  # noqa: E402 - found by the path above

BATCH = {"training": 100, "prediction": 200, "kernels": 500, "estimators": 50, "files": 1000}
HANG = 180  # longest seconds of a batch; a usual one takes 2 to 10, but the first batches compile kernels


@dataclass
class Found:
    """The results of the cases of one target."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    peak_mb: int = 0
    seconds: float = 0.0

    @property
    def reports(self) -> list[str]:
        """All reports of errors."""
        return [*self.failures, *self.crashes, *self.hangs]


class Fuzzer:
    """Runs batches of one target after the other."""

    def __init__(self, target, seed, note, corpus=None, hang=HANG):
        self.target, self.seed, self.note, self.corpus, self.hang = target, seed, note, corpus, hang
        self.found, self.lock = Found(), threading.Lock()

    def batch(self, number, cases):
        """Try a batch of cases in a process."""
        seed, note = self.seed * 1_000_000 + number, self.note / f"{self.target}-{number % 64}"
        program = [sys.executable, "-W", "error", str(TESTS / "fuzz" / "worker.py")]
        command = [*program, self.target, str(seed), str(cases), str(note)]
        if self.corpus is not None:
            command.append(str(self.corpus / self.target))
        where = f"{self.target}, seed {seed}, {cases} cases: "
        try:
            done = subprocess.run(
                command, env=environment_of(), capture_output=True, text=True, timeout=self.hang, check=False
            )
        except subprocess.TimeoutExpired:
            with self.lock:
                self.found.hangs.append(f"{where}no end after {self.hang} s, at\n{_last(note)}")
            return
        with self.lock:
            if done.returncode != 0:
                self.found.crashes.append(
                    f"{where}ended by {done.returncode}, at\n{_last(note)}\n{done.stderr[-2000:]}"
                )
                return
            answer = json.loads(done.stdout)
            self.found.cases += answer["cases"]
            self.found.peak_mb = max(self.found.peak_mb, answer["peak_mb"])
            if answer["failure"]:
                self.found.failures.append(f"{where}\n{answer['failure']}")

    def run(self, seconds, most, jobs):
        """Run batches until the time is over, `most` batches are done, or there are three reports."""
        started, size = time.monotonic(), BATCH[self.target]

        def work(job):
            number = job
            while (most is None or number < most) and len(self.found.reports) < 3:
                if most is None and time.monotonic() - started > seconds:
                    return
                self.batch(number, size)
                number += jobs

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(work, range(jobs)))
        self.found.seconds = time.monotonic() - started
        return self.found


def _last(note):
    return note.read_bytes().split(b"\0")[0].decode(errors="replace") if note.exists() else "no case"


def table(found):
    """The results as a Markdown table."""
    lines = [
        "| target | cases | failures | crashes | hangs | peak memory | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, one in found.items():
        numbers = len(one.failures), len(one.crashes), len(one.hangs)
        lines.append(
            f"| {name} | {one.cases:,} | {' | '.join(map(str, numbers))} | {one.peak_mb:,} MB | {one.seconds:.0f} |"
        )
    return "\n".join(lines)


def main(arguments=None):
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", choices=BATCH, default=list(BATCH))
    parser.add_argument("--seconds", type=float, default=20, help="for each target; default: 20")
    parser.add_argument("--batches", type=int, help="for each target, in place of seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="folder that keeps cases that fail; they are tried first")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time; default: 2")
    args = parser.parse_args(arguments)
    found = {}
    with tempfile.TemporaryDirectory() as notes:
        for target in args.targets:
            found[target] = Fuzzer(target, args.seed, Path(notes), args.corpus).run(
                args.seconds, args.batches, args.jobs
            )
    reports = [report for one in found.values() for report in one.reports]
    for report in reports:
        print(report, end="\n\n")
    print(table(found))
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
