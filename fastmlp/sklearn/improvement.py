"""When to stop: scikit-learn's rule, by the training loss or by the score of the validation rows."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Improvement:
    """The curves of a fit, their best values, and the number of epochs since the last improvement.

    Attributes
    ----------
    by_score : bool
        Whether the score of the validation rows decides, and not the training loss.
    best : numpy.ndarray or None
        The parameters with the best score, if the score decides.
    waited : int
        Number of the latest epochs without an improvement by more than ``tol``.
    """

    by_score: bool
    loss_curve: list[float] = field(default_factory=list)
    best_loss: float | None = None
    validation_scores: list[float] | None = None
    best_validation_score: float | None = None
    best: np.ndarray | None = None
    waited: int = 0

    def __post_init__(self) -> None:
        self.best_loss = None if self.by_score else np.inf

    def expect_scores(self) -> None:
        """Begin the curve of the scores, if it does not exist yet."""
        if self.validation_scores is None:
            self.validation_scores, self.best_validation_score = [], -np.inf

    def add(self, loss: float, score: float | None, tol: float) -> bool:
        """Add an epoch's loss and score to the curves; return whether the score is the best so far.

        Where the score counts and there is none, the epoch neither improves nor waits.
        """
        self.loss_curve.append(loss)
        if self.by_score and score is None:
            return False
        best = worse = False
        if score is not None:
            assert self.validation_scores is not None
            assert self.best_validation_score is not None
            self.validation_scores.append(score)
            worse = score < self.best_validation_score + tol
            best = score > self.best_validation_score
            self.best_validation_score = score if best else self.best_validation_score
        if self.best_loss is not None:
            worse = loss > self.best_loss - tol
            self.best_loss = min(loss, self.best_loss)
        self.waited = self.waited + 1 if worse else 0
        return best

    def add_not_finite(self) -> None:
        """Add an epoch with a loss that is not finite, as NaN."""
        self.loss_curve.append(np.nan)
        if self.validation_scores is not None:
            self.validation_scores.append(np.nan)
