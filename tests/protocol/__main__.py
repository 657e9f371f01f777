"""Checks the protocol of the threads of a training in every order of their operations, and prints the results.

    python tests/protocol                                             # the sizes that the tests check
    python tests/protocol --threads 3 --steps 2 --passes 3 --clips    # another one
    python tests/protocol --threads 3 --steps 2 --most 20000000       # more states: 20 million take about 10 GB

If a state is wrong, the command prints the shortest sequence of operations to it and ends with 1. The section "The
protocol of a team" in the guide's page for developers lists what is checked.
"""

import argparse
import sys
import time
from dataclasses import fields
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from protocol.search import Team, search
from protocol.steps import Size

SIZES = {
    "2 threads": Size(),
    "2 threads, 3 pieces": Size(rows=3, tiles=3),
    "2 threads, 3 passes": Size(passes=3),
    "2 threads, 5 passes, 2 layers": Size(passes=5, layers=2),
    "2 threads, clipped": Size(passes=3, layers=2, clips=True, fails=True),
    "2 threads, factors": Size(passes=3, layers=2, factors=True, fails=True),
    "2 threads, factors, clipped": Size(layers=2, factors=True, clips=True, fails=True),
    "2 threads, 3 steps": Size(steps=3, fails=True),
    "2 threads, an error": Size(passes=3, clips=True, fails=True, leaves=True),
    "3 threads": Size(threads=3, steps=1),
    "3 threads, rows whole": Size(threads=3, rows=1, fails=True),
    "3 threads, tiles whole": Size(threads=3, tiles=1, steps=1, passes=3),
    "3 threads, clipped": Size(threads=3, rows=1, tiles=1, passes=3, clips=True, fails=True),
    "3 threads, factors, clipped": Size(threads=3, rows=1, tiles=1, factors=True, clips=True),
    "3 threads, an error": Size(threads=3, rows=1, passes=3, leaves=True),
}


def checked(size, most=None):
    """Search all states of a size; return the result and a line of the table."""
    started = time.monotonic()
    found = search(Team(size), most)
    return found, f"{found.states:,} | {found.wrong or 'nothing'} | {time.monotonic() - started:.1f}"


def main(arguments=None):
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in fields(Size):
        if field.type is bool:
            parser.add_argument(f"--{field.name}", action=argparse.BooleanOptionalAction, default=None)
        else:
            parser.add_argument(f"--{field.name}", type=int)
    parser.add_argument("--most", type=int, default=5_000_000, help="states; default: 5 million, about 2.5 GB")
    args = vars(parser.parse_args(arguments))
    most = args.pop("most")
    chosen = {name: value for name, value in args.items() if value is not None}
    sizes = {" ".join(f"{name}={value}" for name, value in chosen.items()): Size(**chosen)} if chosen else SIZES
    print("| size | states | wrong | seconds |\n| --- | ---: | --- | ---: |")
    ways = []
    for name, size in sizes.items():
        found, line = checked(size, most)
        print(f"| {name} | {line} |", flush=True)
        if found.wrong:
            ways.append(f"\n{name}:\n{found}")
    for way in ways:
        print(way)
    return 1 if ways else 0


if __name__ == "__main__":
    sys.exit(main())
