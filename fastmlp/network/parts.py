"""What an architecture and parameters show to users of a network."""

import numpy as np

from fastmlp.batchnorm import BatchNorm
from fastmlp.network import Architecture, Network, Parameters
from fastmlp.network.parameters import Arrays, named


class Parts:
    """The architecture and the parameters of a network, by the names that users know; `fastmlp.MLP` describes them."""

    architecture: Architecture
    parameters: Parameters

    @property
    def network(self) -> Network:
        """Architecture and parameters, as the engine takes them."""
        return Network(self.architecture, self.parameters)

    @property
    def widths(self) -> tuple[int, ...]:  # noqa: D102 - described by MLP
        return self.architecture.widths

    @property
    def activation(self) -> str:  # noqa: D102 - described by MLP
        return self.architecture.activation

    @property
    def output(self) -> str:  # noqa: D102 - described by MLP
        return self.architecture.output

    @property
    def dropout(self) -> tuple[float, ...]:  # noqa: D102 - described by MLP
        return self.architecture.dropout

    @property
    def batch_norm(self) -> BatchNorm | None:  # noqa: D102 - described by MLP
        return self.architecture.batch_norm

    @property
    def input_scale(self) -> float:  # noqa: D102 - described by MLP
        return self.architecture.input_scale

    @property
    def input_factors(self) -> bool:  # noqa: D102 - described by MLP
        return self.architecture.input_factors

    @property
    def dtype(self) -> np.dtype:  # noqa: D102 - described by MLP
        return self.architecture.dtype

    @property
    def n_inputs(self) -> int:
        """Width of the input."""
        return self.architecture.n_inputs

    @property
    def n_outputs(self) -> int:
        """Width of the last layer."""
        return self.architecture.n_outputs

    @property
    def n_classes(self) -> int:
        """Number of classes: the width of the last layer."""
        return self.architecture.n_outputs

    @property
    def arrays(self) -> Arrays:
        """The parameters and running statistics by kind and layer; writable views."""
        return self.parameters.arrays

    @property
    def views(self) -> Arrays:
        """As `arrays`, for code of the package that does not write, or not after a prediction."""
        return self.parameters.views

    @property
    def weights(self) -> list[np.ndarray]:  # noqa: D102 - described by MLP
        return list(self.arrays["weights"])

    @property
    def biases(self) -> list[np.ndarray]:  # noqa: D102 - described by MLP
        return list(self.arrays["biases"])

    @property
    def gammas(self) -> list[np.ndarray]:  # noqa: D102 - described by MLP
        return list(self.arrays["gammas"])

    @property
    def betas(self) -> list[np.ndarray]:  # noqa: D102 - described by MLP
        return list(self.arrays["betas"])

    @property
    def running_means(self) -> list[np.ndarray]:  # noqa: D102 - described by MLP
        return list(self.arrays["running_means"])

    @property
    def running_vars(self) -> list[np.ndarray]:  # noqa: D102 - described by MLP
        return list(self.arrays["running_vars"])

    @property
    def factors(self) -> list[np.ndarray]:  # noqa: D102 - described by MLP
        return list(self.arrays["factors"])

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return self.parameters.n_parameters

    def named_arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters and running statistics by name, such as ``"weights.0"``; views, not copies."""
        return named(self.arrays)

    def views_of(self, state: np.ndarray) -> Arrays:
        """Return the arrays that a `snapshot` consists of, by kind and layer; views.

        Parameters
        ----------
        state : numpy.ndarray
            From `snapshot`.
        """
        return self.parameters.views_of(state)

    def snapshot(self) -> np.ndarray:
        """Return a copy of all parameters and running statistics, for `restore`."""
        return self.parameters.snapshot()

    def restore(self, state: np.ndarray) -> None:
        """Go back to a `snapshot`.

        Parameters
        ----------
        state : numpy.ndarray
            From `snapshot`, of a network of these widths and this batch norm.
        """
        self.parameters.restore(state)

    def is_finite(self) -> bool:
        """Whether all parameters and running statistics are finite."""
        return self.parameters.is_finite()

    def penalty(self, weight_decay: float) -> float:
        """Return ``weight_decay/2 · Σ‖W‖²``, the L2 part of the cost.

        Parameters
        ----------
        weight_decay : float
            λ, at least 0. The sum is over the weights of all layers, without biases, γ, β and the inputs' factors.
        """
        return self.parameters.penalty(weight_decay)
