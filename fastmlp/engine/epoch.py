"""One epoch of mini-batch training, kernel by kernel."""

from typing import TYPE_CHECKING

import numpy as np

from fastmlp import kernels
from fastmlp.engine.threading import numba_threads

if TYPE_CHECKING:
    from fastmlp.mlp import MLP
    from fastmlp.optimizers import SGD


class Workspace:
    """The activations and gradients of one mini-batch; index = layer, 0 = input."""

    def __init__(self, net: "MLP", batch_size: int) -> None:
        def rows() -> list[np.ndarray]:
            return [np.empty((batch_size, width), net.dtype) for width in net.widths]

        self.z, self.activation, self.dz, self.dactivation, self.normalised = (rows() for _ in range(5))
        self.dweights = [np.empty_like(w) for w in net.weights]
        self.dbiases = [np.empty_like(b) for b in net.biases]
        self.means, self.inv_stds, self.dgammas, self.dbetas = (
            [np.empty(width, net.dtype) for width in net.widths] for _ in range(4)
        )
        self.ones = [np.ones(width, net.dtype) for width in net.widths]
        self.zeros = [np.zeros(width, net.dtype) for width in net.widths]


def run_epoch(
    net: "MLP",
    x: np.ndarray,
    y: np.ndarray,
    order: np.ndarray,
    batch_size: int,
    optimizer: "SGD",
    workspace: Workspace,
    threads: int,
) -> np.ndarray:
    """Train on the rows `order` of `x` and `y`, cut into mini-batches; return the cost of every one, without Ω."""
    costs = []
    with numba_threads(threads):
        for start in range(0, len(order), batch_size):
            index = order[start : start + batch_size]
            costs.append(_Step(net, workspace, len(index)).run(x, y, index, optimizer))
    return np.array(costs)


class _Step:
    def __init__(self, net: "MLP", workspace: Workspace, n: int) -> None:
        self.net, self.w, self.n = net, workspace, n
        self.hidden = range(1, len(net.widths) - 1)

    def run(self, x: np.ndarray, y: np.ndarray, index: np.ndarray, optimizer: "SGD") -> float:
        net, w, last = self.net, self.w, len(self.net.widths) - 1
        z, a, dz = ([rows[: self.n] for rows in group] for group in (w.z, w.activation, w.dz))
        kernels.gather(x, index, net.input_scale, a[0])
        for i in range(1, last + 1):
            kernels.linear_forward(a[i - 1], net.weights[i - 1], net.biases[i - 1], z[i])
            if i < last:
                self._hidden_forward(i, z[i], a[i])
        cost = kernels.softmax_cross_entropy(z[last], y[index], a[last], dz[last])
        for i in range(last, 1, -1):
            da = w.dactivation[i - 1][: self.n]
            kernels.linear_backward(a[i - 1], net.weights[i - 1], dz[i], da, w.dweights[i - 1], w.dbiases[i - 1])
            self._hidden_backward(i - 1, z[i - 1], da, dz[i - 1])
        kernels.linear_backward_parameters(a[0], dz[1], w.dweights[0], w.dbiases[0])
        self._update(optimizer)
        return cost

    def _hidden_forward(self, i: int, z: np.ndarray, out: np.ndarray) -> None:
        net, w, norm = self.net, self.w, self.net.batch_norm
        if norm is None:
            kernels.relu_forward(z, out)
            return
        gamma, beta = (net.gammas[i - 1], net.betas[i - 1]) if norm.affine else (w.ones[i], w.zeros[i])
        if norm.placement == "before_relu":
            kernels.batchnorm_relu_forward(z, gamma, beta, norm.eps, out, w.means[i], w.inv_stds[i])
        else:
            normalised = w.normalised[i][: self.n] if norm.affine else out
            kernels.relu_batchnorm_forward(z, norm.eps, normalised, w.means[i], w.inv_stds[i])
            if norm.affine:
                kernels.scale_shift_forward(normalised, gamma, beta, out)
        var = np.maximum(1 / np.square(w.inv_stds[i]) - norm.eps, 0)
        for running, batch in ((net.running_means[i - 1], w.means[i]), (net.running_vars[i - 1], var)):
            running += net.dtype.type(norm.momentum) * (batch - running)

    def _hidden_backward(self, i: int, z: np.ndarray, da: np.ndarray, dz: np.ndarray) -> None:
        net, w, norm = self.net, self.w, self.net.batch_norm
        if norm is None:
            kernels.relu_backward(z, da, dz)
            return
        gamma, beta = (net.gammas[i - 1], net.betas[i - 1]) if norm.affine else (w.ones[i], w.zeros[i])
        mean, inv_std = w.means[i], w.inv_stds[i]
        if norm.placement == "before_relu":
            kernels.batchnorm_relu_backward(z, gamma, beta, mean, inv_std, da, dz, w.dgammas[i], w.dbetas[i])
            return
        if norm.affine:
            kernels.scale_shift_backward(w.normalised[i][: self.n], gamma, da, da, w.dgammas[i], w.dbetas[i])
        kernels.relu_batchnorm_backward(z, mean, inv_std, da, dz)

    def _update(self, optimizer: "SGD") -> None:
        net, w, rate = self.net, self.w, optimizer.learning_rate
        for weight, dweight in zip(net.weights, w.dweights, strict=True):
            kernels.sgd_update(weight, dweight, rate, optimizer.weight_decay)
        for bias, dbias in zip(net.biases, w.dbiases, strict=True):
            kernels.sgd_update(bias, dbias, rate, 0.0)
        if net.gammas:
            for i in self.hidden:
                kernels.sgd_update(net.gammas[i - 1], w.dgammas[i], rate, 0.0)
                kernels.sgd_update(net.betas[i - 1], w.dbetas[i], rate, 0.0)
