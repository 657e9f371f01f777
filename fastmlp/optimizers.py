"""Update rules: what one step does to a parameter, as plain settings. The arithmetic is in the kernels."""

from dataclasses import dataclass

from fastmlp import checks
from fastmlp.schedules import Constant, Schedule


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: ``W ← (1 - lr·λ) W - lr · grad(W)``.

    The cost carries ``λ/2 · Σ‖W‖²``, whose gradient λW is the factor ``(1 - lr·λ)``: the decay acts once. Biases and
    the γ and β of batch norm do not decay.

    Parameters
    ----------
    learning_rate : float or Schedule
        lr, above 0; or a schedule from `fastmlp.schedules`, which gives each step its own.
    weight_decay : float
        λ, at least 0.

    Raises
    ------
    ValueError
        A parameter is out of its range.
    """

    learning_rate: float | Schedule = 0.009
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.learning_rate, Schedule):
            checks.positive("learning_rate", self.learning_rate)
        checks.not_negative("weight_decay", self.weight_decay)

    @property
    def schedule(self) -> Schedule:
        """The learning rate as a schedule."""
        return self.learning_rate if isinstance(self.learning_rate, Schedule) else Constant(self.learning_rate)
