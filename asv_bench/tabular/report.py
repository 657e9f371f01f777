"""The results as Markdown: a table of losses, two of seconds, the means over the tables."""

import statistics

import numpy as np
from peers.comparison import geometric_mean
from peers.table import row
from scipy import stats

from . import MODELS, OURS
from .catalog import TABLES
from .job import Job
from .measures import MEASURES
from .pairs import paired
from .results import Results


def markdown(results: Results, jobs: list[Job], names: list[str]) -> list[str]:
    """Return the lines of all parts."""
    jobs = [job for job in jobs if any(results.values(job, name) for name in names)]
    names = [name for name in names if any(results.values(job, name) for job in jobs)]
    parts = [
        losses(results, jobs, names),
        seconds(results, jobs, names, "fit"),
        seconds(results, jobs, names, "predict"),
        summary(results, jobs, names),
        paired(results, jobs),
    ]
    return [line for part in parts if jobs and part for line in [*part, ""]]


def losses(results: Results, jobs: list[Job], names: list[str]) -> list[str]:
    """Return the mean losses over the folds, the least of each table bold."""
    lines = _head("Loss on the held-out rows, mean of the folds; less is better", ["table", "loss", "folds"], names)
    for job in jobs:
        folds = shared(results, job, names)
        means = {name: loss(results, job, name, folds) for name in names if results.values(job, name)}
        shown = {name: f"{mean:,.0f}" if mean >= 1000 else f"{mean:.4g}" for name, mean in means.items()}
        shown |= {name: f"**{shown[name]}**" for name in means if means[name] == min(means.values())}
        lines.append(row([job.table, _measure(job), str(len(folds)), *[shown.get(name, "-") for name in names]]))
    return lines


def seconds(results: Results, jobs: list[Job], names: list[str], what: str) -> list[str]:
    """Return the median seconds of a fold, and the geometric means of their ratios to fastmlp's."""
    lines = _head(f"Seconds of {what}, median of the folds", ["table", "training rows"], names)
    ratios: dict[str, list[float]] = {}
    for job in jobs:
        folds = shared(results, job, names)
        found = {name: values for name in names if (values := results.values(job, name, what))}
        medians = {name: statistics.median(values[fold] for fold in folds) for name, values in found.items()}
        rows = max(max(results.values(job, name, "training_rows").values()) for name in found)
        lines.append(row([job.table, f"{rows:,}", *[f"{medians[n]:.3f}" if n in medians else "-" for n in names]]))
        for name in medians if OURS in medians else ():
            ratios.setdefault(name, []).append(medians[name] / medians[OURS])
    means = {name: f"{geometric_mean(found):.2f}, least {min(found):.2f}" for name, found in ratios.items()}
    return [*lines, row(["÷ fastmlp", "", *[means.get(name, "-") for name in names]])]


def summary(results: Results, jobs: list[Job], names: list[str]) -> list[str]:
    """Return mean normalized scores, wins and mean ranks over the tables on which all models were measured."""
    common = [job for job in jobs if all(results.values(job, name) for name in names)]
    if not common:
        return []
    folds = [shared(results, job, names) for job in common]
    each = list(zip(common, folds, strict=True))
    found = np.array([[loss(results, job, name, those) for name in names] for job, those in each])
    nothing = np.array([[loss(results, job, names[0], those, "constant")] for job, those in each])
    least = found.min(axis=1, keepdims=True)
    scores = (nothing - found) / (nothing - least)
    title = f"{len(common)} tables; a score is 1 for the least loss on a table, and 0 for that of a constant prediction"
    return [
        *_head(title, ["over the tables"], names),
        row(["mean normalized score", *[f"{mean:.4f}" for mean in scores.mean(axis=0)]]),
        row(["wins, with ties", *map(str, (found == least).sum(axis=0))]),
        row(["mean rank", *[f"{rank:.2f}" for rank in stats.rankdata(found, axis=1).mean(axis=0)]]),
    ]


def shared(results: Results, job: Job, names: list[str]) -> list[int]:
    """Return the folds that every model has which has any on the table: means over other folds do not compare."""
    folds = [results.values(job, name).keys() for name in names if results.values(job, name)]
    return sorted(set.intersection(*map(set, folds)))


def loss(results: Results, job: Job, name: str, folds: list[int], what: str = "loss") -> float:
    """Return the mean loss over folds."""
    values = results.values(job, name, what)
    return statistics.mean(values[fold] for fold in folds)


def _measure(job: Job) -> str:
    return MEASURES[TABLES[job.table].measure].label


def _head(title: str, first: list[str], names: list[str]) -> list[str]:
    head = [*first, *[MODELS[name].label for name in names]]
    return [f"**{title}**", "", row(head), row([*["---"] * len(first), *["---:"] * len(names)])]
