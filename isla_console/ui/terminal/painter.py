"""A painter that writes only the cells of the terminal that changed.

Textual writes every line of a refreshed widget from the widget's left edge, with the whole style before and a
reset after each piece. Once a second over a bad link, that is most of what a console sends. The painter
remembers what the terminal shows, compares, and writes the difference.

It is also the last gate: a control character in a cell is written as a visible one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

from isla_console.text.plain import plain
from isla_console.ui.theme import ascii_only

Cell = tuple[str, str]
"""The text of a cell, and its style as SGR codes. The second cell of a wide character holds ""."""
Line = list[Cell | None]
"""A line of cells; None where what the terminal shows is not known."""

BRIDGE = 3
"""Up to this many unchanged cells between two changes are written again instead of being skipped."""
_SHOWS_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))
"""Attributes that make a blank look different: underline, reverse, strike, double underline, overline."""


class Painter:
    """Remembers the terminal's cells."""

    def __init__(self) -> None:
        self.ascii_only = False
        """Whether the terminal has only ASCII; scrollbars, toasts and sheets are then written in it too."""
        self._rows: list[Line] = []
        self._size = Size()

    def forget(self) -> None:
        """Assume that the terminal may show anything, so that the next update writes all of its cells."""
        self._rows = []

    def changed(self, update: CompositorUpdate, size: Size) -> CompositorUpdate:
        """Return an update that writes the same, without what the terminal already shows."""
        return _Changed(self, update, size)

    def write(self, update: CompositorUpdate, size: Size, colors: ColorSystem) -> str:
        """Return what to send so that the terminal shows `update`; it counts as sent."""
        if size != self._size or not self._rows:
            self._size = size
            self._rows = [[None] * size.width for _ in range(size.height)]
        wanted: dict[int, Line] = {}
        for y, x, strip in _pieces(update):
            if 0 <= y < size.height:
                row = wanted.setdefault(y, list(self._rows[y]))
                cells = _cells(strip, colors, self.ascii_only)[: max(0, size.width - x)]
                row[x : x + len(cells)] = cells
        written: list[str] = []
        pen = ""
        for y, row in sorted(wanted.items()):
            at = -1
            for start, stop in _runs(self._rows[y], row):
                written.append(f"\x1b[{start - at}C" if at >= 0 else f"\x1b[{y + 1};{start + 1}H")
                for cell in row[start:stop]:
                    text, style = cell or (" ", "")
                    if text == " " and style == _blank(pen):
                        style = pen  # the difference does not show on a blank
                    written.append(_turn(pen, style) + text)
                    pen = style
                at = stop
            self._rows[y] = row
        return "".join(written) + ("\x1b[m" if pen else "")


class _Changed(CompositorUpdate):
    """Decides what to write only when it is written, because an update may be dropped before."""

    def __init__(self, painter: Painter, update: CompositorUpdate, size: Size) -> None:
        self._painter, self._update, self._size = painter, update, size

    def render_segments(self, console: Console) -> str:
        colors = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        return self._painter.write(self._update, self._size, colors)


def _pieces(update: CompositorUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Yield line, column and content of everything in an update."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for piece in line:
                yield y, x, piece
                x += piece.cell_length
    elif isinstance(update, ChopsUpdate):
        for y, left, right in update.spans:
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is not None and x <= right and end > left:
                    yield y, x, strip if end <= right else strip.crop(0, right - x)


def _cells(strip: Strip, colors: ColorSystem, ascii_glyphs: bool = False) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, _ in strip:
        codes = "" if style is None else Strip.render_ansi(style, colors)
        blank = _blank(codes)
        if text.isascii() and text.isprintable():
            cells += [(char, blank if char == " " else codes) for char in text]
            continue
        if ascii_glyphs:
            cells += [(shown, codes) for char in text for shown in _in_ascii(char)]
            continue
        for char in text:
            match get_character_cell_size(char):
                case 0 if not char.isprintable():
                    cells += [(shown, codes) for shown in plain(char)[:1]]
                case 0:
                    if cells:
                        cells[-1] = (cells[-1][0] + char, codes)
                case width:
                    cells.append((char if char.isprintable() else plain(char)[:1], codes))
                    cells += [("", codes)] * (width - 1)
    return cells


@lru_cache(maxsize=512)
def _in_ascii(char: str) -> str:
    """Return a character in ASCII, in as many cells as it fills."""
    width = get_character_cell_size(char)
    if not char.isprintable():
        return ascii_only(plain(char)[:1])
    return ascii_only(char).ljust(width, "?")[:width]


def _runs(before: Line, after: Line) -> Iterator[tuple[int, int]]:
    """Yield the cells [start, stop) to write again, from left to right."""
    if before == after:
        return
    if any(cell is not None and len(cell[0]) != 1 for cell in (*before, *after)):
        # Half of a wide or combined character cannot be written.
        yield 0, len(after)
        return
    start = stop = -1
    for x, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new or new is None:
            continue
        if start >= 0 and x - stop > BRIDGE:
            yield start, stop
            start = x
        elif start < 0:
            start = x
        stop = x + 1
    if start >= 0:
        yield start, stop


@lru_cache(maxsize=512)
def _parts(codes: str) -> tuple[frozenset[str], str, str]:
    """Split SGR codes into attributes, foreground and background."""
    attributes, colours = set(), {"3": "", "4": ""}
    rest: Iterator[str] = iter(codes.split(";") if codes else ())
    for code in rest:
        if code in {"38", "48"}:
            kind = next(rest)
            values = [next(rest) for _ in range(1 if kind == "5" else 3)]
            colours[code[0]] = ";".join((code, kind, *values))
        elif len(code) >= 2 and code[-2] in "349" and code not in _SHOWS_ON_BLANKS:
            colours["3" if code in _FOREGROUNDS else "4"] = code
        else:
            attributes.add(code)
    return frozenset(attributes), colours["3"], colours["4"]


_FOREGROUNDS = frozenset(str(code) for code in (*range(30, 40), *range(90, 98)))


@lru_cache(maxsize=512)
def _blank(codes: str) -> str:
    """Keep of the codes what shows on a blank."""
    attributes, _, background = _parts(codes)
    if attributes & _SHOWS_ON_BLANKS:
        return codes
    return background


@lru_cache(maxsize=4096)
def _turn(old: str, new: str) -> str:
    """Write the sequence from one style to another, in the fewest codes."""
    if old == new:
        return ""
    before, after = _parts(old), _parts(new)
    loses = before[0] - after[0] or (before[1] and not after[1]) or (before[2] and not after[2])
    if loses:
        return f"\x1b[0;{new}m" if new else "\x1b[m"
    codes: Iterable[str] = (
        *sorted(after[0] - before[0]),
        *(new for old, new in zip(before[1:], after[1:], strict=True) if old != new),
    )
    return f"\x1b[{';'.join(codes)}m"
