"""Update rules: what one step does to a parameter, as plain settings. The arithmetic is in the kernels."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.inputs import checks
from fastmlp.multipliers import EQUAL_RATES, RateMultipliers
from fastmlp.schedules import Constant, Rates, Schedule


@dataclass(frozen=True)
class State:
    """What an update rule remembers between steps.

    Attributes
    ----------
    steps : int
        Steps done.
    moments : list of numpy.ndarray
        Each laid out as a network's `snapshot`: the velocity of momentum, or Adam's two averages.
    key : int
        Of the dropout masks.
    """

    steps: int
    moments: list[np.ndarray]
    key: int = 0


class Optimizer(ABC):
    """What `fastmlp.train` takes as an update rule.

    Attributes
    ----------
    learning_rate : float or Schedule
        The rate of every step.
    weight_decay : float
        λ, at least 0.
    clip_norm : float or None
        Greatest norm of the gradient.
    rate_multipliers : RateMultipliers
        What multiplies the rate of each kind of parameter.
    l2 : float
        λ of the term ``λ/2 · Σ‖W‖²`` that the rule adds to the cost.
    """

    learning_rate: float | Schedule
    weight_decay: float
    clip_norm: float | None
    rate_multipliers: RateMultipliers = EQUAL_RATES

    @property
    def l2(self) -> float:
        """λ of the term that the rule adds to the cost."""
        return self.weight_decay

    @property
    def schedule(self) -> Schedule:
        """The learning rate as a schedule."""
        return self.learning_rate if isinstance(self.learning_rate, Schedule) else Constant(self.learning_rate)

    @abstractmethod
    def _rule(self) -> dict[str, Any]:
        """Return what the engine needs to know of the rule, by its names."""

    def settings(self) -> dict[str, Any]:
        """Return what the engine needs to know, by its names."""
        return self._rule() | {"clip": self.clip_norm or 0.0}

    def step_sizes(self, rates: Rates, done: int) -> Rates:
        """Return the factors of the steps that follow `done` steps.

        Parameters
        ----------
        rates : numpy.ndarray (n,)
            Their learning rates.
        done : int
            Steps since the start of the training.

        Returns
        -------
        numpy.ndarray (n,)
            What multiplies each step's direction.
        """
        return rates

    def __post_init__(self) -> None:
        if not isinstance(self.learning_rate, Schedule):
            checks.positive("learning_rate", self.learning_rate)
        checks.not_negative("weight_decay", self.weight_decay)
        if self.clip_norm is not None:
            checks.positive("clip_norm", self.clip_norm)
        checks.instance("rate_multipliers", self.rate_multipliers, RateMultipliers)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: ``W ← (1 - lr·λ) W - lr · grad(W)``, or with momentum.

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
        μ, from 0 to 1.
    nesterov : bool
        Nesterov's correction; needs momentum.
    clip_norm : float, optional
        Where the norm of the gradient of the cost's data part, over all parameters, is above this, the gradient is
        scaled down to it (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
        2013).
    rate_multipliers : RateMultipliers
        What multiplies lr for each kind of parameter: weights and biases, of all layers or of each, and γ and β.

    Raises
    ------
    ValueError
        A parameter is out of its range.
    """

    learning_rate: float | Schedule = 0.009
    weight_decay: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    clip_norm: float | None = None
    rate_multipliers: RateMultipliers = EQUAL_RATES

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum != 0:
            checks.in_unit_interval("momentum", self.momentum)
        checks.flag("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True needs momentum above 0, got momentum=0")

    def _rule(self) -> dict[str, Any]:
        rule = "momentum" if self.momentum else "plain"
        return {"rule": rule, "momentum": self.momentum, "nesterov": self.nesterov}


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: ``W ← W - lr · √(1 - β₂ᵗ) / (1 - β₁ᵗ) · M / (√S + ε)`` in step t.

    M and S are running averages of the gradient and of its square, 0 at the start of a training: Kingma and Ba, "Adam:
    a Method for Stochastic Optimization" (2015), in the form at the end of their section 2, which is scikit-learn's.

    Parameters
    ----------
    learning_rate : float or Schedule
        lr, above 0; or a schedule from `fastmlp.schedules`.
    weight_decay : float
        λ of the cost's term ``λ/2 · Σ‖W‖²``, at least 0. Its gradient λW passes through the averages.
    beta_1, beta_2 : float
        How much of M and of S a step keeps; at least 0 and below 1.
    epsilon : float
        ε, above 0.
    clip_norm : float, optional
        As for `SGD`.
    rate_multipliers : RateMultipliers
        As for `SGD`.

    Raises
    ------
    ValueError
        A parameter is out of its range.
    """

    learning_rate: float | Schedule = 0.001
    weight_decay: float = 0.0
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    clip_norm: float | None = None
    rate_multipliers: RateMultipliers = EQUAL_RATES

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.fraction("beta_1", self.beta_1)
        checks.fraction("beta_2", self.beta_2)
        checks.positive("epsilon", self.epsilon)

    def _rule(self) -> dict[str, Any]:
        found = {"rule": "adam", "decay": self.weight_decay - self.l2}
        return found | {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    def step_sizes(self, rates: Rates, done: int) -> Rates:
        """Return the factors of the steps that follow `done` steps."""
        t = np.arange(done + 1, done + len(rates) + 1, dtype=np.float64)
        correction: Rates = np.sqrt(1 - np.power(self.beta_2, t)) / (1 - np.power(self.beta_1, t))
        return rates * correction


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: every step begins with ``W ← (1 - lr·λ) W``.

    The cost carries no term for it: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019). Biases and
    the γ and β of batch norm do not decay.

    Parameters
    ----------
    learning_rate : float or Schedule
        lr, above 0; or a schedule from `fastmlp.schedules`.
    weight_decay : float
        λ, at least 0.
    beta_1, beta_2 : float
        How much of M and of S a step keeps; at least 0 and below 1.
    epsilon : float
        ε, above 0.
    clip_norm : float, optional
        As for `SGD`.
    rate_multipliers : RateMultipliers
        As for `SGD`.

    Raises
    ------
    ValueError
        A parameter is out of its range.
    """

    weight_decay: float = 0.01

    @property
    def l2(self) -> float:
        """0: the decay is not the gradient of a term of the cost."""
        return 0.0
