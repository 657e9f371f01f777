"""Print a command of the README: the one line in the fenced block below the comment ``<!-- command: NAME -->``.

usage: python3 .ci/readme_command.py NAME
"""

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def readme_command(name: str) -> str:
    """Return the command called `name`."""
    pattern = rf"^<!-- command: {re.escape(name)} -->\n+```sh\n([^\n]+)\n```$"
    found = re.findall(pattern, README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if len(found) != 1:
        raise SystemExit(f"README.md: expected one command of one line called {name!r}, found {len(found)}")
    return str(found[0])


if __name__ == "__main__":
    sys.stdout.write(readme_command(sys.argv[1]) + "\n")
