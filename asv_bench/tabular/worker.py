"""The process of one model on one table.

usage: python -m tabular.worker MODEL JOB (the fields of the job as JSON)

It answers in lines of JSON. The first is ``{"version": …}`` when it is ready, or ``{"missing": …}``. Each request is
the number of a fold; the answer has its losses and seconds.
"""

import contextlib
import json
import sys
import time
from collections.abc import Iterable
from importlib import metadata
from typing import Any

import numpy as np
from peers.library import answer, imported

from . import MODELS
from .catalog import TABLES
from .job import Job
from .measures import MEASURES, constant

WARM_UP = 256  # rows of a fit and a prediction before the first fold: they compile, import and start threads


class Desk:
    """A model, and a table cut into folds."""

    def __init__(self, job: Job, make: Any) -> None:
        self.job, self.make = job, make
        self.features, target = job.data()
        self.labels: np.ndarray | None = None
        self.codes: np.ndarray = target
        if job.classes:
            self.labels, self.codes = np.unique(target, return_inverse=True)
        self.splits = list(job.splits(self.codes))

    @property
    def target(self) -> np.ndarray:
        """The target as the models get it, in which classes are words where the table has words."""
        return self.codes if self.labels is None else self.labels[self.codes]

    def warm_up(self) -> None:
        """Fit to a few rows, and predict."""
        rows = self.splits[0][0]
        rows = np.random.default_rng(0).permutation(rows)[:WARM_UP]
        self._predict(self.make(self.job, 0).fit(self.features.iloc[rows], self.target[rows]), rows)

    def fold(self, number: int) -> dict[str, float]:
        """Fit to the other folds; return the losses on the fold and the seconds."""
        train, test = self.splits[number]
        model = self.make(self.job, self.job.seed + number)
        features, target = self.features.iloc[train], self.target[train]
        start = time.perf_counter()
        model.fit(features, target)
        fitted = time.perf_counter()
        predicted = self._predict(model, test)
        done = time.perf_counter()
        loss = MEASURES[TABLES[self.job.table].measure].loss
        nothing = constant(self.codes[train], self.codes[test], self.job.classes)
        return {
            "loss": loss(self.codes[test], predicted),
            "constant": loss(self.codes[test], nothing),
            "fit": fitted - start,
            "predict": done - fitted,
            "training_rows": len(train),
        }

    def _predict(self, model: Any, rows: np.ndarray) -> np.ndarray:
        features = self.features.iloc[rows]
        predicted: np.ndarray = model.predict_proba(features) if self.job.classes else model.predict(features)
        return predicted


def serve(name: str, job: Job, requests: Iterable[str]) -> None:
    """Answer `requests`. What a model prints goes to standard error."""
    library = MODELS[name]
    module = imported(library, str(__package__), job.threads)
    if module is None:
        return
    with contextlib.redirect_stdout(sys.stderr):
        desk = Desk(job, module.make)
        desk.warm_up()
    answer({"version": metadata.version(library.distribution)})
    for request in requests:
        with contextlib.redirect_stdout(sys.stderr):
            found = desk.fold(json.loads(request))
        answer(found)


if __name__ == "__main__":
    serve(sys.argv[1], Job(**json.loads(sys.argv[2])), sys.stdin)
