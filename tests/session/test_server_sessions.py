"""Looking at a real server's sessions, and ending them, without a screen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from isla_console.session.query_log import QueryLog
from isla_console.session.server_sessions import ServerSessions
from isla_console.session.session import Session
from tests.session.sql_support import SessionsRecorder, journalled, performing, session_at
from tests.sql.conftest import Server
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow

ROLE = """
DO $$BEGIN CREATE ROLE app LOGIN PASSWORD 's3cret-p@ss/word';
EXCEPTION WHEN duplicate_object THEN NULL; END$$
"""


@pytest.fixture
async def session(server: Server, admin: Any, tmp_path: Path) -> AsyncIterator[Session]:
    await admin.execute(ROLE)
    found = await session_at(server.url().reveal(), tmp_path)
    yield found
    assert found.database is not None
    await found.database.close()
    await found.close()


@pytest.fixture
async def clients(server: Server, session: Session) -> AsyncIterator[list[Any]]:
    found = [await server.connect(user="app", name="leaky") for _ in range(3)]
    yield found
    for connection in found:
        connection.terminate()


def at_work(session: Session) -> tuple[ServerSessions, SessionsRecorder]:
    view = SessionsRecorder()
    return ServerSessions(session, view, QueryLog(session, performing(session))), view


async def test_a_session_is_seen_ended_and_journalled(session: Session, clients: list[Any]) -> None:
    sessions, view = at_work(session)
    assert sessions.is_due()
    await sessions.look()
    assert not sessions.is_due(), "it was looked at just now"
    assert {finding.id for finding in view.health} >= {"connections", "cache"}
    pid = clients[0].get_server_pid()
    view.confirms = False
    await sessions.end(pid, "terminate")
    assert (view.asked, view.said) == ([("terminate", 0)], [])
    assert journalled(session, "queried") == []
    view.confirms = True
    await sessions.end(pid, "terminate")
    assert view.said == [f"Session {pid} (leaky) is ended."]
    assert sessions.is_due(), "what is left is looked at at once"
    (entry,) = journalled(session, "queried")
    assert entry.data["sql"] == f"pg_terminate_backend({pid}) /* leaky, app */"
    assert (entry.data["mode"], entry.data["rows"], entry.data["outcome"]) == ("write", 1, "ok")
    await sessions.end(pid, "terminate")
    assert view.said[-1] == f"Session {pid} is gone already."
    assert journalled(session, "queried")[-1].data["outcome"] == "error"


async def test_a_query_is_cancelled_and_its_session_stays(
    session: Session, clients: list[Any], admin: Any
) -> None:
    sessions, view = at_work(session)
    sleeping = asyncio.create_task(clients[0].execute("SELECT pg_sleep(20)"))
    pid = clients[0].get_server_pid()
    async with asyncio.timeout(PATIENCE_S):
        while await admin.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid) != "active":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await sessions.look()
    await sessions.end(pid, "cancel")
    with pytest.raises(Exception, match="canceling statement"):
        await sleeping
    assert await clients[0].fetchval("SELECT 1") == 1
    assert view.said == [f"Session {pid} (leaky) is told to stop what it runs."]


async def test_the_idle_ones_of_an_application_are_ended_one_by_one(
    session: Session, clients: list[Any], admin: Any
) -> None:
    sessions, view = at_work(session)
    async with clients[0].transaction():
        await clients[0].execute("SELECT 1")
        await sessions.look()
        await sessions.end_idle("leaky", "app")
        assert view.asked == [("leaky", 2)], "one is in a transaction"
        assert view.said == ["1 of 1 ended; 1 to go. ", "2 of 2 ended; 0 to go. "]
        assert journalled(session, "queried") == []
        (entry,) = journalled(session, "sessions_ended")
        assert (entry.data["asked"], entry.data["ended"]) == (2, 2)
        assert (entry.data["application"], entry.data["role"]) == ("leaky", "app")
        pids = {str(connection.get_server_pid()) for connection in clients[1:]}
        assert {one.split(",")[0] for one in entry.data["sessions"]} == pids
        left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leaky'"
        assert await admin.fetchval(left) == 1
    await sessions.end_idle("", "app")
    assert view.said[-1] == "(no name) has no idle session that may be ended from here."


async def test_a_console_is_never_ended_and_what_is_not_seen_is_left_alone(session: Session) -> None:
    sessions, view = at_work(session)
    await sessions.look()
    ours = next(one for one in view.sessions if one.ours)
    await sessions.end(ours.pid, "terminate")
    assert view.said == [f"Session {ours.pid} is not ended from here: it is a console's own."]
    await sessions.end(1, "terminate")
    assert (view.asked, len(view.said)) == ([], 1)


async def test_without_a_database_it_says_which_setting(tmp_path: Path) -> None:
    session = await session_at("", tmp_path)
    sessions, view = at_work(session)
    await sessions.look()
    assert view.problems == ["No database: set ISLA_DATABASE_URL."]
    await session.close()


async def test_every_slot_taken_marks_its_symptom(server: Server, admin: Any, tmp_path: Path) -> None:
    await admin.execute(f"{ROLE}; ALTER ROLE app CONNECTION LIMIT 1")
    held = await server.connect(user="app", name="leaky")
    try:
        session = await session_at(server.url(user="app").reveal(), tmp_path)
        sessions, view = at_work(session)
        await sessions.look()
        assert view.problems[0].startswith("not seen now: ")
        (seen,) = journalled(session, "symptom_seen")
        assert (seen.data["symptom"], seen.data["by"]) == ("db-too-many", "measured")
        await session.close()
    finally:
        held.terminate()
        with contextlib.suppress(Exception):
            await admin.execute("ALTER ROLE app CONNECTION LIMIT -1")
