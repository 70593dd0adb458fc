"""Golden pictures of the SQL page and the sessions page, from answers that never change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from isla_console.database.session import SessionReading
from isla_console.session.sql_view import Query
from isla_console.sql.classify import classify
from isla_console.sql.database import Database, Standing, Unlock
from isla_console.sql.errors import SqlError
from isla_console.sql.health import Health
from isla_console.sql.result import Column, SqlResult
from isla_console.sql.sessions import ServerSession
from isla_console.sql.values import Cut
from isla_console.sql.writing import PendingWrite
from isla_console.ui.pages.sessions import SessionsPage
from isla_console.ui.pages.sql import SqlPage
from isla_console.ui.shell import Shell
from tests.support.frozen import NOW, OUTAGE, frozen_app
from tests.support.pilot import settle

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(140, 40), (80, 24)], ids=["140x40", "80x24"])

READING = SessionReading(
    "ok",
    role="isla_readonly",
    database="postgres",
    version="18.4",
    mode="direct",
    tls="TLS verified",
    settings={"statement_timeout": "15000"},
)
COLUMNS = (
    Column("pid", "int4"),
    Column("usename", "name"),
    Column("application_name", "text"),
    Column("state", "text"),
    Column("duration", "interval"),
    Column("query", "text"),
)
ROWS = (
    ("4120", "worker", "cron-agg", "active", "00:14:02",
     "INSERT INTO analytics_daily SELECT date_trunc('day', created_at), slug, count(*) FROM click_events"),
    ("4188", "postgrest", "api", "idle in transaction", "00:06:41",
     "SELECT * FROM links WHERE slug = $1"),
    ("14191", "postgrest", None, "active", "00:00:03", ""),
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_highlighting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures do not depend on whether the grammar for colours is installed."""
    monkeypatch.setattr("isla_console.ui.widgets.editor.find_spec", lambda name: None)


class FrozenDatabase(Database):
    """Connections that stand as they are told and are never opened."""

    def __init__(self, unlock: Unlock | None = None) -> None:
        super().__init__(None, None)
        self._given = unlock

    def standing(self, now: datetime) -> Standing:
        return Standing(READING, replace(READING, role="postgres"), self._given)


def session(pid: int, application: str, **other: object) -> ServerSession:
    start = datetime(2026, 11, 23, 13, tzinfo=UTC)
    who = ("isla_app", "postgres", application, "10.0.0.7")
    made = ServerSession(pid, start, start, *who, "idle", "", "", 4321.0, 700.0, None, "")
    return replace(made, **other)  # type: ignore[arg-type]


CROWD = (
    session(4100, "psql", state="idle in transaction", transaction_s=1240.0, query="SELECT * FROM links"),
    session(4101, "migrate", state="active", transaction_s=610.0, wait_type="Lock", wait="relation",
            blocked_by=(4100,), query="ALTER TABLE links ADD COLUMN note text"),
    session(4102, "postgrest", state="active", transaction_s=400.0, wait_type="Lock", wait="relation",
            blocked_by=(4101,), query="SELECT url FROM links WHERE slug = $1"),
    *(session(5000 + n, "export-worker", state_s=900.0 - n, query="COMMIT") for n in range(14)),
    session(6000, "isla-console/ana@jump1", ours=True, state="active", transaction_s=0.0),
)  # fmt: skip
BLOCKED = (
    session(-1, "prepared transaction", state="prepared", transaction_s=51_300.0, gid="order-7 of 23 Nov",
            kind="prepared transaction"),
    session(812, "walsender", state="active", transaction_s=2400.0, kind="walsender",
            query="COPY links TO STDOUT"),
    session(4101, "migrate", state="active", transaction_s=610.0, wait_type="Lock", wait="transactionid",
            blocked_by=(-1,), query="UPDATE orders SET state = 'paid' WHERE id = 7"),
    session(4102, "postgrest", state="active", transaction_s=400.0, wait_type="Lock", wait="relation",
            blocked_by=(812,), query="TRUNCATE links"),
)  # fmt: skip
HEALTH = (
    Health("connections", "Connections", "alert", "93 of 97 used (3 more are reserved)"),
    Health("cache", "Cache hits", "ok", "99.4 % of blocks"),
    Health("cron", "Cron failures, 24 h", "unknown", "cannot be seen: row-level security hides rows"),
)


