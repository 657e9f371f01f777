"""Calls that must be refused."""

import pytest


def refused(call, error, words):
    """Check that a call is refused: by which error, in one line that has which words."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message
