"""Data sets: MNIST, which ships with the package, and the user's own files."""

from fastmlp.datasets.embedded import mnist
from fastmlp.datasets.loading import Dataset, load

__all__ = ["Dataset", "load", "mnist"]
