"""Import of the benchmarks for asv by their path, as asv imports them."""

import contextlib
import importlib
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "asv_bench" / "benchmarks"


def load(stem):
    """Import a file of the benchmarks under a name that no other package has."""
    package = "fastmlp_asv_bench"
    if package not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            package, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{stem}")


@contextlib.contextmanager
def ready(scenario, *values):
    """Set a benchmark up, and tear it down after the block."""
    benchmark = scenario()
    try:
        if hasattr(benchmark, "setup"):
            benchmark.setup(*values)
        yield benchmark
    finally:
        if hasattr(benchmark, "teardown"):
            benchmark.teardown(*values)
