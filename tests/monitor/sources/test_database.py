"""A database that does not answer is an alarm, also at the start; our own faults are none."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import asyncpg
import pytest

from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.monitor import Transition
from isla_console.monitor.poller import Poller
from isla_console.settings.secret import Secret
from tests.database.test_session import all_slots
from tests.monitor.test_poller import make, running
from tests.support.servers import Postgres, utcnow
from tests.support.waiting import until

ANSWERS = {"id": "answers", "title": "Database answers", "query": "SELECT 1", "every_s": 0.2, "rows": "any"}


def asking(folder: Path, dsn: Secret | str, changes: list[Transition], query: str = "SELECT 1") -> Poller:
    address = dsn if isinstance(dsn, str) else dsn.reveal()
    environ = {"ISLA_DATABASE_URL": address}
    return make(folder, checks=[ANSWERS | {"query": query}], environ=environ, on_change=changes.append)


def probe(poller: Poller) -> ProbeReading:
    [found] = poller.snapshot(utcnow()).probes
    return found


async def test_a_console_that_starts_without_a_slot_raises_an_alarm(
    postgres: Postgres, tmp_path: Path
) -> None:
    others = await all_slots(postgres)
    changes: list[Transition] = []
    try:
        poller = asking(tmp_path, postgres.dsn(), changes)
        async with running(poller):
            await until(lambda: probe(poller).state == "alert")
            assert probe(poller).reason.startswith("no connection slot is left (53300: ")
            await asyncio.gather(*(one.close() for one in others))
            await until(lambda: probe(poller).state == "ok")
    finally:
        for one in others:
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
                await one.close()
    assert [change.new for change in changes if change.name == "answers"] == ["alert", "ok"]


async def test_nobody_listens(tmp_path: Path) -> None:
    poller = asking(tmp_path, "postgresql://isla@127.0.0.1:1/isla", [])
    async with running(poller):
        await until(lambda: probe(poller).state == "alert")


@pytest.mark.parametrize("query", ["SELECT NULL", "SELECT 'trouble'", "SELECT 1 WHERE false"])
async def test_whatever_the_rows_say(postgres: Postgres, tmp_path: Path, query: str) -> None:
    poller = asking(tmp_path, postgres.dsn(), [], query)
    async with running(poller):
        await until(lambda: probe(poller).state == "ok")


@pytest.mark.parametrize(
    ("path", "query", "reason"),
    [
        ("none_such", "SELECT 1", "there is no such database"),
        ("?sslmode=require", "SELECT 1", "the server has no TLS"),
        ("", "SELECT * FROM nowhere", "nowhere"),
    ],
)
async def test_our_own_fault_and_a_refused_statement_are_no_alarm(
    postgres: Postgres, tmp_path: Path, path: str, query: str, reason: str
) -> None:
    address = postgres.dsn().reveal()
    base, _, database = address.rpartition("/")
    address = (
        f"{base}/{path}"
        if path and not path.startswith("?")
        else f"{base}/{database.partition('?')[0]}{path}"
    )
    changes: list[Transition] = []
    poller = asking(tmp_path, address, changes, query)
    async with running(poller):
        await until(lambda: reason in probe(poller).reason)
        for _ in range(3):
            await poller.ask_all()
        assert (probe(poller).state, probe(poller).sample) == ("unknown", None)
    assert not [change for change in changes if change.name == "answers"]
