"""Self-contained HTML pages, which load nothing from elsewhere."""

import base64
import io
from typing import TYPE_CHECKING, Any

from fastmlp.system.extras import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_extras() -> None:
    """Raise ImportError, with the command that installs the packages, if the pages' packages are not installed."""
    for library in ("matplotlib", "jinja2", "joblib"):
        require(library, extra="experiments")


def render(template: str, **context: Any) -> str:
    """Fill a template of this package. Every text in `context` is escaped."""
    jinja2 = require("jinja2", extra="experiments")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fastmlp.experiments", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return str(environment.get_template(template).render(**context))


def image_address(figure: "Figure") -> str:
    """Return the figure as an SVG image in a ``data:`` URL."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
