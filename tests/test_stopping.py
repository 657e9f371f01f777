"""The early stopping rule on sequences whose results are known by hand."""

import pytest

from fastmlp import EarlyStopping
from fastmlp.stopping import Patience


def _stopped_after(rule, epochs, values):
    """The epoch after which training stops (None: never), and the best epoch, for a sequence of the rule's metric."""
    patience = Patience(rule, epochs)
    for epoch, value in enumerate(values, start=1):
        patience.is_best(epoch, {"val_cost": value, "val_accuracy": value, "val_score": value})
        if patience.exhausted:
            return epoch, patience.best_epoch
    return None, patience.best_epoch


ACCURACY = EarlyStopping(metric="accuracy", min_delta=0.125)
COST = EarlyStopping(metric="cost", min_delta=0.125)


# all values but the last case's are multiples of 1/16, so that their differences are exact
@pytest.mark.parametrize(
    ("rule", "epochs", "values", "stopped", "best"),
    [
        # the accuracy rises in every epoch: training never stops
        (ACCURACY, 1, [0.0, 0.25, 0.5, 0.75], None, 4),
        # the accuracy never changes: only the first epoch is an improvement
        (ACCURACY, 1, [0.5, 0.5], 2, 1),
        (ACCURACY, 3, [0.5, 0.5, 0.5, 0.5, 0.5], 4, 1),
        # a rise of exactly min_delta counts, a smaller one does not
        (ACCURACY, 1, [0.5, 0.625, 0.75], None, 3),
        (ACCURACY, 1, [0.5, 0.5625], 2, 2),
        # small rises add up: two rises of 0.0625 are 0.125 above the reference
        (ACCURACY, 2, [0.5, 0.5625, 0.625, 0.625], None, 3),
        (ACCURACY, 2, [0.5, 0.5625, 0.625, 0.625, 0.625], 5, 3),
        # a fall does not lower the reference
        (ACCURACY, 2, [0.5, 0.25, 0.5], 3, 1),
        # the count of waiting epochs starts again after an improvement
        (ACCURACY, 2, [0.5, 0.5, 0.75, 0.75, 0.75], 5, 3),
        # a lower cost is an improvement
        (COST, 1, [2.0, 1.5, 1.0, 0.5], None, 4),
        (COST, 1, [2.0, 1.875, 1.875], 3, 2),
        (COST, 1, [2.0, 3.0], 2, 1),
        (COST, 2, [2.0, 1.9375, 1.9375], 3, 2),
        # the last one of equally good epochs, which is no improvement nevertheless
        (EarlyStopping(min_delta=0.125, ties="last"), 3, [0.5, 0.25, 0.5, 0.25], 4, 3),
        (EarlyStopping("cost", min_delta=0.125, ties="last"), 9, [2.0, 2.0, 2.0, 3.0], None, 3),
        (EarlyStopping("cost", min_delta=0.125), 9, [2.0, 2.0, 2.0, 3.0], None, 1),
        # without a threshold any rise counts, but an equal value does not
        (EarlyStopping(min_delta=0.0), 2, [0.5, 0.5, 0.501, 0.501, 0.501], 5, 3),
    ],
)
def test_sequences(rule, epochs, values, stopped, best):
    assert _stopped_after(rule, epochs, values) == (stopped, best)


@pytest.mark.parametrize("right", [14, 6000, 9115, 10119, 10240])
def test_a_rise_of_exactly_the_threshold_counts_whatever_the_rounding(right):
    # 12 more of 12,000 rows are a rise of 0.001; rounding may make the difference of the quotients slightly smaller
    values = [right / 12000, (right + 12) / 12000, (right + 12) / 12000]
    assert _stopped_after(EarlyStopping(min_delta=0.001), 2, values) == (None, 2)
    below = [right / 12000, (right + 11) / 12000, (right + 11) / 12000]
    assert _stopped_after(EarlyStopping(min_delta=0.001), 2, below) == (3, 2)


@pytest.mark.parametrize(
    ("steps_per_epoch", "epochs"),
    [(48, 3), (96, 2), (100, 1), (101, 1), (99, 2), (1, 100), (1500, 1)],
)
def test_report_waits_a_hundred_steps(steps_per_epoch, epochs):
    assert EarlyStopping.report().epochs_of_patience(steps_per_epoch) == epochs


def test_report_is_the_rule_of_the_report():
    expected = EarlyStopping(metric="accuracy", min_delta=0.001, patience_steps=100, restore_best=False)
    assert EarlyStopping.report() == expected


def test_defaults():
    rule = EarlyStopping()
    assert (rule.metric, rule.min_delta, rule.patience, rule.patience_steps, rule.restore_best, rule.ties) == (
        "accuracy", 0.001, 10, None, True, "first",
    )  # fmt: skip
    assert rule.epochs_of_patience(7) == 10


def test_a_rule_is_a_value():
    with pytest.raises(AttributeError):
        EarlyStopping().patience = 3
