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


def render(template: str, *, package: str = "fastmlp.experiments", **context: Any) -> str:
    """Fill a template of a package, which may extend ``base.html``. Every text in `context` is escaped."""
    jinja2 = require("jinja2", extra="experiments")
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in (package, "fastmlp.experiments")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return str(environment.get_template(template).render(**context))


def image_address(figure: "Figure") -> str:
    """Return the figure as an SVG image in a ``data:`` URL."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
