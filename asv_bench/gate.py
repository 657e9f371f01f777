r"""Compare two commits side by side on this machine; exit with 1 where a benchmark became slower.

    python asv_bench/gate.py                       # HEAD against the commit before it
    python asv_bench/gate.py main my-branch --markdown report.md
    python asv_bench/gate.py v1.0 HEAD --bench 'linear.*128, 1\\)' --no-counts

asv builds each commit into its own environment. A round is a new pair of processes, one of each build, which take turns
every few milliseconds. Each benchmark is measured until it is either slower by more than 1 % or not slower by 5 %. The
chance of a false alarm in the whole comparison is at most 5 %.

Exit status: 0 if no regression was found, 1 if a benchmark is slower, 2 with the reason if there is no verdict.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dialogue import CrashError
from pairs.errors import GateError


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", nargs="?", default="HEAD~1", help="commit to compare with (HEAD~1)")
    parser.add_argument("head", nargs="?", default="HEAD", help="commit that is judged (HEAD)")
    parser.add_argument("--bench", nargs="+", metavar="REGEX", help="time these benchmarks instead of the usual ones")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the report to a file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures")
    parser.add_argument("--minutes", type=float, default=5.5, help="of rounds, at most (5.5)")
    parser.add_argument("--no-counts", action="store_true", help="do not count instructions with Valgrind")
    return parser.parse_args(arguments)


def tell(message: str) -> None:
    """Report progress on standard error."""
    sys.stderr.write(f"gate.py: {message}\n")
    sys.stderr.flush()


def run(args: argparse.Namespace) -> int:
    """Compare and report."""
    try:
        from pairs import builds, comparison, counts, report, selection, suites, touched
    except ModuleNotFoundError as error:
        raise GateError(f"{error.name} is not installed: python -m pip install --group bench") from None
    written = [(path and path.absolute()) for path in (args.markdown, args.json)]  # asv changes the working folder
    builds.check_tree()
    (base, head), benchmarks = builds.make_builds({"base": args.base, "head": args.head})
    both, folder = (base, head), builds.benchmark_folder()
    suite = suites.compare_suites(base, base.label, builds.FOLDER)
    patterns = args.bench or selection.DEFAULT
    cases, left_out = suite.chosen(benchmarks, patterns, all_used=bool(args.bench))
    tell(f"compiling {len(cases)} benchmarks")
    not_compared = left_out | comparison.warm_up(both, folder, cases)
    compared = [case for case in cases if case not in not_compared]
    untouched = touched.untouched(head, folder, compared, touched.changed_files(builds.FOLDER, base.label, head.label))
    rounds = comparison.Rounds(both, folder, tell, seconds=60 * args.minutes)
    findings = rounds.compare(comparison.in_order(compared, untouched))
    counted = counts.Counts(missing="--no-counts was given")
    if not args.no_counts:
        tell("counting instructions")
        counted = counts.count(both, folder, counts.countable(findings))
    not_compared |= comparison.not_measured(compared, findings, untouched)
    notes = [*suite.notes, *touched.notes(untouched)]
    result = comparison.Comparison(base.label, head.label, findings, not_compared, counted, notes)
    text = report.markdown(result)
    sys.stdout.write(text)
    contents = (text, json.dumps(report.as_json(result), indent=1) + "\n")
    for path, content in zip(written, contents, strict=True):
        if path is not None:
            path.write_text(content, encoding="utf-8")
    return 1 if result.slower else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    args = parse(arguments)
    try:
        return run(args)
    except (GateError, CrashError) as error:
        tell(f"no verdict: {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
