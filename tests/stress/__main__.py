"""Trains thousands of networks, disturbs the trainings, and prints the errors that it found.

    python tests/stress                            # 10,000 fits
    python tests/stress --fits 500 --seed 7        # fewer and other fits
    python tests/stress --seed 7 --first 31 --fits 50   # the process with number 31 again

Processes do short fits, one after the other or at the same time, with 1 to 8 threads. They fork, send Ctrl-C to
themselves, also while `train_many` trains, or exit during a training. At the same time, other processes keep all cores
busy, and each process is stopped and continued, and moved to other cores, at random moments. Every fit that ends must
have the bits of the same fit on one thread in an undisturbed process.

A process without progress counts as a hang. A process that ends by an error or writes to stderr counts as a crash. Both
are reported with a command that repeats the process: it does the same fits, but the disturbances come at other moments.
The command ends with 1 if it found anything.
"""

import argparse
import concurrent.futures
import contextlib
import os
import random
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent.parent

if __name__ == "__main__":
    sys.path[0] = str(TESTS)

from processes import environment_of  # noqa: E402 - found by the path above

CHILD = TESTS / "stress" / "child.py"
FITS = 100  # fits of a process
CASES = 300  # number of different fits
HANG = 60  # seconds without output until a process counts as hung, without the seconds in which it was stopped
QUIET_SECONDS = 1800  # longest seconds of all cases in an undisturbed process, including the compilation
KINDS = (
    "one after the other", "from several threads", "forked", "interrupted", "many at once, interrupted", "exits",
)  # fmt: skip
HOG = """
import os, random, sys, time
parent = os.getppid()
if sys.argv[1] != "any":
    os.sched_setaffinity(0, {int(sys.argv[1])})
while os.getppid() == parent:
    end = time.monotonic() + random.uniform(0, 0.3)
    while time.monotonic() < end:
        pass
    time.sleep(random.uniform(0, 0.15))
"""