def result(sql: str, **other: object) -> SqlResult:
    made = SqlResult(replace(classify(sql), settled=True), COLUMNS, ROWS, duration_ms=12.0, first_row_ms=4.0)
    return replace(made, **other)  # type: ignore[arg-type]


def showing(
    put: Callable[[Shell], None], key: str = "s", unlock: Unlock | None = None
) -> Callable[[Pilot[int]], Awaitable[None]]:
    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Shell)
        await settle(pilot)
        app.program.session.database = FrozenDatabase(unlock)
        app.program.sessions.server_sessions.is_looking = True  # nobody asks: what is shown is put there
        await pilot.press("2", "h", key)
        await settle(pilot)
        put(app)
        app.program.console.refresh_state()
        await settle(pilot)
        put(app)
        await pilot.pause()

    return run


def rows(app: Shell) -> None:
    page = app.main.query_one(SqlPage)
    page.show_result(result(page.text), Query(page.text))


def documents(app: Shell) -> None:
    page = app.main.query_one(SqlPage)
    page.take(None, "SELECT id, doc FROM documents")
    columns = (Column("id", "int8"), Column("doc", "jsonb"))
    cells = tuple((str(n), Cut('{"lines": [' + "1, " * 20_000, 8_100_000)) for n in range(1, 9))
    told = result(page.text, columns=columns, rows=cells, truncated=True, too_long=67_800_000, cut=8)
    page.show_result(told, Query(page.text))


def error(app: Shell) -> None:
    page = app.main.query_one(SqlPage)
    page.take(None, "SELECT slug, clicks\nFROM analytics_dayly\nWHERE clicks > 10")
    told = SqlError(
        'relation "analytics_dayly" does not exist',
        "42P01",
        hint="Perhaps you meant to reference the table analytics_daily.",
        meaning="No such table here, or not on the search path: write schema.table.",
        line=2,
        column=6,
    )
    page.show_result(result(page.text, rows=(), error=told), Query(page.text))


def older(app: Shell) -> None:
    """Rows of one statement, and the failure of the next one."""
    page = app.main.query_one(SqlPage)
    if page.table is None:
        page.show_result(result(page.text), Query(page.text))
    error(app)


def change(app: Shell) -> None:
    page = app.main.query_one(SqlPage)
    sql = "UPDATE subscriptions SET status = 'active' WHERE status = 'past_due'"
    page.take(None, sql)
    columns = (Column("id", "int4"), Column("status", "text"))
    before = SqlResult(classify(sql), columns, tuple((str(n), "past_due") for n in range(1, 4)))
    after = SqlResult(classify(sql), columns, tuple((str(n), "active") for n in range(1, 4)))
    page.judged(sql, classify(sql))
    page.show_pending(PendingWrite("UPDATE 3", 3, before, after), NOW + timedelta(seconds=42))


def crowd(app: Shell) -> None:
    page = app.main.query_one(SessionsPage)
    page.seen(CROWD, "")
    page.examined(HEALTH)


@SIZES
def test_rows(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=showing(rows))


@SIZES
def test_documents_that_are_cut(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=showing(documents))


@SIZES
def test_a_prepared_transaction_blocks(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    def blocked(app: Shell) -> None:
        page = app.main.query_one(SessionsPage)
        page.seen(BLOCKED, "")
        page.examined(HEALTH)

    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=showing(blocked, "a"))


@SIZES
def test_error(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=showing(error))


@SIZES
def test_older_rows(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=showing(older))


@SIZES
def test_open_transaction(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    unlock = Unlock(NOW + timedelta(minutes=4, seconds=12), "customers paid and are locked out")
    run = showing(change, unlock=unlock)
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=run)


@SIZES
def test_sessions(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    run = showing(crowd, key="a")
    assert snap_compare(frozen_app(tmp_path, OUTAGE), terminal_size=size, run_before=run)
