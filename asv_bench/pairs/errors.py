"""What ends a comparison without a verdict."""


class GateError(Exception):
    """The comparison cannot be made; the text says why."""
