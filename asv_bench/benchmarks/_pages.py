"""The titles and units that asv's web pages show for a benchmark."""

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def shown_as(name: str, *, unit: str | None = None) -> Callable[[Method], Method]:
    """Give a benchmark a title that is clearer than its name, and a unit if it is a ``track_`` benchmark."""

    def decorate(method: Method) -> Method:
        attributes = {"pretty_name": name} | ({} if unit is None else {"unit": unit})
        for key, value in attributes.items():
            setattr(method, key, value)
        return method

    return decorate
