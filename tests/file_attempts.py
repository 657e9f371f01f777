"""Data files that may be damaged."""

from fastmlp import datasets


def attempt(path):
    """Return what the file holds and None, or None and the error's text."""
    try:
        return datasets.load(path), None
    except ValueError as error:
        return None, str(error)
