"""The naive float64 NumPy twin of every kernel, and of a whole network built from them.

Written for clarity: one line per formula, same names and argument order as ``fastmlp.kernels``, outputs last and
overwritten in place. Batch norm follows Ioffe & Szegedy 2015, section 3, with the biased variance (divided by n).
"""

from dataclasses import dataclass, field

import numpy as np


def _float64(*arrays):
    return tuple(np.asarray(array, dtype=np.float64) for array in arrays)


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


def _statistics(values, eps):
    """Mean and 1 / standard deviation per feature of values (n, features)."""
    mean = values.mean(axis=0)
    return mean, 1.0 / np.sqrt(((values - mean) ** 2).mean(axis=0) + eps)


def _batchnorm_gradient(normalised, inv_std, dnormalised):
    """Gradient through mean and variance: all (n, features) but inv_std (features,)."""
    through_mean = dnormalised.mean(axis=0)
    through_variance = normalised * (dnormalised * normalised).mean(axis=0)
    return inv_std * (dnormalised - through_mean - through_variance)


def relu_batchnorm_forward(z, eps, out, mean, inv_std):
    """out = (relu(z) - mean) · inv_std."""
    (z,) = _float64(z)
    activation = np.maximum(z, 0.0)
    mean64, inv_std64 = _statistics(activation, eps)
    out[...] = (activation - mean64) * inv_std64
    mean[...] = mean64
    inv_std[...] = inv_std64


def relu_batchnorm_backward(z, mean, inv_std, dout, dz):
    """The gradient through normalisation, then through the ReLU."""
    z, mean, inv_std, dout = _float64(z, mean, inv_std, dout)
    normalised = (np.maximum(z, 0.0) - mean) * inv_std
    dz[...] = np.where(z > 0.0, _batchnorm_gradient(normalised, inv_std, dout), 0.0)


def batchnorm_relu_forward(z, gamma, beta, eps, out, mean, inv_std):
    """out = relu(gamma · (z - mean) · inv_std + beta)."""
    z, gamma, beta = _float64(z, gamma, beta)
    mean64, inv_std64 = _statistics(z, eps)
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
    dz[...] = _batchnorm_gradient(normalised, inv_std, dscaled * gamma)


