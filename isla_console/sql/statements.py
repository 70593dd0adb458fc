"""Finding the statement under the cursor in a text of several."""

from __future__ import annotations


def statement_at(text: str, offset: int) -> tuple[int, str]:
    """The statement that `offset` (in characters) stands in or just behind, and where it starts.

    A text that cannot be split is taken as one statement: the guard will say what is wrong with it.
    """
    import postgast

    try:
        parts = postgast.split(text, method="scanner")
    except Exception:  # the scanner is C: whatever it says, the text is left whole
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
