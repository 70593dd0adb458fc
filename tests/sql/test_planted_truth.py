"""The runbook's statements in the drill's database and in the same one on the system's PostgreSQL: each finds
exactly what was planted there, as the console's roles see it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from isla_console.drill.platform.postgres import database
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from isla_console.sql.values import raw_text
from isla_console.sql.writing import PendingWrite, Writer
from tests.sql.conftest import Server, _programs
from tests.support.platform import running_platform
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.slow

RUNBOOK = load_runbook(resource("runbook.yaml")).runbook
CONSOLE = "isla-console/ana@jump1"
SUPERUSER = "supabase_admin"
Rows = list[dict[str, Any]]


class Hosted(Server):
    """A server whose superuser is not called postgres, as a host keeps it from its customers."""

    def _run(self, program: str, *arguments: str) -> None:
        super()._run(program, *(SUPERUSER if one == "postgres" else one for one in arguments))


@dataclass(frozen=True, slots=True)
class Where:
    """The console's address, and that of a customer's strongest role."""

    reader: str = field(repr=False)
    armed: str = field(repr=False)


@contextlib.contextmanager
def _system() -> Iterator[Where]:
    folder = Path(tempfile.mkdtemp(prefix="isla-sql-"))
    server = Hosted(folder, _programs("system"))
    try:
        server.create()
        server.start()
        asyncio.run(_fill(server))
        yield Where(server.dsn("isla_readonly").reveal(), server.dsn("postgres").reveal())
    finally:
        with contextlib.suppress(Exception):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(server: Server) -> None:
    await database.create_schema(server.port, server.password)
    made = database.Database(server.port, {SUPERUSER: server.password})
    connection = await made.connect(SUPERUSER, "test")
    for role in ("postgres", "isla_readonly"):
        await connection.execute(f"ALTER ROLE {role} PASSWORD '{server.password}'")
    await connection.close()
    await database.seed(made)


@pytest.fixture(scope="module", params=["drill", "system"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Where]:
    if request.param == "system":
        with _system() as found:
            yield found
    else:
        with running_platform(tmp_path_factory.mktemp("truth")) as platform:
            yield Where(platform.environ["ISLA_DATABASE_URL"], platform.admin_url)


@dataclass
class Bench:
    """Asks the runbook's statements as the console does, and plants what they are to find."""

    where: Where
    engine: SqlEngine
    admin: Any
    opened: list[Any]

    async def ask(self, step_id: str, *values: object, **swap: str) -> Rows:
        """A reading step's rows; `swap` replaces a time limit that no test can wait for."""
        sql = RUNBOOK.step(step_id).run or ""
        for old, new in swap.items():
            assert MINUTES[old] in sql
            sql = sql.replace(MINUTES[old], f"interval '{new}'")
        result = await self.engine.run(sql, [str(value) for value in values])
        assert result.ok, (step_id, result.refused, result.error)
        return result.records()

    async def change(self, step_id: str, *values: object) -> PendingWrite:
        """A changing step's transaction, committed, on the armed connection."""
        writer = Writer(pane_session(Secret(self.where.armed), CONSOLE, "ISLA_DATABASE_ADMIN_URL"))
        seen: list[PendingWrite] = []

        def show(change: PendingWrite) -> None:
            seen.append(change)
            writer.decide(True)

        try:
            result = await writer.write(
                RUNBOOK.step(step_id).run or "", [raw_text(one) for one in values], 20, show
            )
        finally:
            await writer.session.close()
        assert result.ok, (step_id, result.refused, result.error)
        return seen[0]

    async def open(self, application: str, *statements: str) -> Any:
        """A session of a customer's application that has run these."""
        connection = await asyncpg.connect(
            self.where.armed, server_settings={"application_name": application}, ssl=False
        )
        self.opened.append(connection)
        for statement in statements:
            await connection.execute(statement)
        return connection


MINUTES = {"five": "interval '5 minutes'"}


@pytest.fixture
async def bench(where: Where) -> AsyncIterator[Bench]:
    engine = SqlEngine(pane_session(Secret(where.reader), CONSOLE, "ISLA_DATABASE_URL"))
    assert (await engine.run("SELECT 1")).ok
    admin = await asyncpg.connect(where.armed, server_settings={"application_name": "planting"}, ssl=False)
    found = Bench(where, engine, admin, [])
    yield found
    for connection in (*found.opened, admin):
        connection.terminate()
    await engine.close()


