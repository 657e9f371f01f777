"""The same training with fastmlp and with other libraries: a file for each library.

Each file has ``make(task)``, which returns a `task.Training`. It uses the library in the way in which the library's
users would make it fast. A file imports its library at the top, so importing the file raises ImportError if the library
is not installed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Library:
    """One way to train, to fit or to predict.

    Attributes
    ----------
    label : str
        Name in tables.
    module : str
        Name of its file in this folder.
    distribution : str
        The package whose version is shown.
    """

    label: str
    module: str
    distribution: str


OURS = "fastmlp"
LIBRARIES = {
    OURS: Library("fastmlp", "ours", "fastmlp"),
    "fastmlp_float32": Library("fastmlp float32", "ours_float32", "fastmlp"),
    "fastmlp_bfloat16": Library("fastmlp bfloat16", "ours_bfloat16", "fastmlp"),
    "numpy": Library("NumPy", "numpy_loop", "numpy"),
    "sklearn": Library("scikit-learn", "scikit_learn", "scikit-learn"),
    "torch": Library("PyTorch", "pytorch", "torch"),
    "torch_autocast": Library("PyTorch autocast", "pytorch_autocast", "torch"),
    "torch_bfloat16": Library("PyTorch bfloat16", "pytorch_bfloat16", "torch"),
    "jax": Library("JAX float32", "jax_scan", "jax"),
    "jax_uint8": Library("JAX uint8", "jax_scan_uint8", "jax"),
}
TORCH_BFLOAT16 = ("torch_autocast", "torch_bfloat16")
# the libraries that compare.py times, for each precision of fastmlp's products
COMPARED = {
    "float32": (OURS, "numpy", "sklearn", "torch", "jax", "jax_uint8"),
    "bfloat16": (OURS, "fastmlp_float32", "numpy", "sklearn", "torch", *TORCH_BFLOAT16, "jax", "jax_uint8"),
}
