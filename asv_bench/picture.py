"""Write the picture with which README opens, from asv's results: ``speed_light.svg`` and ``speed_dark.svg``.

    python asv_bench/history.py && python asv_bench/picture.py

The picture shows the machine with the newest results, or the one that ``--machine`` names: how many times as long other
libraries take, over the commits.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import reading

GUIDE = Path(__file__).parents[1] / "fastmlp" / "guide"
NOTHING = "no results of other libraries on that machine: python asv_bench/history.py makes them"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both images; return 2 if there are no results of other libraries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, metavar="DIR", help="asv's results; default: where asv.conf.json says")
    parser.add_argument("--machine", metavar="NAME", help="default: the one with the newest commit")
    parser.add_argument("--out", type=Path, default=GUIDE, metavar="DIR", help="default: the folder of the guide")
    args = parser.parse_args(arguments)
    try:
        histories = reading.read(args.results)
    except reading.ReadError as error:
        return reading.fail("picture.py", error)
    from dashboard import picture

    chosen = [history for history in histories if args.machine in (None, history.machine["machine"])]
    images = {look: picture.draw(chosen[0], look) if chosen else None for look in picture.LOOKS}
    for look, image in images.items():
        if image is None:
            return reading.fail("picture.py", NOTHING)
        (args.out / f"speed_{look}.svg").write_text(image, encoding="utf-8")
        sys.stdout.write(f"{args.out / f'speed_{look}.svg'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
