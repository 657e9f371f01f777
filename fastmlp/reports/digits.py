"""Figures of a report as text."""


def digits(value: float) -> str:
    """Return a number with four digits behind the point; above 1 with four in all, above 1,000 whole; NaN as "-"."""
    if value != value:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) > 1 else f"{value:.4f}"
