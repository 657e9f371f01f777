"""The error that ends a comparison without a verdict."""


class GateError(Exception):
    """The comparison cannot be made. The text has the reason."""
