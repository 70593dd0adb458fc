"""A painter that writes only the cells of the terminal that changed.

Textual writes every line of a refreshed widget from the widget's left edge, with the whole style before and a
reset after each piece. Once a second over a bad link, that is most of what a console sends. The painter
remembers what the terminal shows, compares, and writes the difference.

It is also the last gate: a control character in a cell is written as a visible one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from rich.cells import get_character_cell_size, split_graphemes
from rich.color import ColorSystem, parse_rgb_hex
from rich.color_triplet import ColorTriplet
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
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
STANDS_OUT = 1.25
"""The contrast from which a background is more than a shade: the cursor's is, the bar's is not."""
JOINERS = frozenset("\u200c\u200d")
"""Invisible characters that belong to words, as in Persian: no cell of a terminal is theirs."""
_JOINS = re.compile("[\u200d\ufe0f]")
_SHOWS_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))
"""Attributes that make a blank look different: underline, reverse, strike, double underline, overline."""


class Painter:
    """Remembers the terminal's cells: what they should show, and what was written to them.

    A frame that cannot be written is taken all the same; when the terminal reads again, the difference of all
    that was left out is written at once.
    """

    def __init__(self) -> None:
        self.ascii_only = False
        """Whether the terminal has only ASCII; scrollbars and sheets are then written in it too."""
        self.paper = ""
        """The colour of the background where no colour is to be shown; "" where colours are."""
        self._wanted: list[Line] = []
        self._shown: list[Line] = []
        self._changed: set[int] = set()
        self._size = Size()

    def forget(self) -> None:
        """Assume that the terminal may show anything, so that all of its cells are written next."""
        self._shown = [[None] * self._size.width for _ in range(self._size.height)]
        self._changed = set(range(self._size.height))

    def take(self, update: CompositorUpdate, size: Size, colors: ColorSystem) -> None:
        """Take in what the terminal should show from now on."""
        if size != self._size:
            self._size = size
            self._wanted = [[None] * size.width for _ in range(size.height)]
            self.forget()
        for y, x, strip in _pieces(update):
            if 0 <= y < size.height:
                cells = _cells(strip, colors, self.ascii_only, self.paper)[: max(0, size.width - x)]
                self._wanted[y][x : x + len(cells)] = cells
                self._changed.add(y)

    def flush(self) -> str:
        """Return what to send so that the terminal shows what it should; it counts as sent."""
        written: list[str] = []
        pen = ""
        for y in sorted(self._changed):
            row, at = self._wanted[y], -1
            for start, stop in _runs(self._shown[y], row):
                written.append(f"\x1b[{start - at}C" if at >= 0 else f"\x1b[{y + 1};{start + 1}H")
                for cell in row[start:stop]:
                    text, style = cell or (" ", "")
                    if text == " " and style == _blank(pen):
                        style = pen  # the difference does not show on a blank
                    written.append(_turn(pen, style) + text)
                    pen = style
                at = stop
            self._shown[y] = list(row)
        self._changed.clear()
        return "".join(written) + ("\x1b[m" if pen else "")

    def write(self, update: CompositorUpdate, size: Size, colors: ColorSystem) -> str:
        """Take an update and return what to send."""
        self.take(update, size, colors)
        return self.flush()

    def changed(self, update: CompositorUpdate, size: Size) -> CompositorUpdate:
        """Return an update that writes the same, without what the terminal already shows."""
        return _Changed(self, update, size)

    @property
    def rest(self) -> CompositorUpdate:
        """An update that writes what was taken and not written yet."""
        return _Rest(self)


def colors_of(console: Console) -> ColorSystem:
    """Return the colours of a terminal; without any, what is written has none anyway."""
    return COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)


class _Changed(CompositorUpdate):
    """Decides what to write only when it is written, because an update may be dropped before."""

    def __init__(self, painter: Painter, update: CompositorUpdate, size: Size) -> None:
        self._painter, self._update, self._size = painter, update, size

    def render_segments(self, console: Console) -> str:
        return self._painter.write(self._update, self._size, colors_of(console))


class _Rest(CompositorUpdate):
    def __init__(self, painter: Painter) -> None:
        self._painter = painter

    def render_segments(self, console: Console) -> str:
        return self._painter.flush()


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


def _cells(strip: Strip, colors: ColorSystem, ascii_glyphs: bool = False, paper: str = "") -> list[Cell]:
    cells: list[Cell] = []
    for text, style, _ in strip:
        if style is not None and paper:
            style = _uncoloured(style, paper)
        codes = "" if style is None else Strip.render_ansi(style, colors)
        blank = _blank(codes)
        if text.isascii() and text.isprintable():
            cells += [(char, blank if char == " " else codes) for char in text]
            continue
        if ascii_glyphs:
            cells += [(shown, codes) for char in text for shown in _in_ascii(char)]
            continue
        for shown, width in _characters(text):
            if width:
                cells.append((shown, codes))
                cells += [("", codes)] * (width - 1)
            elif cells:
                cells[-1] = (cells[-1][0] + shown, codes)
    return cells


def _characters(text: str) -> Iterator[tuple[str, int]]:
    """Yield each character as it is shown, and its cells; one without cells belongs to the one before.

    What joins characters, or makes them pictures, is left to no terminal: each counts its cells differently.
    So the joined ones are drawn by the first, in the cells that Textual has for all of them.
    """
    if not _JOINS.search(text):
        for char in text:
            width = get_character_cell_size(char)
            if char.isprintable():
                yield char, width
            elif char not in JOINERS:
                yield plain(char)[:1], max(1, width)
        return
    for start, stop, width in split_graphemes(text)[0]:
        room = width
        for shown, cells in _characters(_JOINS.sub("", text[start:stop])):
            if cells > room:
                break
            room -= cells
            yield shown, cells
        yield from [(" ", 1)] * room


@lru_cache(maxsize=512)
def _uncoloured(style: Style, paper: str) -> Style:
    """Return a style without colours; what stands out from the background by its own is shown in reverse."""
    stands_out = False
    if style.bgcolor is not None and not style.bgcolor.is_default:
        there, here = (_light(color) for color in (style.bgcolor.get_truecolor(), parse_rgb_hex(paper[1:])))
        stands_out = (max(there, here) + 0.05) / (min(there, here) + 0.05) > STANDS_OUT
    bare = style.without_color
    return bare + Style(reverse=bool(style.reverse) != stands_out)


def _light(color: ColorTriplet) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
