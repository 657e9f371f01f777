"""Test whether the gate finds slowdowns, and only slowdowns, in many comparisons whose right answer is known.

    python asv_bench/prove_gate.py                                       # all: many hours
    python asv_bench/prove_gate.py --comparisons 5 --patches --busy no   # HEAD with itself only
    python asv_bench/prove_gate.py --comparisons 0 --patches softmax import

HEAD is compared with itself in a second environment, and with commits that differ by the patches in ``slowdowns``. All
comparisons are also made while another process keeps a core busy. Finished comparisons are kept in a file of JSON
lines. The same command continues where it was interrupted, and prints the table at the end.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from dialogue import CrashError
from pairs.builds import FOLDER, benchmark_folder, check_tree, make_builds
from pairs.comparison import Rounds, in_order, warm_up
from pairs.errors import GateError
from pairs.patches import read_patches
from pairs.process import Build
from pairs.selection import DEFAULT, Case, select
from pairs.verdict import Finding, Verdict

SAME = "same"  # HEAD beside itself
PATCHES = read_patches(FOLDER / "slowdowns")

Records = list[dict[str, Any]]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    names = [patch.name for patch in PATCHES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=20, metavar="N", help="of HEAD with itself (20)")
    parser.add_argument("--of-each", type=int, default=5, metavar="N", help="of HEAD with each patch (5)")
    parser.add_argument("--patches", nargs="*", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--busy", nargs="+", choices=("no", "yes"), default=("no", "yes"))
    parser.add_argument("--minutes", type=float, default=5.5, help="of the rounds of a comparison, at most (5.5)")
    parser.add_argument("--out", type=Path, default=Path("prove_gate.jsonl"), metavar="FILE")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def busy_core(wanted: bool) -> Iterator[None]:
    """Keep a core busy during the block, if `wanted`."""
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def affected(cases: Sequence[Case], head: str) -> list[Case]:
    """Return the benchmarks that must become slower."""
    patterns = [patch.affects for patch in PATCHES if patch.name == head]
    return [case for case in cases if any(re.search(pattern, str(case)) for pattern in patterns)]


def record(head: str, busy: str, findings: Sequence[Finding], seconds: float) -> dict[str, Any]:
    """Return the record of a comparison for the file."""
    named = {verdict.name.lower(): [str(f.case) for f in findings if f.verdict is verdict] for verdict in Verdict}
    ratios = {str(f.case): [f.ratio, f.low, f.high, f.rounds] for f in findings}
    meant = [str(case) for case in affected([f.case for f in findings], head)]
    return {"head": head, "busy": busy, "seconds": seconds, "affected": meant, "verdicts": named, "ratios": ratios}


def read(path: Path) -> Records:
    """Return the records in the file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def append(path: Path, record: dict[str, Any]) -> None:
    """Add a record to the file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def beside_head(commit: str) -> tuple[tuple[Build, Build], list[Case]]:
    """Build HEAD and a commit, and compile; return both, and the usual benchmarks that can be compared."""
    builds, benchmarks = make_builds({"base": "HEAD", "head": commit})
    both, cases = (builds[0], builds[1]), select(benchmarks, DEFAULT)
    not_compared = warm_up(both, benchmark_folder(), cases)
    return both, [case for case in cases if case not in not_compared]


def table(records: Records) -> str:
    """Return the summary as Markdown."""
    lines = [
        "| head | a core kept busy | comparisons | reported | reported elsewhere | head ÷ base | unclear | minutes |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for head, busy in sorted({(r["head"], r["busy"]) for r in records}, key=lambda kind: (kind[0] != SAME, kind)):
        of_kind = [r for r in records if (r["head"], r["busy"]) == (head, busy)]
        lines.append(f"| {head} | {busy} | {len(of_kind)} | {_figures(of_kind)} |")
    return "\n".join(lines)


def _figures(records: Records) -> str:
    """Return the cells of comparisons of one kind: numbers of comparisons, medians, the mean of what is unclear."""
    slower = [(set(r["verdicts"]["slower"]), set(r["affected"])) for r in records]
    caught, elsewhere = sum(bool(s & a) for s, a in slower), sum(bool(s - a) for s, a in slower)
    largest = [max(r["ratios"][case][0] for case in r["affected"]) for r in records if r["affected"]]
    whole = not any(r["affected"] for r in records)  # a comparison with a patch ends when the patch is found
    cells = [
        "" if whole else str(caught),
        str(elsewhere),
        f"{median(largest):.3f}" if largest else "",
        f"{mean(len(r['verdicts']['unclear']) / len(r['ratios']) for r in records):.1%}" if whole else "",
        f"{median(r['seconds'] for r in records) / 60:.1f}",
    ]
    return " | ".join(cells)


def prove(head: str, commit: str, number: int, args: argparse.Namespace) -> None:
    """Compare HEAD with a commit until there are `number` comparisons, with each choice of a busy core."""
    missing = {busy: number - sum((r["head"], r["busy"]) == (head, busy) for r in read(args.out)) for busy in args.busy}
    if all(n <= 0 for n in missing.values()):
        return
    both, cases = beside_head(commit)
    for turn in range(max(missing.values())):
        for busy in [busy for busy, n in missing.items() if turn < n]:
            start = time.perf_counter()
            with busy_core(busy == "yes"):
                enough = affected(cases, head)
                rounds = Rounds(both, benchmark_folder(), lambda _: None, seconds=60 * args.minutes, enough=enough)
                findings = rounds.compare(in_order(cases))
            line = record(head, busy, findings, time.perf_counter() - start)
            append(args.out, line)
            sys.stderr.write(f"{head}, busy {busy}: slower {line['verdicts']['slower']}\n")


def run(args: argparse.Namespace) -> None:
    """Compare until there are enough comparisons of each kind."""
    check_tree()
    prove(SAME, "HEAD", args.comparisons, args)
    for patch in PATCHES:
        if patch.name in args.patches:
            prove(patch.name, patch.commit(), args.of_each, args)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print the table."""
    args = parse(arguments)
    args.out = args.out.absolute()  # asv changes the working folder
    try:
        run(args)
    except (GateError, CrashError) as error:
        sys.stderr.write(f"prove_gate.py: {error}\n")
        return 2
    sys.stdout.write(table(read(args.out)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
