"""fastmlp, through its public function; bytes stay bytes."""

import fastmlp

from .task import RATE, Labels, Task, Training


class _Ours:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.x, self.y = task.pixels()
        self.net = fastmlp.MLP(task.widths, input_scale=1 / 255, init=fastmlp.init.xavier())

    def epoch(self, seed: int) -> None:
        fastmlp.train(
            self.net,
            self.x,
            self.y,
            validation=None,
            optimizer=fastmlp.SGD(learning_rate=RATE),
            batch_size=self.task.batch,
            epochs=1,
            seed=seed,
            threads=self.task.threads,
            progress=False,
        )

    def predict(self) -> Labels:
        return self.net.predict(self.x, threads=self.task.threads)


def make(task: Task) -> Training:
    """Return the training."""
    return _Ours(task)
