"""Write ``summary.html``, the overview page of asv's results: fastmlp beside other libraries, and over the commits.

    cd asv_bench && asv run HEAD^! && asv publish && python summary.py

The command reads asv's results and writes one file into the folder of asv's pages. The file has links to these pages.
Run ``asv publish`` first, since it empties that folder.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
MEASURE = "cd asv_bench && asv machine --yes && asv run HEAD^!"
NEEDS = ("asv", "jinja2", "ruptures")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, metavar="DIR", help="asv's results; default: where asv.conf.json says")
    parser.add_argument("--html", type=Path, metavar="DIR", help="asv's pages; default: where asv.conf.json says")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return 2 if there are no results or a library is missing."""
    args = parse(arguments)
    for library in NEEDS:
        if importlib.util.find_spec(library) is None:
            return _error(f"{library} is not installed: python -m pip install --group bench")
    from asv import util
    from asv.config import Config
    from dashboard import page, store

    conf = Config.load(str(FOLDER / "asv.conf.json"))
    results = args.results or FOLDER / conf.results_dir
    html = args.html or FOLDER / conf.html_dir
    try:
        histories = store.read(results, conf)
    except util.UserError as error:
        return _error(f"asv's results in {results} cannot be read: {error}\nThis makes them: {MEASURE}")
    if not any(history.commits for history in histories):
        notes = [f"\nleft out: {note}" for history in histories for note in history.left_out]
        return _error(f"no results in {results}. This makes them: {MEASURE}{''.join(notes)}")
    html.mkdir(parents=True, exist_ok=True)
    (html / "summary.html").write_text(page.render(histories), encoding="utf-8")
    sys.stdout.write(f"{html / 'summary.html'}\n")
    if not (html / "index.html").exists():
        sys.stderr.write("summary.py: asv's pages, to which it links, are missing: asv publish, then this again\n")
    return 0


def _error(message: str) -> int:
    sys.stderr.write(f"summary.py: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
