"""The process of one estimator.

usage: python -m estimation.worker LIBRARY JOB (the fields of the job as JSON)

It answers in lines of JSON. The first is ``{"version": …}`` when it is ready, or ``{"missing": …}``. Each request is a
line with a list of a method of `Desk` and its arguments.
"""

import json
import sys
import time
from collections.abc import Iterable
from importlib import metadata

from peers.library import answer, imported

from . import PREDICTORS
from .job import Job, Model

PAUSE = 0.2  # seconds before a clock starts: threads of another process's OpenBLAS spin for a while after a product


class Desk:
    """The methods that requests can call."""

    def __init__(self, job: Job, model: Model) -> None:
        self.model, self.arrays = model, job.arrays()

    def fit(self, epochs: int, state: int) -> list[float]:
        """Fit to the training rows; return the seconds and the epochs."""
        x, y = self.arrays["x"], self.arrays["y"]
        time.sleep(PAUSE)
        start = time.perf_counter()
        done = self.model.fit(x, y, epochs, state)
        return [time.perf_counter() - start, done]

    def score(self) -> float:
        """Return the accuracy on the test rows."""
        return self.model.score(self.arrays["x_test"], self.arrays["y_test"])

    def predict(self, rows: int, calls: int) -> float:
        """Return the seconds of a prediction of `rows` rows: the mean over `calls` calls."""
        x = self.arrays["x"]
        call = self.model.predictor(x[:rows] if rows <= len(x) else x.repeat(-(-rows // len(x)), axis=0)[:rows])
        time.sleep(PAUSE)
        call()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls


def serve(name: str, job: Job, requests: Iterable[str]) -> None:
    """Answer `requests`."""
    library = PREDICTORS[name]
    module = imported(library, str(__package__), job.threads)
    if module is None:
        return
    desk = Desk(job, module.make(job))
    desk.fit(1, 0)  # compiles
    answer({"version": metadata.version(library.distribution)})
    for request in requests:
        method, *arguments = json.loads(request)
        answer(getattr(desk, method)(*arguments))


if __name__ == "__main__":
    name, text = sys.argv[1:]
    fields = json.loads(text)
    serve(name, Job(**fields | {"hidden": tuple(fields["hidden"])}), sys.stdin)
