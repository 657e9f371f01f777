"""The steps in which a file is written, one of which fails."""

import contextlib
import errno
import pkgutil

# what can fail while a file is written, in the order in which they are done
STEPS = ("tempfile.mkstemp", "pathlib.Path.write_bytes", "os.chmod", "os.fsync", "os.replace", "os.open")


@contextlib.contextmanager
def failing(number, monkeypatch):
    """Let the call of that number among the calls of `STEPS` fail; yields a list of all calls."""
    calls = []

    def wrap(name, function):
        def call(*arguments, **options):
            calls.append(name)
            if len(calls) == number:
                if name.endswith("write_bytes"):
                    function(arguments[0], arguments[1][: len(arguments[1]) // 2])
                raise OSError(errno.EIO, "Input/output error")
            return function(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        for name in STEPS:
            patched.setattr(name, wrap(name, pkgutil.resolve_name(name)))
        yield calls
