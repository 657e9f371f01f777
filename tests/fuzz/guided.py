"""Damaged files by mutations that coverage guides: atheris (libFuzzer) keeps those that reach new lines of the readers.

    python tests/fuzz/guided.py npy CORPUS -max_total_time=600 -seed=1

The first argument is a kind of file (`fuzz.files.NAMES`). The second is a folder that keeps the files that reached new
lines, for the next run. All other arguments are libFuzzer's. Needs atheris: ``python -m pip install atheris``.
"""

import contextlib
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fastmlp.storage", "fastmlp.datasets", "fastmlp.inputs", "numpy.lib"]):
    from fuzz import files


def main():
    """Run from the command line."""
    kind, corpus, *options = sys.argv[1:]
    read = files.READERS[kind]
    Path(corpus).mkdir(parents=True, exist_ok=True)
    for seed in range(8):
        (Path(corpus) / f"original-{seed}").write_bytes(files.original(kind, seed))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / files.NAMES[kind]

        def one(content):
            path.write_bytes(content)
            with warnings.catch_warnings(), contextlib.suppress(*files.REFUSALS):
                warnings.simplefilter("ignore")
                read(path)

        atheris.Setup([sys.argv[0], corpus, "-rss_limit_mb=2048", "-timeout=20", "-max_len=4096", *options], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