def cores():
    """The cores that this process may use, or nothing if the system cannot choose cores."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


def start(kind, seed, fits, cases):
    """Start a process that does fits."""
    command = [sys.executable, "-W", "error", str(CHILD), kind, seed, str(fits), str(cases)]
    return subprocess.Popen(
        command, env=environment_of(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def quiet_digests(cases):
    """The digest of every case, from one thread of an undisturbed process."""
    process = start("quiet", "0", 0, cases)
    try:
        out, error = process.communicate(timeout=QUIET_SECONDS)
    finally:
        process.kill()
    if process.returncode != 0 or error:
        raise RuntimeError(f"the quiet process ended by {process.returncode}\n{error.decode()}")
    lines = [line.split() for line in out.decode().splitlines()]
    return {int(words[1]): words[3] for words in lines if words[0] == "fit"}


@contextlib.contextmanager
def hogs():
    """Keep all cores busy with processes that pause for short times, during the block."""
    where = cores() or ["any"] * (os.cpu_count() or 1)
    processes = [subprocess.Popen([sys.executable, "-c", HOG, str(core)]) for core in where]
    try:
        yield len(processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()


class Batch:
    """One process that does fits and is disturbed.

    Parameters
    ----------
    seed : int
        Seed of the run.
    number : int
        Number of the process. Seed and number determine its fits.
    fits : int
        Approximate number of fits.
    expected : dict
        The digest of every case.
    hang : float
        Seconds without output until the process counts as hung.
    kinds : sequence of str
        Of `KINDS`, in turns.
    """

    def __init__(self, seed, number, fits, expected, hang=HANG, kinds=KINDS):
        self.name, self.fits, self.expected, self.hang = f"{seed}-{number}", fits, expected, hang
        self.kind = kinds[number % len(kinds)]
        self.repeat = f"python tests/stress --seed {seed} --first {number} --fits {fits}"
        if kinds != KINDS:
            self.repeat += f" --kinds {shlex.join(kinds)}"
        self.draw = random.Random(self.name)
        self.counts, self.reports, self.unread, self.ended = Counter(), [], b"", False

    def run(self):
        """Run the process to its end."""
        self.process = start(self.kind, self.name, self.fits, len(self.expected))
        self.counts["processes"] += 1
        error = []
        reader = threading.Thread(target=lambda: error.append(self.process.stderr.read()))
        reader.start()
        try:
            hung = self._listen()
            if hung:
                os.killpg(self.process.pid, signal.SIGUSR1)
                time.sleep(1)
        finally:
            with contextlib.suppress(ProcessLookupError):  # kills the forked processes, too
                os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
            reader.join()
            self.process.stdout.close()
            self.process.stderr.close()
        text = error[0].decode(errors="replace")[-4000:]
        if hung:
            self._report("hangs", f"said nothing for {self.hang} s\n{text}")
        elif code != 0 or text or not (self.ended or self.reports):
            self._report("crashes", f"ended by {code}\n{text}")
        return self

    def _report(self, what, text):
        self.counts[what] += 1
        self.reports.append(f"{what}: {self.kind}: {self.repeat}\n{text}")

    def _listen(self):
        """Read the output of the process and disturb it, until it ends; return whether it hangs."""
        heard = time.monotonic()
        while True:
            moment = time.monotonic() + self.draw.uniform(0, 0.1)
            while time.monotonic() < moment:
                ready, _, _ = select.select([self.process.stdout], [], [], max(0, moment - time.monotonic()))
                if ready:
                    text = os.read(self.process.stdout.fileno(), 1 << 16)
                    if not text:
                        return self._exits_late(heard)
                    heard = time.monotonic()
                    self._take(text)
            if time.monotonic() - heard > self.hang:
                return True
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                heard += self._disturb()

    def _exits_late(self, heard):
        try:
            self.process.wait(max(1, heard + self.hang - time.monotonic()))
        except subprocess.TimeoutExpired:
            return True
        return False

    def _take(self, text):
        *lines, self.unread = (self.unread + text).split(b"\n")
        for line in lines:
            what, _, rest = line.decode().partition(" ")
            if what == "fit":
                number, threads, found = rest.split()
                self.counts["fits"] += 1
                if found != self.expected[int(number)]:
                    self._report("wrong bits", f"fit {number} by {threads} threads")
            elif what == "failed":
                self._report("crashes", rest)
            elif what == "end":
                self.ended = True
            else:
                self.counts[line.decode()] += 1

    def _disturb(self):
        """Stop the process for a time, or move it to other cores; return the seconds in which it was stopped."""
        if self.draw.random() < 0.5:
            return self._stop()
        self._move()
        return 0

    def _stop(self):
        seconds = self.draw.choice([0, 0.001, 0.01, 0.05])
        started = time.monotonic()
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)
        self.counts["stops"] += 1
        return time.monotonic() - started

    def _move(self):
        """Move the threads to randomly chosen cores, which may differ between the threads."""
        usable = cores()
        if not usable:
            return
        chosen = self.draw.sample(usable, self.draw.randint(1, len(usable)))
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            if self.draw.random() < 0.2:
                chosen = self.draw.sample(usable, self.draw.randint(1, len(usable)))
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), chosen)
        self.counts["moves"] += 1


ROWS = {
    "fits whose bits were compared": ("fits", "wrong bits"),
    "processes": ("processes", "crashes"),
    "the same processes, in which nothing moves for a minute": ("processes", "hangs"),
    "forks in the middle of a training": ("forked", None),
    "Ctrl-C in the middle of a fit": ("interrupted", None),
    "Ctrl-C just behind a fit": ("interrupted behind the fit", None),
    "Ctrl-C, up to three times, in the middle of `train_many`": ("many interrupted", None),
    "Ctrl-C that came to nothing and was pressed again": ("pressed again", None),
    "exits in the middle of a training": ("exited", None),
    "SIGSTOP and SIGCONT": ("stops", None),
    "changes of the cores": ("moves", None),
}


def table(counts, spinning, seconds):
    """The number of fits and disturbances, and the errors, as a Markdown table."""
    lines = ["| what | how often | found |", "| --- | ---: | --- |"]
    for name, (done, wrong) in ROWS.items():
        found = "" if wrong is None else f"{counts[wrong]} {wrong}"
        lines.append(f"| {name} | {counts[done]:,} | {found} |")
    return "\n".join([*lines, f"| processes that spin beside them | {spinning} | |", f"| seconds | {seconds:,.0f} | |"])


def run(fits, seed, first, cases, jobs, kinds):
    """Run processes until `fits` fits are done or there are three reports; return counts and reports."""
    expected, counts, reports = quiet_digests(cases), Counter(), []
    lock, numbers = threading.Lock(), iter(range(first, sys.maxsize))

    def work():
        while True:
            with lock:
                left = fits - counts["fits"] - counts["begun"]
                if left <= 0 or len(reports) >= 3:
                    return
                number, share = next(numbers), min(FITS, left)
                counts["begun"] += share
            batch = Batch(seed, number, share, expected, kinds=kinds).run()
            with lock:
                counts["begun"] -= share
                counts.update(batch.counts)
                reports.extend(batch.reports)

    with hogs() as spinning, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for job in [pool.submit(work) for _ in range(jobs)]:
            job.result()
    return counts, reports, spinning


def main(arguments=None):
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=10_000, help="default: 10,000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first process")
    parser.add_argument("--cases", type=int, default=CASES, help=f"fits that differ; default: {CASES}")
    parser.add_argument("--jobs", type=int, default=3, help="processes at a time; default: 3")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS, metavar="KIND",
                        help="of " + ", ".join(map(repr, KINDS)) + "; default: all")  # fmt: skip
    args = parser.parse_args(arguments)
    started = time.monotonic()
    counts, reports, spinning = run(args.fits, args.seed, args.first, args.cases, args.jobs, tuple(args.kinds))
    for report in reports:
        print(report, end="\n\n")
    print(table(counts, spinning, time.monotonic() - started))
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
