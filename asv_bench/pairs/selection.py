"""The choice of asv's benchmarks that are compared."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import GateError

# a benchmark of every kernel and of prediction, and the step of every standard network. Their arrays fit in the
# second-level cache: the time of larger arrays also depends on the physical pages that a process gets.
DEFAULT = (
    r"gather\.Gather\.time_gather\(1000, 1\)",
    r"linear\.Linear\.time_\w+\('784x128', 128, 1\)",
    r"relu_batchnorm\.Relu\.time_\w+\(128, 1000, 1\)",
    r"relu_batchnorm\.(ReluBatchNorm|BatchNormRelu)\.time_\w+\(20, 1000, 1\)",
    r"activations\.Activation\.time_\w+\('gelu', 128, 1\)",
    r"dropout\.Dropout\.time_\w+\(20, 1000, 1\)",
    r"losses\.Loss\.time_\w+\('binary_cross_entropy', 10, 1\)",
    r"softmax\.Softmax\.time_\w+\(10, 128, 1\)",
    r"update\.Sgd\.time_sgd_update\('512x512', 1\)",
    r"prediction\.Prediction\.time_predict_proba\('784-128-10', 1\)",
    r"training\.Step\.time_steps\('784-20-7-5-10', 'none', 128, 1\)",
    r"training\.Step\.time_steps\('784-128-10', 'none', 128, [12]\)",
    r"training\.Step\.time_steps\('784-128-10', 'after_relu', 128, 1\)",
    r"training\.Step\.time_steps\('784-512-512-10', 'none', 32, 2\)",
)


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
    one_thread : bool
        Whether its parameter ``threads`` is 1.
    """

    name: str
    parameters: tuple[str, ...]
    index: int | None
    one_thread: bool

    @property
    def id(self) -> str:
        """The name with which asv's runner calls the case."""
        return self.name if self.index is None else f"{self.name}-{self.index}"

    def __str__(self) -> str:
        """Return the case as asv writes it."""
        return f"{self.name}({', '.join(self.parameters)})" if self.parameters else self.name


def select(benchmarks: Iterable[dict[str, Any]], patterns: Sequence[str]) -> list[Case]:
    """Return the cases that match the patterns.

    Parameters
    ----------
    benchmarks : iterable of dict
        All benchmarks, as asv discovers them.
    patterns : sequence of str
        Regular expressions, searched for in ``file.Class.time_method(parameters)`` as asv's ``--bench`` does.

    Raises
    ------
    GateError
        A pattern is no regular expression, matches nothing, or matches a benchmark that is not a ``time_`` method.
    """
    compiled = [_compile(pattern) for pattern in patterns]
    found: dict[str, Case] = {}
    idle = set(patterns)
    for benchmark in benchmarks:
        for case in _cases(benchmark):
            matching = [pattern.pattern for pattern in compiled if pattern.search(str(case))]
            if not matching:
                continue
            if benchmark["type"] != "time":
                raise GateError(f"{case}: expected a benchmark of time, got one of type {benchmark['type']!r}")
            idle.difference_update(matching)
            found[str(case)] = case
    if idle:
        raise GateError("unknown benchmark: nothing matches " + ", ".join(repr(p) for p in patterns if p in idle))
    return list(found.values())


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise GateError(f"expected a regular expression, got {pattern!r}: {error}") from None


def _cases(benchmark: dict[str, Any]) -> Iterable[Case]:
    if not benchmark["params"]:
        yield Case(benchmark["name"], (), None, one_thread=False)
        return
    for index, parameters in enumerate(itertools.product(*benchmark["params"])):
        named = dict(zip(benchmark["param_names"], parameters, strict=True))
        yield Case(benchmark["name"], parameters, index, one_thread=named.get("threads") == "1")
