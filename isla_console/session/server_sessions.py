"""The database server's sessions and health: reading them, and ending one session or the idle ones."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from isla_console.database.session import DatabaseUnavailable
from isla_console.session.database import database_of, panels_connection
from isla_console.session.query_log import QueryLog
from isla_console.session.session import Session
from isla_console.sql import health, sessions
from isla_console.sql.health import Health
from isla_console.sql.sessions import Ended, How, ServerSession
from isla_console.text.spans import age

LOOK_S = 2.0
"""Seconds between two readings of the sessions."""
HEALTH_S = 20.0
"""Seconds between two readings of the server's health, which costs the server more."""
NAME_LIMIT = 60
"""How many characters of an application's name the journal keeps."""


class SessionsView(Protocol):
    """Shows the server's sessions, and asks before any is ended."""

    def show_sessions(self, found: Sequence[ServerSession]) -> None:
        """Show the newest reading of the sessions."""

    def show_problem(self, problem: str) -> None:
        """Say why the sessions cannot be read now; the last reading may stay."""

    def show_health(self, findings: Sequence[Health]) -> None:
        """Show the server's health."""

    def say(self, text: str) -> None:
        """Say what came of ending a session."""

    async def confirm_end(self, session: ServerSession, how: How, blocked: int) -> bool:
        """Ask whether to end a session for which `blocked` others wait."""

    async def confirm_end_idle(self, application: str, idle: Sequence[ServerSession]) -> bool:
        """Ask whether to end all these idle sessions of an application."""


class ServerSessions:
    """What a person can do on the sessions page. Each session that is ended is journalled."""

    def __init__(self, session: Session, view: SessionsView, log: QueryLog) -> None:
        self._session = session
        self._view = view
        self._log = log
        self._found: Sequence[ServerSession] = ()
        self._looked = 0.0
        self._examined = 0.0
        self.is_looking = False
        """Whether a reading is under way."""

    def is_due(self) -> bool:
        """Return whether it is time to read the sessions again."""
        return not self.is_looking and monotonic() - self._looked > LOOK_S

    async def look(self) -> None:
        """Read the sessions, and from time to time the server's health."""
        database = panels_connection(self._session)
        if database is None:
            self._view.show_problem("No database: set ISLA_DATABASE_URL.")
            return
        self.is_looking = True
        try:
            self._found = await sessions.read(database)
            self._view.show_sessions(self._found)
            if monotonic() - self._examined > HEALTH_S:
                self._view.show_health(await health.read(database))
                self._examined = monotonic()
        except DatabaseUnavailable as unavailable:
            reason = unavailable.failure.reason
            self._view.show_problem(f"not seen now: {reason}")
            await self._log.mark_symptom(reason)
        finally:
            self.is_looking, self._looked = False, monotonic()

    async def end(self, pid: int, how: How) -> None:
        """End one session, or what it runs, once confirmed; a session that is not shown is left alone."""
        session = next((one for one in self._found if one.pid == pid), None)
        if session is None:
            return
        if reason := session.shielded:
            self._view.say(f"{session.label} is not ended from here: {reason}.")
            return
        branch = next((one for one in sessions.tree(self._found) if one.session.pid == pid), None)
        if await self._view.confirm_end(session, how, branch.blocks if branch else 0):
            ended = await self._end(session, how)
            self._view.say(ended.text)
            self._looked = 0.0

    async def end_idle(self, application: str, role: str) -> None:
        """End the idle sessions of an application and role one by one, once confirmed."""
        idle = [
            one
            for one in self._found
            if (one.application, one.role, one.state) == (application, role, "idle") and not one.shielded
        ]
        name = application or "(no name)"
        if not idle:
            self._view.say(f"{name} has no idle session that may be ended from here.")
        elif await self._view.confirm_end_idle(name, idle):
            await self._end_each(application, role, idle)
            self._looked = 0.0

    async def _end_each(self, application: str, role: str, idle: Sequence[ServerSession]) -> None:
        """End them one by one, and write one entry of them all, whatever cuts it short."""
        done: list[ServerSession] = []
        problem, started = "", monotonic()
        try:
            for number, session in enumerate(idle, 1):
                ended = await self._end_over(session, "terminate")
                if ended.done:
                    done.append(session)
                else:
                    problem = problem or ended.text
                left = len(idle) - number
                said = "" if ended.done else ended.text
                self._view.say(f"{len(done)} of {number} ended; {left} to go. {said}")
                if "may not signal" in ended.text:
                    break
        finally:
            await self._log.add_ended(
                application[:NAME_LIMIT],
                role,
                [f"{one.pid}, idle {age(one.state_s or 0)}" for one in done],
                asked=len(idle),
                problem=problem,
                duration_ms=round((monotonic() - started) * 1000, 1),
            )

    async def _end_over(self, session: ServerSession, how: How) -> Ended:
        """End one session over the writing connection, or over the panels' where there is none."""
        writer = database_of(self._session).writer
        database = writer.session if writer is not None else panels_connection(self._session)
        if database is None:
            return Ended(False, "No database: set ISLA_DATABASE_URL.")
        return await sessions.end(database, session, how)

    async def _end(self, session: ServerSession, how: How) -> Ended:
        """End one session, and journal it."""
        started = monotonic()
        ended = await self._end_over(session, how)
        await self._log.add_call(
            f"pg_{how}_backend({session.pid}) /* {session.application[:NAME_LIMIT]}, {session.role} */",
            done=ended.done,
            duration_ms=round((monotonic() - started) * 1000, 1),
        )
        return ended
