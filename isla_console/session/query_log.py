"""What was done to the database, in the incident's timeline: each statement, and the symptoms it showed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from isla_console.incident import commands
from isla_console.incident.record.events import Event, EventError, event
from isla_console.incident.record.state import Incident
from isla_console.runbook.steps import Step
from isla_console.session.session import Session
from isla_console.sql.result import SqlResult
from isla_console.text.redact import redact_statement

Mode = Literal["read", "write"]
Outcome = Literal["ok", "error", "committed", "rolled_back"]
Perform = Callable[[Callable[[Incident], Sequence[Event]]], Awaitable[bool]]
"""Lets an incident command make its events and records them; gives True once they are on disk."""

STATEMENT_LIMIT = 4000
"""How many characters of a statement the journal keeps."""
LISTED = 300
"""How many of the sessions that were ended together an entry lists."""
VALUE_LIMIT = 200
"""How many characters of an error a symptom keeps."""


class QueryLog:
    """Writes statements, notes and measured symptoms into the session's incident, if there is one."""

    def __init__(self, session: Session, perform: Perform) -> None:
        """Record by `perform`, which lets an incident command make its events and says what was refused."""
        self._session = session
        self._perform = perform

    async def add_statement(
        self, text: str, result: SqlResult, *, mode: Mode, outcome: Outcome, step: Step | None
    ) -> None:
        """Write a statement with its result, and mark the symptom that its error is a sign of.

        Passwords in `text` are made unreadable. `step` is the runbook's step that was run, if any.
        """
        if result.error is not None:
            await self.mark_symptom(result.error.message)
        data: dict[str, Any] = {
            "sql": redact_statement(text)[:STATEMENT_LIMIT],
            "mode": mode,
            "rows": result.row_count if result.affected is None else result.affected,
            "duration_ms": result.duration_ms,
            "outcome": outcome,
        }
        await self._add(data if step is None else {"step": step.id, **data})

    async def add_call(self, text: str, *, done: bool, duration_ms: float) -> None:
        """Write a call that ends something on the server, and whether it succeeded."""
        await self._add(
            {
                "sql": text,
                "mode": "write",
                "rows": int(done),
                "duration_ms": duration_ms,
                "outcome": "ok" if done else "error",
            }
        )

    async def add_ended(
        self,
        application: str,
        role: str,
        ended: Sequence[str],
        *,
        asked: int,
        problem: str,
        duration_ms: float,
    ) -> None:
        """Write one entry of all the idle sessions that were ended together, the first hundreds by name."""
        listed = [*ended[:LISTED], *([f"and {len(ended) - LISTED} more"] if len(ended) > LISTED else [])]
        await self._add(
            {
                "application": application,
                "role": role,
                "asked": asked,
                "ended": len(ended),
                "sessions": listed,
                "problem": problem[:VALUE_LIMIT] or None,
                "duration_ms": duration_ms,
            },
            kind="sessions_ended",
        )

    async def add_note(self, text: str) -> None:
        """Write a note into the timeline."""
        if self._session.incident is not None:
            await self._perform(lambda incident: commands.note(incident, text, **self._session.stamp()))

    async def mark_symptom(self, error: str) -> None:
        """Mark the first unmarked symptom of which, by a step of the runbook, `error` is a sign."""
        incident = self._session.incident
        symptom = self._symptom_of(error, incident) if incident is not None else ""
        if symptom:
            await self._perform(
                lambda found: commands.see_symptom(
                    found, symptom, **self._session.stamp(), by="measured", value=error[:VALUE_LIMIT]
                )
            )

    def _symptom_of(self, error: str, incident: Incident) -> str:
        for step in self._session.runbook.all_steps():
            if step.kind != "sql":
                continue
            for sign in step.seen:
                if sign.symptom not in incident.symptoms and re.search(sign.pattern, error):
                    return sign.symptom
        return ""

    async def _add(self, data: dict[str, Any], *, kind: str = "queried") -> None:
        if self._session.incident is None:
            return

        def written(incident: Incident) -> list[Event]:
            return [event(kind, data, incident=incident.id, **self._session.stamp())]

        try:
            await self._perform(written)
        except EventError as error:
            self._session.complain(error)
