"""What the views make and the widgets show: rows with their keys, and lines cut to a width."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from isla_console.ui.theme import ascii_only


@dataclass(frozen=True, slots=True)
class RowKey:
    """What a row is about: a kind and an id, written `step:deployments`.

    A kind of which there is only one has no id and is written alone: `home`. The ids of pages have the same
    form (`issue:redirect-down`), so that the key of a row in the sidebar is the page that it opens.

    Raises:
        ValueError: The kind is empty or has a colon in it, so that it could not be read back.
    """

    kind: str
    id: str = ""

    def __post_init__(self) -> None:
        if not self.kind or ":" in self.kind:
            raise ValueError(f"not the kind of a row: {self.kind!r}")

    @classmethod
    def parse(cls, text: str) -> RowKey | None:
        """Read a key as `str` writes it; None for a text without a kind, such as the empty key of no row."""
        kind, _, id = text.partition(":")
        return cls(kind, id) if kind else None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page. The cursor can stand on a row that has a key."""

    key: RowKey | None
    content: Content

    @classmethod
    def heading(cls, text: str) -> Row:
        """Make the heading of the rows that follow."""
        return cls(None, Content.assemble((text, "$accent bold")))

    @classmethod
    def text(cls, content: Content | str) -> Row:
        """Make a row that the cursor passes over."""
        return cls(None, content if isinstance(content, Content) else Content(content))


def in_ascii(content: Content) -> Content:
    """Return the same cells in ASCII, with their styles, for a terminal without the glyphs."""
    return Content(ascii_only(content.plain), list(content.spans))


def fit(content: Content, width: int) -> Content:
    """Return one line of exactly `width` cells: cut with `…` or padded."""
    return content.truncate(width, ellipsis=True, pad=True)


def ends(left: Content, right: Content, width: int) -> Content:
    """Put `left` and `right` at the two ends of one line of `width` cells; the left is cut to make room.

    Where that would leave less than four cells for the left, the right is left out.
    """
    room = width - right.cell_length - 1
    if room < 4:
        return left.truncate(width, ellipsis=True)
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " ", right)
