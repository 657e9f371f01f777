"""The naive float64 twin of a whole network and of its training, which uses the twins of the kernels."""

from dataclasses import dataclass, field

import numpy as np
from reference import ACTIVATIONS, LOSSES, batchnorm_gradient, log_softmax, logistic, statistics

from fastmlp import losses

OUTPUTS = {
    "softmax": lambda z: np.exp(log_softmax(z)),
    "logistic": logistic,
    "identity": lambda z: z,
    "exp": np.exp,
}


@dataclass
class Gradients:
    """Derivatives of the cost with respect to every parameter, in the order of the network's lists."""

    weights: list = field(default_factory=list)
    biases: list = field(default_factory=list)
    gammas: list = field(default_factory=list)
    betas: list = field(default_factory=list)
    factors: list = field(default_factory=list)

    def parts(self):
        """All derivatives in one list."""
        return [*self.weights, *self.biases, *self.gammas, *self.betas, *self.factors]


class Network:
    """A float64 copy of a ``fastmlp.MLP``: forward, gradients and SGD steps, with one line for each formula.

    `placement` is None, "after_relu" or "before_relu". `masks` are the factors of dropout in training, one array for
    each hidden layer, or None. The caller sets them before a step, because they depend on the step and its rows.
    """

    def __init__(self, net, loss=None):
        self.weights = [np.array(w, dtype=np.float64) for w in net.weights]
        self.biases = [np.array(b, dtype=np.float64) for b in net.biases]
        self.gammas = [np.array(g, dtype=np.float64) for g in net.gammas]
        self.betas = [np.array(b, dtype=np.float64) for b in net.betas]
        self.factors = [np.array(f, dtype=np.float64) for f in net.factors]
        self.running_means = [np.array(m, dtype=np.float64) for m in net.running_means]
        self.running_vars = [np.array(v, dtype=np.float64) for v in net.running_vars]
        self.input_scale = net.input_scale
        self.activation, self.slope = ACTIVATIONS[net.activation]
        self.output, self.loss = OUTPUTS[net.output], loss or losses.default(net.output)
        self.masks = None
        self.placement = None if net.batch_norm is None else net.batch_norm.placement
        self.affine = net.batch_norm is not None and net.batch_norm.affine
        self.eps = None if net.batch_norm is None else net.batch_norm.eps
        self.momentum = None if net.batch_norm is None else net.batch_norm.momentum

    def parameters(self):
        """All trained arrays, in the order of `Gradients.parts`."""
        return [*self.weights, *self.biases, *self.gammas, *self.betas, *self.factors]

    def operand(self, values):
        """The values that the matrix products read; a subclass may round them."""
        return values

    def product(self, a, b):
        """The matrix product of two operands."""
        return self.operand(a) @ self.operand(b)

    def _scale_shift(self, layer):
        if self.affine:
            return self.gammas[layer], self.betas[layer]
        width = len(self.biases[layer])
        return np.ones(width), np.zeros(width)

    def _normalisation(self, layer, values, training):
        """Mean and 1 / std of a hidden layer: those of the batch in training, or else the running ones."""
        if training:
            return statistics(values, self.eps)
        return self.running_means[layer], 1.0 / np.sqrt(self.running_vars[layer] + self.eps)

    def _mask(self, layer, training):
        return self.masks[layer] if training and self.masks is not None else 1.0

    def forward(self, x, training):
        """Return the linear outputs, and (input, z, mean, inv_std) of each hidden layer for the backward pass."""
        out = np.asarray(x, dtype=np.float64) * self.input_scale
        for factors in self.factors:
            out = out * factors
        saved = []
        for layer in range(len(self.weights) - 1):
            before = out
            z = self.product(before, self.weights[layer]) + self.biases[layer]
            mean = inv_std = None
            if self.placement is None:
                out = self.activation(z)
            else:
                gamma, beta = self._scale_shift(layer)
                values = self.activation(z) if self.placement == "after_relu" else z
                mean, inv_std = self._normalisation(layer, values, training)
                out = gamma * (values - mean) * inv_std + beta
                if self.placement == "before_relu":
                    out = self.activation(out)
            out = out * self._mask(layer, training)
            saved.append((before, z, mean, inv_std))
        saved.append((out, None, None, None))
        return self.product(out, self.weights[-1]) + self.biases[-1], saved

    def omega(self, weight_decay):
        """λ/2 · Σ‖W‖²; biases, γ and β are not decayed."""
        return weight_decay / 2.0 * sum((w**2).sum() for w in self.weights)

    def _loss(self, z, y, weights):
        """The weighted mean of the loss, and its gradient."""
        weights = np.ones(len(z)) if weights is None else weights
        each, gradient = LOSSES[self.loss.kernel](z, y, self.loss.parameter)
        return weights @ each / weights.sum(), weights[:, None] / weights.sum() * gradient

    def data_cost(self, x, y, training, weights=None):
        """The cost without Ω."""
        return self._loss(self.forward(x, training)[0], y, weights)[0]

    def cost(self, x, y, weight_decay=0.0, training=False, weights=None):
        """Mean loss + Ω."""
        return self.data_cost(x, y, training, weights) + self.omega(weight_decay)

    def outputs(self, x):
        """The outputs (n, outputs), with running statistics and without dropout."""
        return self.output(self.forward(x, training=False)[0])

    def _hidden_backward(self, layer, z, mean, inv_std, dout, gradients):
        """Return the gradient of a hidden layer's z from the gradient of its output; append dgamma and dbeta."""
        dout = dout * self._mask(layer, training=True)
        if self.placement is None:
            return self.slope(z) * dout
        gamma, beta = self._scale_shift(layer)
        values = self.activation(z) if self.placement == "after_relu" else z
        normalised = (values - mean) * inv_std
        if self.placement == "before_relu":
            dout = self.slope(gamma * normalised + beta) * dout
        if self.affine:
            gradients.gammas.insert(0, (dout * normalised).sum(axis=0))
            gradients.betas.insert(0, dout.sum(axis=0))
        dz = batchnorm_gradient(normalised, inv_std, gamma * dout)
        return self.slope(z) * dz if self.placement == "after_relu" else dz

    def gradients(self, x, y, weight_decay=0.0, weights=None):
        """Derivatives of ``cost(x, y, weight_decay, training=True, weights)``."""
        z, saved = self.forward(x, training=True)
        dz = self._loss(z, y, weights)[1]
        gradients = Gradients()
        for layer in reversed(range(len(self.weights))):
            before, z, mean, inv_std = saved[layer]
            if layer < len(self.weights) - 1:
                dz = self._hidden_backward(layer, z, mean, inv_std, dz, gradients)
            dz = self.operand(dz)
            gradients.weights.insert(0, self.product(before.T, dz) + weight_decay * self.weights[layer])
            gradients.biases.insert(0, dz.sum(axis=0))
            dz = self.product(dz, self.weights[layer].T)
        for _ in self.factors:
            gradients.factors.append((dz * np.asarray(x, dtype=np.float64) * self.input_scale).sum(axis=0))
        return gradients

    def step(self, x, y, learning_rate, weight_decay=0.0, weights=None):
        """Take one SGD step on a mini-batch; return its mean loss before the step."""
        cost = self.data_cost(x, y, training=True, weights=weights)
        gradients = self.gradients(x, y, weight_decay, weights)
        self._move_running_statistics(x)
        for parameter, gradient in zip(self.parameters(), gradients.parts(), strict=True):
            parameter -= learning_rate * gradient
        return cost

    def _move_running_statistics(self, x):
        """running = (1 - momentum) · running + momentum · batch, with the biased batch variance."""
        if self.placement is None:
            return
        _, saved = self.forward(x, training=True)
        for layer, (_, z, mean, _) in enumerate(saved[:-1]):
            values = self.activation(z) if self.placement == "after_relu" else z
            self.running_means[layer] += self.momentum * (mean - self.running_means[layer])
            self.running_vars[layer] += self.momentum * (values.var(axis=0) - self.running_vars[layer])
