"""The sessions page: live, with the blocking tree and groups, and a way to end a session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from isla_console.session.state import ConsoleState
from isla_console.sql.health import Health
from isla_console.sql.sessions import ServerSession
from isla_console.text.spans import age
from isla_console.text.times import clock_text
from isla_console.ui.lines import RowKey
from isla_console.ui.messages import SessionsAct, SessionsAsked
from isla_console.ui.page_keys import hint, page_bindings
from isla_console.ui.pages.base import PageWidget
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.theme import STYLES
from isla_console.ui.views import sessions as views
from isla_console.ui.views.sql import connection_line
from isla_console.ui.widgets.rows import RowList
from isla_console.ui.widgets.text_block import TextBlock


class SessionsPage(PageWidget):
    """Asks for a new reading of the sessions with every state, once a second while it is open."""

    page = "sessions"
    BINDINGS = [*page_bindings("sessions"), Binding("escape", "leave", show=False)]

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.sessions: Sequence[ServerSession] = ()
        self._health: Sequence[Health] = ()
        self._problem = "asking …"
        self._seen_at: datetime | None = None
        """When the sessions that are shown were read."""
        self._said = ""
        self._state: ConsoleState | None = None

    def compose(self) -> ComposeResult:
        yield TextBlock(id="sessions-head")
        box = Input(id="sessions-find", placeholder="only sessions with …", compact=True)
        box.cursor_blink = False
        yield box
        yield RowList(id="sessions-rows")
        yield TextBlock(id="sessions-foot")

    def on_mount(self) -> None:
        self.border_title = "Sessions"
        self.border_subtitle = f"{hint('sessions')}  enter in full  · never ended from here"

    def place_focus(self) -> Widget:
        return self.query_one("#sessions-rows")

    @property
    def key(self) -> str:
        return self.query_one("#sessions-rows", RowList).key

    def show(self, state: ConsoleState) -> None:
        self._state = state
        self.post_message(SessionsAsked("look"))
        self._draw()

    def seen(self, sessions: Sequence[ServerSession], problem: str) -> None:
        """Show the newest reading; on a problem the last sessions stay, and the problem is said."""
        if not problem:
            self.sessions = sessions
            self._seen_at = self._state.now if self._state is not None else None
        self._problem = problem
        self._draw()

    def examined(self, health: Sequence[Health]) -> None:
        """Show the server's health."""
        self._health = health
        self._draw()

    def say(self, text: str) -> None:
        """Say what came of ending a session, below the rows."""
        self._said = text
        self._draw()

    def session(self, pid: int) -> ServerSession | None:
        """Return the session of a process, if it is shown."""
        return next((one for one in self.sessions if one.pid == pid), None)

    def _draw(self) -> None:
        if self._state is None:
            return
        rows = self.query_one("#sessions-rows", RowList)
        wanted = self.query_one(Input).value
        first = views.summary(self.sessions)
        if self._problem:
            at = self._seen_at
            stood = "" if at is None else f" · below: as they were at {_clock(at, self._state)}"
            first = Content.styled(self._problem + stood, STYLES["elevated"])
        self.query_one("#sessions-head", TextBlock).show_lines([connection_line(self._state), first])
        rows.show_rows(views.session_rows(self.sessions, self._health, wanted, rows.row_width))
        self.query_one("#sessions-foot", TextBlock).show_lines([Content(self._said)] if self._said else [])

    def action_ask(self, act: SessionsAct) -> None:
        self.post_message(SessionsAsked(act, self.key))

    def action_find(self) -> None:
        box = self.query_one(Input)
        box.add_class("-open")
        self.screen.set_focus(box)

    def action_leave(self) -> None:
        box = self.query_one(Input)
        if not box.value:
            box.remove_class("-open")
        self.screen.set_focus(self.place_focus())

    @on(Input.Changed)
    def _found(self) -> None:
        self._draw()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_leave()

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        match RowKey.parse(event.key):
            case RowKey("session", pid) if (found := self.session(int(pid))) is not None:
                self.app.push_screen(DetailScreen(found.label, views.session_lines(found)))
            case RowKey("group", group):
                box = self.query_one(Input)
                box.value = group.rpartition("/")[0]
                box.add_class("-open")


def _clock(at: datetime, state: ConsoleState) -> str:
    return f"{clock_text(at, state.now, seconds=True)}, {age(state.now - at)} ago"
