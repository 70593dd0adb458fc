"""The SQL page and the sessions page on a real server, key by key."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, TextArea

from isla_console.ui.pages.sessions import SessionsPage
from isla_console.ui.pages.sql import SqlPage
from isla_console.ui.sheets.ask import AskScreen
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.shell import Shell
from isla_console.ui.views.sql import statements
from isla_console.ui.widgets.rows import RowList
from isla_console.ui.widgets.text_block import TextBlock
from tests.sql.conftest import Server, running
from tests.support.frozen import frozen_app
from tests.support.pilot import settle
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.slow

SIZE = (140, 40)
SCHEMA = """
DROP TABLE IF EXISTS cart;
CREATE TABLE cart (id int PRIMARY KEY, owner text, note text);
INSERT INTO cart SELECT i, 'owner ' || i, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE E'\\x1b[31mred' END
FROM generate_series(1, 9) i;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running("embedded") as found:
        yield found


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[Any]:
    connection = await server.connect(name="admin")
    await connection.execute(SCHEMA)
    yield connection
    await connection.close()


@pytest.fixture
def app(server: Server, admin: Any, tmp_path: Path) -> Shell:
    url = server.url().reveal()
    return frozen_app(tmp_path, environ={"ISLA_DATABASE_URL": url, "ISLA_DATABASE_ADMIN_URL": url})


async def opened(app: Shell, pilot: Pilot[int]) -> SqlPage:
    await settle(pilot)
    await pilot.press("s")
    await settle(pilot)
    return app.screen.query_one(SqlPage)


async def run(pilot: Pilot[int], page: SqlPage, sql: str) -> None:
    page.take(None, sql)
    await pilot.pause()
    await pilot.press("x")
    await quiet(pilot)


async def quiet(pilot: Pilot[int]) -> None:
    """Until no statement runs, or one of them asks something."""
    async with asyncio.timeout(PATIENCE_S):
        await pilot.pause()
        while any(w.group in {"sql", "command"} and not w.is_finished for w in pilot.app.workers):
            if isinstance(pilot.app.screen, AskScreen):
                break
            await pilot.pause(0.02)
        await pilot.pause()


def foot(page: SqlPage) -> str:
    return "\n".join(line.plain for line in page.query_one("#sql-foot", TextBlock).lines)


def cells(page: SqlPage) -> list[list[str]]:
    table = page.query_one(DataTable)
    return [[str(cell) for cell in table.get_row_at(row)] for row in range(table.row_count)]


def whose(page: SqlPage) -> str:
    return "\n".join(line.plain for line in page.query_one("#sql-whose", TextBlock).lines)


def detail(app: Shell) -> str:
    assert isinstance(app.screen, DetailScreen)
    return "\n".join(line.plain for line in app.screen._lines)


