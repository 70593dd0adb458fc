"""What PostgreSQL's own scanner sees in a text: where a statement stands, and its placeholders."""

from __future__ import annotations

import re

_END = "; \t\r\n"
_PLACEHOLDER = re.compile(rb"\$(\d+)")


def statement_at(text: str, offset: int) -> tuple[int, str]:
    """Return where the statement at `offset` (in characters) or just before it starts, and its text.

    A text that cannot be split is taken as one statement: the guard says what is wrong with it.
    """
    if ";" not in text.rstrip(_END):  # as it mostly is; then nothing has to be loaded or scanned
        bare = text.strip()
        return text.find(bare), bare.rstrip(_END)
    import postgast

    try:
        parts = postgast.split(text, method="scanner")
    except Exception:  # the scanner is C: whatever it raises, the text stays whole
        return 0, text
    start, found = 0, (0, text)
    for part in (one.strip() for one in parts):
        place = text.find(part, start)
        if place < 0:
            return 0, text
        if place <= offset or found == (0, text):
            found = (place, part)
        start = place + len(part)
    return found


def last_placeholder(text: str) -> int:
    """Return the highest number of the placeholders $1, $2 ... in a statement; 0 without any.

    What stands in a string, a quoted name or a comment is none: `'$1,000'` is a sum of money. A text that the
    scanner refuses has none: the guard says what is wrong with it.
    """
    data = text.encode("utf-8", "replace")
    if not _PLACEHOLDER.search(data):
        return 0
    import postgast

    try:
        tokens = postgast.scan(data.decode()).tokens
    except Exception:  # as above
        return 0
    found = (_PLACEHOLDER.fullmatch(data, token.start, token.end) for token in tokens)
    return max((int(match[1]) for match in found if match), default=0)
