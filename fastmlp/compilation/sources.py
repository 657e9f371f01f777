"""A digest of the sources that are compiled."""

import functools
import hashlib
from pathlib import Path

COMPILED = ("compilation", "simd", "kernels", "engine")  # what the machine code is made from


@functools.cache
def sources_digest() -> str:
    """Return the digest of the sources in their present state."""
    found = hashlib.sha256()
    package = Path(__file__).parent.parent
    sources = [source for folder in COMPILED for source in (package / folder).rglob("*.py")]
    for source in sorted(sources):
        found.update(source.relative_to(package).as_posix().encode() + b"\0")
        found.update(source.read_bytes() + b"\0")
    return found.hexdigest()
