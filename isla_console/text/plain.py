"""Text from outside, made harmless: shown, never obeyed.

Whatever a server, a row, a log line or a file says may carry terminal escapes, carriage returns or
direction overrides. `plain` keeps every character visible, so that nothing moves the terminal and nothing
is hidden from the reader.
"""

from __future__ import annotations

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


def plain(text: str) -> str:
    """Return text as one line: controls become visible pictures (ESC ␛, newline ␊), a tab four spaces."""
    return text.translate(_LINE)


def plain_block(text: str) -> str:
    """Return text as several lines: like `plain`, but newlines stay newlines (CR LF counts as one)."""
    return text.replace("\r\n", "\n").translate(_BLOCK)