async def test_read_sort_find_and_look(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        await run(pilot, page, "SELECT * FROM cart ORDER BY id")
        assert cells(page)[:3] == [
            ["1", "owner 1", "''"],
            ["2", "owner 2", "␛[31mred"],
            ["3", "owner 3", "∅"],
        ]
        assert "9 rows" in foot(page)
        await pilot.press("s", "s")
        assert cells(page)[0][0] == "9"
        await pilot.press("slash", *"owner 4", "enter")
        assert [row[1] for row in cells(page)] == ["owner 4"]
        assert "1 shown" in foot(page)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("escape")


async def test_an_error_never_stands_under_another_statements_rows(app: Shell) -> None:
    """Rows that stay are dimmed and say whose they are; what is entered is what is shown."""
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        await run(pilot, page, "SELECT id, owner FROM cart ORDER BY id")
        assert whose(page) == ""
        await run(pilot, page, "SELECT\n nope FROM cart")
        assert len(cells(page)) == 9
        assert "SELECT id, owner FROM cart ORDER BY id" in whose(page)
        assert page.query_one(DataTable).has_class("-other")
        assert "line 2, column 2" in foot(page)
        assert "Means" in foot(page)
        assert page.query_one(TextArea).cursor_location == (1, 1)
        await pilot.press("enter")
        await pilot.pause()
        assert "SELECT id, owner" in detail(app)
        assert "owner 1" in detail(app)
        await pilot.press("escape")
        await run(pilot, page, "SELECT pg_terminate_backend(1)")
        assert "Not run" in foot(page)
        assert "SELECT id, owner" in whose(page)
        await run(pilot, page, "DELETE FROM cart")
        assert "U unlocks" in foot(page)
        assert "SELECT id, owner" in whose(page)
        await run(pilot, page, "SELECT count(*) FROM cart")
        assert whose(page) == ""
        assert cells(page) == [["9"]]


async def test_rows_are_marked_while_another_statement_runs_or_is_typed(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        await run(pilot, page, "SELECT 1 AS one")
        page.take(None, "SELECT pg_sleep(14)")
        await pilot.press("x")
        await until(lambda: "Runs" in foot(page))
        assert "SELECT 1 AS one" in whose(page)
        assert "1 row" not in foot(page)
        await pilot.press("X")
        await quiet(pilot)
        assert "SELECT 1 AS one" in whose(page)
        await run(pilot, page, "SELECT 1 AS one")
        assert whose(page) == ""
        await pilot.press("i", "end", *", 2", "escape")
        assert "SELECT 1 AS one" in whose(page)


async def test_enter_after_a_statement_without_columns_shows_what_is_shown(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        await run(pilot, page, "SELECT id, owner, note FROM cart ORDER BY id")
        await pilot.press("i", "home", *"select 1/0 --", "f5")
        await quiet(pilot)
        assert "division by zero" in foot(page)
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert "owner 1" in detail(app)
        assert app.is_running


async def test_the_guard_speaks_while_one_types(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        page.take(None, "")
        await pilot.press("i", *"drop table cart")
        await until(lambda: "admin" in page.query_one("#sql-verdict", TextBlock).lines[0].plain)
        await pilot.press("escape")
        assert app.focused is page.query_one(DataTable)


async def test_a_write_is_unlocked_shown_and_committed(app: Shell, admin: Any, tmp_path: Path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        await pilot.press("U")
        await settle(pilot)
        await pilot.press(*"double rows", "f2")
        await quiet(pilot)
        assert "WRITING UNLOCKED" in app.screen.query_one("#banner", TextBlock).lines[0].plain
        page.take(None, "UPDATE cart SET owner = 'me' WHERE id < 3")
        await pilot.press("x")
        await until(lambda: "not committed" in foot(page))
        assert "UPDATE 2" in foot(page)
        assert "owner=owner 1" in foot(page)
        assert "owner=me" in foot(page)
        assert await admin.fetchval("SELECT count(*) FROM cart WHERE owner = 'me'") == 0
        await pilot.press("C")
        await quiet(pilot)
        assert "Committed" in foot(page)
        assert await admin.fetchval("SELECT count(*) FROM cart WHERE owner = 'me'") == 2
        await run(pilot, page, "VACUUM cart")
        assert "Done in" in foot(page)
        await pilot.press("U")
        await quiet(pilot)
        assert not app.screen.query_one("#banner", TextBlock).lines


async def test_a_plan_leaves_the_guards_word_on_the_statement(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        page.take(None, "DELETE FROM cart")
        await until(lambda: "deletes rows" in page.query_one("#sql-verdict", TextBlock).lines[0].plain)
        await pilot.press("g")
        await quiet(pilot)
        assert "Delete on cart" in cells(page)[0][0]
        assert "deletes rows" in page.query_one("#sql-verdict", TextBlock).lines[0].plain
        await pilot.press("G")
        await quiet(pilot)
        assert "U unlocks" in foot(page)


async def test_a_rebuild_that_would_shrink_totals_is_blocked(app: Shell, admin: Any) -> None:
    await admin.execute(
        "CREATE TABLE IF NOT EXISTS click_events (slug text, created_at timestamptz);"
        "CREATE TABLE IF NOT EXISTS analytics_daily"
        " (date date, slug text, clicks bigint, PRIMARY KEY (date, slug));"
        "TRUNCATE click_events, analytics_daily;"
        "INSERT INTO click_events VALUES ('a', '2026-11-20 10:00+00'), ('b', '2026-11-21 10:00+00');"
        "INSERT INTO analytics_daily VALUES ('2026-11-20', 'a', 500)"
    )
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("6")
        page = await opened(app, pilot)
        await pilot.press("comma", "U")
        await settle(pilot)
        await pilot.press(*"totals", "f2")
        await quiet(pilot)
        for day, answer in (("2026-11-20", "would get smaller"), ("2026-11-21", "not committed")):
            await pilot.press("x")
            await until(lambda: isinstance(app.screen, AskScreen))
            await settle(pilot)
            await pilot.press(*day, "f2")
            await until(lambda answer=answer: answer in foot(page))
        await pilot.press("C")
        await quiet(pilot)
    totals = await admin.fetchval("SELECT string_agg(slug || clicks, ' ' ORDER BY slug) FROM analytics_daily")
    assert totals == "a500 b1"


async def test_a_rebuild_goes_day_by_day(app: Shell, admin: Any) -> None:
    """Each day by itself: an equal one is passed over, an undecided one stops it, and it goes on there."""
    await admin.execute(
        "CREATE TABLE IF NOT EXISTS click_events (slug text, created_at timestamptz);"
        "CREATE TABLE IF NOT EXISTS analytics_daily"
        " (date date, slug text, clicks bigint, PRIMARY KEY (date, slug));"
        "TRUNCATE click_events, analytics_daily;"
        "INSERT INTO click_events SELECT 'a', day + interval '1 h' FROM"
        " generate_series(timestamptz '2026-11-18+00', timestamptz '2026-11-22+00', '1 day') day;"
        "INSERT INTO analytics_daily VALUES ('2026-11-19', 'a', 1), ('2026-11-22', 'a', 7)"
    )
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        await pilot.press("enter", "enter", "home", "enter", "f2")
        await settle(pilot)
        await pilot.press("6")
        page = await opened(app, pilot)
        await pilot.press("comma", "U")
        await settle(pilot)
        await pilot.press(*"totals", "f2")
        await quiet(pilot)
        await pilot.press("x")
        await asked(app, pilot)
        await pilot.press(*"2026-11-18", "enter", *"2026-11-17", "enter")
        await pilot.pause()
        assert isinstance(app.screen, AskScreen), "a range that runs backwards is refused"
        await pilot.press("ctrl+u", *"2026-11-22", "enter")
        await footed(pilot, page, "2026-11-18, 1 of 5")
        await pilot.press("C")
        await footed(pilot, page, "2026-11-20, 3 of 5")  # the 19th is right already
        await pilot.press("B")
        await quiet(pilot)
        assert "1 of 5 days committed. 2026-11-20: rolled back" in foot(page)
        await pilot.press("x")
        await asked(app, pilot)
        await pilot.press("f2")  # it begins where it stopped
        for day in ("2026-11-20, 1 of 3", "2026-11-21, 2 of 3"):
            await footed(pilot, page, day)
            await pilot.press("C")
        await footed(pilot, page, "2026-11-22: Blocked")
        await quiet(pilot)
        incident = app.program.session.incident
        assert incident is not None
        told = [
            (event.data["sql"].splitlines()[-1], event.data["outcome"])
            for event in incident.timeline
            if event.kind == "queried"
        ]
    assert told == [
        ("-- DAY 2026-11-18", "committed"),
        ("-- DAY 2026-11-20", "rolled_back"),
        ("-- DAY 2026-11-20", "committed"),
        ("-- DAY 2026-11-21", "committed"),
    ]
    totals = await admin.fetchval(
        "SELECT string_agg(to_char(date, 'DD') || ':' || clicks, ' ' ORDER BY date) FROM analytics_daily"
    )
    assert totals == "18:1 19:1 20:1 21:1 22:7"


async def asked(app: Shell, pilot: Pilot[int]) -> None:
    """Until a sheet asks something and takes keys."""
    await until(lambda: isinstance(app.screen, AskScreen))
    await settle(pilot)


async def footed(pilot: Pilot[int], page: SqlPage, wanted: str) -> None:
    """Until the line under the rows says so."""
    await until(lambda: wanted in foot(page))


async def test_export_and_history(app: Shell, tmp_path: Path) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        await run(pilot, page, "SELECT 1 AS one")
        page.take(None, "SELECT id, note FROM cart ORDER BY id")
        await pilot.press("S")
        await until(lambda: isinstance(app.screen, AskScreen))
        await pilot.press("down", "f2")
        await quiet(pilot)
        assert "9 rows in" in foot(page)
        made = next((tmp_path / "state/exports").glob("*.json"))
        assert json.loads(made.read_text())[0] == {"id": 1, "note": ""}
        await pilot.press("less_than_sign")
        assert page.query_one(TextArea).text == "SELECT 1 AS one"


async def test_a_query_is_journalled_in_an_incident(app: Shell) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        await pilot.press("enter", "enter", "home", "enter", "f2")
        await settle(pilot)
        page = await opened(app, pilot)
        await run(pilot, page, "SELECT 'postgresql://me:hunter22@db/x' AS url")
        incident = app.program.session.incident
        assert incident is not None
        queried = [event for event in incident.timeline if event.kind == "queried"]
        assert queried[0].data["outcome"] == "ok"
        assert "hunter22" not in queried[0].to_json()


async def test_stop_ends_what_runs(app: Shell, admin: Any) -> None:
    async with app.run_test(size=SIZE) as pilot:
        page = await opened(app, pilot)
        page.take(None, "SELECT pg_sleep(14)")
        await pilot.press("x")
        await pilot.pause(0.5)
        await pilot.press("X")
        await quiet(pilot)
        assert "Stopped" in foot(page)
        async with asyncio.timeout(PATIENCE_S):
            while await admin.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE query = 'SELECT pg_sleep(14)' AND state = 'active'"
            ):
                await pilot.pause(0.02)
        await run(pilot, page, "SELECT 1 AS still")
        assert "1 row" in foot(page)


async def test_sessions_are_seen_and_ended(app: Shell, server: Server, admin: Any) -> None:
    await admin.execute(
        "DO $$BEGIN CREATE ROLE app LOGIN PASSWORD 's3cret-p@ss/word';"
        " EXCEPTION WHEN duplicate_object THEN NULL; END$$"
    )
    idle = [await server.connect(user="app", name="leaky") for _ in range(3)]
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        page = app.screen.query_one(SessionsPage)
        async with asyncio.timeout(PATIENCE_S):
            while len([one for one in page.sessions if one.application == "leaky"]) < 3:
                await pilot.pause(0.05)
                app.program.console.refresh_state()
        rows = page.query_one(RowList)
        assert rows.go("group:leaky/app")
        await pilot.press("K")
        await settle(pilot)
        await pilot.press("4", "enter")
        await pilot.pause()
        assert isinstance(app.screen, AskScreen)
        await pilot.press("backspace", "3", "enter")
        await quiet(pilot)
    left = await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leaky'")
    assert left == 0
    for connection in idle:
        connection.terminate()


@pytest.mark.parametrize("limit", [-1, 3], ids=["every slot taken", "the role's own limit"])
async def test_a_real_exhaustion_marks_its_symptom(
    server: Server, admin: Any, tmp_path: Path, limit: int
) -> None:
    await admin.execute(
        "DO $$BEGIN CREATE ROLE crowd LOGIN PASSWORD 's3cret-p@ss/word';"
        " EXCEPTION WHEN duplicate_object THEN NULL; END$$"
    )
    await admin.execute(f"ALTER ROLE crowd CONNECTION LIMIT {limit}")
    # A slot that the test before gives back in the middle of this one is no exhaustion.
    others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    await admin.execute(f"SELECT pg_terminate_backend(pid) {others}")

    async def alone() -> bool:
        return await admin.fetchval(f"SELECT count(*) {others}") == 0

    await until(alone)
    held: list[Any] = []
    try:
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            while True:
                held.append(await server.connect(user="crowd", name="leaky"))
        app = frozen_app(tmp_path, environ={"ISLA_DATABASE_URL": server.url(user="crowd").reveal()})
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            await pilot.press("2", "d")
            await settle(pilot)
            await pilot.press("enter", "enter", "home", "enter", "f2")
            await settle(pilot)
            page = await opened(app, pilot)
            await run(pilot, page, "SELECT 1")
            assert "no connection slot is left" in foot(page)
            assert "Every connection slot is taken" in foot(page)
            incident = app.program.session.incident
            assert incident is not None
            seen = [event for event in incident.timeline if event.kind == "symptom_seen"]
            assert [(event.data["symptom"], event.data["by"]) for event in seen] == [
                ("db-too-many", "measured")
            ]
            assert "too many c" in seen[0].data["value"] or "remaining connection" in seen[0].data["value"]
            await pilot.press("2")
            await settle(pilot)
            rows = app.screen.query_one("#page", RowList)
            told = [row.content.plain for row in rows._rows]
            assert any("Too many connections" in line and "seen" in line for line in told), "\n".join(told)
    finally:
        for connection in held:
            connection.terminate()
        async with asyncio.timeout(PATIENCE_S):
            while await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = 'crowd'"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_statement_that_comes_before_the_page_is_drawn_stays(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        state = app.main.state
        assert state is not None
        chosen = next(one for one in statements(state, None) if one.step.id == "analytics-rebuild")
        page = SqlPage(id="page-sql")
        await app.main.query_one("#pages").mount(page)
        page.take(chosen, (chosen.step.run or "").strip())
        page.show(state)
        await quiet(pilot)
        assert page.statement == chosen
        assert page.text == (chosen.step.run or "").strip()


async def test_without_a_database_it_says_which_setting(tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        page = await opened(app, pilot)
        assert "ISLA_DATABASE_URL" in page.query_one("#sql-head", TextBlock).lines[0].plain
        await pilot.press("U")
        await quiet(pilot)
        assert "ISLA_DATABASE_ADMIN_URL" in foot(page)
        await pilot.press("b", "a")
        await settle(pilot)
        head = app.screen.query_one("#sessions-head", TextBlock)
        await until(lambda: "ISLA_DATABASE_URL" in head.lines[-1].plain)
