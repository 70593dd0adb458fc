"""The server's sessions: who holds what, who blocks whom, and ending one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.sql.queries import query

How = Literal["cancel", "terminate"]
DEADLINE_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class ServerSession:
    """One client's session, as pg_stat_activity shows it, or whatever else blocks one. Ages are in seconds.

    A prepared transaction has no process: its `pid` is below zero, and `gid` is its name.
    """

    pid: int
    backend_start: datetime
    state_change: datetime | None
    role: str
    database: str
    application: str
    client: str
    state: str
    wait_type: str
    wait: str
    age_s: float
    state_s: float | None
    transaction_s: float | None
    query: str
    blocked_by: tuple[int, ...] = ()
    superuser: bool = False
    hidden: bool = False
    ours: bool = False
    may_signal: bool = False
    kind: str = "client backend"
    """What the server calls the process: `client backend`, `autovacuum worker` ...; "" where it is hidden."""
    gid: str = ""

    @property
    def label(self) -> str:
        """What it is called in a sentence."""
        return f"Prepared transaction {self.gid}" if self.gid else f"Session {self.pid}"

    @property
    def is_client(self) -> bool:
        """Whether a client is connected by it: neither a process of the server nor a prepared transaction."""
        return self.kind in {"client backend", ""}

    @property
    def cure(self) -> str:
        """The statement that ends a prepared transaction, in the database that it is of; "" for a session."""
        if not self.gid:
            return ""
        name = self.gid.replace("'", "''")
        return f"ROLLBACK PREPARED '{name}'"

    @property
    def waits(self) -> str:
        """What it waits for, in words; "" while it runs."""
        return f"{self.wait_type}: {self.wait}" if self.wait_type and self.state != "idle" else ""

    @property
    def shielded(self) -> str:
        """Why the console never ends it; "" when it may."""
        if self.gid:
            return f"no session holds it: in {self.database}, its owner or a superuser runs {self.cure}"
        if not self.is_client:
            return f"it is a process of the server ({self.kind}), which ends or starts again by itself"
        if self.ours:
            return "it is a console's own"
        if self.superuser:
            return "it is a superuser's: ask whoever runs the server"
        return ""


@dataclass(frozen=True, slots=True)
class Group:
    """The sessions of one application and role."""

    application: str
    role: str
    sessions: int
    idle: int
    in_transaction: int
    longest_idle_s: float


@dataclass(frozen=True, slots=True)
class Branch:
    """A session in the blocking tree: `depth` 0 is a root, which blocks others and waits for nobody."""

    session: ServerSession
    depth: int
    blocks: int
    """How many wait for it, directly or behind others."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of an attempt to end something."""

    done: bool
    text: str


async def read(database: DatabaseSession) -> tuple[ServerSession, ...]:
    """Return all client sessions, and what else one of them waits for.

    Raises:
        DatabaseUnavailable: They cannot be seen; it says why.
    """
    rows = await database.rows(query("sessions"), deadline_s=DEADLINE_S)
    return tuple(_session(row) for row in rows)


async def end(database: DatabaseSession, session: ServerSession, how: How) -> Ended:
    """Cancel what a session runs, or terminate it, if it is still the same session. Never raises.

    A session that was idle must still be idle: it may have begun to work since it was shown.
    """
    if reason := session.shielded:
        return Ended(False, f"Not touched: {reason}.")
    since = session.state_change if session.state == "idle" else None
    arguments = (session.pid, session.backend_start, since)
    try:
        rows = await database.rows(query(how), *arguments, deadline_s=DEADLINE_S)
        if rows and rows[0]["done"]:
            word = "ended" if how == "terminate" else "told to stop what it runs"
            return Ended(True, f"Session {session.pid} ({session.application or 'no name'}) is {word}.")
        found = await database.rows(query("whereabouts"), *arguments, deadline_s=DEADLINE_S)
    except DatabaseUnavailable as unavailable:
        return Ended(False, _why(unavailable, database))
    return Ended(False, _fate(session, found))


def groups(sessions: Sequence[ServerSession]) -> tuple[Group, ...]:
    """Return the clients' sessions grouped by application and role, the largest group first."""
    found: dict[tuple[str, str], list[ServerSession]] = {}
    for session in filter(lambda one: one.is_client, sessions):
        found.setdefault((session.application, session.role), []).append(session)
    made = [
        Group(
            application,
            role,
            len(members),
            sum(one.state == "idle" for one in members),
            sum(one.state.startswith("idle in transaction") for one in members),
            max((one.state_s or 0.0 for one in members if one.state == "idle"), default=0.0),
        )
        for (application, role), members in found.items()
    ]
    return tuple(sorted(made, key=lambda group: (-group.sessions, group.application, group.role)))


def tree(sessions: Sequence[ServerSession]) -> tuple[Branch, ...]:
    """Return who blocks whom, roots first, each followed by those that wait for it; empty when nobody waits.

    A session that waits for several others is under the first. A circle (a deadlock before the server breaks
    it) is entered at its oldest transaction.
    """
    known = {session.pid: session for session in sessions}
    waiting: dict[int, list[int]] = {}
    for session in sessions:
        for blocker in session.blocked_by:
            if blocker in known:
                waiting.setdefault(blocker, []).append(session.pid)
    blocked = {pid for pids in waiting.values() for pid in pids}
    order = [session.pid for session in sessions if session.pid in waiting and session.pid not in blocked]
    order += [session.pid for session in sessions if session.pid in waiting and session.pid in blocked]
    branches: list[Branch] = []
    placed: set[int] = set()

    def behind(pid: int, seen: set[int]) -> set[int]:
        for other in waiting.get(pid, ()):
            if other not in seen:
                seen.add(other)
                behind(other, seen)
        return seen

    def place(pid: int, depth: int) -> None:
        if pid in placed:
            return
        placed.add(pid)
        branches.append(Branch(known[pid], depth, len(behind(pid, set()) - {pid})))
        for other in waiting.get(pid, ()):
            place(other, depth + 1)

    for pid in order:
        place(pid, 0)
    return tuple(branches)


def _session(row: Mapping[str, Any]) -> ServerSession:
    return ServerSession(**{**row, "blocked_by": tuple(row["blocked_by"] or ()), "role": row["role"] or "",
                      "database": row["database"] or ""})  # fmt: skip


def _why(unavailable: DatabaseUnavailable, database: DatabaseSession) -> str:
    text = unavailable.failure.reason
    if "42501" in text:
        role = database.reading().role
        return (
            f"Not ended: {role} may not signal it. GRANT pg_signal_backend TO {role}, or set "
            f"ISLA_DATABASE_ADMIN_URL to a role that has it. ({text})"
        )
    return f"Not ended: {text}"


def _fate(session: ServerSession, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return f"Session {session.pid} is gone already."
    row = rows[0]
    if not row["same_session"]:
        return f"Not ended: process {session.pid} is another session now; the one you saw is gone."
    if row["ours"] or row["superuser"]:
        return "Not ended: it is a superuser's or a console's own session."
    if session.state == "idle" and not row["same_state"]:
        return f"Not ended: it is idle no more ({row['state']}); look at it again."
    if not row["client"]:
        return "Not ended: it is a process of the server, not a client's session."
    return "Not ended within 2 s: it does not react. It may be in a system call; look again."
