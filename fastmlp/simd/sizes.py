"""Counts that are rounded up: for Python code and for compiled code."""

from numba.extending import register_jitable


@register_jitable(inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def ceil_divide(n: int, size: int) -> int:
    """Return how many pieces of a size hold `n` things."""
    return (n + size - 1) // size


@register_jitable(inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def round_up(n: int, multiple: int) -> int:
    """Return the smallest multiple that is at least `n`."""
    return (n + multiple - 1) // multiple * multiple
