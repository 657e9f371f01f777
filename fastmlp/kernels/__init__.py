"""The compiled kernels: plain C-ordered arrays in, outputs last and overwritten whole, float32 and float64.

They know arrays and scalars only and trust their inputs: a wrong shape is undefined behaviour. Rows are samples.
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
