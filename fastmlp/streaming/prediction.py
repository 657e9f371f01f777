"""Evaluation and prediction of a stream, block by block."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastmlp import engine
from fastmlp.losses import Loss
from fastmlp.network import Network
from fastmlp.streaming.filling import Block, Filler
from fastmlp.streaming.rows import StreamedRows
from fastmlp.system import extras
from fastmlp.system.files import replaced_whole


def evaluate(network: Network, rows: StreamedRows, loss: Loss, threads: int) -> tuple[float, float | None]:
    """Return the mean loss over all rows, weighted where they have weights, and the accuracy.

    Parameters
    ----------
    network : Network
        Architecture and parameters.
    rows : StreamedRows
        With targets.
    loss : Loss
        Of the network's output.
    threads : int
        At most this many.

    Raises
    ------
    StreamError
        A file cannot be read, or no row has a weight above 0.
    """
    sums = np.zeros(3)
    with rows.in_order() as reader:
        for block in reader:
            sums += block_sums(network, rows.filler, block, loss, threads)
    weight, costs, right = sums.tolist()
    rows.refuse_no_weight(weight)
    return costs / weight, right / weight if network.architecture.has_classes else None


def block_sums(network: Network, filler: Filler, block: Block, loss: Loss, threads: int) -> np.ndarray:
    """Return of the rows of a block their weight, their summed loss, and the weight of those that are right."""
    weight = block.rows if block.weights is None else float(block.weights[: block.rows].sum())
    if not weight:
        return np.zeros(3)
    cost, accuracy = engine.evaluate(
        network, filler.matrix(block), block.targets, None, threads, loss=loss, sample_weight=block.weights
    )
    return np.array([weight, cost * weight, (accuracy or 0.0) * weight])


class Score:
    """How many predictions are right.

    Attributes
    ----------
    rows, correct : int
        Seen so far, and those whose most probable class is the true one.
    """

    def __init__(self) -> None:
        self.rows, self.correct = 0, 0

    def add(self, outputs: np.ndarray, classes: np.ndarray) -> None:
        """Take the outputs ``(n, n_outputs)`` and the class indices ``(n,)`` of some rows."""
        self.rows += len(outputs)
        self.correct += int((outputs.argmax(axis=1) == classes).sum())


def outputs(
    network: Network, rows: StreamedRows, threads: int, matmul_precision: str, score: Score | None = None
) -> Iterator[np.ndarray]:
    """Yield the outputs of block after block ``(rows, n_outputs)``, in the order of the files.

    Parameters
    ----------
    network : Network
        Architecture and parameters.
    rows : StreamedRows
        To predict.
    threads : int
        At most this many.
    matmul_precision : {"float32", "bfloat16"}
        Of the operands of the matrix products.
    score : Score, optional
        Is told the outputs; the rows have class indices as targets then.

    Raises
    ------
    StreamError
        A file cannot be read, or holds a number that is not finite.
    """
    with rows.in_order() as reader:
        for block in reader:
            found = engine.outputs(network, rows.filler.matrix(block), threads, matmul_precision)[0]
            if score is not None:
                score.add(found, block.targets[: block.rows])
            yield found


def write_parquet(
    path: str | os.PathLike[str],
    blocks: Iterator[np.ndarray],
    names: Sequence[str],
    answers: Callable[[np.ndarray], list[Any]],
) -> int:
    """Write predictions to a Parquet file, whole or not at all; return the number of rows.

    Parameters
    ----------
    path : path-like
        The file.
    blocks : iterator of numpy.ndarray
        Outputs.
    names : sequence of str
        Of the columns.
    answers : callable
        From outputs to the values of the columns.

    Raises
    ------
    OSError
        The file cannot be written; an earlier one stands as it was.
    """
    pyarrow = extras.require("pyarrow", extra="tables")
    parquet = extras.require("pyarrow.parquet", extra="tables")
    written = 0
    with replaced_whole(path) as temporary:
        writer = None
        try:
            for block in blocks:
                table = pyarrow.table(dict(zip(names, answers(block), strict=True)))
                writer = writer or parquet.ParquetWriter(temporary, table.schema)
                writer.write_table(table)
                written += table.num_rows
        finally:
            if writer is not None:
                writer.close()
    return written
