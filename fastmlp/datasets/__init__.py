"""Data sets: MNIST, which ships with the package, and the user's own files, also those larger than memory."""

from fastmlp.datasets.embedded import mnist
from fastmlp.datasets.loading import Dataset, load
from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.opening import stream
from fastmlp.streaming.stream import Stream

__all__ = ["Dataset", "Stream", "StreamError", "load", "mnist", "stream"]
