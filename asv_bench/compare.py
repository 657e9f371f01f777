"""Time fastmlp and other libraries on the same work, and print README's speed table.

    python asv_bench/compare.py                         # all libraries that are installed, some five minutes
    python asv_bench/compare.py --rule adam             # Adam in place of plain SGD
    python asv_bench/compare.py --matmul-precision bfloat16 --nets 256-256-256-256-10
    python asv_bench/compare.py --nets 784-128-10 --batches 32 128 --libraries fastmlp numpy --rounds 9

All libraries train an MLP with ReLU layers, softmax and cross-entropy in float32, by plain SGD without momentum or by
Adam. They train whole epochs over 48,000 samples, with a new shuffle in each epoch and a gather for each mini-batch.
Each library is used in the way in which its users would make it fast. JAX compiles an epoch as a ``lax.scan``, and
leaves out a last, smaller mini-batch. PyTorch uses the quickest of the plain, the "foreach" and the "fused" optimizer;
a few steps before the measurement find out which. Each library runs in its own process, and in every round the
libraries take turns. A figure is the median over the rounds of the quickest epoch of a round, in microseconds for each
step. The command needs a quiet machine: close all other programs.

With ``--matmul-precision bfloat16`` fastmlp rounds the operands of its products to bfloat16, and the ratios divide by
its time. The command then also times fastmlp in float32, and PyTorch in bfloat16 in two ways: by autocast (parameters
and data stay float32), and with parameters and data in bfloat16. The other libraries stay in float32.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dialogue import CrashError
from options import counted, machine, network, positive
from peers import COMPARED, LIBRARIES
from peers.comparison import Comparison, compare_all
from peers.table import markdown
from peers.task import RULES, SGD, Task

from fastmlp.system.cores import usable_cores

NETWORKS = ("784-20-7-5-10", "784-128-10", "784-512-512-10")
BATCHES = (32, 128, 1000)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rule", default=SGD.name, choices=RULES, help="how weights are updated; default: sgd")
    parser.add_argument("--nets", nargs="+", default=NETWORKS, type=network, metavar="WIDTHS")
    parser.add_argument("--batches", nargs="+", default=BATCHES, type=positive, metavar="N")
    parser.add_argument("--matmul-precision", default="float32", choices=COMPARED, help="of fastmlp; default: float32")
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, metavar="NAME",
                        help="of " + ", ".join(LIBRARIES))  # fmt: skip
    parser.add_argument("--threads", default=usable_cores(), type=positive, metavar="N")
    parser.add_argument("--rounds", default=5, type=positive, metavar="N")
    parser.add_argument("--budget", default=0.4, type=float, metavar="S", help="seconds for each library in each round")
    parser.add_argument("--samples", default=48_000, type=positive, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the times of all rounds")
    args = parser.parse_args(arguments)
    args.libraries = args.libraries or list(COMPARED[args.matmul_precision])
    if max(args.batches) > args.samples:
        parser.error(f"--batches: expected at most {args.samples}, the samples, got {max(args.batches)}")
    return args


def report(result: Comparison) -> None:
    """Report a finished task and its figures on standard error."""
    times = [f"{LIBRARIES[name].label} {result.microseconds(name):.1f}" for name in result.seconds]
    sys.stderr.write(f"{'-'.join(map(str, result.task.widths))}, batch {result.task.batch}: {', '.join(times)}\n")


def write_json(path: Path, results: list[Comparison]) -> None:
    """Write all times."""
    rows = [
        {
            "network": "-".join(map(str, result.task.widths)),
            "batch": result.task.batch,
            "rule": result.task.rule.name,
            "matmul_precision": result.task.matmul_precision,
            "threads": result.task.threads,
            "steps": result.task.steps,
            "seconds": result.seconds,
            "versions": result.versions,
            "missing": result.missing,
        }
        for result in results
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print; return 1 if an installed library failed or nothing could be compared."""
    args = parse(arguments)
    rule = RULES[args.rule]
    tasks = [
        Task(tuple(map(int, widths.split("-"))), batch, args.threads, args.samples, rule, args.matmul_precision)
        for widths in args.nets
        for batch in args.batches
    ]
    try:
        results = compare_all(tasks, args.libraries, args.rounds, args.budget, report)
    except CrashError as error:
        sys.stderr.write(f"compare.py: {error}\n")
        return 1
    title = f"Microseconds for each step of {rule.label}, {counted(args.threads, 'thread')}"
    if args.matmul_precision != "float32":
        title += f", products of fastmlp in {args.matmul_precision}"
    sys.stdout.write(markdown(title, results, machine(args.threads)) + "\n")
    if args.json is not None:
        write_json(args.json, results)
    return 0 if any(result.seconds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
