"""ReLU, batch norm, and the two fused in either order (Ioffe & Szegedy 2015, section 3).

``z``, ``out``, ``dout``, ``dz (batch, n)``; ``mean``, ``inv_std``, ``gamma``, ``beta (n,)``.
The statistics are those of the batch, ``inv_std = 1 / sqrt(var + eps)`` with the biased variance. Forward reads ``z``
once for the statistics and once to normalise; backward reads ``z`` and ``dout`` once for the two sums of each feature
and once for the gradient.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.jit import body, driver

FEATURES = 16  # features per block


@body
def relu_elements(z: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        out[i] = max(z[i], z.dtype.type(0))


@body
def relu_backward_elements(z: Any, dout: Any, dz: Any, start: int, stop: int) -> None:
    zero = z.dtype.type(0)
    for i in range(start, stop):
        dz[i] = dout[i] if z[i] > zero else zero


@body
def statistics_features(z: Any, floor: Any, eps: Any, mean: Any, inv_std: Any, start: int, stop: int) -> None:
    """Mean and inverse deviation of ``max(z, floor)`` by Welford's recurrence (Knuth, TAOCP 2, 4.2.2), in one pass."""
    for j in range(start, stop):
        mean[j] = 0
        inv_std[j] = 0
    n = z.shape[0]
    for r in range(n):
        share = z.dtype.type(1) / z.dtype.type(r + 1)
        for j in range(start, stop):
            value = max(z[r, j], floor)
            delta = value - mean[j]
            mean[j] += delta * share
            inv_std[j] += delta * (value - mean[j])
    for j in range(start, stop):
        inv_std[j] = z.dtype.type(1) / np.sqrt(inv_std[j] / z.dtype.type(n) + eps)


@body
def relu_batchnorm_features(z: Any, eps: Any, out: Any, mean: Any, inv_std: Any, start: int, stop: int) -> None:
    zero = z.dtype.type(0)
    statistics_features(z, zero, eps, mean, inv_std, start, stop)
    for r in range(z.shape[0]):
        for j in range(start, stop):
            out[r, j] = (max(z[r, j], zero) - mean[j]) * inv_std[j]


@body
def relu_batchnorm_backward_features(
    z: Any, mean: Any, inv_std: Any, dout: Any, sums: Any, dz: Any, start: int, stop: int
) -> None:
    """``sums (2, n)``: scratch for Σ dout and Σ dout·normalised of each feature."""
    zero = z.dtype.type(0)
    share = z.dtype.type(1) / z.dtype.type(z.shape[0])
    for r in range(z.shape[0]):
        for j in range(start, stop):
            sums[0, j] += dout[r, j]
            sums[1, j] += dout[r, j] * (max(z[r, j], zero) - mean[j]) * inv_std[j]
    for r in range(z.shape[0]):
        for j in range(start, stop):
            normalised = (max(z[r, j], zero) - mean[j]) * inv_std[j]
            gradient = inv_std[j] * (dout[r, j] - share * (sums[0, j] + normalised * sums[1, j]))
            dz[r, j] = gradient if z[r, j] > zero else zero


@body
def batchnorm_relu_features(
    z: Any, gamma: Any, beta: Any, eps: Any, out: Any, mean: Any, inv_std: Any, start: int, stop: int
) -> None:
    statistics_features(z, z.dtype.type(-np.inf), eps, mean, inv_std, start, stop)
    for r in range(z.shape[0]):
        for j in range(start, stop):
            value = gamma[j] * ((z[r, j] - mean[j]) * inv_std[j]) + beta[j]
            out[r, j] = max(value, z.dtype.type(0))


@body
def batchnorm_relu_backward_features(
    z: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    inv_std: Any,
    dout: Any,
    dz: Any,
    dgamma: Any,
    dbeta: Any,
    start: int,
    stop: int,
) -> None:
    zero = z.dtype.type(0)
    share = z.dtype.type(1) / z.dtype.type(z.shape[0])
    for j in range(start, stop):
        dgamma[j] = 0
        dbeta[j] = 0
    for r in range(z.shape[0]):
        for j in range(start, stop):
            normalised = (z[r, j] - mean[j]) * inv_std[j]
            passed = dout[r, j] if gamma[j] * normalised + beta[j] > zero else zero
            dgamma[j] += passed * normalised
            dbeta[j] += passed
    for r in range(z.shape[0]):
        for j in range(start, stop):
            normalised = (z[r, j] - mean[j]) * inv_std[j]
            passed = dout[r, j] if gamma[j] * normalised + beta[j] > zero else zero
            dz[r, j] = gamma[j] * inv_std[j] * (passed - share * (dbeta[j] + normalised * dgamma[j]))


