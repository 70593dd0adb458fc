"""The kept connection, against a real PostgreSQL: everything that can go wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from isla_console.database import session as module
from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.net.lookup import Resolver
from isla_console.settings.secret import Secret
from tests.support.pace import slowness
from tests.support.servers import Endpoints, Postgres, Proxy, free_port
from tests.support.waiting import until

CONNECTIONS = "SELECT count(*) AS value FROM pg_stat_activity WHERE backend_type = 'client backend'"


def session(dsn: Secret, **options: Any) -> DatabaseSession:
    return DatabaseSession(dsn, "isla-console/ana@jump1", Resolver(), jitter=lambda: 1.0, **options)


async def why(database: DatabaseSession, sql: str = "SELECT 1 AS value", deadline_s: float = 4) -> str:
    """The reason there is no answer."""
    with pytest.raises(DatabaseUnavailable) as caught:
        await database.query(sql, deadline_s)
    assert Postgres.password not in repr(caught.value)
    return caught.value.failure.reason


async def is_answered(database: DatabaseSession) -> bool:
    """Whether it answers now; not yet, where it waits before it tries again."""
    with contextlib.suppress(DatabaseUnavailable):
        return await database.query("SELECT 1 AS value", 4) == {"value": 1.0}
    return False


@pytest.fixture
async def admin(postgres: Postgres) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(postgres.dsn().reveal())
    yield connection
    await connection.close()


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[DatabaseSession]:
    database = session(postgres.dsn())
    yield database
    await database.close()


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_S", (0.05, 0.1))


async def test_it_says_who_it_is_and_what_is_set(
    database: DatabaseSession, admin: asyncpg.Connection[Any]
) -> None:
    assert database.reading().state == "unknown"
    assert (await database.query(CONNECTIONS, 4))["value"] == 2
    reading = database.reading()
    assert (reading.state, reading.role, reading.database) == ("ok", "postgres", "postgres")
    assert (reading.mode, reading.tls, reading.warnings) == ("direct", "local, no TLS", ())
    assert reading.settings == {
        "statement_timeout": "3000",
        "lock_timeout": "2000",
        "idle_in_transaction_session_timeout": "30000",
        "row_security": "off",
        "standard_conforming_strings": "on",
        "TimeZone": "UTC",
        "DateStyle": "ISO, MDY",
        "IntervalStyle": "postgres",
        "extra_float_digits": "1",
        "bytea_output": "hex",
    }
    working = (
        "SELECT count(*) AS value FROM pg_stat_activity WHERE application_name = 'isla-console/ana@jump1'"
    )
    assert (await database.query(working, 4))["value"] == 1
    idle = await admin.fetchrow("SELECT application_name, query FROM pg_stat_activity WHERE state = 'idle'")
    assert dict(idle or {}) == {"application_name": "", "query": "ROLLBACK -- isla-console/ana@jump1"}


async def test_one_connection_is_kept(database: DatabaseSession) -> None:
    pids = [(await database.query("SELECT pg_backend_pid() AS value", 4))["value"] for _ in range(5)]
    assert len(set(pids)) == 1


async def test_numbers_of_all_kinds(database: DatabaseSession) -> None:
    row = await database.query(
        "SELECT interval '1.5 s' AS lag, 2::numeric AS n, true AS yes, NULL::int AS nothing, 'x' AS text", 4
    )
    assert row == {"lag": 1.5, "n": 2.0, "yes": 1.0}
    assert await database.query("SELECT 1 AS value WHERE false", 4) == {}
    assert await database.query("SELECT 'NaN'::float AS value", 4) == {}


@pytest.mark.parametrize("sql", ["CREATE TABLE t (a int)", "SELECT nextval('s')", "VACUUM"])
async def test_it_writes_nothing(database: DatabaseSession, admin: asyncpg.Connection[Any], sql: str) -> None:
    await admin.execute("CREATE SEQUENCE IF NOT EXISTS s")
    assert "read-only transaction" in (reason := await why(database, sql)) or "25001" in reason
    assert await database.query("SELECT 1 AS value", 4) == {"value": 1.0}


async def test_a_slow_query_is_cancelled_by_the_server_and_the_connection_stays(
    database: DatabaseSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (("statement_timeout", "200ms", "200"), *module._SETTINGS[1:])
    monkeypatch.setattr(module, "_SETTINGS", settings)
    before = await database.query("SELECT pg_backend_pid() AS value", 4)
    assert "longer than its statement timeout (57014" in await why(database, "SELECT pg_sleep(5)")
    assert await database.query("SELECT pg_backend_pid() AS value", 4) == before


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT nonsense", 'column "nonsense" does not exist (42703)'),
        ("SELECT * FROM click_events", 'relation "click_events" does not exist (42P01)'),
        ("SELECT 1; SELECT 2", "cannot insert multiple commands into a prepared statement (42601)"),
        ("SELECT 1/0", "division by zero (22012)"),
    ],
)
async def test_a_wrong_query_says_so(database: DatabaseSession, sql: str, reason: str) -> None:
    assert await why(database, sql) == reason
    assert database.reading().state == "ok"


async def test_hidden_rows_are_an_error_not_a_zero(
    postgres: Postgres, admin: asyncpg.Connection[Any]
) -> None:
    await admin.execute(
        f"""
        DROP TABLE IF EXISTS runs; CREATE TABLE runs (a int); ALTER TABLE runs ENABLE ROW LEVEL SECURITY;
        DROP ROLE IF EXISTS watcher; CREATE ROLE watcher LOGIN PASSWORD '{postgres.password}';
        GRANT pg_read_all_data TO watcher
        """
    )
    database = session(postgres.dsn("watcher"))
    try:
        reason = await why(database, "SELECT count(*) AS value FROM runs")
        assert reason == "row-level security hides rows from this role: grant it BYPASSRLS"
        assert database.reading().warnings == (
            "watcher is no member of pg_monitor: other sessions are hidden",
            "watcher has no BYPASSRLS: tables with row security are refused",
        )
    finally:
        await database.close()
        await admin.execute("DROP TABLE runs; DROP OWNED BY watcher; DROP ROLE watcher")


async def test_a_wrong_password_is_said_once_and_not_tried_again_soon(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    proxy, server = await proxied(postgres)
    database = session(postgres.dsn(password="wr0ng-w0rd", port=proxy.port))
    try:
        for _ in range(20):
            reason = await why(database)
            assert "the password is refused (28P01" in reason
            assert "tried again only every 2 min" in reason
        tried = proxy.accepted
        assert tried <= 2  # TLS, then plain: asyncpg's sslmode=prefer
        assert database.reading().state == "down"
        everything = repr((reason, database.reading(), vars(database), caplog.records, caplog.text))
        assert "wr0ng-w0rd" not in everything
    finally:
        await database.close()
        server.close()


async def all_slots(postgres: Postgres) -> list[asyncpg.Connection[Any]]:
    """Connections that leave room for none."""
    connections = []
    with contextlib.suppress(asyncpg.TooManyConnectionsError):
        while True:
            connections.append(await asyncpg.connect(postgres.dsn().reveal()))
    return connections


async def test_no_slot_left_is_said_in_words(postgres: Postgres, admin: asyncpg.Connection[Any]) -> None:
    kept = session(postgres.dsn())
    await kept.query("SELECT 1 AS value", 4)
    others = await all_slots(postgres)
    try:
        late = session(postgres.dsn())
        assert (await why(late)).startswith("no connection slot is left (53300: ")
        assert late.reading().state == "down"
        # What the connection is kept for:
        assert (await kept.query(CONNECTIONS, 4))["value"] == postgres.max_connections
        await others.pop().close()
        await until(lambda: is_answered(late))
        await late.close()
    finally:
        for connection in others:
            await connection.close()
        await kept.close()


async def test_a_role_limit_is_said_in_words(postgres: Postgres, admin: asyncpg.Connection[Any]) -> None:
    await admin.execute(f"CREATE ROLE one LOGIN CONNECTION LIMIT 1 PASSWORD '{postgres.password}'")
    first, second = session(postgres.dsn("one")), session(postgres.dsn("one"))
    try:
        await first.query("SELECT 1 AS value", 4)
        assert 'too many connections for role "one"' in await why(second)
    finally:
        await first.close()
        await second.close()
        await asyncio.sleep(0.1)
        await admin.execute("DROP ROLE one")


async def test_killed_while_idle_and_while_busy(
    database: DatabaseSession, admin: asyncpg.Connection[Any]
) -> None:
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    await database.query("SELECT 1 AS value", 4)
    await admin.execute(kill)
    await until(lambda: database.reading().state == "down")
    assert await database.query("SELECT 1 AS value", 4) == {"value": 1.0}
    busy = asyncio.create_task(why(database, "SELECT pg_sleep(2)"))
    await until(
        lambda: admin.fetchval("SELECT true FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'")
    )
    await admin.execute(kill)
    assert "ended our connection" in (reason := await busy) or "closed" in reason
    assert database.reading().state == "down"
    assert await database.query("SELECT 1 AS value", 4) == {"value": 1.0}
    assert database.reading().state == "ok"


async def test_a_server_that_dies_and_comes_back(postgres: Postgres, database: DatabaseSession) -> None:
    await database.query("SELECT 1 AS value", 4)
    await asyncio.to_thread(postgres.stop)
    try:
        reasons = [await why(database) for _ in range(2)]
        assert reasons[-1] == "connection refused"
        # Not every query tries again: between attempts the last reason is repeated.
        tried = database._attempts
        assert await why(database) == "connection refused"
        assert database._attempts == tried
    finally:
        await asyncio.to_thread(postgres.start)
    await until(lambda: is_answered(database))
    assert database.reading().state == "ok"


async def proxied(postgres: Postgres) -> tuple[Proxy, asyncio.Server]:
    proxy = Proxy(postgres.port)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await proxy.handle(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    return proxy, server


async def test_a_proxy_that_stops_forwarding(postgres: Postgres) -> None:
    proxy, server = await proxied(postgres)
    database = session(postgres.dsn(port=proxy.port))
    try:
        await database.query("SELECT 1 AS value", 4)
        proxy.flowing.clear()
        started = time.monotonic()
        hung = asyncio.create_task(why(database, deadline_s=2))
        await asyncio.sleep(0.05)
        assert await why(database, deadline_s=0.3) == "the connection is busy with another query"
        assert await hung == "the server stopped answering for 2 s: connection dropped"
        assert time.monotonic() - started < 10 * slowness()
        assert await why(database, deadline_s=0.3) == "timed out after 0.3 s connecting"
        proxy.flowing.set()
        await until(lambda: is_answered(database))
    finally:
        await database.close()
        server.close()


async def test_an_end_that_was_told_and_not_yet_seen(
    postgres: Postgres, admin: asyncpg.Connection[Any]
) -> None:
    """The server's last word is read, the closing of the connection is still on its way."""

    class Withholding(Proxy):
        async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while part := await reader.read(65536):
                writer.write(part)
                self.passed += len(part)
            await asyncio.Event().wait()

        passed = 0

    proxy = Withholding(postgres.port)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    database = session(postgres.dsn(port=server.sockets[0].getsockname()[1]))
    await database.query("SELECT 1 AS value", 4)
    connection = database._connection
    assert connection is not None
    passed = proxy.passed
    await admin.execute("SELECT pg_terminate_backend($1, 1000)", connection.get_server_pid())
    await until(lambda: proxy.passed > passed)
    await asyncio.sleep(0.05)  # from the proxy's hands into the driver's
    assert not connection.is_closed()
    assert await why(database) == "our connection was closed"
    assert await until(lambda: is_answered(database))
    await database.close()
    server.close()


