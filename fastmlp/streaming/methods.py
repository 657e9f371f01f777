"""The methods of `fastmlp.MLP` that concern streams alone."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.inputs import checks
from fastmlp.network.parts import Parts

if TYPE_CHECKING:
    from fastmlp.losses import Loss
    from fastmlp.streaming.prediction import Score
    from fastmlp.streaming.rows import StreamedRows
    from fastmlp.streaming.stream import Network, Stream

PREDICTED = "predicted"  # name of the column of predictions


class Streamed(Parts):
    """What a network does with data larger than memory."""

    class_names: list[str] | None
    feature_names: list[str] | None

    def rows_of(self, stream: "Stream", kernel: str | None = None) -> "StreamedRows":
        """Return all rows of a stream as this network takes them.

        Parameters
        ----------
        stream : Stream
            From `fastmlp.datasets.stream`.
        kernel : str, optional
            Of the loss, where targets are wanted.

        Raises
        ------
        ValueError
            The columns are not the network's inputs, or the targets not its outputs.
        """
        return stream.rows_for(self.described(kernel))

    def described(self, kernel: str | None) -> "Network":
        """Return what a stream needs to know of this network.

        Parameters
        ----------
        kernel : str or None
            Of the loss, where targets are wanted.
        """
        from fastmlp.streaming.stream import Network

        return Network(self.n_inputs, self.n_outputs, self.dtype, kernel, self.feature_names, self.class_names)

    def streamed_outputs(self, stream: "Stream", threads: int, matmul_precision: str) -> np.ndarray:
        """Return the outputs of all rows of a stream ``(n, n_outputs)``.

        Parameters
        ----------
        stream : Stream
            From `fastmlp.datasets.stream`.
        threads : int
            At most this many.
        matmul_precision : {"float32", "bfloat16"}
            Of the operands of the matrix products.

        Raises
        ------
        ValueError
            As `rows_of`; or a file cannot be read.
        """
        from fastmlp.streaming import prediction

        rows, done = self.rows_of(stream), 0
        out = np.empty((rows.n, self.n_outputs), self.dtype)
        for block in prediction.outputs(self.network, rows, threads, matmul_precision):
            out[done : done + len(block)] = block
            done += len(block)
        return out

    def streamed_evaluation(self, stream: "Stream", loss: "Loss", threads: int) -> tuple[float, float | None]:
        """Return the mean loss over the rows of a stream, and the accuracy.

        Parameters
        ----------
        stream : Stream
            From `fastmlp.datasets.stream`, with targets.
        loss : Loss
            Of the network's output.
        threads : int
            At most this many.

        Raises
        ------
        ValueError
            As `rows_of`; or a file cannot be read.
        """
        from fastmlp.streaming import prediction

        return prediction.evaluate(self.network, self.rows_of(stream, loss.kernel), loss, threads)

    def predict_to_parquet(
        self,
        stream: "Stream",
        path: str | os.PathLike[str],
        *,
        proba: bool = False,
        matmul_precision: str = "float32",
        threads: int | None = None,
    ) -> int:
        """Predict the rows of a stream into a Parquet file, of which a block is in memory at a time.

        Parameters
        ----------
        stream : Stream
            From `fastmlp.datasets.stream`.
        path : path-like
            The file; an earlier one is replaced whole or not at all. Its rows are those of the stream, in order. Its
            column ``predicted`` holds the name of the most probable class for softmax outputs (its index where the
            network has no `class_names`); for other outputs there is a column for each, ``output 0`` and so on.
        proba : bool
            Also a column for each class, named after it, with its probability; for softmax outputs.
        matmul_precision : {"float32", "bfloat16"}
            To what the operands of the matrix products are rounded.
        threads : int, optional
            Default: all cores that the process may use.

        Returns
        -------
        int
            The number of rows.

        Raises
        ------
        ValueError, TypeError
            The stream has other columns than the network, or a file of it cannot be read; nothing is written.
        OSError
            The file cannot be written; an earlier one stands as it was.
        """
        return self.streamed_predictions(stream, path, None, proba, matmul_precision, threads)

    def streamed_predictions(
        self,
        stream: "Stream",
        path: str | os.PathLike[str],
        score: "Score | None",
        proba: bool,
        matmul_precision: str,
        threads: int | None,
    ) -> int:
        """Do what `predict_to_parquet` does, and score the predictions of classes in the same pass.

        Parameters
        ----------
        stream, path, proba, matmul_precision, threads : as for `predict_to_parquet`
            With targets where they are to be scored.
        score : Score or None
            Counts the rows, and those that are right.
        """
        from fastmlp.streaming import prediction
        from fastmlp.streaming.stream import Stream

        checks.instance("stream", stream, Stream)
        checks.flag("proba", proba)
        if proba and self.output != "softmax":
            raise ValueError(f"proba needs output='softmax', got output={self.output!r}")
        precision = checks.matmul_precision(matmul_precision, self.dtype)
        rows = self.rows_of(stream, None if score is None else "cross_entropy")
        blocks = prediction.outputs(self.network, rows, checks.threads(threads), precision, score)
        return prediction.write_parquet(path, blocks, *self._answers(proba))

    def _answers(self, proba: bool) -> tuple[list[str], Any]:
        """Return the names of the columns of predictions, and what makes their values of outputs."""
        if self.output != "softmax":
            return [f"output {i}" for i in range(self.n_outputs)], lambda found: list(found.T)
        known = None if self.class_names is None else np.array(self.class_names)
        names = list(map(str, range(self.n_outputs) if known is None else known)) if proba else []

        def answers(found: np.ndarray) -> list[Any]:
            best = found.argmax(axis=1)
            return [best if known is None else known[best], *(list(found.T) if proba else [])]

        return [PREDICTED, *names], answers
