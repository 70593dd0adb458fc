"""Text from outside, made harmless: shown, never obeyed.

Whatever a server, a row, a log line or a file says may carry terminal escapes, carriage returns or
direction overrides. `plain` keeps every character visible, so that nothing moves the terminal and nothing
is hidden from the reader.
"""

from __future__ import annotations

import re
import unicodedata

_NAMED = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
"""C0 controls as their Unicode control pictures: ESC is ␛."""


class _Visible(dict[int, str]):
    """A `str.translate` table that fills itself: every control or format character becomes visible."""

    def __missing__(self, code: int) -> str:
        if code in _NAMED:
            shown = _NAMED[code]
        elif unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            shown = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
        else:
            shown = chr(code)
        self[code] = shown
        return shown


_LINE = _Visible({0x09: "    "})
_BLOCK = _Visible({0x09: "    ", 0x0A: "\n"})


JOINERS = frozenset("\u200c\u200d")
"""Zero-width joiners, without which words of some scripts, and some emoji, are written wrong. They move
nothing and hide nothing."""


def as_written(text: str) -> str:
    """Return text for a document: like `plain_block`, but what people write with joiners stays as written."""
    if not any(joiner in text for joiner in JOINERS):
        return plain_block(text)
    return "".join(piece if piece in JOINERS else plain_block(piece) for piece in _JOINED.split(text))


_JOINED = re.compile("([\u200c\u200d])")


def plain(text: str) -> str:
    """Return text as one line: controls become visible pictures (ESC ␛, newline ␊), a tab four spaces."""
    return text.translate(_LINE)


def plain_block(text: str) -> str:
    """Return text as several lines: like `plain`, but newlines stay newlines (CR LF counts as one)."""
    return text.replace("\r\n", "\n").translate(_BLOCK)
