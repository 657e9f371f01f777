"""Write ``summary.html``, the overview page of asv's results: fastmlp beside other libraries, and over the commits.

    cd asv_bench && asv run HEAD^! && asv publish && python summary.py

The command reads asv's results and writes one file into the folder of asv's pages. The file has links to these pages.
Run ``asv publish`` first, since it empties that folder.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import reading

FOLDER = Path(__file__).parent


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, metavar="DIR", help="asv's results; default: where asv.conf.json says")
    parser.add_argument("--html", type=Path, default=FOLDER / "html", metavar="DIR", help="asv's pages")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return 2 if there are no results or a library is missing."""
    args = parse(arguments)
    try:
        histories = reading.read(args.results)
    except reading.ReadError as error:
        return reading.fail("summary.py", error)
    from dashboard import page

    if not any(history.commits for history in histories):
        notes = [f"\nleft out: {note}" for history in histories for note in history.left_out]
        where = args.results or "asv's results"
        return reading.fail("summary.py", f"no results in {where}. This makes them: {reading.MEASURE}{''.join(notes)}")
    args.html.mkdir(parents=True, exist_ok=True)
    path = args.html / "summary.html"
    path.write_text(page.render(histories), encoding="utf-8")
    sys.stdout.write(f"{path}\n")
    if not (args.html / "index.html").exists():
        sys.stderr.write("summary.py: asv's pages, to which it links, are missing: asv publish, then this again\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
