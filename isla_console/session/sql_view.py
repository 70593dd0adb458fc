"""What the SQL use cases need of a screen: to say and show things, and to ask a person."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from time import monotonic
from typing import Protocol

from isla_console.runbook.steps import Step
from isla_console.sql.apart import NotRead, apart
from isla_console.sql.engine import TIMEOUT_S
from isla_console.sql.export import Format
from isla_console.sql.result import SqlResult
from isla_console.sql.statements import last_placeholder
from isla_console.sql.writing import PendingWrite

VALUES = 20
"""The most values that are asked for."""


class SqlView(Protocol):
    """Shows what becomes of a statement. An answer is None when the person leaves without one."""

    def say(self, text: str) -> None:
        """Say what is under way, or what came of it; "" clears that."""

    def begin(self, query: Query) -> None:
        """Say that a statement begins, so that what is shown of another one is marked as that one's."""

    def show_result(self, result: SqlResult, query: Query) -> None:
        """Show the rows of a query, or why there are none."""

    def show_pending(self, write: PendingWrite, until: datetime, of: str) -> None:
        """Show a transaction that waits for a decision and rolls back by itself at `until`.

        `of` names the series that it belongs to; "" for a single one.
        """

    def hide_pending(self) -> None:
        """Remove the transaction: none waits any more."""

    def remember(self, text: str) -> None:
        """Keep a statement in the history."""

    def refresh(self) -> None:
        """Draw the console's state again, because it has changed."""

    async def ask_values(self, names: Sequence[str]) -> list[str] | None:
        """Ask for the values of $1, $2 ...; return them as typed, in the order of `names`."""

    async def ask_days(self, name: str, first: str, last: str) -> list[date] | None:
        """Ask for the days of the input `name`, at least one.

        `first` and `last` are proposed; "" proposes nothing.
        """

    async def ask_export(self, folder: Path) -> Format | None:
        """Ask for the format in which all rows are written into `folder`."""

    async def confirm_unproven(self, query: Query, why: str) -> bool:
        """Ask, by a typed word, whether a statement runs though the guard cannot prove that it only reads."""

    async def ask_reason(self, role: str) -> str | None:
        """Ask why writing as `role` is needed."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement to run, and the runbook's step that it comes from, if any."""

    text: str
    step: Step | None = None
    about: str = ""
    """The statement whose plan or preview this is; "" where it is asked for its own rows."""

    @property
    def asked(self) -> str:
        """The statement as a person sees it in the editor."""
        return self.about or self.text

    @property
    def timeout_s(self) -> float:
        """The server's time limit in seconds, where the statement reads."""
        return float(self.step.timeout_s) if self.step is not None and self.step.timeout_s else TIMEOUT_S

    def explained(self, *, analyze: bool = False) -> Query:
        """Return the EXPLAIN of the statement; `analyze` also runs it."""
        how = "EXPLAIN (ANALYZE, BUFFERS)" if analyze else "EXPLAIN"
        return replace(self, text=f"{how} {self.text}", about=self.text)


async def ask_values(view: SqlView, query: Query) -> list[str] | None:
    """Ask for a statement's values; None when the person left. Without placeholders nobody is asked."""
    names = await _names(query)
    return await view.ask_values(names) if names else []


async def _names(query: Query) -> list[str]:
    """Return the names of the values for $1, $2 ...: the step's inputs, or made-up names."""
    if query.step is not None and query.step.params:
        return list(query.step.params)
    if "$" not in query.text:
        return []
    try:
        most = await apart(last_placeholder, query.text)
    except NotRead:  # whoever judges the statement says so
        return []
    return [f"value{number}" for number in range(1, min(most, VALUES) + 1)]


@contextlib.asynccontextmanager
async def saying(view: SqlView, describe: Callable[[float], Awaitable[str]]) -> AsyncIterator[None]:
    """While the block runs, say every second what `describe` makes of the seconds so far.

    Nothing more is said once the block is being cancelled, though ending it may take a while.
    """
    running, started = asyncio.current_task(), monotonic()

    async def say() -> None:
        while True:
            text = await describe(monotonic() - started)
            if running is None or not running.cancelling():
                view.say(text)
            await asyncio.sleep(1)

    task = asyncio.create_task(say())
    try:
        yield
    finally:
        task.cancel()
