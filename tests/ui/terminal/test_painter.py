"""The painter against Textual's own writing: whatever is drawn, an emulator shows the same."""

import pyte
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
    assert ascii_only("▸ ●▲◆ ↑↓ ×20 ÷20 …") == "> o^! ^v x20 /20 ~"
