"""Tries some cases in its own process, which a case may end.

    python tests/fuzz/worker.py TARGET SEED CASES NOTE [CORPUS]

Before each case its `repr` is written to the file NOTE, so that the case can be made again. The program prints as JSON
the number of cases, the largest resident memory, and the failure if there was one.
"""

import argparse
import json
import mmap
import sys
import traceback
from pathlib import Path

import hypothesis

NOTE_BYTES = 1 << 14
MEMORY = 3 << 30  # bytes that a worker may add to its address space: a case that needs more ends only the worker


class Note:
    """The last case, in a file that stays when the process dies."""

    def __init__(self, path):
        path.write_bytes(bytes(NOTE_BYTES))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), NOTE_BYTES)

    def write(self, case):
        text = repr(case).encode()[: NOTE_BYTES - 1]
        self.memory[: len(text) + 1] = text + b"\0"


def tries(target, seed, cases, note, corpus=None):
    """Try the cases of a seed; return their number and the traceback of the smallest failing case, or None.

    The folder `corpus` keeps failing cases. The next run tries them first.
    """
    done, database = 0, None
    if corpus is not None:
        from hypothesis.database import DirectoryBasedExampleDatabase

        database = DirectoryBasedExampleDatabase(corpus)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases, deadline=None, database=database, print_blob=False, report_multiple_bugs=False,
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


def _bound_memory():
    """Limit the address space, if the system can. Windows cannot, and macOS ignores the limit."""
    if sys.platform == "linux":
        import resource

        limit = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _peak_mb():
    """The largest resident memory so far, in MB; 0 if the system does not tell it."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1 << 20)


def main():
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("seed", type=int)
    parser.add_argument("cases", type=int)
    parser.add_argument("note", type=Path)
    parser.add_argument("corpus", nargs="?", type=Path, help="folder of failing cases, tried first")
    args = parser.parse_args()
    from fuzz.targets import TARGETS

    prepare = getattr(TARGETS[args.target], "prepare", None)
    if prepare is not None:
        prepare()
    _bound_memory()
    done, failure = tries(TARGETS[args.target], args.seed, args.cases, Note(args.note), args.corpus)
    json.dump({"cases": done, "peak_mb": _peak_mb(), "failure": failure}, sys.stdout)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parent.parent)
    main()
