"""Tries some cases in a process of its own, which may die of them.

    python tests/fuzz/worker.py TARGET SEED CASES NOTE

Before each case its `repr` is written to the file NOTE, from which it can be made again. Prints, as JSON, how many
cases there were, the greatest resident memory, and what failed, if anything did.
"""

import argparse
import json
import mmap
import resource
import sys
import traceback
from pathlib import Path

import hypothesis

NOTE_BYTES = 1 << 14
MEMORY = 3 << 30  # bytes that a worker may add to its address space, so that a bomb ends it and not the machine


class Note:
    """The last case, in a file that outlives the process."""

    def __init__(self, path):
        path.write_bytes(bytes(NOTE_BYTES))
        self.file = path.open("r+b")
        self.memory = mmap.mmap(self.file.fileno(), NOTE_BYTES)

    def write(self, case):
        text = repr(case).encode()[: NOTE_BYTES - 1]
        self.memory[: len(text) + 1] = text + b"\0"


def tries(target, seed, cases, note):
    """Try cases that follow from a seed; returns how many, and the traceback of the smallest that fails, or None."""
    done = 0

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases, deadline=None, database=None, print_blob=False, report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(target.CASES)
    def attempt(case):
        nonlocal done
        done += 1
        note.write(case)
        target.check(case)

    try:
        attempt()
    except BaseException:  # noqa: BLE001 - whatever it is, it is reported
        return done, traceback.format_exc(limit=-6)
    return done, None


def main():
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("seed", type=int)
    parser.add_argument("cases", type=int)
    parser.add_argument("note", type=Path)
    args = parser.parse_args()
    from fuzz.targets import TARGETS

    limit = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    done, failure = tries(TARGETS[args.target], args.seed, args.cases, Note(args.note))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    json.dump({"cases": done, "peak_mb": peak, "failure": failure}, sys.stdout)


if __name__ == "__main__":
    main()