def _log_softmax(z):
    (z,) = _float64(z)
    shifted = z - z.max(axis=1, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(z, out):
    """z and out (n, classes); rows, shifted by their maximum."""
    out[...] = np.exp(_log_softmax(z))


def softmax_cross_entropy(z, y, proba, dz):
    """dz = (proba - onehot(y)) / n; returns the mean cost."""
    log_proba = _log_softmax(z)
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


@dataclass
class Gradients:
    """Derivatives of the cost by every parameter, in the order of the network's lists."""

    weights: list = field(default_factory=list)
    biases: list = field(default_factory=list)
    gammas: list = field(default_factory=list)
    betas: list = field(default_factory=list)


class Network:
    """A float64 copy of a ``fastmlp.MLP``: forward, gradients and SGD steps, a formula a line.

    `placement` is None, "after_relu" or "before_relu".
    """

    def __init__(self, net):
        self.weights = [np.array(w, dtype=np.float64) for w in net.weights]
        self.biases = [np.array(b, dtype=np.float64) for b in net.biases]
        self.gammas = [np.array(g, dtype=np.float64) for g in net.gammas]
        self.betas = [np.array(b, dtype=np.float64) for b in net.betas]
        self.running_means = [np.array(m, dtype=np.float64) for m in net.running_means]
        self.running_vars = [np.array(v, dtype=np.float64) for v in net.running_vars]
        self.input_scale = net.input_scale
        self.placement = None if net.batch_norm is None else net.batch_norm.placement
        self.affine = net.batch_norm is not None and net.batch_norm.affine
        self.eps = None if net.batch_norm is None else net.batch_norm.eps
        self.momentum = None if net.batch_norm is None else net.batch_norm.momentum

    def parameters(self):
        """Every trained array, the lists of `Gradients` one after the other."""
        return [*self.weights, *self.biases, *self.gammas, *self.betas]

    def _scale_shift(self, layer):
        if self.affine:
            return self.gammas[layer], self.betas[layer]
        width = len(self.biases[layer])
        return np.ones(width), np.zeros(width)

    def _normalisation(self, layer, values, training):
        """Mean and 1 / std of a hidden layer: the batch's in training, the running ones otherwise."""
        if training:
            return _statistics(values, self.eps)
        return self.running_means[layer], 1.0 / np.sqrt(self.running_vars[layer] + self.eps)

    def forward(self, x, training):
        """Return the logits and what the backward pass needs: a (input, z, mean, inv_std) per hidden layer."""
        activation = np.asarray(x, dtype=np.float64) * self.input_scale
        saved = []
        for layer in range(len(self.weights) - 1):
            z = activation @ self.weights[layer] + self.biases[layer]
            mean = inv_std = None
            out = np.maximum(z, 0.0)
            if self.placement is not None:
                gamma, beta = self._scale_shift(layer)
                values = out if self.placement == "after_relu" else z
                mean, inv_std = self._normalisation(layer, values, training)
                out = gamma * (values - mean) * inv_std + beta
                if self.placement == "before_relu":
                    out = np.maximum(out, 0.0)
            saved.append((activation, z, mean, inv_std))
            activation = out
        saved.append((activation, None, None, None))
        return activation @ self.weights[-1] + self.biases[-1], saved

    def omega(self, weight_decay):
        """λ/2 · Σ‖W‖²; biases, γ and β are not decayed."""
        return weight_decay / 2.0 * sum((w**2).sum() for w in self.weights)

    def cross_entropy(self, x, y, training):
        """Mean cross-entropy."""
        logits, _ = self.forward(x, training)
        return -_log_softmax(logits)[np.arange(len(y)), y].mean()

    def cost(self, x, y, weight_decay=0.0, training=False):
        """Mean cross-entropy + Ω."""
        return self.cross_entropy(x, y, training) + self.omega(weight_decay)

    def predict_proba(self, x):
        """(n, classes), by the running statistics."""
        return np.exp(_log_softmax(self.forward(x, training=False)[0]))

    def _hidden_backward(self, layer, z, mean, inv_std, dout, gradients):
        """The gradient of a hidden layer's z from that of its output; appends dgamma and dbeta."""
        if self.placement is None:
            return np.where(z > 0.0, dout, 0.0)
        gamma, beta = self._scale_shift(layer)
        values = np.maximum(z, 0.0) if self.placement == "after_relu" else z
        normalised = (values - mean) * inv_std
        if self.placement == "before_relu":
            dout = np.where(gamma * normalised + beta > 0.0, dout, 0.0)
        if self.affine:
            gradients.gammas.insert(0, (dout * normalised).sum(axis=0))
            gradients.betas.insert(0, dout.sum(axis=0))
        dz = _batchnorm_gradient(normalised, inv_std, gamma * dout)
        return np.where(z > 0.0, dz, 0.0) if self.placement == "after_relu" else dz

    def gradients(self, x, y, weight_decay=0.0):
        """Derivatives of ``cost(x, y, weight_decay, training=True)``."""
        logits, saved = self.forward(x, training=True)
        dz = np.exp(_log_softmax(logits))
        dz[np.arange(len(y)), y] -= 1.0
        dz /= len(y)
        gradients = Gradients()
        for layer in reversed(range(len(self.weights))):
            activation, z, mean, inv_std = saved[layer]
            if layer < len(self.weights) - 1:
                dz = self._hidden_backward(layer, z, mean, inv_std, dz, gradients)
            gradients.weights.insert(0, activation.T @ dz + weight_decay * self.weights[layer])
            gradients.biases.insert(0, dz.sum(axis=0))
            dz = dz @ self.weights[layer].T
        return gradients

    def step(self, x, y, learning_rate, weight_decay=0.0):
        """One SGD step on one mini-batch; returns its cross-entropy as it was trained on."""
        cost = self.cross_entropy(x, y, training=True)
        gradients = self.gradients(x, y, weight_decay)
        self._move_running_statistics(x)
        moved = [*gradients.weights, *gradients.biases, *gradients.gammas, *gradients.betas]
        for parameter, gradient in zip(self.parameters(), moved, strict=True):
            parameter -= learning_rate * gradient
        return cost

    def _move_running_statistics(self, x):
        """running = (1 - momentum) · running + momentum · batch, with the biased batch variance."""
        if self.placement is None:
            return
        _, saved = self.forward(x, training=True)
        for layer, (_, z, mean, _) in enumerate(saved[:-1]):
            values = np.maximum(z, 0.0) if self.placement == "after_relu" else z
            self.running_means[layer] += self.momentum * (mean - self.running_means[layer])
            self.running_vars[layer] += self.momentum * (values.var(axis=0) - self.running_vars[layer])
