"""Time commits of the whole history and all other libraries in turns, for the summary page and README's picture.

    python asv_bench/history.py                          # 16 commits, some 20 minutes
    python asv_bench/history.py --commits 20 --minutes 40
    cd asv_bench && python summary.py && python picture.py

The commits are at equal distances among those that changed the package, from the first that can train to HEAD. Each
commit's package is unpacked into a folder, and trains in a process of its own by the Python, NumPy and Numba of this
command. ``FASTMLP_PEERS_PYTHON`` names the Python of the other libraries. All train the networks and batches of
`benchmarks/libraries.py` by plain SGD: whole epochs of 12,000 rows, two threads, in turns. A ratio is the median over
the rounds of a library's quickest epoch divided by the commit's in the same round. So the noise of the machine affects
all alike. Before the trainings of a network, its headline benchmark (`training.Step`) runs in the same way, without
other libraries. There are as many rounds as the time allows, and at least three; the first of each commit waits for its
compilation.

The results are those of a machine of their own, in asv's format and folder. What a commit cannot do has no value, and
the page says so. The command needs a quiet machine.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import facts
import reading
from options import positive
from peers import COMPARED, OURS
from peers.process import LibraryProcess, Worker
from peers.task import Task

if TYPE_CHECKING:
    from past.commits import Past
    from past.results import Found

FOLDER = Path(__file__).parent
LIBRARIES = [name for name in COMPARED["float32"] if name != OURS]
NETWORKS, BATCHES, THREADS, SAMPLES = ("784-20-7-5-10", "784-128-10", "784-512-512-10"), (128, 1000), 2, 12_000


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=positive, default=16, metavar="N")
    parser.add_argument("--minutes", type=float, default=20, metavar="M", help="time for all tasks")
    parser.add_argument("--budget", type=float, default=0.1, metavar="S", help="seconds of a turn, at least an epoch")
    parser.add_argument("--nets", nargs="+", default=NETWORKS, choices=NETWORKS, metavar="WIDTHS")
    parser.add_argument("--batches", nargs="+", default=BATCHES, type=int, choices=BATCHES, metavar="N")
    parser.add_argument("--samples", default=SAMPLES, type=positive, metavar="N")
    parser.add_argument("--results", type=Path, default=FOLDER / "results", metavar="DIR", help="asv's results")
    parser.add_argument("--machine", default=f"{platform.node()}-history", metavar="NAME", help="asv's name of it")
    args = parser.parse_args(arguments)
    args.results = args.results.absolute()
    return args


def main(arguments: Sequence[str] | None = None) -> int:
    """Time and write; return 2 if this cannot be done, and 1 if no commit or no library could train."""
    args = parse(arguments)
    try:
        reading.check_libraries()
    except reading.ReadError as error:
        return reading.fail("history.py", error)
    from asv.util import UserError
    from past.commits import HistoryError

    os.chdir(FOLDER)  # the paths in asv.conf.json are relative to this folder
    with tempfile.TemporaryDirectory() as temporary:
        try:
            names = measure(args, Path(temporary), os.environ.get("FASTMLP_PEERS_PYTHON", sys.executable))
        except (HistoryError, UserError) as error:
            return reading.fail("history.py", error)
    return 0 if names & set(LIBRARIES) and names - set(LIBRARIES) else 1


def measure(args: argparse.Namespace, temporary: Path, python: str) -> set[str]:
    """Time and write; return the hashes and the libraries that were timed."""
    from asv.config import Config
    from dashboard.facts import note
    from past import results
    from past.commits import choose, unpack

    conf = Config.load("asv.conf.json")
    conf.results_dir = str(args.results)
    end = time.monotonic() + 60 * args.minutes
    commits = [unpack(commit, temporary) for commit in choose(args.commits)]
    args.results.mkdir(parents=True, exist_ok=True)
    benchmarks = results.discover(conf, sys.executable, commits[-1].hash)
    found = time_all(args, commits, python, end)
    machine = results.write_machine(args.results, args.machine)
    results.save(args.results, machine, commits, benchmarks, found)
    note(args.results / args.machine, commits[-1].hash, facts.collect(python))
    return set().union(*[timed.seconds for timed in (*found.trainings.values(), *found.steps.values())])


def time_all(args: argparse.Namespace, commits: "list[Past]", python: str, end: float) -> "Found":
    """Time the steps of all networks and the trainings of all networks and batches, each for the same time."""
    from past.commits import stepper, trainer
    from past.results import Found
    from past.turns import in_turns

    found = Found({}, {}, args.samples)
    left = len(args.nets) * (1 + len(args.batches))

    def until() -> float:
        nonlocal left
        now = time.monotonic()
        left -= 1
        return now + (end - now) / (left + 1)

    for net in args.nets:
        steps = {commit.hash: partial(stepper, commit, net) for commit in commits}
        found.steps[net] = in_turns(f"steps of {net}", steps, args.budget, until())
        for batch in args.batches:
            task = Task(tuple(map(int, net.split("-"))), batch, THREADS, args.samples)
            makers: dict[str, Callable[[], LibraryProcess]] = {
                name: partial(Worker, name, task, python) for name in LIBRARIES
            }
            makers |= {commit.hash: partial(trainer, commit, task) for commit in commits}
            found.trainings[net, str(batch)] = in_turns(f"{net}, batch {batch}", makers, args.budget, until())
    return found


if __name__ == "__main__":
    sys.exit(main())
