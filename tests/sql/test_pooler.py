"""Behind a real PgBouncer in transaction mode: settings, reading only, parameters, cancelling, writing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest

from isla_console.database.dsn import TRANSACTION_POOLER_PORT
from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from isla_console.sql.writing import Writer
from tests.sql.conftest import Server, running
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

SERVERS = 2
"""Server connections of the pool: fewer than clients, so that transactions move between them."""


@dataclass
class Pooler:
    """PgBouncer on the port that transaction poolers have, on a loopback address of its own."""

    server: Server
    host: str

    def url(self, user: str = "postgres") -> Secret:
        address = self.server.url(user=user, port=TRANSACTION_POOLER_PORT).reveal()
        return Secret(address.replace("127.0.0.1", self.host))

    def engine(self) -> SqlEngine:
        return SqlEngine(pane_session(self.url(), "isla-console/ana@jump1", "ISLA_DATABASE_URL"))

    async def client(self) -> Any:
        return await asyncpg.connect(self.url().reveal(), statement_cache_size=0)


def _program() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("no pgbouncer")
    return found


@pytest.fixture(scope="module")
def pooler() -> Iterator[Pooler]:
    program = _program()
    host = f"127.{os.getpid() // 65536 % 250 + 1}.{os.getpid() // 256 % 256}.{os.getpid() % 250 + 2}"
    with running("embedded") as server, tempfile.TemporaryDirectory(prefix="isla-pool-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users").write_text(f'"postgres" "{server.password}"\n')
        (folder / "pool.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = {host}\n"
            f"listen_port = {TRANSACTION_POOLER_PORT}\nunix_socket_dir =\nauth_type = scram-sha-256\n"
            f"auth_file = {folder}/users\npool_mode = transaction\ndefault_pool_size = {SERVERS}\n"
        )
        process = subprocess.Popen(
            [program, str(folder / "pool.ini")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user="nobody" if os.geteuid() == 0 else None,
            cwd="/",
        )
        try:
            _listens(host)
            yield Pooler(server, host)
        finally:
            process.terminate()
            process.wait(10)


def _listens(host: str) -> None:
    end = monotonic() + 10
    while True:
        try:
            socket.create_connection((host, TRANSACTION_POOLER_PORT), 1).close()
        except OSError:
            if monotonic() > end:
                raise
        else:
            return


@pytest.fixture
async def pane(pooler: Pooler) -> AsyncIterator[SqlEngine]:
    found = pooler.engine()
    yield found
    await found.close()


SETTINGS = """
SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
       current_setting('default_transaction_read_only'), current_setting('transaction_read_only'),
       current_setting('row_security'), current_setting('TimeZone')
"""


async def test_settings_hold_in_each_transaction_and_stay_with_nobody(
    pooler: Pooler, pane: SqlEngine
) -> None:
    others = [await pooler.client() for _ in range(3)]
    for _ in range(6):
        result = await pane.run(SETTINGS, timeout_s=7)
        assert result.error is None, result.error
        assert result.rows == (("7s", "2s", "on", "on", "off", "UTC"),)
        for other in others:
            assert (await other.fetchrow(SETTINGS))[:4] == ("0", "0", "off", "off")
    reading = pane.reading()
    assert (reading.state, reading.mode) == ("ok", "transaction pooler")
    assert (reading.settings["statement_timeout"], reading.warnings) == ("15000", ())
    for other in others:
        await other.close()


async def test_statements_move_between_servers_and_none_is_kept_in_one(
    pooler: Pooler, pane: SqlEngine
) -> None:
    """Parameters, cursors and the guard's questions work wherever a transaction lands."""
    used = set()
    busy = await pooler.client()
    for number in range(12):
        if number % 2:
            holding = busy.transaction()
            await holding.start()
            await busy.fetchval("SELECT 1")
        result = await pane.run(
            "SELECT pg_backend_pid(), $1::int * 2 FROM generate_series(1, 60)", (str(number),)
        )
        assert result.error is None, result.error
        assert result.row_count == 60
        assert result.rows[0][1] == number * 2
        used.add(result.rows[0][0])
        if number % 2:
            await holding.rollback()
    assert len(used) == SERVERS
    assert await busy.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
    await busy.close()


async def test_nothing_can_be_written_where_it_reads(pooler: Pooler, pane: SqlEngine) -> None:
    await pane.run("SELECT 1")
    async with pane.session.using() as connection:
        await connection.execute(pane.session.begin())
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("CREATE TABLE never (id int)")
        await connection.execute("ROLLBACK")
    result = await pane.run("SELECT to_regclass('never')")
    assert result.rows == ((None,),)
    refused = await pane.run("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
    assert refused.refused


async def test_a_cancel_reaches_the_server_behind_it(pooler: Pooler, pane: SqlEngine) -> None:
    await pane.run("SELECT 1")
    direct = await pooler.server.connect(name="looker")
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(14)' AND state = 'active'"
    asking = asyncio.create_task(pane.run("SELECT pg_sleep(14)"))
    async with asyncio.timeout(PATIENCE_S):
        while not await direct.fetchval(busy):
            await asyncio.sleep(0.02)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(PATIENCE_S):
        while await direct.fetchval(busy):
            await asyncio.sleep(0.02)
    assert (await pane.run("SELECT 1")).ok
    late = await pane.run("SELECT pg_sleep(14)", timeout_s=0.3)
    assert late.sqlstate == "57014"
    await direct.close()


async def test_writing_is_one_transaction_and_upkeep_is_refused(pooler: Pooler) -> None:
    direct = await pooler.server.connect(name="looker")
    await direct.execute("DROP TABLE IF EXISTS pooled; CREATE TABLE pooled (id int)")
    for commit, left in ((False, 0), (True, 3)):
        writer = Writer(pane_session(pooler.url(), "isla-console/ana@jump1", "ISLA_DATABASE_ADMIN_URL"))
        result = await writer.write(
            "INSERT INTO pooled SELECT generate_series(1, 3)",
            (),
            10,
            lambda _, writer=writer, commit=commit: writer.decide(commit),  # type: ignore[misc]
        )
        assert result.error is None, result.error
        assert await direct.fetchval("SELECT count(*) FROM pooled") == left
        maintenance = await writer.maintain("VACUUM pooled", 10, lambda _: None)
        assert maintenance.error is not None
        assert "transaction pooler" in maintenance.error.message
        await writer.session.close()
    other = await pooler.client()
    assert await other.fetchval("SHOW transaction_read_only") == "off"
    await other.close()
    await direct.close()
