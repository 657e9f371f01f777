"""The process of one build. It runs in the build's environment, sets up asv's benchmarks and calls them.

usage: python -P worker.py BENCHMARK_DIR

Requests and answers are lines of JSON on standard input and output.

``{"setup": "file.Class.time_method-3", "cores": [0]}`` prepares the fourth parameter set of a benchmark and then holds
the process to these cores. An empty list allows all cores. The answer is ``{}``, or ``{"skipped": reason}`` if asv
would skip the benchmark, or ``{"failed": reason}``.

``{"calls": n, "untimed": u}`` calls the benchmark `u` times without timing and then `n` times with timing. The answer
``{"wall": s, "cpu": s, "children": s, "peak": n}`` has the seconds of wall-clock time, of CPU time, and of CPU time of
the processes that have ended meanwhile, of all timed calls together, and the bytes of the peak memory of this process
so far. On Windows, it has only the first two.

``{"modules": "fastmlp"}`` imports a package. The answer is the list of the files of its modules that are imported by
now, such as ``fastmlp/train.py``.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from asv_runner.discovery import get_benchmark_from_name

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MAXRSS = 1 if sys.platform == "darwin" else 1024  # bytes of its unit
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
    """Call the benchmark and return what the timed calls took."""
    parameters = benchmark._build_params()
    for _ in range(untimed):
        benchmark.func(*parameters)
    before = used()
    for _ in range(calls):
        benchmark.func(*parameters)
    after = used()
    taken = {what: after[what] - before[what] for what in after}
    if resource is not None:
        taken["peak"] = peak()
    return taken


def peak() -> int:
    """Return the bytes of the peak memory of this process until now."""
    try:  # on Linux, ru_maxrss begins with the memory of the process that started this one
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS)
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def used() -> dict[str, float]:
    """Return the seconds until now."""
    seconds = {"wall": time.perf_counter(), "cpu": time.process_time()}
    if resource is not None:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds["children"] = ended.ru_utime + ended.ru_stime
    return seconds


def imported(package: str) -> list[str]:
    """Import a package and return the files of its modules that are imported by now."""
    root = Path(str(importlib.import_module(package).__file__)).parents[1]
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == package]
    files = {str(module.__file__) for module in modules if getattr(module, "__file__", None)}
    return sorted(Path(file).relative_to(root).as_posix() for file in files)


def main(folder: str) -> None:
    """Answer until standard input ends."""
    answers = take_stdout()
    benchmark: Any = None
    answer: Any = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "setup" in request:
            if benchmark is not None:
                benchmark.do_teardown()
            benchmark, answer = prepare(folder, request["setup"], request["cores"])
            gc.collect()
            gc.disable()
        elif "modules" in request:
            answer = imported(request["modules"])
        else:
            answer = call(benchmark, request["calls"], request["untimed"])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
