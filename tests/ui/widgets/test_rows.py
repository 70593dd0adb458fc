"""A page keeps the reader's place, whatever comes and goes around it."""

from functools import partial
from pathlib import Path

from textual.content import Content

from isla_console.ui.lines import Row, RowKey
from isla_console.ui.widgets.rows import RowList
from isla_console.ui.widgets.text_block import TextBlock
from tests.support.frozen import CALM, OUTAGE, frozen_app, snapshot
from tests.support.pilot import settle
from tests.support.screen import screen_text


async def test_overview_stays_at_its_top(tmp_path: Path) -> None:
    """When an outage adds sentences above the cursor, the first of them is in sight."""
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        page = app.screen.query_one("#page", RowList)
        session = app.program.session
        for states in (OUTAGE, CALM, OUTAGE):
            session.monitor.take = partial(snapshot, session.runbook, states)
            app.program.console.refresh_state()
            await settle(pilot)
            assert page.scroll_offset.y == 0


async def test_place_and_cursor_stay(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        page = app.screen.query_one("#page", RowList)
        app.screen.draw = lambda: None  # type: ignore[attr-defined]
        rows = [Row(RowKey("row", str(n)), Row.text(f"row {n}").content) for n in range(60)]
        page.show_rows(rows)
        page.go("row:40")
        await settle(pilot)
        before = page.scroll_offset.y
        page.show_rows([*rows[:50], *rows[55:]])
        await settle(pilot)
        assert page.key == "row:40"
        assert page.scroll_offset.y == before


async def test_changed_rows_are_painted_where_they_stand(tmp_path: Path) -> None:
    """A row that changed shows so, scrolled or not; the rows beside it stay."""
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        page = app.screen.query_one("#page", RowList)
        app.screen.draw = lambda: None  # type: ignore[attr-defined]
        page.show_rows([Row(RowKey("row", str(n)), Content(f"row {n:02} old")) for n in range(60)])
        for place in (0, 25):
            page.scroll_to(y=place, animate=False)
            await settle(pilot)
            news = [f"row {n:02} {'new' if n % 2 else 'old'}{place}" for n in range(60)]
            page.show_rows([Row(RowKey("row", str(n)), Content(text)) for n, text in enumerate(news)])
            await settle(pilot)
            screen = screen_text(app)
            for n in range(place, place + page.scrollable_content_region.height):
                assert news[n] in screen


async def test_the_cursor_stays_in_sight_when_the_page_gets_lower(tmp_path: Path) -> None:
    """An alarm takes a line of the screen: the row that a person is on must not fall under the edge."""
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        page = app.screen.query_one("#page", RowList)
        app.screen.draw = lambda: None  # type: ignore[attr-defined]
        page.show_rows([Row(RowKey("row", str(n)), Content(f"row {n}")) for n in range(60)])
        page.go("row:40")
        await settle(pilot)
        banner = app.main.query_one("#banner", TextBlock)
        banner.show_lines([Content(f"alarm {n}") for n in range(5)])
        await settle(pilot)
        assert page.key == "row:40"
        assert page.scroll_offset.y <= 40 < page.scroll_offset.y + page.scrollable_content_region.height


async def test_the_cursor_is_in_sight_again_after_a_terminal_without_room(tmp_path: Path) -> None:
    app = frozen_app(tmp_path, CALM)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        page = app.screen.query_one("#page", RowList)
        app.screen.draw = lambda: None  # type: ignore[attr-defined]
        page.show_rows([Row(RowKey("row", str(n)), Content(f"row {n}")) for n in range(60)])
        page.go("row:40")
        await settle(pilot)
        for height in (3, 9):
            await pilot.resize_terminal(80, height)
            await settle(pilot)
        assert page.scroll_offset.y <= 40 < page.scroll_offset.y + page.scrollable_content_region.height
