"""A network without what it does: its architecture and its parameters.

The engine, storage and exchange take the two together, as a `Network`; `fastmlp.MLP` is built on them.
"""

from typing import NamedTuple

from fastmlp.network.architecture import Architecture
from fastmlp.network.parameters import Parameters

__all__ = ["Architecture", "Network", "Parameters"]


class Network(NamedTuple):
    """An architecture and parameters of its shapes."""

    architecture: Architecture
    parameters: Parameters
