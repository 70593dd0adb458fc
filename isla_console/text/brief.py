"""Text from outside, short and harmless: endpoints and servers choose what they answer."""

from __future__ import annotations

from isla_console.text.plain import plain


def brief(text: str | bytes, limit: int = 120) -> str:
    """Return `text` on one line of at most `limit` characters, every control character made visible."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "replace")
    # Cut first: it bounds the work, however long the answer.
    shown = plain(" ".join(text[: limit * 8].split()))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
