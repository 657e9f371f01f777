"""The function and the constant that the added kernel uses from another file."""

from fastmlp.compilation.jit import body

FACTOR = 1.0


@body
def part(value):
    return value + 1.0
