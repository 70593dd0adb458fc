"""Finding the statement under the cursor in a text of several statements."""

from __future__ import annotations

_END = "; \t\r\n"


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
