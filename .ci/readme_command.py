"""Print a command of the README or the guide: the one line in the block below the comment ``<!-- command: NAME -->``.

usage: python3 .ci/readme_command.py NAME
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "fastmlp" / "guide").glob("*.md"))]


def readme_command(name: str) -> str:
    """Return the command called `name`."""
    pattern = rf"^<!-- command: {re.escape(name)} -->\n+```sh\n([^\n]+)\n```$"
    found = [
        line for page in PAGES for line in re.findall(pattern, page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    if len(found) != 1:
        raise SystemExit(
            f"README.md and fastmlp/guide: expected one command of one line called {name!r}, found {len(found)}"
        )
    return str(found[0])


if __name__ == "__main__":
    sys.stdout.write(readme_command(sys.argv[1]) + "\n")
