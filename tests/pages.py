"""README and the pages of the guide, and the programs on them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = sorted((ROOT / "fastmlp" / "guide").glob("*.md"))
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *GUIDE)}


def programs(mark):
    """The Python programs below the comment ``<!-- mark -->``, on all pages."""
    pattern = rf"<!-- {re.escape(mark)} -->\n\n```python\n(.*?)```"
    return [program for text in PAGES.values() for program in re.findall(pattern, text, flags=re.DOTALL)]


def program(mark):
    """The program below a comment that occurs once."""
    (found,) = programs(mark)
    return found