async def test_headroom_and_who_holds_it(bench: Bench) -> None:
    before = (await bench.ask("db-headroom"))[0]
    assert before["max"] == int(await bench.admin.fetchval("SHOW max_connections"))
    assert before["superuser_reserved"] == int(
        await bench.admin.fetchval("SHOW superuser_reserved_connections")
    )
    assert before["hidden"] == 0
    for number in range(4):
        await bench.open("leaky", *(["BEGIN"] if number == 0 else []), "SELECT 1")

    async def counted() -> bool:  # the drill's own sessions come and go between the two looks
        now = (await bench.ask("db-headroom"))[0]
        grown = {name: now[name] - before[name] for name in ("client", "idle", "idle_in_transaction")}
        return grown == {"client": 4, "idle": 3, "idle_in_transaction": 1}

    await until(counted)
    held = [row for row in await bench.ask("db-by-application") if row["application"] == "leaky"]
    assert [(row["usename"], row["sessions"], row["idle"], row["idle_in_transaction"]) for row in held] == [
        ("postgres", 4, 3, 1)
    ]


async def test_headroom_says_what_a_plain_role_cannot_see(bench: Bench) -> None:
    await bench.admin.execute("CREATE ROLE plain_truth LOGIN PASSWORD 'pass-word'")
    scheme, _, rest = bench.where.armed.partition("://")
    url = f"{scheme}://plain_truth:pass-word@{rest.partition('@')[2]}"
    plain = SqlEngine(pane_session(Secret(url), CONSOLE, "ISLA_DATABASE_URL"))
    try:
        result = await plain.run(RUNBOOK.step("db-headroom").run or "")
        assert result.ok, result.error
        assert result.records()[0]["hidden"] >= 2
    finally:
        await plain.close()
        await bench.admin.execute("DROP ROLE plain_truth")


async def test_long_queries_and_transactions(bench: Bench) -> None:
    waiting = await bench.open("forgotten", "BEGIN", "SELECT 'left open'")
    pooled = await bench.open("pooled", "SELECT 'idle with a last query'")
    sleeper = await bench.open("sleeper")
    sleeping = asyncio.create_task(sleeper.execute("SELECT pg_sleep(20)"))
    try:
        age = await waiting.fetchval("SELECT now()")
        await asyncio.sleep(2.1)
        fresh = await bench.open("fresh", "BEGIN", "SELECT 1")
        planted = {one.get_server_pid(): one for one in (waiting, pooled, sleeper, fresh)}
        rows = {
            row["pid"]: row for row in await bench.ask("db-slow-queries", five="2 s") if row["pid"] in planted
        }
        assert set(rows) == {waiting.get_server_pid(), sleeper.get_server_pid()}
        open_one, busy = rows[waiting.get_server_pid()], rows[sleeper.get_server_pid()]
        assert (open_one["state"], busy["state"]) == ("idle in transaction", "active")
        assert (busy["wait_event"], busy["query"]) == ("PgSleep", "SELECT pg_sleep(20)")
        true_age = await bench.admin.fetchval("SELECT clock_timestamp()") - age
        assert timedelta(seconds=2) < open_one["transaction_age"] <= true_age
        assert open_one["backend_start"] < age
        assert not {row["pid"] for row in await bench.ask("db-slow-queries")} & set(
            planted
        )  # not 5 minutes old
    finally:
        # A client that is gone would leave it asleep on the server, in the way of a vacuum.
        await bench.admin.fetchval("SELECT pg_cancel_backend($1)", sleeper.get_server_pid())
        await asyncio.gather(sleeping, return_exceptions=True)


