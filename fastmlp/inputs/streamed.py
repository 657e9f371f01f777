"""What code that must not wait for the import of `fastmlp.streaming` knows of streams."""


class AnyStream:
    """Base of `fastmlp.streaming.stream.Stream`, by which arguments are told from arrays."""


def is_stream(value: object) -> bool:
    """Whether a value is a stream."""
    # no `isinstance` where it is used: type checkers would then take the value for an AnyStream and no more
    return isinstance(value, AnyStream)


class StreamError(ValueError):
    """A file of a stream cannot be read, changed since the stream was made, or holds what no network takes."""
