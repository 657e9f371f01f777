"""The Markdown table of a comparison."""

from collections.abc import Callable, Iterable, Mapping

from . import LIBRARIES, OURS
from .comparison import Comparison, geometric_mean

# the columns of ratios: their names, and the functions that return the library whose time is divided by fastmlp's
RATIOS: dict[str, Callable[[Comparison], str | None]] = {
    "best peer": Comparison.best_peer,
    "best PyTorch in bfloat16": Comparison.best_torch_bfloat16,
}


def markdown(title: str, results: list[Comparison], machine: Iterable[str]) -> str:
    """Return the title, the table, the notes on the machine, and the means."""
    names = [name for name in LIBRARIES if any(name in result.seconds for result in results)]
    labels = [LIBRARIES[name].label for name in names]
    ratios = [what for what, chosen in RATIOS.items() if OURS in names and any(map(chosen, results))]
    head = ["network", "batch", *labels, *[f"{what} ÷ fastmlp" for what in ratios]]
    lines = [row(head), row(["---", *["---:"] * (len(head) - 1)])]
    lines += [row(_cells(result, names, ratios)) for result in results]
    found, missing = versions(r.versions for r in results), left_out(r.missing for r in results)
    notes = [*machine, *found, *_means(results), *missing]
    return "\n".join([f"**{title}**", "", *lines, "", *[f"- {note}" for note in notes]])


def row(cells: Iterable[str]) -> str:
    """Return a line of a table."""
    return "| " + " | ".join(cells) + " |"


def _cells(result: Comparison, names: list[str], ratios: list[str]) -> list[str]:
    cells = ["-".join(map(str, result.task.widths)), str(result.task.batch)]
    for name in names:
        shown = _digits(result.microseconds(name)) if name in result.seconds else "-"
        cells.append(f"**{shown}**" if name == OURS else shown)
    for what in ratios:
        best = RATIOS[what](result)
        cells.append(f"{result.ratio(best):.2f} ({LIBRARIES[best].label})" if best else "-")
    return cells


def _digits(microseconds: float) -> str:
    """Return microseconds with one decimal below 100, and without decimals from 100 on."""
    return f"{microseconds:.1f}" if microseconds < 100 else f"{microseconds:,.0f}"


def versions(found: Iterable[Mapping[str, str]]) -> list[str]:
    """Return a note of the libraries' versions, from all comparisons."""
    named = {LIBRARIES[name].distribution: text for texts in found for name, text in texts.items()}
    return ["versions: " + ", ".join(f"{name} {text}" for name, text in named.items())] if named else []


def _means(results: list[Comparison]) -> list[str]:
    notes, timed = [], [result for result in results if OURS in result.seconds]
    for what, chosen in RATIOS.items():
        best = [result.ratio(name) for result in timed if (name := chosen(result))]
        if best:
            mean, least = f"{geometric_mean(best):.2f} in the geometric mean", f"{min(best):.2f} where it comes closest"
            notes.append(f"{what} of each row ÷ fastmlp: {mean}, {least}")
    for name in LIBRARIES:
        ratios = [result.ratio(name) for result in timed if name in result.seconds and name != OURS]
        if ratios:
            notes.append(f"{LIBRARIES[name].label} ÷ fastmlp: {geometric_mean(ratios):.2f}, least {min(ratios):.2f}")
    return notes


def left_out(missing: Iterable[Mapping[str, str]]) -> list[str]:
    """Return a note for each library that was missing in a comparison."""
    reasons = {name: why for reasons in missing for name, why in reasons.items()}
    return [f"**not installed, left out: {LIBRARIES[name].label}** ({why})" for name, why in reasons.items()]
