"""The three experiments, with the report's figures and the figures of a reproduction study."""

from dataclasses import dataclass, replace

from fastmlp.inputs import checks


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The settings of one training run. Together with a seed and the data they determine its result.

    The defaults are the configuration that fits the report's numbers: raw pixels, ``W = 0.05 · N(0, 1)``, no momentum,
    batch norm after the ReLU without γ and β, and a fifth of the training images held out at random.

    Parameters
    ----------
    batch_size : int
        Samples per mini-batch.
    batch_norm : bool
        Whether the hidden layers are normalised.
    weight_decay : float
        λ of the L2 penalty ``λ/2 · Σ‖W‖²``; 0 is none.
    learning_rate : float
        Learning rate of SGD.
    epochs : int
        Largest number of epochs. The report's stop rule usually ends a run earlier.
    hidden : tuple of int
        Widths of the hidden layers.
    init_scale : float
        Standard deviation of the initial weights.
    validation : float
        Held-out fraction of the training samples.

    Raises
    ------
    ValueError, TypeError
        A value is out of its range or of the wrong type.
    """

    batch_size: int
    batch_norm: bool = False
    weight_decay: float = 0.0
    learning_rate: float = 0.009
    epochs: int = 100
    hidden: tuple[int, ...] = (20, 7, 5)
    init_scale: float = 0.05
    validation: float = 0.2

    def __post_init__(self) -> None:
        checks.count("batch_size", self.batch_size)
        checks.flag("batch_norm", self.batch_norm)
        checks.not_negative("weight_decay", self.weight_decay)
        checks.positive("learning_rate", self.learning_rate)
        checks.count("epochs", self.epochs)
        checks.positive("init_scale", self.init_scale)
        if not 0 < self.validation < 1:
            raise ValueError(f"validation must be a fraction between 0 and 1, got {self.validation!r}")


@dataclass(frozen=True, kw_only=True)
class ReportFigures:
    """One row of the report's table."""

    epochs: int
    steps: int
    train_accuracy: float
    test_accuracy: float
    val_accuracy: float
    final_cost: float
    seconds: float
    largest_weight: float


@dataclass(frozen=True, kw_only=True)
class StudyFigures:
    """Figures of the reproduction study (JAX, float32) at the end of the training, over `runs` seeds.

    `steps` is the study's mean number of epochs times the steps of an epoch. `largest_weight_range` has the smallest
    and the largest value of the runs.
    """

    runs: int
    epochs: float
    epochs_spread: float
    steps: float
    test_accuracy: float
    test_accuracy_spread: float
    test_accuracy_median: float | None = None
    final_cost: float
    largest_weight: float
    largest_weight_range: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One of the report's experiments: its name, its configuration, and the figures to compare with."""

    name: str
    title: str
    configuration: Configuration
    report: ReportFigures
    study: StudyFigures

    def limited_to(self, *, epochs: int) -> "Experiment":
        """Return the same experiment with another largest number of epochs."""
        return replace(self, configuration=replace(self.configuration, epochs=epochs))


# ReportFigures are from the report's table; StudyFigures are from 11 to 18 seeds of the study
EXPERIMENTS = (
    Experiment(
        name="none",
        title="1 none",
        configuration=Configuration(batch_size=1000),
        report=ReportFigures(
            epochs=33, steps=1584, train_accuracy=0.9087, test_accuracy=0.9036, val_accuracy=0.8980,
            final_cost=0.3086, seconds=22.78, largest_weight=0.6,
        ),
        study=StudyFigures(
            runs=13, epochs=40.8, epochs_spread=9.4, steps=40.8 * 48, test_accuracy=0.906, test_accuracy_spread=0.022,
            final_cost=0.336, largest_weight=0.44, largest_weight_range=(0.33, 0.60),
        ),
    ),
    Experiment(
        name="batch norm",
        title="2 batch norm",
        configuration=Configuration(batch_size=1000, batch_norm=True),
        report=ReportFigures(
            epochs=91, steps=4368, train_accuracy=0.9242, test_accuracy=0.9173, val_accuracy=0.9141,
            final_cost=0.3807, seconds=70.04, largest_weight=2.0,
        ),
        study=StudyFigures(
            runs=11, epochs=84.5, epochs_spread=12, steps=84.5 * 48, test_accuracy=0.916, test_accuracy_spread=0.010,
            final_cost=0.416, largest_weight=1.85, largest_weight_range=(1.55, 2.00),
        ),
    ),
    Experiment(
        name="L2",
        title="3 L2, λ = 0.0005",
        configuration=Configuration(batch_size=500, weight_decay=0.0005),
        report=ReportFigures(
            epochs=18, steps=1728, train_accuracy=0.9240, test_accuracy=0.9232, val_accuracy=0.9193,
            final_cost=0.2912, seconds=16.23, largest_weight=0.4,
        ),
        study=StudyFigures(
            runs=18, epochs=21.2, epochs_spread=6.0, steps=21.2 * 96, test_accuracy=0.893, test_accuracy_spread=0.046,
            test_accuracy_median=0.914, final_cost=0.357, largest_weight=0.41, largest_weight_range=(0.34, 0.55),
        ),
    ),
)  # fmt: skip
