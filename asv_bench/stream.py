"""Time training on a stream of Parquet files beside training on the same rows in memory, in turns.

    python asv_bench/stream.py --folder data                       # some GB of files, half an hour
    python asv_bench/stream.py --folder data --networks 784-128-10 --rows 200000 --rounds 1
    python asv_bench/stream.py --accuracy --seeds 5                # what the shuffle of a stream costs in accuracy

Without `--rows`, the data are `--times` the limit of memory. The process that streams has the limit from its start on:
a cgroup, which counts its page cache, too, where one can be made, else a limit of its address space (RLIMIT_AS). The
process that has the rows in memory has none. "Prepared" is what comes before the training, in the first round: reading
all rows into memory, or writing the decoded rows into the cache. A figure is the median over the rounds; it needs a
quiet machine.
"""

import argparse
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from options import machine, network, positive
from streamed import limits
from streamed.data import CODECS, LAYOUTS, row_bytes, size_of, write

WORKER = Path(__file__).parent / "streamed" / "worker.py"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for the files; default: one that is removed")
    parser.add_argument("--networks", nargs="+", type=network, default=["784-128-10", "100-64-32-10"], metavar="WIDTHS")
    parser.add_argument("--codecs", nargs="+", choices=CODECS, default=list(CODECS))
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=["columns"],
                        help="a column for each input, or one column of lists")  # fmt: skip
    parser.add_argument("--limit", type=positive, default=1024, metavar="MB", help="of memory (default: 1024)")
    parser.add_argument("--kind", choices=limits.KINDS, help="of limit; default: cgroup where possible, else as")
    parser.add_argument("--times", type=positive, default=3, metavar="N", help="the data are N times the limit")
    parser.add_argument("--rows", type=positive, metavar="N", help="in place of --times")
    parser.add_argument("--rows-in-memory", type=positive, default=1 << 17, metavar="N")
    parser.add_argument("--batch-size", type=positive, default=200, metavar="N")
    parser.add_argument("--epochs", type=positive, default=2, metavar="N")
    parser.add_argument("--threads", type=positive, default=2, metavar="N")
    parser.add_argument("--rounds", type=positive, default=3, metavar="N")
    parser.add_argument("--accuracy", action="store_true", help="compare accuracies instead")
    parser.add_argument("--seeds", type=positive, default=3, metavar="N")
    parser.add_argument("--group-rows", type=positive, default=1000, metavar="N", help="of the digits' row groups")
    parser.add_argument("--digits", type=positive, default=60_000, metavar="N", help="that are trained on")
    return parser.parse_args(arguments)


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Train in a new process, which has its limit from its start on."""
    with contextlib.ExitStack() as stack:
        procs = str(stack.enter_context(limits.group(task["limit"]))) if task["kind"] == "cgroup" else None
        command = [sys.executable, str(WORKER), json.dumps(task | {"procs": procs})]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RuntimeError(f"the process ended with {done.returncode}: {last}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(args: argparse.Namespace, folder: Path, widths: list[int], codec: str, layout: str) -> list[str]:
    """Return some lines of the table."""
    limit = args.limit << 20
    rows = args.rows or args.times * limit // row_bytes(widths)
    place = write(folder, widths, rows, codec, layout)
    task = {
        "folder": str(place), "widths": widths, "rows_in_memory": args.rows_in_memory, "batch_size": args.batch_size,
        "epochs": args.epochs, "threads": args.threads, "rate": 0.01,
    }  # fmt: skip
    limited = {"streamed": True, "kind": args.kind or limits.usable(), "limit": limit}
    ways: dict[str, dict[str, Any]] = {
        "in memory": {"streamed": False, "kind": "none", "limit": 0},
        "streamed": limited,
        "from a cache": limited | {"cache": str(place / "cache")},
    }
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for number in range(args.rounds):
        for way, settings in ways.items():
            sys.stderr.write(f"round {number + 1} of {args.rounds}: {widths}, {codec}, {layout}, {way}\n")
            found[way].append(measure(task | settings))
    seconds = {way: statistics.median(one["seconds"] for one in some) for way, some in found.items()}
    return [
        f"| {'-'.join(map(str, widths))} | {codec} | {layout} | {rows:,} | {rows * row_bytes(widths) / limit:.1f} | "
        f"{size_of(place) / 1e6:.0f} | {way} | {some[0]['prepared']:.1f} | {rows / seconds[way] / 1000:.0f} | "
        f"{seconds['in memory'] / seconds[way]:.2f} | {max(one['megabytes'] for one in some):.0f} |"
        for way, some in found.items()
    ]


def table(args: argparse.Namespace, folder: Path) -> list[str]:
    """Return the comparison as a Markdown table."""
    kind = args.kind or limits.usable()
    title = (
        f"**{args.epochs} epochs of batches of {args.batch_size} rows, {args.threads} threads, {args.rows_in_memory} "
        f"rows in memory; the stream's process is limited to {args.limit} MB ({kind}); medians of {args.rounds}**"
    )
    head = (
        "| network | codec | layout | rows | data / limit | files, MB | rows are | prepared, s | 1000 rows/s | ratio | "
        "peak, MB |"
    )
    lines = [title, "", head, "| --- | --- | --- | ---: | ---: | ---: | --- |" + " ---: |" * 4]
    for widths, layout, codec in itertools.product(args.networks, args.layouts, args.codecs):
        lines += compare(args, folder, [int(width) for width in widths.split("-")], codec, layout)
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    args = parse(arguments)
    with contextlib.ExitStack() as stack:
        folder = args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        if args.accuracy:
            from streamed import shuffles

            lines = shuffles.lines(folder, args.seeds, args.epochs, args.group_rows, args.digits)
        else:
            lines = table(args, folder)
        sys.stdout.write("\n".join([*lines, "", *(f"- {line}" for line in machine(1))]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
