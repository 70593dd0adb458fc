"""Text from outside inside a Markdown document: it shows as itself and forms nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from isla_console.text.plain import as_written

_SPECIAL = re.compile(r"([\\`*\[\]<>|#~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_TICKS = re.compile(r"`+")


def inline(text: str) -> str:
    """Return text for a line or a table's cell. It must not be put at the start of a line."""
    return _SPECIAL.sub(r"\\\1", as_written(_one_line(text)).strip())


def _one_line(text: str) -> str:
    """Return text without line ends, as visible pictures of them."""
    return text.replace("\r", "␍").replace("\n", "␊")


def fenced(text: str, indent: str = "") -> list[str]:
    """Return the lines of a code block that nothing in the text can end."""
    body = as_written(text).rstrip("\n").split("\n")
    longest = max((len(ticks) for line in body for ticks in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{indent}{line}".rstrip() for line in (f"{fence}text", *body, fence)]


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table from cells that `inline` has made."""
    return [
        _line(head),
        _line(tuple("---" for _ in head)),
        *(_line(tuple(cell or "–" for cell in row)) for row in rows),
    ]


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
