"""Changing the database on purpose: only while unlocked, in a transaction that waits or outside one."""

from __future__ import annotations

from isla_console.session.database import database_of, panels_connection
from isla_console.session.query_log import Outcome, QueryLog
from isla_console.session.session import Session
from isla_console.session.sql_days import DayByDay
from isla_console.session.sql_transaction import Transactions
from isla_console.session.sql_view import Query, SqlView, ask_values, saying
from isla_console.sql.database import ADMIN_VARIABLE
from isla_console.sql.progress import progress
from isla_console.sql.verdict import Verdict
from isla_console.sql.writing import Writer
from isla_console.text.spans import took_text

MAINTENANCE_TIMEOUT_S = 1800.0
NOTICES = 3
"""How many of the server's notices are said at the end."""


class SqlWriting:
    """Runs statements that the guard judges to be writes or maintenance."""

    def __init__(self, session: Session, view: SqlView, log: QueryLog) -> None:
        self._session = session
        self._view = view
        self._log = log
        self._transactions = Transactions(session, view, log)
        self._days = DayByDay(session, view, self._transactions)

    async def run(self, query: Query, verdict: Verdict) -> None:
        """Run a statement if writing is unlocked, and say what came of it, or why it is not run.

        Maintenance runs outside a transaction; a step that changes a day goes day by day; anything else
        runs in a transaction that shows what it did and waits.
        """
        writer = self._unlocked_writer(verdict.kind)
        if writer is None:
            return
        if verdict.kind == "maintenance":
            await self._maintain(writer, query)
        elif query.step is not None and self._days.input_of(query.step):
            await self._days.run(writer, query, query.step)
        else:
            await self._change(writer, query)

    def _unlocked_writer(self, kind: str) -> Writer | None:
        """Return the writer; where nothing may be written, say why and return None."""
        database = database_of(self._session)
        if database.writer is None:
            self._view.say(f"It is {kind}: that needs {ADMIN_VARIABLE}, an address of a role that may write.")
            return None
        if database.unlocked(self._session.clock.now()) is None:
            self._view.say(f"It is {kind}, and writing is locked: U unlocks it for 5 minutes.")
            return None
        return database.writer

    async def _change(self, writer: Writer, query: Query) -> None:
        params = await ask_values(self._view, query)
        if params is None:
            return
        if query.step is not None and query.step.preview:
            preview = await self._transactions.preview(query, query.step, params)
            if preview.blocked:
                self._view.say(preview.blocked)
                return
        result = await self._transactions.run(writer, query, params)
        if result.error is None:
            self._view.say("Committed." if result.ok else f"{result.refused.capitalize()}.")

    async def _maintain(self, writer: Writer, query: Query) -> None:
        notices: list[str] = []

        async def how_far(seconds: float) -> str:
            panels = panels_connection(self._session)
            far = await progress(panels) if panels is not None else ""
            last = f"  {len(notices)} notices, the last: {notices[-1]}" if notices else ""
            return f"Runs outside a transaction …  {far}  X stops it{last}"

        async with saying(self._view, how_far):
            result = await writer.maintain(query.text, MAINTENANCE_TIMEOUT_S, notices.append)
        if result.error is not None:
            self._view.show_result(result, query)
        else:
            said = f" {len(notices)} notices: {'; '.join(notices[:NOTICES])}" if notices else ""
            self._view.say(f"Done in {took_text(result.duration_ms / 1000)}.{said}")
        outcome: Outcome = "error" if result.error else "ok"
        await self._log.add_statement(query.text, result, mode="write", outcome=outcome, step=query.step)
