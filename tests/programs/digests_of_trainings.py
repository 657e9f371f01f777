"""Train networks of every kind; print the digests of the results, and the shape of the tiles."""

import hashlib
import json

import numpy as np

from fastmlp import MLP, SGD, Adam, BatchNorm, RateMultipliers, train
from fastmlp.losses import BinaryCrossEntropy, CrossEntropy, Huber, Poisson
from fastmlp.simd.target import TILES

digests = {}
rng = np.random.default_rng(3)
X, y = rng.integers(0, 256, (201, 33), np.uint8), rng.integers(0, 18, 201)
for norm in (None, BatchNorm(affine=True), BatchNorm(placement="before_relu", affine=True)):
    for widths in ([33, 18], [33, 70, 7, 18]):
        net = MLP(widths, batch_norm=norm, input_scale=1 / 255)
        history = train(
            net,
            X,
            y,
            validation=0.2,
            optimizer=SGD(0.2, weight_decay=0.01),
            batch_size=41,
            epochs=4,
            threads=1,
            progress=False,
        )
        found = hashlib.sha256(net.snapshot().tobytes() + history.batch_costs.tobytes())
        found.update(net.predict_proba(X, threads=1).tobytes())
        digests[f"{norm} {widths}"] = found.hexdigest()
flags, numbers, counts = np.eye(18)[y], rng.standard_normal((201, 18)), rng.poisson(1.0, (201, 18))
losses = {
    "softmax": (y, CrossEntropy(0.1)),
    "logistic": (flags, BinaryCrossEntropy(0.1)),
    "identity": (numbers, Huber(0.5)),
    "exp": (counts, Poisson()),
}
for activation, output in zip(("gelu", "silu", "tanh", "leaky_relu"), losses, strict=True):
    net = MLP([33, 70, 7, 18], activation=activation, output=output, dropout=0.3, input_scale=1 / 255)
    targets, loss = losses[output]
    history = train(
        net,
        X,
        targets,
        loss=loss,
        sample_weight=rng.uniform(0, 2, 201),
        optimizer=SGD(0.02),
        batch_size=41,
        epochs=3,
        threads=1,
        progress=False,
    )
    found = hashlib.sha256(net.snapshot().tobytes() + history.batch_costs.tobytes())
    found.update(net.outputs(X, threads=1).tobytes())
    digests[f"{activation} {output}"] = found.hexdigest()
for norm, dropout in ((None, 0.3), (BatchNorm(affine=True), 0.0)):
    net = MLP([33, 70, 7, 18], batch_norm=norm, dropout=dropout, input_scale=1 / 255)
    history = train(
        net, X, y, optimizer=Adam(0.01), batch_size=41, epochs=3, threads=1, progress=False, matmul_precision="bfloat16"
    )
    found = hashlib.sha256(net.snapshot().tobytes() + history.batch_costs.tobytes())
    found.update(net.outputs(X, threads=1, matmul_precision="bfloat16").tobytes())
    digests[f"bfloat16 {norm}"] = found.hexdigest()
for precision in ("float32", "bfloat16"):
    net = MLP([33, 70, 7, 18], input_factors=True, input_scale=1 / 255)
    rule = Adam(0.01, clip_norm=0.5, rate_multipliers=RateMultipliers(biases=0.1, factors=6.0))
    options = {"batch_size": 41, "epochs": 3, "threads": 1, "progress": False, "matmul_precision": precision}
    history = train(net, X, y, optimizer=rule, **options)
    found = hashlib.sha256(net.snapshot().tobytes() + history.batch_costs.tobytes())
    digests[f"factors {precision}"] = found.hexdigest()
print(json.dumps({"tiles": [TILES.tall, TILES.vectors], "digests": digests}))
