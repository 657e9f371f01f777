"""What the added kernel calls and takes from another file."""

from fastmlp.compilation.jit import body

FACTOR = 1.0


@body
def part(value):
    return value + 1.0
