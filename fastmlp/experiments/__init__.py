"""The course report's three experiments on MNIST and the grid behind them."""

from fastmlp.experiments.configuration import EXPERIMENTS, Configuration, Experiment
from fastmlp.experiments.grid import Cell, Grid, best_cells
from fastmlp.experiments.run import Run, run_experiments, train_once
from fastmlp.experiments.sweep import run_sweep
from fastmlp.experiments.table import summarise
from fastmlp.experiments.verdict import judge

__all__ = [
    "EXPERIMENTS",
    "Cell",
    "Configuration",
    "Experiment",
    "Grid",
    "Run",
    "best_cells",
    "judge",
    "run_experiments",
    "run_sweep",
    "summarise",
    "train_once",
]
