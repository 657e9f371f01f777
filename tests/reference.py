"""The naive float64 NumPy twin of every kernel.

The twins are written for clarity, with one line for each formula. Names and the order of arguments are those of
``fastmlp.kernels``. Outputs are the last arguments and are overwritten in place. Where a kernel takes a function by its
address, the twin takes its name. Batch norm follows Ioffe & Szegedy 2015, section 3, with the biased variance (divided
by n).
"""

import math

import numpy as np


def _float64(*arrays):
    return tuple(np.asarray(array, dtype=np.float64) for array in arrays)


def round_bfloat16(values):
    """The nearest bfloat16 (8 significant bits, exponents of float32), ties to even. Denormal numbers become 0."""
    (values,) = _float64(values)
    magnitude = np.abs(values)
    usual = np.isfinite(values) & (magnitude >= 2.0**-126)
    step = 2.0 ** (np.floor(np.log2(np.where(usual, magnitude, 1.0))) - 7)
    nearest = np.where(usual, np.rint(values / step) * step, np.copysign(0.0, values))
    nearest = np.where(np.abs(nearest) > 255 / 128 * 2.0**127, np.copysign(np.inf, values), nearest)
    return np.where(np.isfinite(values), nearest, values)


def gather(data, index, scale, out):
    """out = data[index] · scale."""
    for r, i in enumerate(index):
        out[r] = data[i].astype(np.float64) * scale


def linear_forward(x, weight, bias, out):
    """x (n, n_in), weight (n_in, n_out), bias (n_out,), out (n, n_out)."""
    x, weight, bias = _float64(x, weight, bias)
    out[...] = x @ weight + bias


def linear_backward(x, weight, dout, dx, dweight, dbias):
    """dout (n, n_out), dx (n, n_in), dweight (n_in, n_out), dbias (n_out,): sums over the batch."""
    x, weight, dout = _float64(x, weight, dout)
    dx[...] = dout @ weight.T
    dweight[...] = x.T @ dout
    dbias[...] = dout.sum(axis=0)


def relu_forward(z, out):
    """z and out (n, features)."""
    out[...] = np.maximum(z, 0.0)


def relu_backward(z, dout, dz):
    """All (n, features); the derivative at 0 is 0."""
    dz[...] = np.where(z > 0.0, dout, 0.0)


def statistics(values, eps):
    """Mean and 1 / standard deviation per feature of values (n, features)."""
    mean = values.mean(axis=0)
    return mean, 1.0 / np.sqrt(((values - mean) ** 2).mean(axis=0) + eps)


def batchnorm_gradient(normalised, inv_std, dnormalised):
    """The gradient through mean and variance. All arrays are (n, features), except inv_std (features,)."""
    through_mean = dnormalised.mean(axis=0)
    through_variance = normalised * (dnormalised * normalised).mean(axis=0)
    return inv_std * (dnormalised - through_mean - through_variance)


def relu_batchnorm_forward(z, eps, out, mean, inv_std):
    """out = (relu(z) - mean) · inv_std."""
    (z,) = _float64(z)
    activation = np.maximum(z, 0.0)
    mean64, inv_std64 = statistics(activation, eps)
    out[...] = (activation - mean64) * inv_std64
    mean[...] = mean64
    inv_std[...] = inv_std64


def relu_batchnorm_backward(z, mean, inv_std, dout, dz):
    """The gradient through normalisation, then through the ReLU."""
    z, mean, inv_std, dout = _float64(z, mean, inv_std, dout)
    normalised = (np.maximum(z, 0.0) - mean) * inv_std
    dz[...] = np.where(z > 0.0, batchnorm_gradient(normalised, inv_std, dout), 0.0)


def batchnorm_relu_forward(z, gamma, beta, eps, out, mean, inv_std):
    """out = relu(gamma · (z - mean) · inv_std + beta)."""
    z, gamma, beta = _float64(z, gamma, beta)
    mean64, inv_std64 = statistics(z, eps)
    out[...] = np.maximum(gamma * (z - mean64) * inv_std64 + beta, 0.0)
    mean[...] = mean64
    inv_std[...] = inv_std64


def batchnorm_relu_backward(z, gamma, beta, mean, inv_std, dout, dz, dgamma, dbeta):
    """The gradient through the ReLU, then through scale, shift and normalisation."""
    z, gamma, beta, mean, inv_std, dout = _float64(z, gamma, beta, mean, inv_std, dout)
    normalised = (z - mean) * inv_std
    dscaled = np.where(gamma * normalised + beta > 0.0, dout, 0.0)
    dgamma[...] = (dscaled * normalised).sum(axis=0)
    dbeta[...] = dscaled.sum(axis=0)
    dz[...] = batchnorm_gradient(normalised, inv_std, dscaled * gamma)


