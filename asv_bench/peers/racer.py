"""The process of one library in a race. It trains by a recipe and measures the accuracy after each epoch.

usage: python -m peers.racer LIBRARY RECIPE (the fields of the recipe as JSON)

It answers in lines of JSON. The first is ``{"version": …}`` when it is ready, or ``{"missing": …}``. Each request has a
seed and the accuracy to reach. The answer is a list of ``[seconds of training so far, accuracy on the test rows]``,
with one entry for each epoch.
"""

import json
import sys
import time
from collections.abc import Iterable

import numpy as np

from .library import answer, prepare, read_fields
from .recipe import Recipe
from .task import Training


def run(recipe: Recipe, training: Training, seed: int, target: float) -> list[tuple[float, float]]:
    """Train until the accuracy is reached or the epochs are over. Only the epochs are timed."""
    x_test, y_test = recipe.test_rows()
    training.begin(seed)
    seconds, found = 0.0, list[tuple[float, float]]()
    for epoch in range(recipe.epochs):
        rates = recipe.rates(epoch)
        start = time.perf_counter()
        training.epoch(seed * recipe.epochs + epoch, rates)
        seconds += time.perf_counter() - start
        found.append((seconds, float(np.mean(training.predict(x_test) == y_test))))
        if found[-1][1] >= target:
            break
    return found


def serve(name: str, recipe: Recipe, requests: Iterable[str]) -> None:
    """Answer `requests`."""
    training = prepare(name, recipe)
    if training is None:
        return
    training.predict(recipe.test_rows()[0])
    for request in requests:
        seed, target = json.loads(request)
        answer(run(recipe, training, seed, target))


if __name__ == "__main__":
    name, text = sys.argv[1:]
    serve(name, Recipe(**read_fields(text)), sys.stdin)
