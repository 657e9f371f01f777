import math

import pytest

from fastmlp.experiments import EXPERIMENTS, Configuration


def test_the_experiments_are_the_reports():
    none, batch_norm, l2 = (experiment.configuration for experiment in EXPERIMENTS)
    assert (none.batch_size, none.batch_norm, none.weight_decay) == (1000, False, 0)
    assert (batch_norm.batch_size, batch_norm.batch_norm, batch_norm.weight_decay) == (1000, True, 0)
    assert (l2.batch_size, l2.batch_norm, l2.weight_decay) == (500, False, 0.0005)
    for configuration in (none, batch_norm, l2):
        assert (configuration.hidden, configuration.learning_rate) == ((20, 7, 5), 0.009)
        assert (configuration.init_scale, configuration.validation) == (0.05, 0.2)
        assert configuration.epochs >= 100


def test_the_reports_steps_are_its_epochs_times_the_steps_of_48000_images():
    for experiment in EXPERIMENTS:
        assert experiment.report.steps == experiment.report.epochs * 48_000 / experiment.configuration.batch_size


def test_limited_to_changes_the_epochs_alone():
    limited = EXPERIMENTS[2].limited_to(epochs=7)
    assert limited.configuration.epochs == 7
    assert limited.limited_to(epochs=EXPERIMENTS[2].configuration.epochs) == EXPERIMENTS[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("batch_size", -5),
        ("weight_decay", -0.1),
        ("weight_decay", math.nan),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("epochs", 0),
        ("init_scale", 0.0),
        ("validation", 0.0),
        ("validation", 1.0),
    ],
)
def test_values_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        Configuration(**({"batch_size": 10} | {name: value}))
