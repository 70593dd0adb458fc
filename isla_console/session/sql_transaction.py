"""A change that is shown before it is committed: what it would do, what it did, and the decision."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from isla_console.runbook.steps import Step
from isla_console.session.database import database_of
from isla_console.session.query_log import Outcome, QueryLog
from isla_console.session.session import Session
from isla_console.session.sql_view import Query, SqlView
from isla_console.sql.result import SqlResult
from isla_console.sql.verdict import Verdict
from isla_console.sql.writing import DECIDE_S, PendingWrite, Writer

TIMEOUT_S = 120.0
"""The server's time limit for a change in seconds, without the wait for a decision."""
PREVIEW_TIMEOUT_S = 60.0
"""The time limit in seconds for a preview whose step has none."""
SHRINKS = "would_shrink"
"""The column of a preview that counts totals which would get smaller."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change's read-only twin found."""

    blocked: str = ""
    """Why the change must not run; "" when it may."""
    differs: bool = True
    """Whether the change would have an effect, as far as the twin shows."""


class Transactions:
    """Previews a change, and runs it in a transaction that waits for a decision."""

    def __init__(self, session: Session, view: SqlView, log: QueryLog) -> None:
        self._session = session
        self._view = view
        self._log = log

    async def preview(self, query: Query, step: Step, params: Sequence[str]) -> Preview:
        """Run a change's read-only twin and show what it finds; without a twin the preview is empty.

        `query` is the change, `step` the runbook's step that it comes from.
        """
        twin = next((one for one in self._session.runbook.all_steps() if one.id == step.preview), None)
        engine = database_of(self._session).engine
        if twin is None or twin.kind != "sql" or not twin.run or engine is None:
            return Preview()
        # One day is both ends of the twin's range.
        values = list(params) if len(twin.params) == len(params) else list(params) * len(twin.params)
        timeout_s = float(twin.timeout_s or PREVIEW_TIMEOUT_S)
        found = await engine.run(twin.run, values[: len(twin.params)], timeout_s=timeout_s)
        if not found.ok:
            why = found.refused or (found.error.message if found.error else "")
            return Preview(f"Its preview could not be run, so neither is it: {why}")
        self._view.show_result(found, Query(twin.run, twin, about=query.asked))
        return _judged(found)

    async def run(
        self, writer: Writer, query: Query, params: Sequence[str], *, of: str = "", note: str = ""
    ) -> SqlResult:
        """Run a change, show what it did, wait for the decision and journal the result.

        `of` names it on the screen, `note` is added to the statement in the journal. An error is shown; any
        other result is for the caller to say. One that is cancelled was rolled back, and is journalled so.
        """
        self._view.say(f"{of}: runs in a transaction …" if of else "Runs in a transaction …")

        shown: list[PendingWrite] = []

        def show(pending: PendingWrite) -> None:
            shown.append(pending)
            self._session.uncommitted = f"{pending.status} {of}".strip()
            until = self._session.clock.now() + timedelta(seconds=DECIDE_S)
            self._view.show_pending(pending, until, of)

        with self._session.writing():
            try:
                result = await writer.write(query.text, params, TIMEOUT_S, show)
            except asyncio.CancelledError:
                undone = SqlResult(Verdict("write", ""), affected=shown[0].affected if shown else 0)
                await self._log.add_statement(
                    query.text + note, undone, mode="write", outcome="rolled_back", step=query.step
                )
                raise
        self._view.hide_pending()
        self._view.say("")
        if result.error is not None:
            self._view.show_result(result, query)
        outcome: Outcome = "error" if result.error else "committed" if result.ok else "rolled_back"
        await self._log.add_statement(
            query.text + note, result, mode="write", outcome=outcome, step=query.step
        )
        return result


def _judged(found: SqlResult) -> Preview:
    if any((row.get(SHRINKS) or 0) > 0 for row in found.records()):
        return Preview("Blocked: totals would get smaller. The raw rows were pruned or lost.")
    # Without that column the twin only shows what is there, so that an empty result means nothing.
    compares = any(column.name == SHRINKS for column in found.columns)
    return Preview(differs=bool(found.rows) or not compares)
