"""The measurements as Markdown."""

import statistics
from collections.abc import Iterable

from peers.comparison import geometric_mean
from peers.table import row

from . import ESTIMATORS, OURS, PREDICTORS, THEIRS
from .cell import Cell


def fits(cells: list[Cell]) -> list[str]:
    """Return the table of seconds of an epoch, with the geometric mean of the ratios."""
    labels = [f"{library.label}, s" for library in ESTIMATORS.values()]
    head = ["data", "hidden", "dtype", *labels, "scikit-learn ÷ fastmlp"]
    lines = _head(head, 3)
    for cell in cells:
        seconds = [f"{cell.median(name):.4f}" if name in cell.found else "-" for name in ESTIMATORS]
        lines.append(row([*_what(cell), *seconds, f"{cell.ratio():.2f}" if _both(cell) else "-"]))
    ratios = [cell.ratio() for cell in cells if _both(cell)]
    mean = [f"scikit-learn ÷ fastmlp: {geometric_mean(ratios):.2f} in the geometric mean, least {min(ratios):.2f}"]
    return [*lines, "", *_notes(cells, mean if ratios else [])]


def scores(cells: list[Cell]) -> list[str]:
    """Return the table of the accuracies on test rows, mean ± standard deviation."""
    lines = _head(["data", "hidden", "dtype", *[library.label for library in ESTIMATORS.values()]], 3)
    for cell in cells:
        found = [_spread(cell.found[name]) if name in cell.found else "-" for name in ESTIMATORS]
        lines.append(row([*_what(cell), *found]))
    return [*lines, "", *_notes(cells, [])]


def predictions(cells: list[Cell]) -> list[str]:
    """Return the table of microseconds of a call. The overhead is the estimator's time minus the kernel's."""
    labels = [library.label for library in PREDICTORS.values()]
    lines = _head(["data", "hidden", "dtype", *labels, "overhead", "scikit-learn ÷ fastmlp"], 3)
    for cell in cells:
        found = [f"{cell.median(name) * 1e6:,.1f}" if name in cell.found else "-" for name in PREDICTORS]
        known = OURS in cell.found and "kernel" in cell.found
        overhead = f"{(cell.median(OURS) - cell.median('kernel')) * 1e6:,.1f}" if known else "-"
        lines.append(row([*_what(cell), *found, overhead, f"{cell.ratio():.2f}" if _both(cell) else "-"]))
    return [*lines, "", *_notes(cells, [])]


def _head(head: list[str], texts: int) -> list[str]:
    return [row(head), row([*["---"] * texts, *["---:"] * (len(head) - texts)])]


def _what(cell: Cell) -> list[str]:
    return [cell.data, "-".join(map(str, cell.job.hidden)), cell.job.dtype]


def _both(cell: Cell) -> bool:
    return OURS in cell.found and THEIRS in cell.found


def _spread(values: list[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}"


def _notes(cells: Iterable[Cell], more: list[str]) -> list[str]:
    versions = {name: text for cell in cells for name, text in cell.versions.items()}
    missing = {label: why for cell in cells for label, why in cell.missing.items()}
    notes = [*more, "versions: " + ", ".join(f"{name} {text}" for name, text in versions.items())]
    notes += [f"**not installed, left out: {label}** ({why})" for label, why in missing.items()]
    return [f"- {note}" for note in notes]
