"""Time trainings by MPI beside trainings by threads, and fit a model of their cost that looks ahead to 64 processes.

    python asv_bench/mpi.py                       # about three minutes on two quiet cores
    python asv_bench/mpi.py --rounds 9
    python asv_bench/mpi.py --rows 2000 --seconds 0.1 --rounds 1

Two processes of one thread each, whose gradients are summed in the tree or by MPI's Allreduce, and one process of two
threads train on MNIST in turns, one start of each in a round. A figure is the median over the rounds of the seconds of
a step; those of a round are the median over the epochs but the first. `asv_bench/mpi_model.py` says what the model is.
It needs mpi4py, an `mpiexec`, and a quiet machine of two cores.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import mpi_model
from options import machine, positive

import fastmlp
from fastmlp.mpi import Processes

NETWORKS = ((784, 128, 10), (784, 512, 512, 10))
BATCHES = (128, 1000)
ROWS = 60_000
WAYS = ("threads", "tree", "allreduce")


def seconds_of_step(widths: Sequence[int], batch: int, args: argparse.Namespace, **options: Any) -> float:
    """Return the median over the epochs but the first of the seconds of a step of `fastmlp.train`."""
    X, y, _, _ = fastmlp.datasets.mnist()
    X, y = X[: args.rows], y[: args.rows]
    comm = options.get("comm")
    if comm is not None:
        rank, size = comm.comm.Get_rank(), comm.comm.Get_size()
        mine = slice(args.rows * rank // size, args.rows * (rank + 1) // size)
        X, y = X[mine], y[mine]
    steps = -(-args.rows // batch)
    # a step of the network takes about so long on two cores
    expected = 3e-4 + 6 * batch * sum(a * b for a, b in pairwise(widths)) / 4e11
    epochs = 2 + max(1, round(args.seconds / (steps * expected)))
    net = fastmlp.MLP(list(widths), input_scale=1 / 255)
    history = fastmlp.train(
        net, X, y, validation=None, optimizer=fastmlp.SGD(0.05), batch_size=batch, epochs=epochs, progress=False,
        **options,
    )  # fmt: skip
    times = [after["seconds"] - before["seconds"] for before, after in pairwise(history.records)]
    seconds: float = statistics.median(times) / steps
    return seconds


def each(measure: Callable[[Sequence[int], int], float]) -> list[float]:
    """Return a figure for each network and batch size."""
    return [measure(widths, batch) for widths in NETWORKS for batch in BATCHES]


def by_threads(args: argparse.Namespace) -> dict[str, list[float]]:
    """Time one process of two threads."""
    return {"threads": each(lambda widths, batch: seconds_of_step(widths, batch, args, threads=2))}


def by_processes(args: argparse.Namespace) -> dict[str, list[float]]:
    """Time the processes of MPI that this one is one of."""
    from mpi4py import MPI

    return {
        way: each(
            lambda widths, batch, way=way: seconds_of_step(  # type: ignore[misc]
                widths, batch, args, threads=1, comm=Processes(MPI.COMM_WORLD, reduction=way)
            )
        )
        for way in WAYS[1:]
    }


def points(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what the model is fitted to, in two processes at once."""
    from mpi4py import MPI

    MPI.COMM_WORLD.Barrier()
    found = []
    for widths in NETWORKS:
        for batch, shards in ((32, 1), (128, 1), (128, 4), (500, 1), (500, 4), (1000, 8)):
            comm = Processes(MPI.COMM_SELF, shards=shards)
            seconds = seconds_of_step(widths, batch, args, threads=1, comm=comm)
            found.append([list(widths), batch, shards, max(MPI.COMM_WORLD.allgather(seconds))])
    return {"steps": found, "exchanges": mpi_model.exchanges(MPI.COMM_WORLD)}


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "threads": by_threads,
    "processes": by_processes,
    "points": points,
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=5, metavar="N")
    parser.add_argument("--rows", type=positive, default=ROWS, metavar="N", help=f"to train on, at most {ROWS}")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="of each training, about")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    args.rows = min(args.rows, ROWS)
    return args


def started(part: str, args: argparse.Namespace) -> dict[str, Any]:
    """Return what a part measures, in processes of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--part", part]
    command += ["--rows", str(args.rows), "--seconds", str(args.seconds)]
    if part != "threads":
        beside = Path(sys.executable).with_name("mpiexec")
        command = [str(beside if beside.exists() else shutil.which("mpiexec")), "-bind-to", "core", "-n", "2", *command]
    sys.stderr.write(f"{part}\n")
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(answer)
    return found


def table(found: dict[str, list[float]]) -> list[str]:
    """Return the lines of the table of steps."""
    lines = [
        "| network | batch | 1 process, 2 threads | 2 processes, tree | 2 processes, Allreduce |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    settings = [(widths, batch) for widths in NETWORKS for batch in BATCHES]
    for number, (widths, batch) in enumerate(settings):
        threads, *others = (found[way][number] for way in WAYS)
        cells = [f"{1e6 * seconds:.0f} µs ({threads / seconds:.2f})" for seconds in others]
        lines.append(f"| {mpi_model.name(widths)} | {batch} | {1e6 * threads:.0f} µs | {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print two tables."""
    args = parse(arguments)
    if args.part is not None:
        found = PARTS[args.part](args)
        if args.part == "threads" or mpi_model.is_first():
            sys.stdout.write(json.dumps(found))
        return 0
    rounds: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(args.rounds):
        for part in ("threads", "processes"):
            for way, times in started(part, args).items():
                rounds[way].append(times)
    found = {way: [statistics.median(times) for times in zip(*turns, strict=True)] for way, turns in rounds.items()}
    model = mpi_model.fitted(started("points", args))
    lines = [*table(found), "", *model.checked(NETWORKS, BATCHES, found["tree"]), "", *model.predicted(), ""]
    sys.stdout.write("\n".join([*lines, *(f"- {line}" for line in machine(2))]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
