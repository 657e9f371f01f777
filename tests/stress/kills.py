"""Kills trainings that keep a checkpoint, at random moments, and goes on with each until it ends.

    python tests/stress/kills.py                       # 120 kills and more
    python tests/stress/kills.py --kills 20 --seed 7   # fewer, at other moments

Every run of `tests/resumable.py` is begun, killed and begun again until it ends; then it is removed and begun anew,
until so many kills are done. A moment is drawn after the first epoch of a process; many lie in the writing of the file.
The digest of what a run gave must be that of the run without a checkpoint. Prints a table; ends with 1 where anything
else came of it.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))

from processes import environment_of  # noqa: E402 - found by the line above
from resumable import RUNS  # noqa: E402

EPOCHS = 200
LONGEST = 600  # seconds that a process may take, which compiles first


class Runner:
    """Starts the processes of one run.

    Parameters
    ----------
    name : str
        Of the run.
    folder : pathlib.Path
        For its checkpoint.
    draw : random.Random
        Draws the moments.
    """

    def __init__(self, name, folder, draw):
        self.name, self.folder, self.path, self.draw = name, folder, folder / "run.safetensors", draw
        self.counts, self.problems = Counter(), []
        self.expected = self._ends(self._start("none"))
        begun = self._start(self.path)
        begun.stdout.readline()
        started = time.monotonic()
        self._ends(begun)
        self.seconds = time.monotonic() - started  # from the end of the first epoch
        self.path.unlink()

    def _start(self, path):
        program = TESTS / "stress" / "resume.py"
        arguments = [program, self.name, path, EPOCHS, self.folder.parent]
        return subprocess.Popen(
            [sys.executable, "-W", "error", *map(str, arguments)],
            env=environment_of(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _ends(self, process):
        """Let a process end; returns its digest, or None where it has none."""
        out, error = process.communicate(timeout=LONGEST)
        lines = out.split()
        if process.returncode != 0 or error or "ended" not in lines:
            self.problems.append(f"{self.name}: ended by {process.returncode}\n{error[-3000:]}")
            return None
        return lines[-1]

    def once(self):
        """Begin, be killed some times at random moments, and end."""
        while True:
            process = self._start(self.path)
            process.stdout.readline()
            time.sleep(self.draw.uniform(0, self.seconds / 3))
            process.send_signal(signal.SIGKILL)
            out, _ = process.communicate()
            if "ended" in out:
                break
            self.counts["kills"] += 1
            self.counts["without a file"] += not self.path.exists()
            self.counts["in a write"] += any(name.endswith(".partial") for name in os.listdir(self.folder))
            if self.draw.random() < 0.25:
                break
        found = self._ends(self._start(self.path))
        self.counts["runs"] += 1
        if found != self.expected:
            self.counts["other bits"] += 1
            self.problems.append(f"{self.name}: {found} where {self.expected} was expected")
        left = [name for name in os.listdir(self.folder) if name != self.path.name]
        if left:
            self.problems.append(f"{self.name}: left {left}")
        self.path.unlink()


def main(arguments=None):
    """Kill, and print the table; 1 where a run did not end with its bits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=120, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        runners = []
        for name in (*RUNS, "a stream"):
            folder = Path(place, str(len(runners)))
            folder.mkdir()
            runners.append(Runner(name, folder, random.Random(f"{args.seed} {name}")))
        while sum(runner.counts["kills"] for runner in runners) < args.kills:
            min(runners, key=lambda runner: runner.counts["kills"]).once()
    columns = ("kills", "in a write", "without a file", "runs", "other bits")
    print("| run | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for runner in runners:
        print(f"| {runner.name} | " + " | ".join(str(runner.counts[column]) for column in columns) + " |")
    problems = [problem for runner in runners for problem in runner.problems]
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
