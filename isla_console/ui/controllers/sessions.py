"""The sessions page: who holds the database, and ending one session, or the idle ones of an application."""

from time import monotonic
from typing import TYPE_CHECKING, cast

from isla_console.database.session import DatabaseUnavailable
from isla_console.sql import health as health_of
from isla_console.sql import sessions as sessions_of
from isla_console.sql.sessions import Ended, How, ServerSession
from isla_console.ui.controllers.base import Console, Controller
from isla_console.ui.controllers.sql import SqlController
from isla_console.ui.messages import SessionsAsked
from isla_console.ui.sheets import sql as dialogs

if TYPE_CHECKING:
    from isla_console.ui.pages.sessions import SessionsPage

LOOK_S = 2.0
HEALTH_S = 20.0


class SessionsController(Controller):
    """What the sessions page asks for."""

    def __init__(self, console: Console, sql: SqlController) -> None:
        super().__init__(console)
        self._sql = sql
        self._looked = 0.0
        self._examined = 0.0
        self._looking = False

    @property
    def _sessions_page(self) -> "SessionsPage":
        return cast("SessionsPage", self.console.main.query_one("#page-sessions"))

    def take_request(self, asked: SessionsAsked) -> None:
        """Look at the sessions, or end what is under the cursor."""
        if asked.act == "look":
            if not self._looking and monotonic() - self._looked > LOOK_S:
                self.console.begin(self._look_at_sessions(), group="sessions")
            return
        kind, _, id = asked.key.partition(":")
        how: How = asked.act
        if kind == "session":
            found = self._sessions_page.session(int(id))
            if found is not None:
                self.console.begin(self._end_session(found, how))
        elif kind == "group" and how == "terminate":
            self.console.begin(self._end_group(id))
        else:
            self._sessions_page.say("Put the cursor on a session, or with K on an application.")

    async def _look_at_sessions(self) -> None:
        database, page = self._sql.watching, self._sessions_page
        if database is None:
            page.seen((), "No database: set ISLA_DATABASE_URL.")
            return
        self._looking = True
        try:
            page.seen(await sessions_of.read(database), "")
            if monotonic() - self._examined > HEALTH_S:
                page.examined(await health_of.read(database))
                self._examined = monotonic()
        except DatabaseUnavailable as unavailable:
            page.seen((), f"not seen now: {unavailable.failure.reason}")
            await self._sql.mark_symptoms(unavailable.failure.reason)
        finally:
            self._looking, self._looked = False, monotonic()

    async def _end_session(self, session: ServerSession, how: How) -> None:
        page = self._sessions_page
        if reason := session.shielded:
            page.say(f"Session {session.pid} is not ended from here: {reason}.")
            return
        branch = next(
            (one for one in sessions_of.tree(page.sessions) if one.session.pid == session.pid), None
        )
        sheet = dialogs.end_sheet(session, how, branch.blocks if branch else 0)
        if await self.console.ask(sheet) is None:
            return
        ended = await self._end(session, how)
        page.say(ended.text)
        self._looked = 0.0

    async def _end_group(self, key: str) -> None:
        page = self._sessions_page
        application, _, role = key.rpartition("/")
        idle = [
            one
            for one in page.sessions
            if (one.application, one.role, one.state) == (application, role, "idle") and not one.shielded
        ]
        if not idle:
            page.say(f"{application or '(no name)'} has no idle session that may be ended from here.")
            return
        if await self.console.ask(dialogs.end_group_sheet(application or "(no name)", idle)) is None:
            return
        done = 0
        for number, session in enumerate(idle, 1):
            ended = await self._end(session, "terminate")
            done += ended.done
            page.say(
                f"{done} of {number} ended; {len(idle) - number} to go. {'' if ended.done else ended.text}"
            )
            if "may not signal" in ended.text:
                break
        self._looked = 0.0

    async def _end(self, session: ServerSession, how: How) -> Ended:
        """End one session over the armed connection, or where there is none over the panels'."""
        writer = self._sql.database.writer
        database = writer.session if writer is not None else self._sql.watching
        if database is None:
            return Ended(False, "No database: set ISLA_DATABASE_URL.")
        started = monotonic()
        ended = await sessions_of.end(database, session, how)
        await self._sql.write_down(
            {
                "sql": f"pg_{how}_backend({session.pid}) /* {session.application[:60]}, {session.role} */",
                "mode": "write",
                "rows": int(ended.done),
                "duration_ms": round((monotonic() - started) * 1000, 1),
                "outcome": "ok" if ended.done else "error",
            }
        )
        return ended
