"""How batch norm disappears into the linear layers at prediction."""

import numpy as np

from fastmlp.network.architecture import Architecture
from fastmlp.network.parameters import Arrays


def folded(architecture: Architecture, arrays: Arrays) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and biases of the plain network that predicts what this one predicts with its running statistics.

    Before the ReLU, the normalisation scales the columns of its own layer; after it, the rows of the next one.
    """
    weights, biases = ([array.astype(np.float64) for array in arrays[name]] for name in ("weights", "biases"))
    batch_norm, dtype = architecture.batch_norm, architecture.dtype
    if batch_norm is not None:
        for i, (mean, var) in enumerate(zip(arrays["running_means"], arrays["running_vars"], strict=True)):
            scale = 1 / np.sqrt(var.astype(np.float64) + batch_norm.eps)
            shift = -mean * scale
            if batch_norm.affine:
                scale = arrays["gammas"][i] * scale
                shift = arrays["gammas"][i] * shift + arrays["betas"][i]
            if batch_norm.placement == "before_relu":
                weights[i] = weights[i] * scale
                biases[i] = biases[i] * scale + shift
            else:
                biases[i + 1] = biases[i + 1] + shift @ weights[i + 1]
                weights[i + 1] = scale[:, None] * weights[i + 1]
    return [w.astype(dtype) for w in weights], [b.astype(dtype) for b in biases]
