"""The runbook's own statements are judged like typed ones before they are asked for the first time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.net.lookup import Resolver
from isla_console.resources import resource
from isla_console.runbook.load import load_runbook
from isla_console.session.session import _refusal
from tests.sql.conftest import Server

RUNBOOK = load_runbook(resource("runbook.yaml")).runbook
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture
async def panels(server: Server) -> AsyncIterator[DatabaseSession]:
    found = DatabaseSession(server.url(), "isla-console/ana@jump1", Resolver(), judge=_refusal)
    yield found
    await found.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT (4711).pg_advisory_lock IS NULL AS value",
        "SELECT x.pg_try_advisory_lock::int AS value FROM generate_series(1, 1) x",
        "SELECT length(set_config('isla.x', '1', false)) AS value",
    ],
)
async def test_what_acts_is_not_asked(panels: DatabaseSession, server: Server, admin: Any, sql: str) -> None:
    for ask in (lambda: panels.numbers(sql, 5), lambda: panels.rows(sql, deadline_s=5)):
        with pytest.raises(DatabaseUnavailable) as caught:
            await ask()
        assert caught.value.failure.ours
        assert caught.value.failure.reason.startswith("not run, the guard refuses its statement: ")
    assert await admin.fetchval(HELD) == 0
    assert (await panels.numbers("SELECT 1 AS value", 5))[0]["value"] == 1


async def test_each_is_judged_once_for_a_connection(server: Server) -> None:
    asked: list[str] = []

    async def judge(connection: object, sql: str) -> str:
        asked.append(sql)
        return ""

    panels = DatabaseSession(server.url(), "isla-console/ana@jump1", Resolver(), judge=judge)
    for _ in range(3):
        await panels.numbers("SELECT 1 AS value", 5)
    assert asked == ["SELECT 1 AS value"]
    await panels.close()
    await panels.numbers("SELECT 1 AS value", 5)
    assert len(asked) == 2
    await panels.close()


def test_there_are_statements_to_judge() -> None:
    assert [one for one in RUNBOOK.metrics if one.source.query]
    assert RUNBOOK.database_checks
