"""The texts of the console's own questions to PostgreSQL, a file each."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent


def query(name: str) -> str:
    """Return the text of `<name>.sql`."""
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")
