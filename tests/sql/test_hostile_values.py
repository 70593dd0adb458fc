"""A hundred values that want out of their place, bound to statements on real servers: each stays data."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from isla_console.runbook.steps import Input, Step
from isla_console.session.steps import Sql
from isla_console.sql.engine import SqlEngine
from tests.sql.conftest import Server
from tests.steps.support import Answer, Bench
from tests.steps.test_hostile_inputs import MARK, VALUES

pytestmark = pytest.mark.slow

ECHO = "SELECT $1::text AS value, encode(convert_to($1::text, 'UTF8'), 'hex') AS bytes"
REFUSED = {"a\0b": "0x00", "\0": "0x00", "\ud800": "surrogates"}
"""What is no text to PostgreSQL, and a word of why."""


class EngineBench(Bench):
    """Its SQL steps reach a server, by the way that the console's own do."""

    def __init__(self, folder: Path, engine: SqlEngine) -> None:
        super().__init__(folder, {"VALUE": Input(title="A value")})
        self._sql_steps = Sql(engine)

    async def _sql(self, statement: str, params: Sequence[Any]) -> Answer:
        reply = await self._sql_steps.run(statement, params)
        return Answer(reply.columns, reply.rows, reply.row_count, reply.truncated, reply.error)


@pytest.fixture
async def canary(server: Server, admin: Any) -> AsyncIterator[None]:
    """The table that the values are after, each of them a row of it; as it was at the end."""
    await admin.execute("DROP TABLE IF EXISTS links; CREATE TABLE links (slug text PRIMARY KEY, owner text)")
    await admin.executemany("INSERT INTO links VALUES ($1, 'ana')", [(value,) for value in VALUES])
    state = (
        "SELECT (SELECT md5(string_agg(l::text, '|' ORDER BY slug)) FROM links l),"
        " (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_roles)"
    )
    before = await admin.fetchrow(state)
    yield
    assert await admin.fetchrow(state) == before
    assert not (server.data / MARK).exists()
    await admin.execute("DROP TABLE links")


@pytest.mark.usefixtures("canary")
async def test_bound_by_the_engine(engine: SqlEngine) -> None:
    assert len(VALUES) >= 100
    for value in VALUES:
        result = await engine.run(ECHO, (value,))
        assert result.rows == ((value, value.encode().hex()),), (value, result.error)
        result = await engine.run("SELECT slug, owner FROM links WHERE slug = $1", (value,))
        assert result.rows == ((value, "ana"),), (value, result.error)


@pytest.mark.usefixtures("canary")
async def test_bound_by_a_step(engine: SqlEngine, tmp_path: Path) -> None:
    bench = EngineBench(tmp_path, engine)
    echo = Step(id="echo", title="Echo", kind="sql", run=ECHO, params=("VALUE",))
    for value in VALUES:
        bench.inputs.remember("VALUE", value, "typed")
        outcome = await bench.do(echo)
        assert (outcome.ending, outcome.exit_code) == ("done", 0), (value, outcome.result)
        assert outcome.rows == ({"value": value, "bytes": value.encode().hex()},)


@pytest.mark.usefixtures("canary")
async def test_where_a_number_or_a_day_is_wanted_the_value_is_refused(engine: SqlEngine) -> None:
    connection = await _pid(engine)
    for value in VALUES:
        for wanted in ("int", "date", "timestamptz", "uuid"):
            result = await engine.run(f"SELECT $1::{wanted}", (value,))
            assert result.error is not None, value
            assert re.search("invalid|out of range", result.error.message), result.error.message
    # With every slot taken there would be no other.
    assert await _pid(engine) == connection


@pytest.mark.usefixtures("canary")
@pytest.mark.parametrize("value", REFUSED, ids=repr)
async def test_what_is_no_text_to_postgresql_is_told(engine: SqlEngine, tmp_path: Path, value: str) -> None:
    connection = await _pid(engine)
    result = await engine.run(ECHO, (value,))
    assert result.error is not None
    assert REFUSED[value] in result.error.message
    bench = EngineBench(tmp_path, engine)
    bench.inputs.remember("VALUE", value, "typed")
    outcome = await bench.do(Step(id="echo", title="Echo", kind="sql", run=ECHO, params=("VALUE",)))
    assert (outcome.ending, outcome.exit_code) == ("failed", 1)
    assert REFUSED[value] in outcome.result
    assert "internal fault" not in outcome.result
    assert "Traceback" not in outcome.output
    assert (await engine.run(ECHO, ("fine",))).rows == (("fine", b"fine".hex()),)
    assert await _pid(engine) == connection


async def _pid(engine: SqlEngine) -> int:
    result = await engine.run("SELECT pg_backend_pid()")
    assert result.ok, result.error
    return int(result.rows[0][0])
