"""The painter against Textual's own writing: whatever is drawn, an emulator shows the same."""

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from isla_console.ui.terminal.painter import Painter
from isla_console.ui.theme import ascii_only

WIDTH, HEIGHT = 16, 3
SIZE = Size(WIDTH, HEIGHT)
COLORS = ColorSystem.EIGHT_BIT
STYLES = [
    None,
    Style(),
    Style.parse("bold"),
    Style.parse("red"),
    Style.parse("bright_red on blue"),
    Style.parse("color(188) on color(16)"),
    Style.parse("bold color(75) on color(16)"),
    Style.parse("reverse"),
    Style.parse("underline on bright_green"),
    Style.parse("strike italic"),
]
texts = st.text(st.sampled_from("ab ·█▁●│界e"), max_size=9)
segments = st.builds(lambda text, style: Segment(text, style), texts, st.sampled_from(STYLES))
strips = st.lists(segments, max_size=4).map(lambda found: Strip(found).adjust_cell_length(WIDTH, Style()))
frames = st.lists(strips, min_size=HEIGHT, max_size=HEIGHT)


class Shown:
    """An emulator of a terminal of `SIZE`."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)

    def cells(self) -> list[tuple[object, ...]]:
        """Text and style of each cell; of a blank only what shows."""
        found: list[tuple[object, ...]] = []
        for y in range(HEIGHT):
            for x in range(WIDTH):
                cell = self.screen.buffer[y][x]
                lines = (cell.underscore, cell.strikethrough, cell.reverse)
                if cell.data == " " and not any(lines):
                    found.append((" ", cell.bg))
                else:
                    found.append((cell.data, cell.fg, cell.bg, cell.bold, cell.italics, *lines))
        return found


def whole(frame: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[strip] for strip in frame], Region(0, 0, WIDTH, HEIGHT))


@settings(deadline=None, max_examples=200)
@given(st.lists(frames, min_size=1, max_size=4))
def test_shows_what_textual_would(pictures: list[list[Strip]]) -> None:
    """Frame after frame; the second time the same frame, nothing is written."""
    painter, painted, plainly = Painter(), Shown(), Shown()
    console = Console(color_system="256", force_terminal=True)
    for picture in pictures:
        painted.stream.feed(painter.write(whole(picture), SIZE, COLORS))
        plainly.stream.feed(whole(picture).render_segments(console))
        assert painted.cells() == plainly.cells()
        assert painter.write(whole(picture), SIZE, COLORS) == ""


def test_writes_the_changed_cells_alone() -> None:
    style = Style.parse("color(188) on color(16)")
    painter = Painter()

    def line(text: str) -> LayoutUpdate:
        return LayoutUpdate([[Strip([Segment(text.ljust(WIDTH), style)])]], Region(0, 1, WIDTH, 1))

    painter.write(line("T+00:05  L2 9:55"), SIZE, COLORS)
    written = painter.write(line("T+00:06  L2 9:54"), SIZE, COLORS)
    assert written == "\x1b[2;7H\x1b[38;5;188;48;5;16m6\x1b[8C4\x1b[m"


def test_part_of_a_line() -> None:
    """A refreshed part changes its own cells and no others."""
    painter, shown = Painter(), Shown()
    shown.stream.feed(painter.write(whole([Strip([Segment("abcdefghijklmnop")])] * HEIGHT), SIZE, COLORS))
    chops: list[dict[int, Strip | None]] = [{0: None}, {4: Strip([Segment("EXGH")])}, {0: None}]
    update = ChopsUpdate(chops, [(1, 4, 8)], [[16], [8], [16]])
    shown.stream.feed(painter.write(update, SIZE, COLORS))
    assert shown.screen.display == ["abcdefghijklmnop", "abcdEXGHijklmnop", "abcdefghijklmnop"]


def test_another_size_and_forgetting_write_all() -> None:
    painter = Painter()
    picture = whole([Strip([Segment("abcdefghijklmnop")])] * HEIGHT)
    first = painter.write(picture, SIZE, COLORS)
    painter.forget()
    assert painter.write(picture, SIZE, COLORS) == first
    assert painter.write(picture, Size(WIDTH, HEIGHT + 1), COLORS) == first


def test_controls_are_shown() -> None:
    """No control character of a cell reaches the terminal."""
    strip = Strip([Segment("a\x1b]0;x\x07\x9b\x7f\rb\u202ec")])
    written = Painter().write(LayoutUpdate([[strip]], Region(0, 0, WIDTH, 1)), SIZE, COLORS)
    assert "a␛]0;x␇" in written
    assert written.count("\x1b") == 1  # where to write
    assert not {"\x07", "\x9b", "\x7f", "\r", "\u202e"} & set(written)


@given(frames)
def test_a_terminal_without_the_glyphs_gets_none(frame: list[Strip]) -> None:
    """Whatever drew it, a scrollbar, a toast or a sheet; each character keeps its cells."""
    painter = Painter()
    painter.ascii_only = True
    sent = painter.write(whole(frame), SIZE, COLORS)
    assert sent.isascii()
    shown = Shown()
    shown.stream.feed(sent)
    for y, strip in enumerate(frame):
        ascii_text = "".join(char if char.isascii() else "?" * cell_len(char) for char in strip.text)
        line = "".join(cell.data for _, cell in sorted(shown.screen.buffer[y].items()))
        assert [x for x, char in enumerate(line.ljust(WIDTH)) if char in "abe"] == [
            x for x, char in enumerate(ascii_text) if char in "abe"
        ]


def test_each_glyph_has_a_sign_of_its_own_in_ascii() -> None:
    assert ascii_only("▸ ●▲◆ ↑↓ ×20 ÷20 …") == "> o^# ^v x20 /20 ~"


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(frames, st.sampled_from(["written", "left out", "left out and redrawn"])), min_size=1)
)
def test_what_was_left_out_comes_with_the_next(pictures: list[tuple[list[Strip], str]]) -> None:
    """Frames are dropped while the terminal does not read; afterwards it shows the newest, whole."""
    painter, painted, plainly = Painter(), Shown(), Shown()
    console = Console(color_system="256", force_terminal=True)
    for picture, way in pictures:
        painter.take(whole(picture), SIZE, COLORS)
        if way == "left out and redrawn":
            painter.forget()
            painted.screen.reset()
            painted.stream.feed("\x1b[31;44mwhatever\x1b[m")
        if way == "written":
            painted.stream.feed(painter.rest.render_segments(console))
    painted.stream.feed(painter.rest.render_segments(console))
    plainly.stream.feed(whole(pictures[-1][0]).render_segments(console))
    assert painted.cells() == plainly.cells()
    assert painter.flush() == ""


PAPER = "#0d1117"


def without_colours(style: str) -> str:
    """What is written for a word in a style where no colour is to be shown."""
    painter = Painter()
    painter.paper = PAPER
    strip = Strip([Segment("word", Style.parse(style))]).adjust_cell_length(WIDTH, Style())
    update = LayoutUpdate([[strip]], Region(0, 0, WIDTH, 1))
    return painter.write(update, Size(WIDTH, 1), ColorSystem.TRUECOLOR)


@pytest.mark.parametrize(
    ("style", "codes"),
    [
        ("#6cb6ff on #0d1117", ""),
        ("bold red on #0d1117", "\x1b[1m"),
        ("white on #182029", ""),
        ("white on #1f3a5f", "\x1b[7m"),
        ("bold #0d1117 on #ff7b72", "\x1b[1;7m"),
        ("reverse white on #0d1117", "\x1b[7m"),
    ],
)
def test_without_colours_no_shade_is_written(style: str, codes: str) -> None:
    """The cursor's row, and whatever else stands out by its background, is in reverse; a shade is nothing."""
    written = without_colours(style)
    assert written.startswith(f"\x1b[1;1H{codes}word")
    assert not re.search(r"\x1b\[[\d;]*[34]8;", written)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("می\u200cخ", "میخ"),
        ("a\u200cb", "ab"),
        ("x\u200d", "x"),
        ("\u200d\u200d", ""),
        ("👩\u200d🚀x", "👩x"),
        ("❤\ufe0fx", "❤ x"),
        ("क्\u200dष", "क्"),
    ],
)
def test_joiners_fill_no_cells_and_move_nothing(text: str, shown: str) -> None:
    """As many cells as Textual counts, whatever a terminal would make of them."""
    painter = Painter()
    strip = Strip([Segment(text)]).adjust_cell_length(WIDTH, Style())
    written = painter.write(LayoutUpdate([[strip]], Region(0, 0, WIDTH, 1)), Size(WIDTH, 1), COLORS)
    assert not {"\u200c", "\u200d", "\ufe0f"} & set(written)
    assert written.removeprefix("\x1b[1;1H").rstrip() == shown
    assert cell_len(written.removeprefix("\x1b[1;1H")) == WIDTH
