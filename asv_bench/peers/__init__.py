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
# what compare.py times by the precision of fastmlp's products
COMPARED = {
    "float32": (OURS, "numpy", "sklearn", "torch", "jax", "jax_uint8"),
    "bfloat16": (OURS, "fastmlp_float32", "numpy", "sklearn", "torch", *TORCH_BFLOAT16, "jax", "jax_uint8"),
}
