"""Text from outside, made harmless to show: endpoints and servers choose what they answer."""

from __future__ import annotations

import unicodedata

LIMIT = 120
"""Characters that a reason may take from outside."""


def plain(text: str | bytes, limit: int = LIMIT) -> str:
    """`text` on one line, at most `limit` characters.

    Control characters, terminal escapes, bidirectional overrides and lone surrogates are shown as
    escapes; runs of white space become one space.
    """
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "replace")
    # Cutting first bounds the work: an answer can be a million escapes.
    words = text[: limit * 8].split()
    shown = "".join(_visible(character) for character in " ".join(words))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(character: str) -> str:
    # Cc control, Cf format (bidi, zero width), Cs surrogate, Co private use, Zl and Zp separators
    if character.isprintable() and unicodedata.category(character) not in {"Cf", "Co"}:
        return character
    return character.encode("unicode_escape").decode("ascii")
