"""Time whole programs in new processes, with an empty cache of compiled kernels and with a full one.

    python asv_bench/start.py                                     # this environment, five rounds: some minutes
    python asv_bench/start.py --python before=../old/.venv/bin/python --python now=.venv-dev/bin/python
    python asv_bench/start.py --tasks "fastmlp --help" "ten lines" --rounds 3

Every environment of `--python` runs every task. In every round the environments take turns. Each run begins with a new,
empty cache folder, and the task is then repeated with the filled folder. A figure is the median over the rounds of the
seconds of a whole process, including the start of Python and all imports. The command needs a quiet machine.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from options import machine, positive

ROOT = Path(__file__).parent.parent
IRIS = "iris.csv"


def example(marker: str) -> str:
    """Return the program after a marker in README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {marker} -->\n\n```python\n(.*?)```", text, flags=re.DOTALL)
    if found is None:
        raise ValueError(f"README.md: expected a program behind the marker {marker!r}")
    return found.group(1)


def tasks() -> dict[str, list[str]]:
    """Return the arguments of Python for each task, by the task's name."""
    command = ["-c", "import sys; from fastmlp.cli import main; sys.exit(main())"]
    return {
        "ten lines": ["-c", example("example")],
        "MLPClassifier on digits": ["-c", example("sklearn example")],
        "fastmlp train iris.csv --recipe plain": [
            *command,
            "train",
            IRIS,
            "--target",
            "species",
            "--recipe",
            "plain",
            "--quiet",
        ],
        "fastmlp experiments --seeds 1": [*command, "experiments", "--seeds", "1"],
        "fastmlp --help": [*command, "--help"],
    }


def write_iris(folder: Path) -> None:
    """Write the table of irises, with the names of the species."""
    from sklearn.datasets import load_iris

    data = load_iris()
    rows = [",".join(map(str, [*x, data.target_names[y]])) for x, y in zip(data.data, data.target, strict=True)]
    head = "sepal_length,sepal_width,petal_length,petal_width,species"
    (folder / IRIS).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def seconds(python: str, arguments: Sequence[str], folder: Path, cache: Path) -> float:
    """Return the seconds of a process that writes results into `folder` and keeps compiled kernels in `cache`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTHON"))}
    environment |= {"XDG_CACHE_HOME": str(cache), "HOME": str(cache), "LOCALAPPDATA": str(cache)}
    started = time.perf_counter()
    done = subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{python} ended with {done.returncode}: {done.stderr.strip()}")
    return taken


def measure(python: str, arguments: Sequence[str]) -> tuple[float, float]:
    """Return the seconds with an empty cache and with a full one."""
    with tempfile.TemporaryDirectory() as place:
        cache = Path(place, "cache")
        cache.mkdir()
        found = []
        for state in ("cold", "warm"):
            folder = Path(place, state)
            folder.mkdir()
            write_iris(folder)
            found.append(seconds(python, arguments, folder, cache))
    return found[0], found[1]


def named(text: str) -> tuple[str, str]:
    """Return a name and the Python of an environment."""
    name, separator, python = text.partition("=")
    if not separator or not Path(python).exists():
        raise argparse.ArgumentTypeError(f"expected NAME=PATH of a Python, got {text!r}")
    return name, str(Path(python).absolute())


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", type=named, metavar="NAME=PATH",
                        help="an environment with fastmlp and scikit-learn; default: this one")  # fmt: skip
    parser.add_argument("--tasks", nargs="+", default=list(tasks()), choices=tasks(), metavar="NAME",
                        help="of " + ", ".join(tasks()))  # fmt: skip
    parser.add_argument("--rounds", default=5, type=positive, metavar="N")
    args = parser.parse_args(arguments)
    args.python = args.python or [("here", sys.executable)]
    return args


def table(args: argparse.Namespace, found: dict[tuple[str, str], list[tuple[float, float]]]) -> list[str]:
    """Return the medians as a Markdown table."""
    lines = [
        f"**Seconds of a whole process, medians of {args.rounds} rounds**",
        "",
        "| task | " + " | ".join(f"{name}, cold | {name}, warm" for name, _ in args.python) + " |",
        "| --- |" + " ---: |" * (2 * len(args.python)),
    ]
    for task in args.tasks:
        times = [state for name, _ in args.python for state in zip(*found[task, name], strict=True)]
        lines.append(f"| {task} | " + " | ".join(f"{statistics.median(state):.2f}" for state in times) + " |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    args, known = parse(arguments), tasks()
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(args.rounds):
        for task in args.tasks:
            for name, python in args.python:
                sys.stderr.write(f"round {number + 1} of {args.rounds}: {task}, {name}\n")
                found.setdefault((task, name), []).append(measure(python, known[task]))
    sys.stdout.write("\n".join([*table(args, found), "", *(f"- {line}" for line in machine(1))]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
