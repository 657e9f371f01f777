"""The files that the experiments and the sweep write into their folder."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp import plots
from fastmlp.experiments import page, table
from fastmlp.experiments.folder import write_csv, write_json, write_text
from fastmlp.experiments.grid import Grid, Place, best_cells, places
from fastmlp.experiments.run import Run
from fastmlp.experiments.sweep import SweepResult
from fastmlp.experiments.table import Summary
from fastmlp.experiments.verdict import BATCH_NORM_NOTE, Verdict
from fastmlp.system.files import replaced_whole

# Cells whose accuracy is so far below the best all have the same colour. Networks that do not learn stay near an
# accuracy of 0.11, and would leave few colours for the others.
COLOURED_ACCURACIES = 0.2


def experiments_document(
    runs: Sequence[Run],
    summaries: Sequence[Summary],
    verdict: Verdict,
    environment: Mapping[str, Any],
    *,
    curves: bool = True,
) -> dict[str, Any]:
    """Return all results of the experiments as one document for JSON, with the curve of every run if `curves`."""
    return {
        "environment": dict(environment),
        "experiments": [
            {
                "name": summary.name,
                "configuration": asdict(summary.experiment.configuration),
                "report": asdict(summary.experiment.report),
                "study": asdict(summary.experiment.study),
                "warm_up_seconds": summary.warm_up_seconds,
                "figures": {name: spread and asdict(spread) for name, spread in summary.figures.items()},
                "stopped_because": summary.stopped_because,
            }
            for summary in summaries
        ],
        "verdict": {
            "checks": [asdict(check) | {"inside": check.inside} for check in verdict.checks],
            "ranking": verdict.ranking,
            "endings": verdict.endings,
        },
        "runs": [run.figures() | ({"records": run.records} if curves else {}) for run in runs],
    }


def write_experiments(
    folder: Path, runs: Sequence[Run], summaries: Sequence[Summary], verdict: Verdict, environment: Mapping[str, Any]
) -> list[Path]:
    """Write the page, the JSON document and the two CSV files; return their paths, the page first."""
    document = experiments_document(runs, summaries, verdict, environment)
    curves = [{"experiment": run.experiment, "seed": run.seed} | record for run in runs for record in run.records]
    html = experiments_page(runs, summaries, verdict, environment)
    paths = [folder / name for name in ("experiments.html", "experiments.json", "runs.csv", "curves.csv")]
    write_text(paths[0], html)
    write_json(paths[1], document)
    write_csv(paths[2], [run.figures() for run in runs])
    write_csv(paths[3], curves)
    return paths


def experiments_page(
    runs: Sequence[Run], summaries: Sequence[Summary], verdict: Verdict, environment: Mapping[str, Any]
) -> str:
    """Return the HTML page of the three experiments."""
    groups = {s.experiment.title: [run for run in runs if run.experiment == s.name] for s in summaries}
    chosen = {title: median_run(own) for title, own in groups.items()}
    cost = plots.cost_curves(
        groups,
        highlighted=chosen,
        references={s.experiment.title: (s.experiment.report.steps, s.experiment.report.final_cost) for s in summaries},
        reference_label="the report's end",
    )
    accuracy = plots.curves(
        groups,
        quantity="val_accuracy",
        highlighted=chosen,
        references={
            s.experiment.title: (s.experiment.report.steps, s.experiment.report.val_accuracy) for s in summaries
        },
        reference_label="the report's end",
    )
    histograms = plots.weight_histograms({title: groups[title][chosen[title]].weights for title in groups})
    return page.render(
        "experiments.html",
        environment=environment,
        headings=table.headings(),
        rows=table.rows(summaries),
        verdict=verdict,
        note=BATCH_NORM_NOTE,
        summaries=summaries,
        chosen=[f"{title}: seed {groups[title][position].seed}" for title, position in chosen.items()],
        cost=page.image_address(cost),
        accuracy=page.image_address(accuracy),
        histograms=page.image_address(histograms),
    )


def median_run(runs: Sequence[Run]) -> int:
    """Return the position of the run with the median test accuracy; of two middle runs, the less accurate one."""
    order = sorted(range(len(runs)), key=lambda position: runs[position].test_accuracy)
    return order[(len(order) - 1) // 2]


def sweep_document(grid: Grid, result: SweepResult, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sweep's results as one document for JSON."""
    return {
        "environment": dict(environment),
        "grid": asdict(grid),
        "cells": len(result.results),
        "trained": result.trained,
        "seconds": result.seconds,
        "training_seconds": result.training_seconds,
        "best": {method: asdict(place) for method, place in best_cells(result.results).items()},
        "results": [
            {"column": cell.column, "configuration": asdict(cell.configuration)} | figures
            for cell, figures in result.results
        ],
    }


def write_sweep(folder: Path, grid: Grid, result: SweepResult, environment: Mapping[str, Any]) -> list[Path]:
    """Write the page, the heat map, the JSON document and the CSV file; return their paths, the page first."""
    paths = [folder / name for name in ("sweep.html", "heat-map.png", "sweep.json", "cells.csv")]
    averaged, best = places(result.results), best_cells(result.results)
    accuracy = grid_heat_map(grid, averaged, "test_accuracy", best)
    epochs = grid_heat_map(grid, averaged, "epochs", best)
    html = page.render(
        "sweep.html",
        environment=environment,
        grid=grid,
        result=result,
        best=best,
        accuracy=page.image_address(accuracy),
        epochs=page.image_address(epochs),
    )
    write_text(paths[0], html)
    with replaced_whole(paths[1]) as temporary:
        accuracy.savefig(temporary, format="png", dpi=150)
    write_json(paths[2], sweep_document(grid, result, environment))
    write_csv(
        paths[3],
        [
            {
                "method": cell.method,
                "batch_size": cell.configuration.batch_size,
                "weight_decay": cell.configuration.weight_decay,
                "learning_rate": cell.configuration.learning_rate,
            }
            | {name: value for name, value in figures.items() if name != "experiment"}
            for cell, figures in result.results
        ],
    )
    return paths


def grid_heat_map(grid: Grid, averaged: Sequence[Place], quantity: str, best: Mapping[str, Place]) -> Any:
    """Return the heat map of a figure. Rows are batch sizes, columns are methods and λ; the best cells have frames."""
    batch_sizes, columns = sorted(grid.batch_sizes), grid.columns()

    def position(place: Place) -> tuple[int, int]:
        return batch_sizes.index(place.batch_size), columns.index(place.column)

    values = np.full((len(batch_sizes), len(columns)), np.nan)
    for place in averaged:
        values[position(place)] = getattr(place, quantity)
    accuracy = quantity.endswith("accuracy")
    return plots.heat_map(
        values,
        rows=[str(size) for size in batch_sizes],
        columns=columns,
        row_label="batch size",
        column_label="L2 decay λ, or the method",
        title="Test accuracy" if accuracy else "Epochs until the stop",
        decimals=3 if accuracy else 0,
        lowest_colour=np.nanmax(values) - COLOURED_ACCURACIES if accuracy else None,
        outlined=[position(place) for place in best.values()],
    )
