"""The runs' figures, mean ± spread, beside the report's numbers and the study's."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastmlp.experiments.configuration import EXPERIMENTS, Experiment
from fastmlp.experiments.run import Run

# the name of a figure in Run and ReportFigures, its heading, the decimals of a mean, the decimals of a single value
COLUMNS = (
    ("epochs", "epochs", 1, 0),
    ("steps", "steps", 0, 0),
    ("train_accuracy", "train accuracy", 3, 4),
    ("test_accuracy", "test accuracy", 3, 4),
    ("val_accuracy", "val. accuracy", 3, 4),
    ("final_cost", "final cost", 3, 4),
    ("largest_weight", "largest weight", 2, 2),
    ("seconds", "seconds", 2, 2),
)
NO_VALUE = "-"

# number of rows for each experiment: its title, fastmlp, the report, the study
GROUP = 4


@dataclass(frozen=True)
class Spread:
    """Statistics of `values`. The standard deviation divides by n - 1, and is None for one value."""

    values: tuple[float, ...]
    mean: float
    deviation: float | None
    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float | None]) -> "Spread | None":
        """Return the statistics of the values that are finite numbers; None if there are none."""
        finite = tuple(float(value) for value in values if value is not None and math.isfinite(value))
        if not finite:
            return None
        deviation = statistics.stdev(finite) if len(finite) > 1 else None
        return cls(finite, statistics.fmean(finite), deviation, statistics.median(finite), min(finite), max(finite))


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One experiment over all seeds: a `Spread` for every figure, and the number of runs for each reason to stop."""

    experiment: Experiment
    runs: int
    figures: dict[str, Spread | None]
    stopped_because: dict[str, int]
    warm_up_seconds: float

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.experiment.name


@dataclass(frozen=True)
class Row:
    """A row of the table: the source of the figures, and one text for each column."""

    label: str
    cells: tuple[str, ...]
    opens_group: bool = False


def summarise(
    runs: Sequence[Run],
    *,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    warm_up_seconds: Mapping[str, float] | None = None,
) -> list[Summary]:
    """Summarise the runs of each experiment.

    Parameters
    ----------
    runs : sequence of Run
        The runs, in any order.
    experiments : sequence of Experiment
        The experiments to report, in this order. Those without a run are left out.
    warm_up_seconds : mapping, optional
        The second result of `run_experiments`.

    Returns
    -------
    list of Summary
    """
    summaries = []
    for experiment in experiments:
        own = [run for run in runs if run.experiment == experiment.name]
        if not own:
            continue
        reasons = [run.stopped_because for run in own]
        summaries.append(
            Summary(
                experiment=experiment,
                runs=len(own),
                figures={name: Spread.of([getattr(run, name) for run in own]) for name, *_ in COLUMNS},
                stopped_because={reason: reasons.count(reason) for reason in dict.fromkeys(reasons)},
                warm_up_seconds=(warm_up_seconds or {}).get(experiment.name, 0.0),
            )
        )
    return summaries


def headings() -> tuple[str, ...]:
    """Return the headings of the columns after the label."""
    return (*(heading for _, heading, *_ in COLUMNS), "with compiling")


def rows(summaries: Sequence[Summary]) -> list[Row]:
    """Return four rows for every experiment: its title, and the figures of fastmlp, of the report and of the study."""
    lines = []
    for summary in summaries:
        configuration = summary.experiment.configuration
        lines.append(Row(f"{summary.experiment.title}, batch {configuration.batch_size}", (), opens_group=True))
        lines.append(_fastmlp_row(summary))
        lines.append(_report_row(summary.experiment))
        lines.append(_study_row(summary.experiment))
    return lines


def as_text(summaries: Sequence[Summary]) -> str:
    """Return the table for a terminal of 80 columns, with a block for each experiment and a line for each figure."""
    blocks = []
    lines = rows(summaries)
    for start in range(0, len(lines), GROUP):
        group, *sources = lines[start : start + GROUP]
        columns = [(source.label, *source.cells) for source in sources]
        widths = [max(len(text) for text in column) for column in columns]
        blocks.append(group.label)
        for number, heading in enumerate(("", *headings())):
            cells = [column[number].rjust(width) for column, width in zip(columns, widths, strict=True)]
            blocks.append("   ".join([f"  {heading:<18}", *cells]).rstrip())
        blocks.append("")
    return "\n".join(blocks[:-1])


def plus_minus(mean: float, deviation: float | None, decimals: int) -> str:
    """Return ``mean ± deviation``, or the mean alone."""
    return f"{mean:.{decimals}f}" + ("" if deviation is None else f" ± {deviation:.{decimals}f}")


def _fastmlp_row(summary: Summary) -> Row:
    cells = []
    for name, _, decimals, decimals_of_one in COLUMNS:
        spread = summary.figures[name]
        decimals = decimals if summary.runs > 1 else decimals_of_one
        cells.append(NO_VALUE if spread is None else plus_minus(spread.mean, spread.deviation, decimals))
    seconds = summary.figures["seconds"]
    cells.append(NO_VALUE if seconds is None else f"{seconds.mean + summary.warm_up_seconds:.2f}")
    return Row(f"fastmlp, {summary.runs} seed{'s' if summary.runs > 1 else ''}", tuple(cells))


def _report_row(experiment: Experiment) -> Row:
    cells = tuple(f"{getattr(experiment.report, name):.{decimals}f}" for name, _, _, decimals in COLUMNS)
    return Row("report, 1 run", (*cells, NO_VALUE))


def _study_row(experiment: Experiment) -> Row:
    study = experiment.study
    least, greatest = study.largest_weight_range
    known = {
        "epochs": plus_minus(study.epochs, study.epochs_spread, 1),
        "steps": f"{study.steps:.0f}",
        "test_accuracy": plus_minus(study.test_accuracy, study.test_accuracy_spread, 3),
        "final_cost": f"{study.final_cost:.3f}",
        "largest_weight": f"{study.largest_weight:.2f} ({least:.2f}-{greatest:.2f})",
    }
    return Row(f"study, {study.runs} seeds", (*(known.get(name, NO_VALUE) for name, *_ in COLUMNS), NO_VALUE))
