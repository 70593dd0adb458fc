"""Writes the README's table of keys anew from the registry: `python -m tests.support.readme_keys`."""

import re
from pathlib import Path

from isla_console.ui.page_keys import readme_table

README = Path(__file__).parents[2] / "README.md"


def main() -> None:
    """Replace the table under the README's heading "Keys"."""
    text = README.read_text(encoding="utf-8")
    table = re.compile(r"(\n## Keys\n\n[^\n]+\n\n)(?:\|[^\n]*\n)+")
    made = table.sub(lambda found: found[1] + readme_table(), text)
    README.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
