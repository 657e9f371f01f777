"""What ``fastmlp train`` prints of a table: before the training and after it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastmlp.cli import output
from fastmlp.cli.recipes import CLASSIFICATION, REGRESSION
from fastmlp.cli.tabular import columns
from fastmlp.reports.digits import digits

COSTS = {"cost": "training cost", "val_cost": "validation cost", "val_accuracy": "validation accuracy"}
MOST_CLASSES = 20  # that precision and recall are printed of


def before(found: Mapping[str, Any], *, every: bool) -> str:
    """Return what is about to be trained: rows, the task and why, the columns."""
    other = REGRESSION if found["task"] == CLASSIFICATION else CLASSIFICATION
    rows = f"{found['rows']:,} rows, {found['rows_tested']:,} of them kept for the test"
    task = f"{found['different']:,} different values, {found['task']} (--task {other} decides otherwise)"
    lines = [
        f"{found['data']}: {rows}; {len(found['columns'])} columns",
        f"target {found['target']}: {task}",
        "",
        *columns.lines(found["columns"], every=every),
        "",
    ]
    return "\n".join(lines)


def after(found: Mapping[str, Any]) -> str:
    """Return how the training went, the scores, and where the model is."""
    measured = ", ".join(f"{label} {found[name]:.4g}" for name, label in COSTS.items() if found[name] is not None)
    networks = "network" if found["networks"] == 1 else f"{found['networks']} networks"
    trained = f"trained {networks} {'-'.join(map(str, found['widths']))} for {found['epochs']} epochs"
    lines = [f"{trained} in {found['seconds']:.1f} s; kept epoch {found['kept_epoch']}: {measured}"]
    if "scores" in found:
        lines += ["", f"on the {found['rows_tested']:,} rows kept for the test:", *_scores(found["scores"])]
        lines += ["", *_classes(found["per_class"])] if found["per_class"] else []
    files = [str(found[name]) for name in ("model", "history", "report") if found[name]]
    return "\n".join([*lines, "", f"saved {', '.join(files)}"])


def _scores(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    names = list(next(iter(scores.values())))
    return output.aligned([["", *names], *([model, *map(digits, values.values())] for model, values in scores.items())])


def _classes(classes: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [columns.shortened(str(one["class"])), digits(one["precision"]), digits(one["recall"]), f"{one['rows']:,}"]
        for one in classes[:MOST_CLASSES]
    ]
    more = len(classes) - len(rows)
    return output.aligned([["class", "precision", "recall", "rows"], *rows]) + ([f"… and {more} more"] if more else [])