def log_softmax(z):
    (z,) = _float64(z)
    shifted = z - z.max(axis=1, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(z, out):
    """z and out (n, classes); rows, shifted by their maximum."""
    out[...] = np.exp(log_softmax(z))


def softmax_cross_entropy(z, y, proba, dz):
    """dz = (proba - onehot(y)) / n; returns the mean cost."""
    log_proba = log_softmax(z)
    n = len(y)
    proba[...] = np.exp(log_proba)
    gradient = np.exp(log_proba)
    gradient[np.arange(n), y] -= 1.0
    dz[...] = gradient / n
    return -log_proba[np.arange(n), y].mean()


def sgd_update(weight, dweight, learning_rate, weight_decay):
    """W ← (1 - lr·λ) W - lr · dW, in place."""
    weight64, dweight64 = _float64(weight, dweight)
    weight[...] = (1.0 - learning_rate * weight_decay) * weight64 - learning_rate * dweight64


def logistic(x):
    """1 / (1 + exp(-x)), without overflow for any x."""
    return np.exp(-np.logaddexp(0.0, -x))


def normal_cdf(x):
    """The standard normal distribution function."""
    return np.vectorize(math.erfc, otypes=[np.float64])(-x / math.sqrt(2.0)) / 2.0


def normal_density(x):
    return np.exp(-(x**2) / 2.0) / math.sqrt(2.0 * math.pi)


def softplus(x):
    """log(1 + exp(x)), whatever the size of x."""
    return np.logaddexp(0.0, x)


def mish_slope(x):
    steepness = np.cosh(np.minimum(softplus(x), 300.0)) ** -2.0  # of tanh; 0 beyond
    return np.tanh(softplus(x)) + x * steepness * logistic(x)


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717

# name: f and f'
ACTIVATIONS = {
    "identity": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0.0, 1.0, 0.0)),
    "leaky_relu": (lambda x: np.where(x > 0.0, x, 0.01 * x), lambda x: np.where(x > 0.0, 1.0, 0.01)),
    "logistic": (logistic, lambda x: logistic(x) * logistic(-x)),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
    "gelu": (lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * normal_density(x)),
    "silu": (lambda x: x * logistic(x), lambda x: logistic(x) * (1.0 + x * logistic(-x))),
    "selu": (
        lambda x: SELU_SCALE * np.where(x > 0.0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0.0))),
        lambda x: SELU_SCALE * np.where(x > 0.0, 1.0, SELU_ALPHA * np.exp(np.minimum(x, 0.0))),
    ),
    "mish": (lambda x: x * np.tanh(softplus(x)), mish_slope),
    "exp": (np.exp, np.exp),
}


def activate(function, z, out, slope):
    """out = f(z), slope = f'(z)."""
    (z,) = _float64(z)
    value, derivative = ACTIVATIONS[function]
    out[...] = value(z)
    slope[...] = derivative(z)


def cross_entropy(z, labels, smoothing):
    """-Σ target · log(softmax(z)), where the target is smoothed by ε / classes."""
    log_proba = log_softmax(z)
    target = (1.0 - smoothing) * np.eye(z.shape[1])[labels] + smoothing / z.shape[1]
    return -(target * log_proba).sum(axis=1), np.exp(log_proba) - target


def binary_cross_entropy(z, target, smoothing):
    """-t log p - (1 - t) log(1 - p), p = logistic(z)."""
    target = (1.0 - smoothing) * target + smoothing / 2.0
    losses = target * np.logaddexp(0.0, -z) + (1.0 - target) * np.logaddexp(0.0, z)
    return losses.sum(axis=1), logistic(z) - target


def squared_error(z, target, _):
    """½ (z - t)²."""
    return ((z - target) ** 2 / 2.0).sum(axis=1), z - target


def absolute_error(z, target, _):
    """|z - t|."""
    return np.abs(z - target).sum(axis=1), np.sign(z - target)


def huber(z, target, delta):
    """½ (z - t)² up to a distance δ, δ (|z - t| - δ/2) beyond."""
    distance = np.abs(z - target)
    inside = np.minimum(distance, delta)
    return (inside * (distance - inside / 2.0)).sum(axis=1), inside * np.sign(z - target)


def poisson(z, target, _):
    """t log(t / p) - t + p, p = exp(z), where 0 log 0 = 0."""
    entropy = target * np.log(np.where(target > 0.0, target, 1.0))
    return (entropy - target * z - target + np.exp(z)).sum(axis=1), np.exp(z) - target


# the functions return the losses (n,) of rows z (n, outputs) with their targets, and the gradient in the shape of z
LOSSES = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "squared_error": squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "poisson": poisson,
}


def loss_gradient(function, z, targets, weights, parameter, dz):
    """The weighted mean of the loss, and its gradient; weights (n,), or (1,) for all rows."""
    (z,) = _float64(z)
    losses, gradient = LOSSES[function](z, targets, parameter)
    shares = np.broadcast_to(weights, len(z)) / np.broadcast_to(weights, len(z)).sum()
    dz[...] = shares[:, None] * gradient
    return shares @ losses


WORD = 0xFFFFFFFF


def philox(counter, key):
    """Philox4x32-10 of a counter of four words and a key of two words: Salmon et al. 2011, section 3.3.

    The words are numbers or uint64 arrays.
    """
    a, b, c, d = counter
    left, right = key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (second >> 32) ^ b ^ left, second & WORD, (first >> 32) ^ d ^ right, first & WORD
        left, right = (left + 0x9E3779B9) & WORD, (right + 0xBB67AE85) & WORD
    return a, b, c, d


def dropout_mask(shape, key, step, layer, threshold):
    """The factor of each element: 0 if its random word is below the threshold."""
    rows, columns = np.indices(shape, dtype=np.uint64)
    when = step << 16 | layer
    words = philox((columns, rows // 4, when & WORD, when >> 32), (key & WORD, key >> 32))
    word = np.choose((rows % 4).astype(np.int64), words)
    return np.where(word < threshold, 0.0, 2.0**32 / (2**32 - threshold))


def dropout(x, key, step, layer, threshold, out):
    """out = x · mask."""
    out[...] = np.asarray(x, np.float64) * dropout_mask(x.shape, key, step, layer, threshold)


def sum_of_neighbours(values):
    """A sum in a tree: neighbours are added until one value is left; the last of an odd number waits."""
    while len(values) > 1:
        values = [values[i] + values[i + 1] if i + 1 < len(values) else values[i] for i in range(0, len(values), 2)]
    return values[0]