@body
def scale_shift_backward_features(
    x: Any, gamma: Any, dout: Any, dx: Any, dgamma: Any, dbeta: Any, start: int, stop: int
) -> None:
    for j in range(start, stop):
        dgamma[j] = 0
        dbeta[j] = 0
    for r in range(x.shape[0]):
        for j in range(start, stop):
            dgamma[j] += dout[r, j] * x[r, j]
            dbeta[j] += dout[r, j]
            dx[r, j] = dout[r, j] * gamma[j]


@driver
def relu_forward(z: Any, out: Any) -> None:
    """``out = max(z, 0)``."""
    flat, flat_out = z.reshape(-1), out.reshape(-1)
    n = flat.shape[0]
    for block in prange((n + 4095) // 4096):
        start = np.int64(block) * 4096
        relu_elements(flat, flat_out, start, min(n, start + 4096))


@driver
def relu_backward(z: Any, dout: Any, dz: Any) -> None:
    """``dz = dout`` where ``z > 0``, else 0."""
    flat, flat_dout, flat_dz = z.reshape(-1), dout.reshape(-1), dz.reshape(-1)
    n = flat.shape[0]
    for block in prange((n + 4095) // 4096):
        start = np.int64(block) * 4096
        relu_backward_elements(flat, flat_dout, flat_dz, start, min(n, start + 4096))


@driver
def relu_batchnorm_forward(z: Any, eps: float, out: Any, mean: Any, inv_std: Any) -> None:
    """``out = (relu(z) - mean) · inv_std``, statistics of ``relu(z)`` per feature."""
    n = z.shape[1]
    epsilon = z.dtype.type(eps)
    for block in prange((n + FEATURES - 1) // FEATURES):
        start = np.int64(block) * FEATURES
        relu_batchnorm_features(z, epsilon, out, mean, inv_std, start, min(n, start + FEATURES))


@driver
def relu_batchnorm_backward(z: Any, mean: Any, inv_std: Any, dout: Any, dz: Any) -> None:
    """Gradient through the normalisation, its statistics and the ReLU."""
    n = z.shape[1]
    sums = np.zeros((2, n), z.dtype)
    for block in prange((n + FEATURES - 1) // FEATURES):
        start = np.int64(block) * FEATURES
        relu_batchnorm_backward_features(z, mean, inv_std, dout, sums, dz, start, min(n, start + FEATURES))


@driver
def batchnorm_relu_forward(z: Any, gamma: Any, beta: Any, eps: float, out: Any, mean: Any, inv_std: Any) -> None:
    """``out = relu(gamma · (z - mean) · inv_std + beta)``, statistics of ``z`` per feature."""
    n = z.shape[1]
    epsilon = z.dtype.type(eps)
    for block in prange((n + FEATURES - 1) // FEATURES):
        start = np.int64(block) * FEATURES
        batchnorm_relu_features(z, gamma, beta, epsilon, out, mean, inv_std, start, min(n, start + FEATURES))


@driver
def batchnorm_relu_backward(
    z: Any, gamma: Any, beta: Any, mean: Any, inv_std: Any, dout: Any, dz: Any, dgamma: Any, dbeta: Any
) -> None:
    """Gradient through the ReLU, γ and β, and the normalisation with its statistics."""
    n = z.shape[1]
    for block in prange((n + FEATURES - 1) // FEATURES):
        start = np.int64(block) * FEATURES
        batchnorm_relu_backward_features(
            z, gamma, beta, mean, inv_std, dout, dz, dgamma, dbeta, start, min(n, start + FEATURES)
        )


@driver
def scale_shift_forward(x: Any, gamma: Any, beta: Any, out: Any) -> None:
    """``out = gamma · x + beta`` per feature."""
    for r in prange(x.shape[0]):
        for j in range(x.shape[1]):
            out[r, j] = gamma[j] * x[r, j] + beta[j]


@driver
def scale_shift_backward(x: Any, gamma: Any, dout: Any, dx: Any, dgamma: Any, dbeta: Any) -> None:
    """``dx = gamma · dout``, ``dgamma = Σ dout · x``, ``dbeta = Σ dout``."""
    n = x.shape[1]
    for block in prange((n + FEATURES - 1) // FEATURES):
        start = np.int64(block) * FEATURES
        scale_shift_backward_features(x, gamma, dout, dx, dgamma, dbeta, start, min(n, start + FEATURES))
