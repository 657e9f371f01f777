"""Checks of calls that must raise an error."""

import pytest


def refused(call, error, words):
    """Check that a call raises `error` with a message of one line that contains `words`."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message
