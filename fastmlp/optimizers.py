"""Update rules: what one step does to a parameter, as plain settings. The arithmetic is in the kernels."""

from dataclasses import dataclass

from fastmlp import checks
from fastmlp.schedules import Constant, Schedule


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: ``W ← (1 - lr·λ) W - lr · grad(W)``, without momentum.

    The cost carries ``λ/2 · Σ‖W‖²``, whose gradient λW is the factor ``(1 - lr·λ)``: the decay acts once. Biases and
    the γ and β of batch norm do not decay.

    With momentum μ, ``V ← μ V - lr · (grad(W) + λW)`` and ``W ← W + V``, or ``W ← W + μ V - lr · (grad(W) + λW)`` with
    Nesterov's correction, V being 0 at the start of a training: Sutskever et al., "On the importance of initialization
    and momentum in deep learning" (2013), as in scikit-learn.

    Parameters
    ----------
    learning_rate : float or Schedule
        lr, above 0; or a schedule from `fastmlp.schedules`, which gives each step its own.
    weight_decay : float
        λ, at least 0.
    momentum : float
        μ, at least 0 and below 1.
    nesterov : bool
        Nesterov's correction; needs momentum.

    Raises
    ------
    ValueError
        A parameter is out of its range.
    """

    learning_rate: float | Schedule = 0.009
    weight_decay: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.learning_rate, Schedule):
            checks.positive("learning_rate", self.learning_rate)
        checks.not_negative("weight_decay", self.weight_decay)
        if self.momentum != 0:
            checks.inside_unit_interval("momentum", self.momentum)
        checks.flag("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True needs momentum above 0, got momentum=0")

    @property
    def schedule(self) -> Schedule:
        """The learning rate as a schedule."""
        return self.learning_rate if isinstance(self.learning_rate, Schedule) else Constant(self.learning_rate)