async def test_who_blocks_whom_three_deep(bench: Bench) -> None:
    await bench.admin.execute("CREATE TABLE public.piled (id int)")
    assert "piled" not in str(await bench.ask("db-blockers"))
    holder = await bench.open("holder", "BEGIN", "SELECT * FROM piled")
    altering, reading = await bench.open("altering"), await bench.open("reading")
    chain = [one.get_server_pid() for one in (holder, altering, reading)]

    async def waiters() -> int:
        return int(
            await bench.admin.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1) AND wait_event_type = 'Lock'",
                chain,
            )
        )

    async def one_waits() -> bool:
        return await waiters() == 1

    async def both_wait() -> bool:
        return await waiters() == 2

    first = asyncio.create_task(altering.execute("ALTER TABLE piled ADD COLUMN more int"))
    await until(one_waits)
    second = asyncio.create_task(reading.execute("SELECT * FROM piled"))
    await until(both_wait)
    rows = [row for row in await bench.ask("db-blockers") if row["pid"] in chain]
    assert {row["pid"]: list(row["blocked_by"]) for row in rows} == {
        chain[0]: [],
        chain[1]: [chain[0]],
        chain[2]: [chain[1]],
    }
    assert (rows[0]["application_name"], rows[0]["state"]) == ("holder", "idle in transaction")
    assert (await bench.ask("db-headroom"))[0]["waiting_for_lock"] >= 2
    await holder.execute("ROLLBACK")
    await asyncio.wait_for(asyncio.gather(first, second), PATIENCE_S)
    assert not [row for row in await bench.ask("db-blockers") if row["pid"] in chain]
    await bench.admin.execute("DROP TABLE piled")


async def test_tables_read_from_end_to_end(bench: Bench) -> None:
    await bench.admin.execute(
        """CREATE TABLE public.scanned AS SELECT i FROM generate_series(1, 20000) i;
        CREATE TABLE public.small AS SELECT i FROM generate_series(1, 100) i;
        CREATE TABLE public.keyed AS SELECT i FROM generate_series(1, 20000) i;
        ANALYZE public.scanned, public.small, public.keyed"""
    )
    for _ in range(7):
        await bench.admin.fetchval("SELECT count(*) FROM public.scanned")
        await bench.admin.fetchval("SELECT count(*) FROM public.small")
    await bench.admin.fetchval("SELECT pg_stat_force_next_flush()")

    async def found() -> Rows:
        rows = await bench.ask("db-indexes")
        return [row for row in rows if row["relname"] in {"scanned", "small", "keyed"}]

    rows = await until(found)
    assert [
        (row["relname"], row["seq_scan"], row["seq_tup_read"], row["idx_scan"], row["n_live_tup"])
        for row in rows
    ] == [("scanned", 7, 140_000, 0, 20_000)]
    await bench.admin.execute("DROP TABLE public.scanned, public.small, public.keyed")


async def test_newest_click_and_its_rate(bench: Bench) -> None:
    async with bench.admin.transaction():
        # Nobody else's click between planting and asking.
        await bench.admin.execute("LOCK TABLE click_events IN SHARE ROW EXCLUSIVE MODE")
        before = await bench.ask("analytics-lag")
    await bench.admin.execute(
        """INSERT INTO click_events (slug, created_at)
        SELECT 'truth', now() - interval '2 minutes' FROM generate_series(1, 30000);
        INSERT INTO click_events (slug, created_at)
        SELECT 'truth', now() - interval '6 minutes' FROM generate_series(1, 30000)"""
    )
    newest = await bench.admin.fetchval(
        "INSERT INTO click_events (slug, created_at) VALUES ('truth', now()) RETURNING created_at"
    )
    locker = await bench.open("locker", "BEGIN", "LOCK TABLE click_events IN SHARE ROW EXCLUSIVE MODE")
    # Of live traffic one may have come in since.
    newest = max(newest, await bench.admin.fetchval("SELECT max(created_at) FROM click_events"))
    row = (await bench.ask("analytics-lag"))[0]
    await locker.execute("ROLLBACK")
    assert row["last_event"] == newest
    assert timedelta(0) <= row["age"] < timedelta(seconds=10)
    # The six minutes old ones are not counted; what live traffic adds meanwhile is far less.
    assert float(row["clicks_per_second"] - before[0]["clicks_per_second"]) == pytest.approx(100, abs=1)
    await bench.admin.execute("DELETE FROM click_events WHERE slug = 'truth'")


