"""Runs of an experiment with chosen figures, made without a training."""

import numpy as np

from fastmlp.experiments import Run


def make_run(experiment="none", seed=0, **figures):
    """Make a run with the figures that a test needs."""
    usual = {
        "epochs": 2,
        "steps": 96,
        "train_accuracy": 0.91,
        "test_accuracy": 0.90,
        "val_accuracy": 0.89,
        "final_cost": 0.3,
        "seconds": 1.5,
        "largest_weight": 0.5,
        "stopped_because": "early stopping",
    }
    records = [
        {"epoch": 1, "steps": 48, "cost": 0.9, "last_cost": 0.8, "val_cost": 0.9, "val_accuracy": 0.7},
        {"epoch": 2, "steps": 96, "cost": 0.4, "last_cost": 0.3, "val_cost": 0.4, "val_accuracy": 0.89},
    ]
    records = [record | {"seconds": 0.75 * record["epoch"]} for record in records]
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in ((12, 6), (6, 3))]
    return Run(experiment=experiment, seed=seed, records=records, weights=weights, **(usual | figures))
