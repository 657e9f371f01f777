"""How batch norm and the factors of the inputs disappear into the linear layers at prediction."""

import numpy as np

from fastmlp.network.architecture import Architecture
from fastmlp.network.parameters import Arrays


def with_factors(arrays: Arrays, i: int) -> np.ndarray:
    """Return the weights of the layer of number `i`, float64, the first layer's with the inputs' factors in them."""
    weight = arrays["weights"][i].astype(np.float64)
    return arrays["factors"][0][:, None] * weight if i == 0 and arrays["factors"] else weight


def folded(architecture: Architecture, arrays: Arrays) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and biases of the plain network that predicts what this one predicts with its running statistics.

    Before the ReLU, the normalisation scales the columns of its own layer; after it, the rows of the next one.
    """
    biases = [bias.astype(np.float64) for bias in arrays["biases"]]
    weights = [with_factors(arrays, i) for i in range(len(biases))]
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
