"""Write the picture with which README opens, from asv's results: ``speed_light.svg`` and ``speed_dark.svg``.

    python asv_bench/history.py && python asv_bench/picture.py

The picture shows the machine with the newest results, or the one that ``--machine`` names: how many times as long other
libraries take, over the commits.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
GUIDE = FOLDER.parent / "fastmlp" / "guide"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both images; return 2 if there are no results of other libraries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, metavar="DIR", help="asv's results; default: where asv.conf.json says")
    parser.add_argument("--machine", metavar="NAME", help="default: the one with the newest commit")
    parser.add_argument("--out", type=Path, default=GUIDE, metavar="DIR", help="default: the folder of the guide")
    args = parser.parse_args(arguments)
    if missing := [name for name in ("asv", "jinja2", "ruptures") if importlib.util.find_spec(name) is None]:
        return _error(f"{missing[0]} is not installed: python -m pip install --group bench")
    from asv.config import Config
    from asv.util import UserError
    from dashboard import picture, store

    conf = Config.load(str(FOLDER / "asv.conf.json"))
    try:
        histories = store.read(args.results or FOLDER / conf.results_dir, conf)
    except UserError as error:
        return _error(str(error))
    chosen = [history for history in histories if args.machine in (None, history.machine["machine"])]
    images = {look: picture.draw(chosen[0], look) if chosen else None for look in picture.LOOKS}
    for look, image in images.items():
        if image is None:
            return _error("no results of other libraries on that machine: python asv_bench/history.py makes them")
        (args.out / f"speed_{look}.svg").write_text(image, encoding="utf-8")
        sys.stdout.write(f"{args.out / f'speed_{look}.svg'}\n")
    return 0


def _error(message: str) -> int:
    sys.stderr.write(f"picture.py: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
