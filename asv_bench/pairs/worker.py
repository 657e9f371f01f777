"""The process of one build. It runs in the build's environment, sets up asv's benchmarks and calls them.

usage: python -P worker.py BENCHMARK_DIR

Requests and answers are lines of JSON on standard input and output.

``{"setup": "file.Class.time_method-3", "cores": [0]}`` prepares the fourth parameter set of a benchmark and then holds
the process to these cores. An empty list allows all cores. The answer is ``{}``, or ``{"skipped": reason}`` if asv
would skip the benchmark, or ``{"failed": reason}``.

``{"calls": n, "untimed": u}`` calls the benchmark `u` times without timing and then `n` times with timing. The answer
``{"wall": s, "cpu": s}`` has the seconds of wall-clock time and of CPU time of all timed calls together.
"""

import contextlib
import gc
import io
import json
import os
import sys
import time
from typing import Any, TextIO

from asv_runner.discovery import get_benchmark_from_name

ALL_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def take_stdout() -> TextIO:
    """Return standard output for the answers, and let benchmarks print to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def prepare(folder: str, name: str, cores: list[int]) -> tuple[Any, dict[str, str]]:
    """Return the prepared benchmark and an empty answer; or None and an answer with the reason why it cannot run."""
    if ALL_CORES:
        os.sched_setaffinity(0, ALL_CORES)
    said = io.StringIO()
    try:
        benchmark = get_benchmark_from_name(folder, name)
        benchmark.set_cache(benchmark.do_setup_cache())
        with contextlib.redirect_stdout(said):
            skip = benchmark.do_setup()
        if skip:
            return None, {"skipped": said.getvalue().strip()}
    except Exception as error:  # noqa: BLE001 - whatever a benchmark raises is reported by the gate
        return None, {"failed": f"{type(error).__name__}: {error}"}
    if cores:
        os.sched_setaffinity(0, cores)
    return benchmark, {}


def call(benchmark: Any, calls: int, untimed: int) -> dict[str, float]:
    """Call the benchmark and return the seconds of wall-clock and of CPU time of the timed calls."""
    parameters = benchmark._build_params()
    for _ in range(untimed):
        benchmark.func(*parameters)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        benchmark.func(*parameters)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def main(folder: str) -> None:
    """Answer until standard input ends."""
    answers = take_stdout()
    benchmark, answer = None, dict[str, Any]()
    for line in sys.stdin:
        request = json.loads(line)
        if "setup" in request:
            if benchmark is not None:
                benchmark.do_teardown()
            benchmark, answer = prepare(folder, request["setup"], request["cores"])
            gc.collect()
            gc.disable()
        else:
            answer = call(benchmark, request["calls"], request["untimed"])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