async def test_failed_cron_runs(bench: Bench) -> None:
    await bench.admin.execute(
        """INSERT INTO cron.job (jobid, jobname, schedule, command)
        VALUES (901, 'truth', '* * * * *', 'SELECT 1'), (902, 'never ran', '* * * * *', 'SELECT 1');
        INSERT INTO cron.job_run_details
          (jobid, status, return_message, start_time, end_time, username) VALUES
        (901, 'succeeded', '', now() - interval '3 hours', now() - interval '3 hours', 'nobody'),
        (901, 'failed', 'disk full', now() - interval '1 hour', now() - interval '59 minutes', 'nobody'),
        (901, 'failed', 'yesterday''s', now() - interval '25 hours', now() - interval '25 hours', 'nobody'),
        (901, 'running', NULL, now(), NULL, 'nobody'),
        (999, 'failed', 'unscheduled', now() - interval '2 hours', now() - interval '2 hours', 'nobody')"""
    )
    try:
        rows = [row for row in await bench.ask("analytics-cron") if row["jobid"] > 900]
        assert [(row["jobname"], row["status"], row["return_message"], row["took"]) for row in rows] == [
            ("truth", "failed", "disk full", timedelta(minutes=1)),
            (None, "failed", "unscheduled", timedelta(0)),
        ]
        jobs = {row["jobname"]: row for row in await bench.ask("analytics-jobs") if row["jobid"] > 900}
        assert (jobs["truth"]["failed_24h"], jobs["never ran"]["last_success"]) == (1, None)
        age = datetime.now(UTC) - jobs["truth"]["last_success"]
        assert timedelta(hours=3) <= age < timedelta(hours=3, minutes=1)
        scheduler = await bench.open("pg_cron scheduler")
        running = [row["pid"] for row in await bench.ask("analytics-scheduler")]
        assert scheduler.get_server_pid() in running
    finally:
        await bench.admin.execute(
            "DELETE FROM cron.job WHERE jobid > 900; DELETE FROM cron.job_run_details WHERE jobid > 900"
        )


async def test_one_session_is_ended_and_no_other(bench: Bench) -> None:
    leaky, neighbour = await bench.open("leaky", "SELECT 1"), await bench.open("leaky", "SELECT 1")
    # A console's connection bears its name while it works; idle, its last statement says whose it is.
    console = await bench.open("isla-console/ben@jump2", "SELECT 1")
    idle = SqlEngine(pane_session(Secret(bench.where.armed), CONSOLE, "X"))
    [[idle_pid]] = (await idle.run("SELECT pg_backend_pid()")).rows

    async def listed() -> dict[int, dict[str, Any]]:
        return {row["pid"]: row for row in await bench.ask("db-idle-sessions", 0)}

    async def all_listed() -> bool:
        return {leaky.get_server_pid(), neighbour.get_server_pid()} <= set(await listed())

    await until(all_listed)
    seen = await listed()
    assert not {console.get_server_pid(), int(idle_pid or 0)} & set(seen)
    assert not await bench.admin.fetchval(
        "SELECT count(*) FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename"
        " WHERE r.rolsuper AND a.pid = ANY($1)",
        list(seen),
    )
    assert leaky.get_server_pid() not in {row["pid"] for row in await bench.ask("db-idle-sessions", 10)}
    one = seen[leaky.get_server_pid()]

    async def end(pid: int, started: datetime, idle_since: datetime) -> list[bool]:
        # Not by the transaction that shows and waits: no rollback takes the end of a session back.
        ended = await bench.admin.fetch(RUNBOOK.step("db-end-session").run, pid, started, idle_since)
        return [row["ended"] for row in ended]

    # Another session with this number; one that has worked since; a console's own.
    assert await end(one["pid"], one["backend_start"] - timedelta(seconds=1), one["state_change"]) == []
    assert await end(one["pid"], one["backend_start"], one["state_change"] - timedelta(microseconds=1)) == []
    own = await bench.admin.fetchrow(
        "SELECT backend_start, state_change FROM pg_stat_activity WHERE pid = $1", console.get_server_pid()
    )
    assert await end(console.get_server_pid(), own["backend_start"], own["state_change"]) == []
    own = await bench.admin.fetchrow(
        "SELECT backend_start, state_change FROM pg_stat_activity WHERE pid = $1", int(idle_pid or 0)
    )
    assert await end(int(idle_pid or 0), own["backend_start"], own["state_change"]) == []
    assert (await idle.run("SELECT pg_backend_pid()")).rows == ((idle_pid,),)
    await idle.close()
    assert {await other.fetchval("SELECT 1") for other in (neighbour, console)} == {1}

    assert await end(one["pid"], one["backend_start"], one["state_change"]) == [True]
    await until(leaky.is_closed)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError)):
        await leaky.fetchval("SELECT 1")
    assert {await other.fetchval("SELECT 1") for other in (neighbour, console)} == {1}