async def test_closing_and_cancelling_are_prompt_while_the_server_hangs(postgres: Postgres) -> None:
    proxy, server = await proxied(postgres)
    database = session(postgres.dsn(port=proxy.port))
    await database.query("SELECT 1 AS value", 4)
    proxy.flowing.clear()
    query = asyncio.create_task(database.query("SELECT 1 AS value", 4))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    query.cancel()
    with pytest.raises(asyncio.CancelledError):
        await query
    await database.close()
    assert time.monotonic() - started < 3 * slowness()
    proxy.flowing.set()
    await database.query("SELECT 1 AS value", 4)
    proxy.flowing.clear()
    started = time.monotonic()
    await database.close()
    assert time.monotonic() - started < 3 * slowness()
    proxy.flowing.set()
    server.close()


async def test_nothing_is_said_outside_a_transaction_that_lasts(postgres: Postgres) -> None:
    """Every word to the server: settings are a transaction's, statements have no name."""
    wire = Recording(postgres.port)
    server = await asyncio.start_server(wire.handle, "127.0.0.1", 0)
    database = session(postgres.dsn(port=server.sockets[0].getsockname()[1]))
    keeping = asyncio.create_task(database.keep(0.05))
    try:
        await database.query("SELECT 1 AS value", 4)
        await database.rows("SELECT a.*, $1::text[] AS list FROM pg_stat_activity a", ["x"], deadline_s=4)
        await why(database, "SELECT 1/0")
        await asyncio.sleep(0.2)
    finally:
        keeping.cancel()
        await database.close()
        server.close()
    assert wire.startup >= {"user", "database"}
    assert wire.startup <= {"user", "database", "client_encoding"}
    told = [(kind, body) for kind, body in wire.messages if kind in b"QPBEDC"]
    assert len(told) > 20
    is_open = False
    for kind, body in told:
        words = body.decode("utf-8", "replace").lower()
        if kind == ord("Q"):
            statements = [one.strip() for one in words.strip("\0").split(";")]
            if not is_open:
                assert statements[0] in {"begin read only", "rollback -- isla-console/ana@jump1"}, statements
                is_open = statements.pop(0).startswith("begin")
            for one in statements:
                assert one.startswith(("set local ", "rollback")), one
                is_open = not one.startswith("rollback")
        elif kind == ord("P"):
            assert is_open
            assert body[0] == 0, "a prepared statement with a name outlasts the transaction"
            assert "set_config" not in words
        else:
            assert is_open, (chr(kind), body)


