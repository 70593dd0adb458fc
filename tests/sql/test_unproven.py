"""Where the server does not show what a statement reaches, it runs only if a person says so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from tests.sql.conftest import Server


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _pass_on_without_notices(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Leave out each NoticeResponse, as a pooler may."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            if head[:1] != b"N":
                writer.write(head + body)
                await writer.drain()
    writer.close()


@pytest.fixture
async def silent(server: Server) -> AsyncIterator[SqlEngine]:
    """An engine to which the server's notices do not come."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, back = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(_pass_on(reader, back), _pass_on_without_notices(upstream, writer))

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    url = Secret(server.url(port=port).reveal() + "?sslmode=disable")
    engine = SqlEngine(pane_session(url, "isla-console/ana@jump1", "ISLA_DATABASE_URL"))
    yield engine
    await engine.close()
    proxy.close()


async def test_what_is_not_proven_runs_only_when_a_person_says_so(silent: SqlEngine) -> None:
    verdict = await silent.verdict("SELECT 1")
    assert verdict.kind == "unproven"
    assert verdict.text.startswith("not proven · the server does not show what it reaches")
    refused = await silent.run("SELECT 1 AS one")
    assert "only its text was looked at" in refused.refused
    result = await silent.run("SELECT 1 AS one", unproven=True)
    assert (result.ok, result.rows) == (True, (("1",),))


async def test_a_persons_word_lets_nothing_else_through(silent: SqlEngine) -> None:
    for sql in ("SELECT pg_terminate_backend(1)", "DELETE FROM t", "SELECT 1; SELECT 2", "VACUUM"):
        assert (await silent.run(sql, unproven=True)).refused, sql


async def test_a_typed_verdict_is_kept_until_the_catalogue_changes(server: Server, engine: SqlEngine) -> None:
    admin = await server.connect()
    await admin.execute("CREATE OR REPLACE FUNCTION kept() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'")
    first = await engine.verdict("SELECT kept()")
    assert (first.kind, first.settled) == ("read", True)
    assert await engine.verdict("SELECT kept()") is first
    await admin.execute(
        "CREATE OR REPLACE FUNCTION kept() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"
    )
    assert (await engine.verdict("SELECT kept()")).kind == "unknown"
    await admin.execute("DROP FUNCTION kept()")
    await admin.close()
