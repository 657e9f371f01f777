"""The compiled kernels: plain C-ordered arrays in, outputs last and overwritten whole, float32 and float64.

They know arrays and scalars only; rows are samples. Called from Python and from compiled code alike, they raise
ValueError before any work where shapes do not fit each other, an index or label lies outside, or an output overlaps
another array. In the ReLU, batch norm, softmax, dropout and `activate`, an output may be the very memory of an input of
its shape. For arrays that are not C-ordered, of another dtype or number of dimensions, or read-only where they are
written to, a kernel does not compile: TypeError. What is not checked is an address: that of `activation` or `loss` must
be for the dtype of the arrays, and for such targets.
"""

from fastmlp.kernels.activations import activate, activation
from fastmlp.kernels.dropout import dropout
from fastmlp.kernels.gather import gather
from fastmlp.kernels.linear import linear_backward, linear_forward
from fastmlp.kernels.losses import loss, loss_gradient
from fastmlp.kernels.relu import relu_backward, relu_forward
from fastmlp.kernels.relu_batchnorm import (
    batchnorm_relu_backward,
    batchnorm_relu_forward,
    relu_batchnorm_backward,
    relu_batchnorm_forward,
)
from fastmlp.kernels.softmax import softmax, softmax_cross_entropy
from fastmlp.kernels.update import sgd_update

__all__ = [
    "activate",
    "activation",
    "batchnorm_relu_backward",
    "batchnorm_relu_forward",
    "dropout",
    "gather",
    "linear_backward",
    "linear_forward",
    "loss",
    "loss_gradient",
    "relu_backward",
    "relu_batchnorm_backward",
    "relu_batchnorm_forward",
    "relu_forward",
    "sgd_update",
    "softmax",
    "softmax_cross_entropy",
]
