"""A block of lines repaints what changed, and nothing less."""

from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content

from isla_console.ui.lines import fit
from isla_console.ui.widgets.text_block import TextBlock, _changed
from tests.support.screen import screen_lines

LINES = st.lists(st.text(alphabet="ab 1●…漢", max_size=14), min_size=4, max_size=4)


class Framed(App[None]):
    """A block with a frame and padding, as on the screens."""

    CSS = "TextBlock { border: round red; padding: 0 2; width: 20; height: 8; }"

    def compose(self) -> ComposeResult:
        yield TextBlock()


async def test_each_changed_line_is_painted() -> None:
    """Every row of a framed block shows its new text after a partial repaint."""
    app = Framed()
    async with app.run_test(size=(30, 10)) as pilot:
        block = app.query_one(TextBlock)
        block.show_lines([Content(f"row {n} old") for n in range(5)])
        await pilot.pause()
        block.show_lines([Content(f"row {n} new") for n in range(5)])
        await pilot.pause()
        screen = screen_lines(app)
        for n in range(5):
            assert f"row {n} new" in screen[n + 1]
        assert not any("old" in line for line in screen)


async def test_what_changed_while_hidden_is_painted_when_shown() -> None:
    app = Framed()
    async with app.run_test(size=(30, 10)) as pilot:
        block = app.query_one(TextBlock)
        block.show_lines([Content("the server answers")])
        await pilot.pause()
        block.display = False
        await pilot.pause()
        block.show_lines([Content("the server is down")])
        block.display = True
        await pilot.pause()
        assert any("the server is" in line for line in screen_lines(app))


@settings(max_examples=30, deadline=None)
@given(before=LINES, after=LINES)
def test_difference_covers_every_changed_cell(before: list[str], after: list[str]) -> None:
    for old, new in zip(before, after, strict=True):
        a, b = fit(Content(old), 12), fit(Content(new), 12)
        start, stop = _changed(a, b)
        if a.plain == b.plain:
            assert stop <= start
        else:
            cells_a, cells_b = _cells(a.plain), _cells(b.plain)
            differing = [i for i, (x, y) in enumerate(zip(cells_a, cells_b, strict=True)) if x != y]
            assert start <= min(differing)
            assert stop > max(differing)


def _cells(text: str) -> list[str]:
    return [part for char in text for part in ((char, "") if char == "漢" else (char,))]