JANUARY = ("2024-01-01", "2024-01-31")
CLICKS = """
INSERT INTO click_events (slug, created_at)
SELECT 's' || i % 5, timestamptz '2024-01-01 00:00+00' + i * interval '10 minutes'
FROM generate_series(0, 31 * 144 - 1) i;
-- The last instants on both sides of the range, and of a day inside it.
INSERT INTO click_events (slug, created_at) VALUES
  ('edge', '2023-12-31 23:59:59.999999+00'), ('edge', '2024-01-01 00:00+00'),
  ('edge', '2024-01-30 23:59:59.999999+00'), ('edge', '2024-01-31 00:00+00'),
  ('edge', '2024-01-31 23:59:59.999999+00'), ('edge', '2024-02-01 00:00+00');
INSERT INTO analytics_daily VALUES
  ('2024-01-31', 's1', 1), ('2024-01-30', 's1', 9999), ('2024-01-02', 'gone', 4), ('2024-02-01', 's1', 7)
"""


async def test_the_rebuild_and_its_preview_count_utc_days(bench: Bench) -> None:
    await bench.admin.execute(CLICKS)
    # Half a day away from UTC: no day may follow the session's zone.
    await bench.admin.execute("ALTER ROLE postgres SET timezone = 'Pacific/Kiritimati'")
    try:
        preview = {row["date"]: row for row in await bench.ask("analytics-rebuild-preview", *JANUARY)}
        assert sorted(preview) == [date(2024, 1, day) for day in range(1, 32)]
        counts = ("missing", "orphan", "differ", "would_shrink")
        told = {day: tuple(preview[date(2024, 1, day)][name] for name in counts) for day in (1, 2, 3, 30, 31)}
        assert told == {1: (6, 0, 0, 0), 2: (5, 1, 0, 0), 3: (5, 0, 0, 0), 30: (5, 0, 1, 1), 31: (5, 0, 1, 0)}
        assert preview[date(2024, 1, 31)]["delta"] == 144 + 2 - 1
        assert preview[date(2024, 1, 30)]["delta"] == 144 + 1 - 9999

        for day in (day for day, row in preview.items() if not row["would_shrink"]):
            await bench.change("analytics-rebuild", day)
        again = await bench.ask("analytics-rebuild-preview", *JANUARY)
        assert [(row["date"].day, row["orphan"], row["would_shrink"]) for row in again] == [
            (2, 1, 0),
            (30, 0, 1),
        ]
        change = await bench.change("analytics-rebuild", date(2024, 1, 31))
        assert change.affected == 0  # nothing left to change: no row is written again

        await bench.change("analytics-rebuild", date(2024, 1, 30))
        total = "SELECT sum(clicks) FROM analytics_daily WHERE date BETWEEN '2024-01-01' AND '2024-01-31'"
        assert await bench.admin.fetchval(f"{total} AND slug <> 'gone'") == 31 * 144 + 4
        edges = await bench.admin.fetch(
            "SELECT date, clicks FROM analytics_daily WHERE slug = 'edge' ORDER BY 1"
        )
        assert [(row["date"].day, row["clicks"]) for row in edges] == [(1, 1), (30, 1), (31, 2)]
        outside = "SELECT clicks FROM analytics_daily WHERE date = '2024-02-01' AND slug = 's1'"
        assert await bench.admin.fetchval(outside) == 7
    finally:
        await bench.admin.execute(
            """ALTER ROLE postgres RESET timezone;
            DELETE FROM click_events WHERE created_at < '2024-02-02';
            DELETE FROM analytics_daily WHERE date < '2024-02-02'"""
        )


async def test_the_databases_size(bench: Bench) -> None:
    before = (await bench.ask("db-size"))[0]
    assert before["database"] == "postgres"
    await bench.admin.execute(
        "CREATE TABLE public.bulk AS SELECT i, repeat('x', 900) AS x FROM generate_series(1, 16000) i"
    )
    grown = float((await bench.ask("db-size"))[0]["size_mb"] - before["size_mb"])
    size = await bench.admin.fetchval("SELECT pg_total_relation_size('public.bulk')") / 1024 / 1024
    assert size > 10
    assert grown == pytest.approx(size, abs=4)  # the drill's traffic writes, too
    await bench.admin.execute("DROP TABLE public.bulk")


