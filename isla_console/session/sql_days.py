"""A change over a range of days: each day has its own preview, transaction and decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Literal

from isla_console.runbook.steps import Step
from isla_console.session.database import database_of
from isla_console.session.session import Session
from isla_console.session.sql_transaction import Transactions
from isla_console.session.sql_view import Query, SqlView
from isla_console.sql.writing import Writer


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """What became of one day. `why` says why it stopped; "" when that is shown already."""

    kind: Literal["committed", "same", "stopped"]
    why: str = ""


class DayByDay:
    """Goes through days until one is not committed, and remembers where each step is to go on."""

    def __init__(self, session: Session, view: SqlView, transactions: Transactions) -> None:
        self._session = session
        self._view = view
        self._transactions = transactions
        self._left: dict[str, tuple[str, str]] = {}
        """The first and the last day that are left, by the step's id; "" for none."""

    def input_of(self, step: Step) -> str:
        """Return the name of the single input of a step that changes a day and has a preview, or ""."""
        if not step.preview or len(step.params) != 1:
            return ""
        known = self._session.runbook.inputs.get(step.params[0])
        return step.params[0] if known is not None and known.type == "date" else ""

    async def run(self, writer: Writer, query: Query, step: Step) -> None:
        """Ask for the range and go through it; a day that would not change is skipped."""
        name = self.input_of(step)
        days = await self._view.ask_days(name, *self._left.get(step.id, ("", "")))
        if days is None:
            return
        last = str(days[-1]) if len(days) > 1 else ""
        committed = 0
        for number, day in enumerate(days, 1):
            self._left[step.id] = (str(day), last)
            of = f"{day}, {number} of {len(days)}" if len(days) > 1 else str(day)
            outcome = await self._run_day(writer, query, step, day, of)
            if outcome.kind == "stopped":
                before = f"{committed} of {len(days)} days committed. " if committed else ""
                if outcome.why:
                    self._view.say(before + outcome.why)
                return
            committed += outcome.kind == "committed"
        following = days[-1] + timedelta(days=1)
        # There is nothing to do yet for a day that has not begun.
        further = following <= self._session.clock.now().astimezone(UTC).date()
        self._left[step.id] = (str(following) if further else "", "")
        same = f"; {len(days) - committed} did not differ" if committed < len(days) else ""
        goes_on = f" x goes on at {following}." if further else " That was the last day so far."
        self._view.say(f"Committed: {committed} of {len(days)} days{same}.{goes_on}")

    async def _run_day(self, writer: Writer, query: Query, step: Step, day: date, of: str) -> DayOutcome:
        if database_of(self._session).unlocked(self._session.clock.now()) is None:
            return DayOutcome("stopped", f"Writing is locked again: U unlocks it, x goes on at {day}.")
        self._view.say(f"{day}: looks at what would change …")
        preview = await self._transactions.preview(query, step, [str(day)])
        if preview.blocked:
            return DayOutcome("stopped", f"{day}: {preview.blocked}")
        if not preview.differs:
            return DayOutcome("same")
        note = f"\n-- {self.input_of(step)} {day}"
        result = await self._transactions.run(writer, query, [str(day)], of=of, note=note)
        if result.error is not None:
            return DayOutcome("stopped")
        if not result.ok:
            return DayOutcome("stopped", f"{day}: {result.refused}. x begins with it again.")
        return DayOutcome("committed")
