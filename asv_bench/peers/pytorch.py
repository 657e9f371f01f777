"""PyTorch in eager mode, the data set as one tensor: quicker than a DataLoader for rows this small."""

from itertools import pairwise

import torch

from .task import RATE, Labels, Task, Training


class _Sequential:
    def __init__(self, task: Task) -> None:
        torch.set_num_threads(task.threads)
        self.batch = task.batch
        x, y = task.floats()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        layers: list[torch.nn.Module] = []
        for n_in, n_out in pairwise(task.widths):
            layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*layers[:-1])
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=RATE)
        self.cost = torch.nn.CrossEntropyLoss()

    def epoch(self, seed: int) -> None:
        torch.manual_seed(seed)
        for index in torch.randperm(len(self.x)).split(self.batch):
            self.optimizer.zero_grad()
            self.cost(self.net(self.x[index]), self.y[index]).backward()
            self.optimizer.step()

    def predict(self) -> Labels:
        with torch.no_grad():
            labels: Labels = self.net(self.x).argmax(dim=1).numpy()
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return _Sequential(task)