class Recording(Proxy):
    """A proxy that keeps what the client says, message by message."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.messages: list[tuple[int, bytes]] = []
        self.startup: set[str] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        back = asyncio.create_task(self._pump(far_reader, writer))
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                size = int.from_bytes(head := await reader.readexactly(4))
                far_writer.write(head + (body := await reader.readexactly(size - 4)))
                if body[:4] == (196608).to_bytes(4):
                    self.startup |= {one.decode() for one in body[4:].split(b"\0")[::2] if one}
                    break
            while True:
                kind = await reader.readexactly(1)
                size = int.from_bytes(head := await reader.readexactly(4))
                body = await reader.readexactly(size - 4)
                self.messages.append((kind[0], body))
                far_writer.write(kind + head + body)
        far_writer.close()
        back.cancel()


class ServerOfErrors(Exception):
    """Not one that any driver knows."""


@pytest.mark.parametrize(
    "error",
    [
        OverflowError("date value out of range"),
        asyncpg.InterfaceError("the number of query arguments cannot exceed 32767"),
        asyncpg.DataError("invalid input for query argument $1"),
        asyncpg.OutdatedSchemaCacheError("cached schema information has changed"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        TypeError("expected str, got int"),
        KeyError("x"),
        RecursionError(),
        ServerOfErrors("of our own"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_of_our_own_costs_no_connection(database: DatabaseSession, error: Exception) -> None:
    pid = await database.query("SELECT pg_backend_pid() AS value", 4)

    async def fail() -> None:
        async with database.using() as connection:
            await connection.execute(database.begin())
            raise error

    with pytest.raises(type(error)):
        await fail()
    failure = database.failure(error)
    assert (failure.kind, database.reading().state) == ("query", "ok")
    assert await database.query("SELECT pg_backend_pid() AS value", 4) == pid


async def test_an_error_of_our_own_on_a_dead_connection_is_a_lost_one(database: DatabaseSession) -> None:
    error = KeyError("x")

    async def fail() -> None:
        async with database.using() as connection:
            connection.terminate()
            raise error

    with pytest.raises(KeyError):
        await fail()
    assert database.failure(error).kind == "lost"
    assert await database.query("SELECT 1 AS value", 4) == {"value": 1.0}


async def test_an_answer_to_our_own_question_is_bounded(database: DatabaseSession) -> None:
    pid = await database.query("SELECT pg_backend_pid() AS value", 4)
    with pytest.raises(DatabaseUnavailable, match="the answer is too long"):
        await database.rows("SELECT repeat('x', 100000) FROM generate_series(1, 400)", deadline_s=10)
    [row] = await database.rows("SELECT repeat('é', 10000000) AS t, 7 AS n", deadline_s=10)
    assert (len(row["t"]), row["n"]) == (524_288, 7)
    assert await database.query("SELECT pg_backend_pid() AS value", 4) == pid


@pytest.mark.parametrize(
    ("dsn", "reason"),
    [
        ("nonsense", "ISLA_DATABASE_URL: it is no postgresql:// address"),
        ("host=db user=ana password=s3cret-w0rd", "ISLA_DATABASE_URL: it is no postgresql:// address"),
        ("mysql://ana:s3cret-w0rd@db/x", "ISLA_DATABASE_URL: it is no postgresql:// address"),
        ("postgresql://ana:s3cret-w0rd@db:99999/x", "ISLA_DATABASE_URL: it is no postgresql:// address"),
        (
            "postgresql://ana:s3cret-w0rd@127.0.0.1/x?sslmode=s3cret-w0rd",
            "ISLA_DATABASE_URL: it is no postgresql:// address that can be used",
        ),
        ("postgresql://ana:s3cret-w0rd@127.0.0.1:1/x", "connection refused"),
    ],
)
async def test_unusable_addresses(dsn: str, reason: str) -> None:
    database = session(Secret(dsn))
    assert await why(database) == reason
    assert "s3cret" not in repr(database.reading())


async def test_an_unknown_name(postgres: Postgres) -> None:
    database = session(Secret("postgresql://ana:s3cret-w0rd@nowhere.invalid/x"))
    assert "name" in await why(database)


async def test_something_else_listens_there(endpoints: Endpoints) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    for handler, deadline_s in ((web, 4.0), (silent, 0.3)):
        port = await endpoints.port(handler)
        started = time.monotonic()
        reason = await why(session(Secret(f"postgresql://a:b@127.0.0.1:{port}/x")), deadline_s=deadline_s)
        assert reason
        assert time.monotonic() - started < 15 * slowness()


async def test_refused_logins_wait_while_refused_connections_back_off(postgres: Postgres) -> None:
    database = session(postgres.dsn(password="wr0ng"), refused_retry_s=60)
    await why(database)
    tried = database._attempts
    await why(database)
    assert database._attempts == tried
    database._next_attempt = 0
    await why(database)
    assert database._attempts == tried + 1
    refused = session(Secret(f"postgresql://a:b@127.0.0.1:{free_port()}/x"))
    await why(refused)
    assert refused._attempts == 1
