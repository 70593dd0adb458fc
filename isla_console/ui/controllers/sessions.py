"""The sessions page: who is connected to the database, and ending a session or an application's idle ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

from isla_console.ui.controllers.base import Controller
from isla_console.ui.lines import RowKey
from isla_console.ui.messages import SessionsAsked
from isla_console.ui.sheets import sql as sheets

if TYPE_CHECKING:
    from isla_console.session.server_sessions import ServerSessions
    from isla_console.sql.health import Health
    from isla_console.sql.sessions import How, ServerSession
    from isla_console.ui.pages.sessions import SessionsPage

SESSIONS = "sessions"
"""The group of the worker that reads the sessions."""


class SessionsController(Controller):
    """Passes on what the sessions page asks for. It is the use cases' view: the page draws, sheets ask."""

    @cached_property
    def server_sessions(self) -> ServerSessions:
        """The use cases, loaded when the page first asks for something: the board does not wait for them."""
        from isla_console.session.query_log import QueryLog
        from isla_console.session.server_sessions import ServerSessions

        log = QueryLog(self.session, self.console.attempt)
        return ServerSessions(self.session, self, log)

    @property
    def _page(self) -> SessionsPage:
        return cast("SessionsPage", self.console.main.query_one("#page-sessions"))

    def take_request(self, asked: SessionsAsked) -> None:
        """Read the sessions, or end what is under the cursor."""
        if asked.act == "look":
            if self.server_sessions.is_due():
                self.console.begin(self.server_sessions.look(), group=SESSIONS)
            return
        how: How = asked.act
        match RowKey.parse(asked.key):
            case RowKey("session", pid):
                self.console.begin(self.server_sessions.end(int(pid), how))
            case RowKey("group", group) if how == "terminate":
                application, _, role = group.rpartition("/")
                self.console.begin(self.server_sessions.end_idle(application, role))
            case _:
                self.say("Put the cursor on a session, or with K on an application.")

    def show_sessions(self, found: Sequence[ServerSession]) -> None:
        """Show the newest reading of the sessions."""
        self._page.seen(found, "")

    def show_problem(self, problem: str) -> None:
        """Say on the page why the sessions cannot be read."""
        self._page.seen((), problem)

    def show_health(self, findings: Sequence[Health]) -> None:
        """Show the server's health."""
        self._page.examined(findings)

    def say(self, text: str) -> None:
        """Say on the page what came of ending a session."""
        self._page.say(text)

    async def confirm_end(self, session: ServerSession, how: How, blocked: int) -> bool:
        """Ask before a session is ended, by typing its process number."""
        return await self.console.ask(sheets.end_sheet(session, how, blocked)) is not None

    async def confirm_end_idle(self, application: str, idle: Sequence[ServerSession]) -> bool:
        """Ask before idle sessions are ended, by typing how many they are."""
        return await self.console.ask(sheets.end_group_sheet(application, idle)) is not None
