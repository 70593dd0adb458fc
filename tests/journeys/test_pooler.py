"""A console behind a transaction pooler that an application writes through: nobody notices it, ever."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import Launch
from tests.sql.conftest import running
from tests.support.database_outage import on_sql, run_statement
from tests.support.pooler import Pooler, Writers, pooling

pytestmark = pytest.mark.slow

AFTER = 40
"""Writes of the application after the console was left: all of the pool's connections have their turn."""


@pytest.fixture
def pooler() -> Iterator[Pooler]:
    with running("embedded") as server, pooling(server) as found:
        yield found


@contextlib.contextmanager
def writing(pooler: Pooler) -> Iterator[Writers]:
    """The application's four writers, in a thread of their own."""
    loop, writers = asyncio.new_event_loop(), Writers(pooler)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(writers.__aenter__(), loop).result(20)
    try:
        yield writers
    finally:
        asyncio.run_coroutine_threadsafe(writers.__aexit__(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_the_application_never_notices(launch: Launch, pooler: Pooler, tmp_path: Path) -> None:
    before = asyncio.run(pooler.left())
    address = pooler.url().reveal()
    with writing(pooler) as writers:
        with launch(ISLA_DATABASE_URL=address, ISLA_DATABASE_ADMIN_URL=address) as terminal:
            on_sql(terminal)
            terminal.wait_for("READ ONLY")
            terminal.resize(200, 40)  # behind the number of connections, once that is known
            terminal.wait_for("pooler", 30)
            for sql, wanted in (
                ("SELECT i, now() FROM generate_series(1, 900) i", "the first 500 of more"),
                ("SELECT 1/0", "division by zero"),
                ("SELECT pg_backend_pid(), current_setting('TimeZone')", "1 row in"),
            ):
                run_statement(terminal, sql)
                terminal.wait_for(wanted)
                terminal.send("escape")
                terminal.read(0.3)
            for key in "a1234569DPtohs":
                terminal.send(key)
                terminal.read(0.4)
            terminal.send("a")
            terminal.wait_for("By application")
            terminal.wait_for("Health")
            terminal.send("q")
            terminal.wait_for("Leave isla-console?")
            terminal.send("enter")
            assert terminal.wait() == 0
        left, wanted_writes = time.monotonic() + 60, writers.written + AFTER
        while writers.written < wanted_writes and time.monotonic() < left:
            time.sleep(0.05)
        assert writers.written >= wanted_writes
    assert writers.refused == []
    after = asyncio.run(pooler.left())
    assert {str(found) for found in after.values()} == {str(found) for found in before.values()}
    for _, held in after.values():
        assert held == []
