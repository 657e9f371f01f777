"""Test whether the gate finds slowdowns, and only slowdowns, in many comparisons whose right answer is known.

    python asv_bench/prove_gate.py                                # 20 of each kind, an hour or two
    python asv_bench/prove_gate.py --comparisons 5 --busy no

HEAD is compared with itself in a second environment, and with a commit that differs by ``slowdown.patch``. The patch
makes the matrix product take 16 terms at a time, which costs about 12 % on a CPU with AVX2. Both comparisons are also
made while another process keeps a core busy. Finished comparisons are kept in a file of JSON lines. The same command
continues where it was interrupted, and prints the table at the end.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from dialogue import CrashError
from pairs.builds import FOLDER, check_tree, make_builds
from pairs.comparison import compare, warm_up
from pairs.errors import GateError
from pairs.process import Build
from pairs.selection import DEFAULT, Case, select
from pairs.verdict import Finding, Verdict

BENCHMARKS = FOLDER / "benchmarks"
PATCH = FOLDER / "slowdown.patch"
AFFECTED = "linear.Linear.time_forward('784x128', 128, 1)"  # its ratio shows how much the patch costs on this machine
HEADS = ("same", "slower")
AUTHOR = {f"GIT_{role}_{what}": "prove_gate" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=20, metavar="N", help="of each kind (20)")
    parser.add_argument("--heads", nargs="+", choices=HEADS, default=HEADS)
    parser.add_argument("--busy", nargs="+", choices=("no", "yes"), default=("no", "yes"))
    parser.add_argument("--out", type=Path, default=Path("prove_gate.jsonl"), metavar="FILE")
    return parser.parse_args(arguments)


def slower_commit() -> str:
    """Return a commit on top of HEAD with the patch. Neither the working tree nor a branch changes."""

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        try:
            run = subprocess.run(command, cwd=FOLDER.parent, env=variables, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            raise GateError(f"{' '.join(command)}: {error.stderr.strip()}") from None
        return run.stdout.strip()

    with tempfile.TemporaryDirectory() as folder:
        variables = os.environ | AUTHOR | {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git("read-tree", "HEAD")
        git("apply", "--cached", str(PATCH))
        return git("commit-tree", git("write-tree"), "-p", "HEAD", "-m", "Slower matrix product")


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


def record(head: str, busy: str, findings: Sequence[Finding], seconds: float) -> dict[str, Any]:
    """Return the record of a comparison for the file."""
    named = {verdict.name.lower(): [str(f.case) for f in findings if f.verdict is verdict] for verdict in Verdict}
    ratios = {str(f.case): [f.ratio, f.low, f.high, f.rounds] for f in findings}
    return {"head": head, "busy": busy, "seconds": seconds, "verdicts": named, "ratios": ratios}


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records in the file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def table(records: Sequence[dict[str, Any]]) -> str:
    """Return the summary as Markdown: medians of head ÷ base and of minutes, mean number of unclear benchmarks."""
    lines = [
        "| head | a core kept busy | comparisons | regression reported | matrix product | unclear | minutes |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind in dict.fromkeys((r["head"], r["busy"]) for r in records):
        of_kind = [r for r in records if (r["head"], r["busy"]) == kind]
        caught = sum(bool(r["verdicts"]["slower"]) for r in of_kind)
        ratio = median(r["ratios"][AFFECTED][0] for r in of_kind)
        unclear = mean(len(r["verdicts"]["unclear"]) for r in of_kind)
        minutes = median(r["seconds"] for r in of_kind) / 60
        lines.append(
            f"| {kind[0]} | {kind[1]} | {len(of_kind)} | {caught} | {ratio:.3f} | {unclear:.1f} | {minutes:.1f} |"
        )
    return "\n".join(lines)


def run(args: argparse.Namespace) -> None:
    """Compare until there are enough comparisons of each kind."""
    check_tree()
    commits = {"base": "HEAD", "same": "HEAD", "slower": slower_commit()}
    builds, benchmarks = make_builds(commits)
    of_side: dict[str, Build] = dict(zip(commits, builds, strict=True))
    cases: list[Case] = select(benchmarks, DEFAULT)
    for head in HEADS:
        warm_up((of_side["base"], of_side[head]), BENCHMARKS, cases)
    for number in range(args.comparisons):
        for busy in args.busy:
            for head in args.heads:
                if sum((r["head"], r["busy"]) == (head, busy) for r in read(args.out)) > number:
                    continue
                start = time.perf_counter()
                with busy_core(busy == "yes"):
                    both = of_side["base"], of_side[head]
                    findings = compare(both, BENCHMARKS, cases, lambda _: None, stop_at_slower=True)
                line = record(head, busy, findings, time.perf_counter() - start)
                with args.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                sys.stderr.write(f"{head}, busy {busy}, {number + 1}: slower {line['verdicts']['slower']}\n")


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
