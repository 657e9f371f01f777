"""The choice of asv's benchmarks that are compared."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import GateError
from .measures import Measure

# a benchmark of every kernel and of prediction, the step of every standard network, and what users wait for besides.
# Most arrays fit in the second-level cache: the time of larger ones also depends on the pages that a process gets.
DEFAULT = (
    r"gather\.Gather\.time_gather\(32, 1\)",
    r"linear\.Linear\.time_\w+\('784x128', 128, 1\)",
    r"linear\.Linear\.time_\w+\('512x512', 1000, 1\)",
    r"relu_batchnorm\.Relu\.time_\w+\(128, 1000, 1\)",
    r"relu_batchnorm\.(ReluBatchNorm|BatchNormRelu)\.time_\w+\(20, 1000, 1\)",
    r"activations\.Activation\.time_\w+\('gelu', 128, 1\)",
    r"dropout\.Dropout\.time_\w+\(20, 1000, 1\)",
    r"losses\.Loss\.time_\w+\('binary_cross_entropy', 10, 1\)",
    r"softmax\.Softmax\.time_\w+\(10, 128, 1\)",
    r"update\.Sgd\.time_sgd_update\('512x512', 1\)",
    r"prediction\.Prediction\.time_predict_proba\('784-128-10', 1\)",
    r"prediction\.EstimatorOneRow\.time_\w+\(1\)",
    r"training\.Call\.time_train\(1\)",
    r"training\.Step\.time_steps\('784-20-7-5-10', 'none', 128, 1\)",
    r"training\.Step\.time_steps\('784-128-10', '(none|after_relu)', 128, 1\)",
    r"training\.Step\.time_steps\('784-512-512-10', 'none', 32, 1\)",
    r"training\.Step\.time_steps\('784-(20-7-5|128)-10', 'none', 32, 2\)",
    r"training\.StepInBfloat16\.time_steps\('784-128-10', 128, 1\)",
    r"training\.Rule\.time_steps\('adam', '784-128-10', 32\)",
    r"startup\.Startup\.time_process\('import fastmlp'\)",
    r"startup\.Startup\.time_process\('first training'\)",
    r"startup\.ColdStart\.track_first_training",
    r"memory\.ProcessMemory\.peakmem_epoch\('784-128-10', 1000, 2\)",
)
STARTING = r"startup\.(Startup|ColdStart)\."  # benchmarks of processes that they start
# benchmarks of one thread that have no parameter ``threads``
SINGLE = r"training\.(Rule|Function)\.|prediction\.OneRow\.|\w+\.\w+(ByWidth|OddSizes)\."


@dataclass(frozen=True)
class Case:
    """A benchmark with one set of its parameters.

    Attributes
    ----------
    name : str
        Name of the benchmark.
    parameters : tuple of str
        Values of the parameters, as asv writes them.
    index : int or None
        Index of the set of parameters; None if the benchmark has no parameters.
    measure : Measure
        What is compared.
    """

    name: str
    parameters: tuple[str, ...]
    index: int | None
    measure: Measure

    @property
    def id(self) -> str:
        """The name by which asv's own programs know the benchmark."""
        return self.name if self.index is None else f"{self.name}-{self.index}"

    @property
    def scenario(self) -> str:
        """The name without the method."""
        return self.name.rpartition(".")[0]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})" if self.parameters else self.name


def select(benchmarks: Iterable[dict[str, Any]], patterns: Sequence[str], *, all_used: bool = True) -> list[Case]:
    """Return the benchmarks that match any of the patterns.

    Parameters
    ----------
    benchmarks : iterable of dict
        All benchmarks, as asv discovers them.
    patterns : sequence of str
        Regular expressions, searched for in ``file.Class.time_method(parameters)`` as asv's ``--bench`` does.
    all_used : bool
        Whether each pattern must match something.

    Raises
    ------
    GateError
        A pattern is no regular expression, matches nothing, or matches a benchmark that the gate cannot measure.
    """
    compiled = [_compile(pattern) for pattern in patterns]
    found: dict[str, Case] = {}
    idle = set(patterns)
    for benchmark in benchmarks:
        for index, parameters in _parameter_sets(benchmark):
            name = str(Case(benchmark["name"], parameters, index, Measure.WALL))
            matching = [pattern.pattern for pattern in compiled if pattern.search(name)]
            if matching:
                idle.difference_update(matching)
                found[name] = Case(benchmark["name"], parameters, index, _measure(benchmark, parameters, name))
    if idle and all_used:
        raise GateError("unknown benchmark: nothing matches " + ", ".join(repr(p) for p in patterns if p in idle))
    return list(found.values())


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise GateError(f"expected a regular expression, got {pattern!r}: {error}") from None


def _parameter_sets(benchmark: dict[str, Any]) -> Iterable[tuple[int | None, tuple[str, ...]]]:
    if not benchmark["params"]:
        return [(None, ())]
    return enumerate(itertools.product(*benchmark["params"]))


def _measure(benchmark: dict[str, Any], parameters: tuple[str, ...], name: str) -> Measure:
    if benchmark["type"] == "peakmemory":
        return Measure.PEAK
    if re.match(STARTING, name):
        return Measure.CHILDREN
    if benchmark["type"] != "time":
        raise GateError(f"{name}: expected a benchmark of time or peak memory, got one of type {benchmark['type']!r}")
    named = dict(zip(benchmark["param_names"], parameters, strict=True))
    return Measure.CPU if named.get("threads") == "1" or re.match(SINGLE, name) else Measure.WALL
