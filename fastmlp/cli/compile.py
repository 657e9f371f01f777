"""``fastmlp compile``: compile the kernels ahead of time and keep them."""

import argparse
import contextlib
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from fastmlp.cli import output


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "compile",
        help="compile the kernels ahead of time, on all cores",
        description="Compile the kernels of trainings and predictions and keep them in the cache folder, so that the "
        "first training need not compile. Meant for container images, and for installations without compiled kernels.",
        epilog="examples:\n  fastmlp compile\n  fastmlp compile --all\n  NUMBA_CACHE_DIR=/opt/kernels fastmlp compile",
    )
    more = "also training by MPI, the public kernels, products in bfloat16 and integers of all sizes"
    parser.add_argument("--all", action="store_true", help=more)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors, and no progress bar")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do all jobs in parallel processes, one for each core, and print a summary."""
    from tqdm import tqdm

    from fastmlp import ahead
    from fastmlp.compilation import cache
    from fastmlp.system.cores import usable_cores

    if cache.FOLDER is None:
        raise OSError("there is no folder that compiled kernels can be kept in; NUMBA_CACHE_DIR names one")
    jobs = ahead.usual_jobs() + (ahead.other_jobs() if args.all else [])
    started, compiled = time.perf_counter(), dict[int, int]()
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(usable_cores(), context))
        bar = stack.enter_context(tqdm(total=len(jobs), unit="job", disable=args.quiet or args.json or None))
        for future in as_completed([pool.submit(ahead.run, job) for job in jobs]):
            process, count = future.result()
            compiled[process] = max(count, compiled.get(process, 0))
            bar.update()
    found = {
        "compiled": sum(compiled.values()),
        "seconds": time.perf_counter() - started,
        "folder": str(cache.FOLDER),
        "megabytes": sum(entry.stat().st_size for entry in os.scandir(cache.FOLDER)) / 1e6,
    }
    if args.json:
        output.say_json(found)
    elif not args.quiet:
        output.say(
            f"compiled {found['compiled']} functions in {found['seconds']:.0f} s; {found['folder']} holds "
            f"{found['megabytes']:.1f} MB"
        )
    return 0
