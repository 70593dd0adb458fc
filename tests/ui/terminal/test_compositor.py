"""What the compositor renders after small changes is what a whole new rendering would show."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.strip import Strip

from isla_console.ui.lines import Row, RowKey
from isla_console.ui.terminal.painter import _pieces
from isla_console.ui.terminal.screen import LeanScreen
from isla_console.ui.widgets.rows import RowList
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.screen import screen_lines

WIDTH, HEIGHT = 60, 20


class Picture(LeanScreen):
    """Blocks beside and above each other, a list that scrolls, and one block that lies over the others."""

    CSS = """
    Picture { layers: below above; }
    Horizontal { height: 5; }
    TextBlock { width: 1fr; border: round; }
    RowList { height: 1fr; border: round; }
    #over { layer: above; offset: 20 3; width: 17; height: 6; }
    """

    def compose(self) -> ComposeResult:
        yield TextBlock(id="top")
        with Horizontal():
            for number in range(3):
                yield TextBlock(id=f"block-{number}")
        with Vertical():
            yield RowList(id="rows")
        yield TextBlock(id="over")


class Shown(App[None]):
    """Keeps what the terminal would show."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = [[" "] * WIDTH for _ in range(HEIGHT)]
        self.updates = 0

    def get_default_screen(self) -> Screen[None]:
        return Picture()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.updates += 1
            for y, x, strip in _pieces(renderable):
                self.rows[y][x : x + strip.cell_length] = list(_text(strip))
        super()._display(screen, renderable)


def _text(strip: Strip) -> Iterator[str]:
    for segment in strip:
        yield from segment.text


@pytest.mark.parametrize("seed", range(4))
async def test_small_changes_leave_the_whole_picture(seed: int) -> None:
    draw = random.Random(seed)
    app = Shown()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        blocks = list(app.screen.query(TextBlock))
        rows = app.screen.query_one(RowList)
        for _ in range(25):
            before = app.updates
            for block in draw.sample(blocks, draw.randint(0, 3)):
                block.show_lines([Content(draw.choice("abc") * draw.randint(1, 25)) for _ in range(3)])
            count = draw.choice([30, 30, 30, 31])
            rows.show_rows(
                [Row(RowKey("row", str(n)), Content(f"{n} {draw.choice('xyz')}")) for n in range(count)]
            )
            if draw.random() < 0.3:
                rows.scroll_to(y=draw.randint(0, 12), animate=False)
            for _ in range(100):
                await pilot.pause(0.02)
                if app.updates > before:
                    break
            assert app.updates > before
            await pilot.pause(0.02)
            assert ["".join(row) for row in app.rows] == screen_lines(app)
