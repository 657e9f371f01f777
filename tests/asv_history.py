"""A made-up history of asv's results with known steps and noise, for tests of the page and for looking at it.

    python tests/asv_history.py FOLDER

writes such a history, of which ``python asv_bench/summary.py --results FOLDER --html FOLDER`` makes the page.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
from asv_files import COLD, STEP, Files, benchmark, question, trends, versus

NETWORKS = {"784-20-7-5-10": 32.0, "784-128-10": 130.0, "784-512-512-10": 1000.0}  # microseconds at batch 128
BATCHES = (32, 128, 1000)
LIBRARIES = {"numpy": 3.0, "sklearn": 5.0, "torch": 4.7, "jax": 2.1, "jax_uint8": 1.9}
PEAK = benchmark(trends.PEAK, threads=[1, 2])
BARRIER = benchmark(trends.BARRIER, threads=[2])
SHAPES = {"batch (rows)": list(BATCHES), "threads": [1, 2]}
STEPS = benchmark(STEP, network=list(NETWORKS), **{"batch norm": ["none"]}, **SHAPES)
BFLOAT16 = benchmark("training.StepInBfloat16.time_steps", network=list(NETWORKS), **SHAPES)
TASKS = {"library": list(LIBRARIES), "network": list(NETWORKS), "batch (rows)": [128, 1000]}
RATIOS, THEIRS = benchmark(versus.TIMES_AS_LONG, **TASKS), benchmark(question.THEIR_STEP, **TASKS)
OTHERS = [
    benchmark("prediction.Prediction.time_predict_proba", network=["784-128-10"], threads=[2]),
    benchmark("accuracy.TimeToAccuracy.track_seconds", network=["784-128-10"], threads=[2]),
    benchmark("startup.Startup.time_process", what=["first training"]),
    benchmark(COLD),
]
SCALES = (8e-3, 2.6, 0.9, 12.0)  # seconds of `OTHERS`


def made(commits=30, slower_from=20, step=0.1, noise=0.01, night=0.06, seed=0):
    """Yield for each commit the values of all benchmarks: faster by 30 % from a third on, slower from `slower_from` on.

    The night slows down everything alike, and the FMA peak shows it.
    """
    rng = np.random.default_rng(seed)
    for i in range(commits):
        slow = np.exp(rng.normal(0, night))
        level = (1.0 if i >= commits // 3 else 1.4) * (1 + step * (i >= slower_from))

        def times(value, slow=slow):
            return float(value * slow * np.exp(rng.normal(0, noise)))

        shapes = list(itertools.product(NETWORKS.values(), BATCHES, (1, 2)))
        steps = [40e-6 * level * us * batch / 128 * 2 / threads for us, batch, threads in shapes]
        tasks = list(itertools.product(LIBRARIES.values(), NETWORKS.values(), (128, 1000)))
        theirs = [ratio * us * (0.6 if batch == 1000 else 1) * batch / 128 for ratio, us, batch in tasks]
        ratios = [value / (us * batch / 128 * level) for value, (_, us, batch) in zip(theirs, tasks, strict=True)]
        yield [
            (STEPS, list(map(times, steps))),
            (BFLOAT16, [times(0.7 * value) for value in steps]),
            (RATIOS, [times(value, 1) for value in ratios]),
            (THEIRS, list(map(times, theirs))),
            (PEAK, [95 / slow, 188 / slow]),
            (BARRIER, [times(160)]),
            *[(what, [times(scale)]) for what, scale in zip(OTHERS, SCALES, strict=True)],
        ]


def write(folder, machine="example", **options):
    """Write the history; return asv's files."""
    files = Files(Path(folder))
    files.machine(machine, cpu="AMD EPYC, made up", num_cpu="2", ram="25769803776", os="Linux 6", arch="x86_64")
    files.list(STEPS, BFLOAT16, RATIOS, THEIRS, PEAK, BARRIER, *OTHERS)
    for i, values in enumerate(made(**options)):
        files.commit(f"{i:02x}", 100 + i, values, machine)
    return files


if __name__ == "__main__":
    write(sys.argv[1])
