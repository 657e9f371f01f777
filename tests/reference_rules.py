"""The naive float64 twins of the update rules, by the formulas of their docstrings."""

import numpy as np

LEARNED = ("weights", "biases", "gammas", "betas", "factors")


def momentum(w, slope, rate, t, state, rule):
    """Plain SGD, momentum and Nesterov's momentum."""
    velocity = state.setdefault("velocity", np.zeros_like(w))
    step = rate * (slope + rule["weight_decay"] * w)
    velocity[...] = rule["momentum"] * velocity - step
    w += rule["momentum"] * velocity - step if rule["nesterov"] else velocity


def adam(w, slope, rate, t, state, rule, keep=1.0):
    first, second = (state.setdefault(name, np.zeros_like(w)) for name in ("first", "second"))
    slope = slope + rule["weight_decay"] * w
    first[...] = rule["beta_1"] * first + (1 - rule["beta_1"]) * slope
    second[...] = rule["beta_2"] * second + (1 - rule["beta_2"]) * slope**2
    w *= keep
    correction = np.sqrt(1 - rule["beta_2"] ** t) / (1 - rule["beta_1"] ** t)
    w -= rate * correction * first / (np.sqrt(second) + rule["epsilon"])


def adam_w(w, slope, rate, t, state, rule):
    adam(w, slope, rate, t, state, rule | {"weight_decay": 0.0}, keep=1 - rate * rule["weight_decay"])


RULES = {"SGD": momentum, "Adam": adam, "AdamW": adam_w}


class Steps:
    """The steps of an optimizer. The object keeps the optimizer's state.

    Parameters
    ----------
    optimizer : SGD, Adam or AdamW
        An optimizer without a schedule and without clipping.
    """

    def __init__(self, optimizer):
        self.formula, self.rule = RULES[type(optimizer).__name__], vars(optimizer)
        self.states, self.done = {}, 0

    def step(self, arrays, gradients, rate=None):
        """Take one step of all arrays, lists by their names, in place. Only weights decay."""
        self.done += 1
        rate = self.rule["learning_rate"] if rate is None else rate
        for name in LEARNED:
            rule = self.rule if name == "weights" else self.rule | {"weight_decay": 0.0}
            for i, (array, gradient) in enumerate(zip(arrays[name], gradients[name], strict=True)):
                own = rate * self.multiplier(name, i)
                self.formula(array, gradient, own, self.done, self.states.setdefault((name, i), {}), rule)

    def multiplier(self, name, layer):
        """What the learning rate of an array is multiplied by."""
        found = getattr(self.rule["rate_multipliers"], {"gammas": "norms", "betas": "norms"}.get(name, name))
        return found[layer] if isinstance(found, tuple) else found
