"""A session at a database, and views that record what they are told and answer what they are asked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from isla_console.clock import Clock
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.session.declare import Declaration, declare
from isla_console.session.session import Session
from isla_console.session.sql_view import Query
from isla_console.settings.resolve import Settings
from isla_console.sql.days import days
from isla_console.sql.export import Format
from isla_console.sql.health import Health
from isla_console.sql.result import SqlResult
from isla_console.sql.sessions import How, ServerSession
from isla_console.sql.writing import PendingWrite


async def session_at(
    url: str, home: Path, clock: Clock | None = None, *, runbook: Path | None = None
) -> Session:
    """A session of `ana` in an incident of her own; it may read and write at `url`. "" is no database."""
    addresses = {"ISLA_DATABASE_URL": url, "ISLA_DATABASE_ADMIN_URL": url} if url else {}
    environ = {"HOME": str(home), "ISLA_ACTOR": "ana", "ISLA_STATE_DIR": str(home / "state"), **addresses}
    if runbook is not None:
        environ["ISLA_RUNBOOK"] = str(runbook)
    session = Session(Settings.load(environ), clock or Clock())
    await session.load_runbook()
    await session.open_journal()
    session.open_database()
    state = session.state(session.clock.now())
    assert state is not None
    assert await declare(session, Declaration("Totals are wrong", "P1"), state)
    return session


def journalled(session: Session, kind: str) -> list[Event]:
    """The incident's events of a kind, oldest first."""
    assert session.incident is not None
    return [event for event in session.incident.timeline if event.kind == kind]


class SqlRecorder:
    """Keeps what a SQL flow says and shows. Answers are set before it asks; None leaves."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun: list[str] = []
        self.results: list[tuple[SqlResult, Query]] = []
        self.pending: list[tuple[PendingWrite, datetime, str]] = []
        self.waits = asyncio.Event()
        """Set while a transaction waits for a decision."""
        self.history: list[str] = []
        self.refreshed = 0
        self.offered: list[tuple[str, ...]] = []
        """What came with each question."""
        self.values: list[str] | None = None
        self.range: tuple[str, str] | None = None
        self.kind: Format | None = None
        self.reason: str | None = None
        self.proof_waived = False
        self.decide: Callable[[PendingWrite, str], None] = lambda write, of: None
        """Called with a transaction that waits."""

    @property
    def last(self) -> str:
        return next((text for text in reversed(self.said) if text), "")

    @property
    def result(self) -> SqlResult:
        return self.results[-1][0]

    def say(self, text: str) -> None:
        self.said.append(text)

    def begin(self, query: Query) -> None:
        self.begun.append(query.asked)

    def show_result(self, result: SqlResult, query: Query) -> None:
        self.results.append((result, query))

    def show_pending(self, write: PendingWrite, until: datetime, of: str) -> None:
        self.pending.append((write, until, of))
        self.waits.set()
        asyncio.get_running_loop().call_soon(self.decide, write, of)

    def hide_pending(self) -> None:
        self.waits.clear()

    def remember(self, text: str) -> None:
        self.history.append(text)

    def refresh(self) -> None:
        self.refreshed += 1

    async def ask_values(self, names: Sequence[str]) -> list[str] | None:
        self.offered.append(tuple(names))
        return self.values

    async def ask_days(self, name: str, first: str, last: str) -> list[date] | None:
        self.offered.append((name, first, last))
        return days(*self.range) if self.range is not None else None

    async def ask_export(self, folder: Path) -> Format | None:
        self.offered.append((str(folder),))
        return self.kind

    async def confirm_unproven(self, query: Query, why: str) -> bool:
        self.offered.append((query.text, why))
        return self.proof_waived

    async def ask_reason(self, role: str) -> str | None:
        self.offered.append((role,))
        return self.reason


class SessionsRecorder:
    """Keeps what is seen of the server's sessions; confirms what `confirms` says."""

    def __init__(self) -> None:
        self.sessions: Sequence[ServerSession] = ()
        self.problems: list[str] = []
        self.health: Sequence[Health] = ()
        self.said: list[str] = []
        self.confirms = True
        self.asked: list[tuple[str, int]] = []
        """What each question was about: how or which application, and how many it concerns."""

    def show_sessions(self, found: Sequence[ServerSession]) -> None:
        self.sessions = found

    def show_problem(self, problem: str) -> None:
        self.problems.append(problem)

    def show_health(self, findings: Sequence[Health]) -> None:
        self.health = findings

    def say(self, text: str) -> None:
        self.said.append(text)

    async def confirm_end(self, session: ServerSession, how: How, blocked: int) -> bool:
        self.asked.append((how, blocked))
        return self.confirms

    async def confirm_end_idle(self, application: str, idle: Sequence[ServerSession]) -> bool:
        self.asked.append((application, len(idle)))
        return self.confirms


def performing(session: Session) -> Callable[[Callable[[Incident], Sequence[Event]]], Awaitable[bool]]:
    """What lets an incident command make its events and records them, as the console does."""

    async def perform(make: Callable[[Incident], Sequence[Event]]) -> bool:
        return session.incident is not None and await session.record(make(session.incident))

    return perform
