"""The same training by fastmlp and by the libraries a user would pick instead: a file for each library.

Each file has ``make(task)``, which returns a `task.Training` of the kind that the library's own users would write to
be fast. A file imports its library at the top: where that is not installed, importing the file raises ImportError.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Library:
    """One way to train, to fit or to predict.

    Attributes
    ----------
    label : str
        For reading.
    module : str
        Its file in this folder.
    distribution : str
        Whose version is shown.
    """

    label: str
    module: str
    distribution: str


OURS = "fastmlp"
LIBRARIES = {
    OURS: Library("fastmlp", "ours", "fastmlp"),
    "numpy": Library("NumPy", "numpy_loop", "numpy"),
    "sklearn": Library("scikit-learn", "scikit_learn", "scikit-learn"),
    "torch": Library("PyTorch", "pytorch", "torch"),
    "jax": Library("JAX float32", "jax_scan", "jax"),
    "jax_uint8": Library("JAX uint8", "jax_scan_uint8", "jax"),
}