async def test_dead_rows_and_their_vacuum(bench: Bench) -> None:
    await bench.admin.execute(
        "INSERT INTO click_events (slug, created_at) SELECT 'truth', now() FROM generate_series(1, 5000)"
    )
    await bench.admin.execute("DELETE FROM click_events WHERE slug = 'truth'")
    await bench.admin.fetchval("SELECT pg_stat_force_next_flush()")

    async def clicks() -> dict[str, Any]:
        rows = await bench.ask("db-dead-rows")
        return next(row for row in rows if row["relname"] == "click_events")

    async def counted() -> bool:
        return bool((await clicks())["n_dead_tup"] >= 5000)

    await until(counted)
    started = await bench.admin.fetchval("SELECT clock_timestamp()")
    warnings: list[str] = []
    writer = Writer(pane_session(Secret(bench.where.armed), CONSOLE, "ISLA_DATABASE_ADMIN_URL"))
    result = await writer.maintain(RUNBOOK.step("db-vacuum").run or "", 30, warnings.append)
    await writer.session.close()
    assert result.ok, result.error
    assert warnings == []

    async def cleaned() -> bool:
        row = await clicks()
        done = row["last_vacuum"] is not None and min(row["last_vacuum"], row["last_analyze"]) >= started
        return done and row["n_dead_tup"] < 100

    await until(cleaned)


async def test_subscriptions_by_status(bench: Bench) -> None:
    await bench.admin.execute(
        """INSERT INTO subscriptions (user_id, stripe_customer_id, stripe_subscription_id, plan, status,
                                      current_period_end, created_at, updated_at)
        SELECT gen_random_uuid(), 'cus_truth', 'sub_truth' || i, 'pro', 'truth', now(), now(),
               timestamptz '2024-01-01 00:00+00' + i * interval '1 day'
        FROM generate_series(0, 2) i
        UNION ALL
        SELECT gen_random_uuid(), 'cus_truth', 'sub_truth_new', 'pro', 'truth', now(), now(), now()"""
    )
    rows = await bench.ask("payments-subscription-rows")
    await bench.admin.execute("DELETE FROM subscriptions WHERE status = 'truth'")
    [row] = [row for row in rows if row["status"] == "truth"]
    assert (row["subscriptions"], row["not_updated_for_1_hour"]) == (4, 3)
    assert row["oldest_update"] == datetime(2024, 1, 1, tzinfo=UTC)
    assert datetime.now(UTC) - row["newest_update"] < timedelta(minutes=1)
    assert {"active", "past_due"} <= {row["status"] for row in rows}
    assert not any("cus_" in str(value) for row in rows for value in row.values())


async def test_duplicate_clicks(bench: Bench) -> None:
    await bench.admin.execute(
        """INSERT INTO click_events (slug, visitor_id, created_at)
        SELECT slug, visitor::uuid, now() - age
        FROM (VALUES
          ('truth-twice', '00000000-0000-0000-0000-000000000001', interval '59 minutes', 2),
          ('truth-thrice', '00000000-0000-0000-0000-000000000001', interval '5 minutes', 3),
          ('truth-unknown', NULL, interval '5 minutes', 2),
          ('truth-old', '00000000-0000-0000-0000-000000000001', interval '61 minutes', 2),
          ('truth-once', '00000000-0000-0000-0000-000000000001', interval '5 minutes', 1),
          ('truth-once', '00000000-0000-0000-0000-000000000001', interval '5 minutes 1 microsecond', 1),
          ('truth-once', '00000000-0000-0000-0000-000000000002', interval '5 minutes', 1)
        ) AS planted (slug, visitor, age, times), generate_series(1, times)"""
    )
    rows = await bench.ask("analytics-duplicates")
    await bench.admin.execute("DELETE FROM click_events WHERE slug LIKE 'truth-%'")
    assert [
        (row["slug"], row["visitor_id"] is None, row["count"])
        for row in rows
        if row["slug"].startswith("truth")
    ] == [("truth-thrice", False, 3), ("truth-unknown", True, 2), ("truth-twice", False, 2)]
