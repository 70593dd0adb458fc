"""The SQL page's use cases on a real server, without a screen."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from isla_console.clock import Clock
from isla_console.journal.local import FILE_NAME, LocalJournal
from isla_console.session.query_log import QueryLog
from isla_console.session.run_step import StepFlow
from isla_console.session.session import Session
from isla_console.session.sql_flow import SqlFlow
from isla_console.session.sql_view import Query
from isla_console.sql.writing import DECIDE_S
from tests.session.sql_support import SqlRecorder, journalled, performing, session_at
from tests.session.support import Person
from tests.sql.conftest import Server
from tests.support.runbook import runbook_with
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SCHEMA = """
DROP TABLE IF EXISTS cart, click_events, analytics_daily;
CREATE TABLE cart (id int PRIMARY KEY, owner text);
INSERT INTO cart SELECT i, 'owner ' || i FROM generate_series(1, 9) i;
CREATE TABLE click_events (slug text, created_at timestamptz);
CREATE TABLE analytics_daily (date date, slug text, clicks bigint, PRIMARY KEY (date, slug));
"""
SLEEP = Query("SELECT pg_sleep(20)")


class Bench:
    """A flow at work, with everything it reaches."""

    def __init__(self, session: Session, admin: Any) -> None:
        self.session = session
        self.admin = admin
        self.view = SqlRecorder()
        self.flow = SqlFlow(session, self.view, QueryLog(session, performing(session)))
        self.gone_s = 0.0
        self.is_left = False

    async def unlock(self, reason: str = "double rows") -> None:
        self.view.reason = reason
        await self.flow.toggle_lock()

    def answer(self, commit: bool) -> None:
        self.view.decide = lambda write, of: self.flow.decide(commit)

    def rebuild(self) -> Query:
        step = self.session.runbook.step("analytics-rebuild")
        return Query((step.run or "").strip(), step)

    def entries(self) -> list[tuple[str, str, str]]:
        """Mode, outcome and last line of each statement in the journal."""
        found = journalled(self.session, "queried")
        return [(e.data["mode"], e.data["outcome"], e.data["sql"].splitlines()[-1]) for e in found]


@pytest.fixture
async def bench(server: Server, admin: Any, tmp_path: Path) -> AsyncIterator[Bench]:
    await admin.execute(SCHEMA)
    gone: list[Bench] = []
    clock = Clock(wall=lambda: START, steady=lambda: gone[0].gone_s if gone else 0.0)
    found = Bench(await session_at(server.url().reveal(), tmp_path, clock), admin)
    gone.append(found)
    yield found
    assert found.session.database is not None
    await found.session.database.close()
    if not found.is_left:
        await found.session.close()


async def until_running(bench: Bench, sql: str) -> None:
    """Until the server runs a statement."""
    active = "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'"
    async with asyncio.timeout(PATIENCE_S):
        while not await bench.admin.fetchval(active, sql):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_read_is_shown_remembered_and_journalled(bench: Bench) -> None:
    bench.view.values = ["3"]
    text = "SELECT id FROM cart WHERE id <= $1 ORDER BY id"
    await bench.flow.run(Query(text))
    assert bench.view.result.rows == (("1",), ("2",), ("3",))
    assert bench.view.results[-1][1].asked == text
    assert bench.view.offered == [("value1",)]
    assert bench.view.history == [text]
    assert bench.view.said[-1] == ""
    assert bench.entries() == [("read", "ok", text)]
    assert journalled(bench.session, "queried")[0].data["rows"] == 3


async def test_a_statement_of_the_runbook_is_journalled_as_its_step(bench: Bench) -> None:
    step = bench.session.runbook.step("analytics-rebuild-preview")
    bench.view.values = ["2026-11-18", "2026-11-19"]
    await bench.flow.run(Query(step.run or "", step))
    assert bench.view.offered == [("FROM_DATE", "TO_DATE")]
    assert journalled(bench.session, "queried")[0].data["step"] == "analytics-rebuild-preview"


async def test_the_first_rows_are_shown_before_the_last(bench: Bench) -> None:
    await bench.flow.run(Query("SELECT i FROM generate_series(1, 400) i"))
    assert [result.row_count for result, _ in bench.view.results] == [50, 400]
    assert len({query.text for _, query in bench.view.results}) == 1


async def test_no_values_no_statement(bench: Bench) -> None:
    await bench.flow.run(Query("SELECT $1::int"))
    assert bench.view.results == []
    assert bench.entries() == []


async def test_a_plan_is_a_read_and_an_analysis_of_a_write_is_one(bench: Bench) -> None:
    delete = Query("DELETE FROM cart")
    await bench.flow.run(delete.explained())
    assert "Delete on cart" in bench.view.result.rows[0][0]
    await bench.flow.run(delete.explained(analyze=True))
    assert bench.view.last == "It is write, and writing is locked: U unlocks it for 5 minutes."


async def test_what_the_guard_refuses_does_not_run(bench: Bench) -> None:
    await bench.flow.run(Query("SELECT pg_terminate_backend(1)"))
    assert "ends sessions" in bench.view.result.refused
    assert [entry[:2] for entry in bench.entries()] == [("read", "error")]
    await bench.flow.run(Query("DELETE FROM cart"))
    assert "writing is locked" in bench.view.last
    assert await bench.admin.fetchval("SELECT count(*) FROM cart") == 9
    assert len(bench.entries()) == 1


async def test_secrets_of_a_statement_are_not_journalled(bench: Bench) -> None:
    await bench.flow.run(Query("SELECT 'postgresql://me:hunter22@db/x' AS url"))
    assert "hunter22" not in journalled(bench.session, "queried")[0].to_json()


async def test_without_a_database_each_says_what_to_set(tmp_path: Path) -> None:
    session = await session_at("", tmp_path)
    view = SqlRecorder()
    flow = SqlFlow(session, view, QueryLog(session, performing(session)))
    view.values, view.kind = ["1"], "csv"
    for ask in (flow.run, flow.watch, flow.export):
        await ask(Query("SELECT $1"))
        assert view.said.pop() == "No database: set ISLA_DATABASE_URL."
    await flow.toggle_lock()
    assert "ISLA_DATABASE_ADMIN_URL" in view.last
    assert not flow.can_judge()
    assert await flow.judge("SELECT 1") is None
    assert view.offered == []
    await session.close()


async def test_a_second_statement_is_refused_in_words_and_the_first_can_be_stopped(bench: Bench) -> None:
    first = asyncio.create_task(bench.flow.run(SLEEP))
    await until_running(bench, SLEEP.text)
    for ask in (bench.flow.run, bench.flow.watch, bench.flow.export):
        bench.view.kind = "csv"
        await ask(Query("SELECT 1"))
        assert bench.view.said.pop() == "Another statement runs: X stops it."
    await until(lambda: bench.view.last.startswith("Runs …"))
    bench.flow.stop()
    await asyncio.wait([first])
    assert first.cancelled()
    assert bench.view.last == "Stopped."
    active = "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'active'"
    assert not await bench.admin.fetchval(active, SLEEP.text)
    bench.flow.stop()
    assert bench.view.last == "Nothing runs."
    await bench.flow.run(Query("SELECT 1"))
    assert bench.view.result.rows == (("1",),)


async def test_watching_runs_it_again_until_it_is_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isla_console.session.sql_flow.WATCH_S", 0.01)
    watching = asyncio.create_task(bench.flow.watch(Query("SELECT count(*) FROM cart")))
    async with asyncio.timeout(PATIENCE_S):
        while len(bench.view.results) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert bench.view.last == "Watched every 0.01 s; X stops.  14:00:00Z"
    bench.flow.stop()
    await asyncio.wait([watching])
    assert watching.cancelled()
    await bench.flow.watch(Query("DELETE FROM cart"))
    assert bench.view.result.refused


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_all_rows_are_exported(bench: Bench, kind: Any) -> None:
    bench.view.kind = kind
    await bench.flow.export(Query("SELECT id, owner FROM cart ORDER BY id"))
    folder = bench.session.settings.state_dir / "exports"
    assert bench.view.offered == [(str(folder),)]
    (made,) = folder.iterdir()
    assert bench.view.last == f"9 rows in {made}"
    assert made.name == f"query-20261123T140000Z.{kind}"
    text = made.read_text()
    assert json.loads(text)[0] == {"id": 1, "owner": "owner 1"} if kind == "json" else "1,owner 1" in text


async def test_half_an_export_is_removed(bench: Bench) -> None:
    bench.view.kind = "csv"
    await bench.flow.export(Query("SELECT 1 / (id - 5) FROM cart"))
    assert bench.view.last == "Nothing was exported."
    assert bench.view.result.sqlstate == "22012"
    folder = bench.session.settings.state_dir / "exports"
    assert list(folder.iterdir()) == []
    folder.rmdir()
    folder.write_text("in the way")
    await bench.flow.export(Query("SELECT 1"))
    assert bench.view.last.startswith("Not exported: ")


async def test_unlocking_is_a_note_in_the_timeline(bench: Bench) -> None:
    await bench.flow.toggle_lock()
    assert bench.view.offered == [("the writing role",)]
    assert journalled(bench.session, "noted") == [], "no reason, no unlocking"
    await bench.unlock("customers paid")
    assert bench.view.last == "Writing is unlocked for 5 min; U locks it."
    notes = [event.data["text"] for event in journalled(bench.session, "noted")]
    assert notes == ["Writing to the database unlocked for 5 min: customers paid"]
    await bench.flow.toggle_lock()
    assert bench.view.last == "Writing is locked again."
    assert bench.view.refreshed == 2


async def test_a_write_is_shown_and_committed(bench: Bench) -> None:
    await bench.unlock()
    bench.answer(commit=True)
    text = "UPDATE cart SET owner = 'me' WHERE id < 3"
    await bench.flow.run(Query(text))
    ((write, until, of),) = bench.view.pending
    assert (write.status, until, of) == ("UPDATE 2", START + timedelta(seconds=DECIDE_S), "")
    assert not bench.view.waits.is_set()
    assert bench.view.last == "Committed."
    assert bench.entries() == [("write", "committed", text)]
    [entry] = journalled(bench.session, "queried")
    assert entry.data["rows"] == 2, "those that it changed; none came back"
    assert bench.session.uncommitted == ""
    assert await bench.admin.fetchval("SELECT count(*) FROM cart WHERE owner = 'me'") == 2


async def test_the_time_of_a_write_is_without_that_of_the_decision(bench: Bench) -> None:
    await bench.unlock()
    began = time.monotonic()
    writing = asyncio.create_task(bench.flow.run(Query("DELETE FROM cart")))
    await asyncio.wait_for(bench.view.waits.wait(), 10)
    await asyncio.sleep(1)
    bench.flow.decide(commit=False)
    await asyncio.wait_for(writing, 10)
    [entry] = journalled(bench.session, "queried")
    assert entry.data["duration_ms"] <= 1000 * (time.monotonic() - began - 1)


async def test_a_write_that_waits_when_the_console_is_left_is_rolled_back_and_says_so(bench: Bench) -> None:
    await bench.unlock()
    writing = asyncio.create_task(bench.flow.run(Query("DELETE FROM cart")))
    await asyncio.wait_for(bench.view.waits.wait(), 10)
    assert bench.session.uncommitted == "DELETE 9"
    unsaved, bench.is_left = await bench.session.close(), True
    await asyncio.wait([writing])
    assert not unsaved.events
    with LocalJournal.open(bench.session.settings.state_dir / "journal.sqlite3") as journal:
        [entry] = [event for _, event in journal.since(0) if event.kind == "queried"]
    assert (entry.data["outcome"], entry.data["rows"]) == ("rolled_back", 9)
    assert await bench.admin.fetchval("SELECT count(*) FROM cart") == 9


async def test_a_write_is_rolled_back(bench: Bench) -> None:
    await bench.unlock()
    bench.answer(commit=False)
    await bench.flow.run(Query("DELETE FROM cart"))
    assert bench.view.last == "Rolled back."
    assert bench.entries() == [("write", "rolled_back", "DELETE FROM cart")]
    assert await bench.admin.fetchval("SELECT count(*) FROM cart") == 9


async def test_stopping_rolls_an_open_transaction_back(bench: Bench) -> None:
    await bench.unlock()
    writing = asyncio.create_task(bench.flow.run(Query("DELETE FROM cart")))
    await asyncio.wait_for(bench.view.waits.wait(), 10)
    bench.flow.stop()
    await asyncio.wait([writing])
    assert not bench.view.waits.is_set()
    assert bench.view.last == "Stopped."
    assert bench.entries() == [("write", "rolled_back", "DELETE FROM cart")]
    assert await bench.admin.fetchval("SELECT count(*) FROM cart") == 9


async def test_a_write_that_fails_shows_why(bench: Bench) -> None:
    await bench.unlock()
    await bench.flow.run(Query("INSERT INTO cart VALUES (1, 'twice')"))
    assert bench.view.result.sqlstate == "23505"
    assert bench.view.pending == []
    assert [entry[:2] for entry in bench.entries()] == [("write", "error")]


async def test_an_unlocking_ends_by_itself(bench: Bench) -> None:
    await bench.unlock()
    bench.gone_s = 301
    await bench.flow.run(Query("DELETE FROM cart"))
    assert "writing is locked" in bench.view.last
    assert bench.view.pending == []


async def test_maintenance_runs_outside_a_transaction(bench: Bench) -> None:
    await bench.unlock()
    vacuum = Query("VACUUM (VERBOSE) cart")
    async with bench.admin.transaction():
        await bench.admin.execute("LOCK TABLE cart")
        running = asyncio.create_task(bench.flow.run(vacuum))
        async with asyncio.timeout(PATIENCE_S):
            while not bench.view.last.startswith("Runs outside a transaction …"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await running
    assert bench.view.last.startswith("Done in ")
    assert "notices: " in bench.view.last
    assert bench.entries() == [("write", "ok", "VACUUM (VERBOSE) cart")]


async def fill_totals(admin: Any) -> None:
    """One click on each of five days; the 19th has its total, the 22nd a bigger one than its clicks."""
    await admin.execute(
        "INSERT INTO click_events SELECT 'a', day + interval '1 h' FROM"
        " generate_series(timestamptz '2026-11-18+00', timestamptz '2026-11-22+00', '1 day') day;"
        "INSERT INTO analytics_daily VALUES ('2026-11-19', 'a', 1), ('2026-11-22', 'a', 7)"
    )


async def test_days_stop_at_one_that_is_not_committed_and_go_on_there(bench: Bench) -> None:
    await fill_totals(bench.admin)
    await bench.unlock()
    bench.view.offered.clear()
    bench.view.range = ("2026-11-18", "2026-11-22")
    bench.view.decide = lambda write, of: bench.flow.decide("-18" in of)
    await bench.flow.run(bench.rebuild())
    assert [of for _, _, of in bench.view.pending] == ["2026-11-18, 1 of 5", "2026-11-20, 3 of 5"]
    rolled_back = "2026-11-20: rolled back. x begins with it again."
    assert bench.view.last == f"1 of 5 days committed. {rolled_back}"
    bench.answer(commit=True)
    bench.view.range = ("2026-11-20", "2026-11-22")
    await bench.flow.run(bench.rebuild())
    assert bench.view.offered == [("DAY", "", ""), ("DAY", "2026-11-20", "2026-11-22")]
    assert bench.view.last == (
        "2 of 3 days committed. 2026-11-22: Blocked: totals would get smaller."
        " The raw rows were pruned or lost."
    )
    assert bench.entries() == [
        ("write", "committed", "-- DAY 2026-11-18"),
        ("write", "rolled_back", "-- DAY 2026-11-20"),
        ("write", "committed", "-- DAY 2026-11-20"),
        ("write", "committed", "-- DAY 2026-11-21"),
    ]
    totals = "SELECT string_agg(to_char(date, 'DD') || ':' || clicks, ' ' ORDER BY date) FROM analytics_daily"
    assert await bench.admin.fetchval(totals) == "18:1 19:1 20:1 21:1 22:7"


async def test_a_whole_range_says_where_it_goes_on(bench: Bench) -> None:
    await fill_totals(bench.admin)
    await bench.unlock()
    bench.view.offered.clear()
    bench.answer(commit=True)
    bench.view.range = ("2026-11-18", "2026-11-20")
    await bench.flow.run(bench.rebuild())
    assert bench.view.last == "Committed: 2 of 3 days; 1 did not differ. x goes on at 2026-11-21."
    bench.view.range = None
    await bench.flow.run(bench.rebuild())
    assert bench.view.offered == [("DAY", "", ""), ("DAY", "2026-11-21", "")]


async def test_days_stop_when_the_unlocking_ends(bench: Bench) -> None:
    await fill_totals(bench.admin)
    await bench.unlock()
    bench.view.range = ("2026-11-20", "2026-11-21")

    def commit_late(*_: object) -> None:
        bench.gone_s = 301
        bench.flow.decide(True)

    bench.view.decide = commit_late
    await bench.flow.run(bench.rebuild())
    locked = "Writing is locked again: U unlocks it, x goes on at 2026-11-21."
    assert bench.view.last == f"1 of 2 days committed. {locked}"


async def test_a_change_whose_preview_cannot_be_run_is_not_run(bench: Bench) -> None:
    await bench.admin.execute("DROP TABLE click_events")
    await bench.unlock()
    bench.view.range = ("2026-11-20", "")
    await bench.flow.run(bench.rebuild())
    assert "2026-11-20: Its preview could not be run, so neither is it: " in bench.view.last
    assert bench.view.pending == []


async def test_an_error_marks_the_symptom_that_it_is_a_sign_of(bench: Bench) -> None:
    log = QueryLog(bench.session, performing(bench.session))
    error = "53300: sorry, too many clients already"
    await log.mark_symptom(error)
    await log.mark_symptom(error)
    await log.mark_symptom("division by zero")
    (seen,) = journalled(bench.session, "symptom_seen")
    assert (seen.data["symptom"], seen.data["by"], seen.data["value"]) == ("db-too-many", "measured", error)


async def test_a_step_that_reads_is_stopped_by_the_end_of_the_console(
    server: Server, admin: Any, tmp_path: Path
) -> None:
    """Whatever keeps the connections ends before it: that the console ended is no fault of the database."""
    nap = (
        "      - id: nap\n        title: A nap\n        kind: sql\n        effect: read\n"
        "        run: SELECT pg_sleep(600)\n"
    )
    runbook = runbook_with(tmp_path, nap)
    session = await session_at(server.url().reveal(), tmp_path, runbook=runbook)
    keeping = asyncio.create_task(session.keep_database())
    await StepFlow(session, Person()).do(session.step_services.step("nap"))
    active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active'"
    async with asyncio.timeout(PATIENCE_S):
        while await admin.fetchval(active) < 2:  # noqa: ASYNC110 - this look is one
            await asyncio.sleep(0.02)
    keeping.cancel()
    await asyncio.wait((keeping,))
    await session.close()
    with LocalJournal.open(tmp_path / "state" / FILE_NAME) as journal:
        (ran,) = (event.data for _, event in journal.since(0) if event.kind == "ran")
    assert ran["result"] == "stopped"
    async with asyncio.timeout(PATIENCE_S):
        while await admin.fetchval(active) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
