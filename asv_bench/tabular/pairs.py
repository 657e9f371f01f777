"""fastmlp beside the authors' implementation on the same folds."""

import statistics

import numpy as np
from peers.table import row
from scipy import stats

from . import AUTHORS, MODELS, OURS
from .job import Job
from .results import Results

CONFIDENCE = 0.95


def paired(results: Results, jobs: list[Job]) -> list[str]:
    """Return a table of the differences, with their mean over the tables."""
    found = {job.table: interval(apart, job.folds) for job in jobs if len(apart := differences(results, job))}
    if not found:
        return []
    title = f"fastmlp's loss minus that of {MODELS[AUTHORS].label}, in % of the latter, with {CONFIDENCE:.0%} interval"
    lines = [f"**{title}**", "", row(["table", "difference", "±", "beyond noise"]), row(["---", "---:", "---:", "---"])]
    for table, (mean, margin) in found.items():
        verdict = ("better" if mean < 0 else "worse") if abs(mean) > margin else "no"
        lines.append(row([table, f"{mean:+.2f}", f"{margin:.2f}", verdict]))
    means = [mean for mean, _ in found.values()]
    return [*lines, row(["mean", f"{statistics.mean(means):+.2f}", "", f"median {statistics.median(means):+.2f}"])]


def differences(results: Results, job: Job) -> np.ndarray:
    """Return fastmlp's loss minus the authors' for each fold that both have, in % of the authors' mean loss."""
    ours, theirs = results.values(job, OURS), results.values(job, AUTHORS)
    both = sorted(ours.keys() & theirs.keys())
    base = statistics.mean(theirs.values()) if theirs else 0
    return np.array([(ours[fold] - theirs[fold]) / (base or 1) * 100 for fold in both])


def interval(apart: np.ndarray, folds: int) -> tuple[float, float]:
    """Return the mean of the differences and the margin of its interval, by the corrected paired t-test.

    Folds share training rows, so the variance of the mean is that of the differences times 1/k + test rows ÷ training
    rows, for k folds (Nadeau and Bengio 2003, "Inference for the generalization error", Machine Learning 52).
    """
    if len(apart) < 2:
        return float(apart.mean()), float("inf")
    deviation = apart.std(ddof=1) * np.sqrt(1 / len(apart) + 1 / (folds - 1))
    return float(apart.mean()), float(stats.t.ppf((1 + CONFIDENCE) / 2, len(apart) - 1) * deviation)
