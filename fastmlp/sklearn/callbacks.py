"""The callbacks of a fit: functions that see each epoch's record, and scikit-learn's callbacks (from version 1.9)."""

import copy
from typing import Any

from fastmlp.history import Record

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """An empty base class: earlier versions of scikit-learn have no callbacks."""


__all__ = ["CallbackSupportMixin", "Listeners"]


class Listeners:
    """The callbacks of one ``fit``.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        The callbacks of its parameter ``callbacks`` see records. The callbacks of ``set_callbacks`` see a task for the
        fit and a task for each of its epochs.
    X, y, sample_weight
        The arguments of the fit.
    epochs : int
        Largest number of epochs.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any, epochs: int) -> None:
        self.estimator = estimator
        weights = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data: dict[str, Any] = {"estimator": estimator, "X": X, "y": y, "metadata": weights}
        self.fit: Any = None
        self.epoch: Any = None
        if getattr(estimator, "_skl_callbacks", ()):
            # SciPy does not tell when L-BFGS-B ends, so a task is begun for an iteration that never comes
            self.fit = estimator._init_callback_context(max_subtasks=epochs + (estimator.solver == "lbfgs"))
            self.fit.call_on_fit_task_begin(**self.data)

    def epoch_begins(self) -> None:
        """Begin the task of an epoch."""
        if self.fit is not None:
            self.epoch = self.fit.subcontext(task_name="epoch")
            self.epoch.call_on_fit_task_begin(**self.data)

    def epoch_ended(self, record: Record) -> bool:
        """Call all callbacks with the epoch's record; return whether one of them asks to stop."""
        answers = [callback(self.estimator, dict(record)) is True for callback in self.estimator.callbacks]
        if self.epoch is not None:
            answers.append(self._ended(self.epoch))
            self.epoch = None
        return any(answers)

    def fit_ended(self) -> None:
        """End the tasks that are still open."""
        if self.epoch is not None:  # a task of an epoch that never ended
            self.epoch.call_on_fit_task_end(estimator=self.estimator)
        if self.fit is not None:
            self._ended(self.fit)

    def _ended(self, task: Any) -> bool:
        # scikit-learn calls `_copies` only if a callback asks for an estimator that can predict
        return bool(task.call_on_fit_task_end(**self.data, reconstruction_attributes=self._copies))

    def _copies(self) -> dict[str, Any]:
        return {"network_": copy.deepcopy(self.estimator.network_)}
