"""The SQL page: what it asks for is done by the session's SQL use cases and drawn by the page."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never, cast

from isla_console.runbook.values import at
from isla_console.ui.controllers.base import Controller
from isla_console.ui.messages import SqlAsked
from isla_console.ui.sheets import sql as sheets
from isla_console.ui.terminal.clipboard import copy

if TYPE_CHECKING:
    from isla_console.session.sql_flow import SqlFlow
    from isla_console.session.sql_view import Query
    from isla_console.sql.export import Format
    from isla_console.sql.result import SqlResult
    from isla_console.sql.writing import PendingWrite
    from isla_console.ui.pages.sql import SqlPage

SQL = "sql"
"""The group of workers that run statements."""
JUDGE = "judge"
"""The group of the worker that asks the guard; a newer question replaces it."""
PAUSE_S = 0.15
"""Seconds to wait for more typing before the guard is asked."""


class SqlController(Controller):
    """Passes on what the SQL page asks for. It is the flow's view: the page draws, sheets ask."""

    @cached_property
    def flow(self) -> SqlFlow:
        """The use cases, loaded when the page first asks for something: the board does not wait for them."""
        from isla_console.session.query_log import QueryLog
        from isla_console.session.sql_flow import SqlFlow

        return SqlFlow(self.session, self, QueryLog(self.session, self.console.attempt))

    @property
    def _page(self) -> SqlPage:
        return cast("SqlPage", self.console.main.query_one("#page-sql"))

    def judge_typed(self, text: str) -> None:
        """Show the guard's verdict on the statement in the editor."""
        if text and self.flow.can_judge():
            self.console.begin(partial(self._judge, text), group=JUDGE, exclusive=True)

    async def _judge(self, text: str) -> None:
        await asyncio.sleep(PAUSE_S)
        verdict = await self.flow.judge(text)
        if verdict is not None:
            self._page.judged(text, verdict)

    def take_request(self, asked: SqlAsked) -> None:
        """Do what the page asks for; one statement at a time."""
        from isla_console.session.sql_view import Query

        query = Query(asked.text, asked.step)
        match asked.act:
            case "stop":
                self.flow.stop()
            case "unlock":
                self.console.begin(self.flow.toggle_lock())
            case "commit" | "back":
                self.flow.decide(asked.act == "commit")
            case "copy":
                self.console.begin(self._copy_out(asked.text))
            case "export":
                self._begin(self.flow.export(query))
            case "watch":
                self._begin(self.flow.watch(query))
            case "explain":
                self._begin(self.flow.run(query.explained()))
            case "analyze":
                self._begin(self.flow.run(query.explained(analyze=True)))
            case "run":
                self._begin(self.flow.run(query))
            case _:
                assert_never(asked.act)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.console.begin(work, group=SQL)

    async def _copy_out(self, text: str) -> None:
        self.console.say((await copy(self.console.shell, text, self.console.settings.state_dir)).words)

    def say(self, text: str) -> None:
        """Say on the page what is under way, or what came of it."""
        self._page.say(text)

    def begin(self, query: Query) -> None:
        """Mark what the page shows of another statement as that one's."""
        self._page.begin(query)

    def show_result(self, result: SqlResult, query: Query) -> None:
        """Show rows on the page, or why there are none."""
        self._page.show_result(result, query)

    def show_pending(self, write: PendingWrite, until: datetime, of: str) -> None:
        """Show a transaction that waits for a decision."""
        self._page.show_pending(write, until, of)

    def hide_pending(self) -> None:
        """Remove the transaction: none waits any more."""
        self._page.hide_pending()

    def remember(self, text: str) -> None:
        """Keep a statement in the page's history."""
        history = self._page.history
        if history is not None:
            history.add(self.session.keep(text))

    def refresh(self) -> None:
        """Draw the state of now."""
        self.console.refresh_state()

    async def ask_values(self, names: Sequence[str]) -> list[str] | None:
        """Ask for the values of a statement."""
        runbook, now = self.session.runbook, self.session.clock.now()
        answers = await self.console.ask(sheets.parameter_sheet(runbook, names, now))
        if answers is None:
            return None
        kinds = {name: runbook.inputs[name].type if name in runbook.inputs else "text" for name in names}
        return [at(kinds[name], answers[name], now) for name in names]

    async def ask_days(self, name: str, first: str, last: str) -> list[date] | None:
        """Ask for a range of days; the sheet refuses anything else."""
        from isla_console.sql.days import days

        answers = await self.console.ask(sheets.days_sheet(self.session.runbook, name, first, last))
        return days(answers["first"], answers["last"]) if answers is not None else None

    async def ask_export(self, folder: Path) -> Format | None:
        """Ask for the format of an export."""
        answers = await self.console.ask(sheets.export_sheet(str(folder)))
        if answers is None:
            return None
        return "json" if answers["kind"] == "json" else "csv"

    async def confirm_unproven(self, query: Query, why: str) -> bool:
        """Ask by a typed word whether a statement runs that is not proven to read only."""
        return await self.console.ask(sheets.unproven_sheet(query.text, why)) is not None

    async def ask_reason(self, role: str) -> str | None:
        """Ask why writing is needed."""
        answers = await self.console.ask(sheets.unlock_sheet(role))
        return answers["reason"].strip() if answers is not None else None
