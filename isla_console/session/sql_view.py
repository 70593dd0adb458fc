"""What the SQL use cases ask of whoever shows them: to say and show things, and to ask a person."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from time import monotonic
from typing import Protocol

from isla_console.runbook.steps import Step
from isla_console.sql.engine import TIMEOUT_S
from isla_console.sql.export import Format
from isla_console.sql.result import SqlResult
from isla_console.sql.writing import PendingWrite

PLACEHOLDER = re.compile(r"\$(\d+)")
VALUES = 20
"""At most so many values are asked for."""


class SqlView(Protocol):
    """Shows a statement's way. What it asks for is None when the person leaves without an answer."""

    def say(self, text: str) -> None:
        """Say what is under way, or what came of it; "" says nothing any more."""

    def show_result(self, result: SqlResult, of: str = "") -> None:
        """Show rows, or why there are none. `of` is the statement; "" for its preview."""

    def show_pending(self, write: PendingWrite, until: datetime, of: str) -> None:
        """Show a transaction that waits for a decision, and rolls back by itself at `until`.

        `of` names what it is one of; "" where it stands alone.
        """

    def hide_pending(self) -> None:
        """No transaction waits any more."""

    def remember(self, text: str) -> None:
        """Keep a statement in the history of what was typed."""

    def refresh(self) -> None:
        """Draw the console's state: it has changed."""

    async def ask_values(self, names: Sequence[str]) -> list[str] | None:
        """The values of $1, $2 ..., as typed, in the order of `names`."""

    async def ask_days(self, name: str, first: str, last: str) -> list[date] | None:
        """The days to go over, at least one, of the input `name`.

        `first` and `last` are offered; "" offers nothing.
        """

    async def ask_export(self, folder: Path) -> Format | None:
        """As what all rows are written into `folder`."""

    async def ask_reason(self, role: str) -> str | None:
        """Why writing as `role` is needed."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement to run, and the step of the runbook that it is, if it is one."""

    text: str
    step: Step | None = None

    @property
    def timeout_s(self) -> float:
        """The server's time limit for reading it."""
        return float(self.step.timeout_s) if self.step is not None and self.step.timeout_s else TIMEOUT_S

    @property
    def names(self) -> list[str]:
        """The names of the values for $1, $2 ...: the step's, or made-up ones."""
        if self.step is not None and self.step.params:
            return list(self.step.params)
        most = max((int(number) for number in PLACEHOLDER.findall(self.text)), default=0)
        return [f"value{number}" for number in range(1, min(most, VALUES) + 1)]

    def explained(self, *, analyze: bool = False) -> Query:
        """What asks for its plan; `analyze` runs it too."""
        how = "EXPLAIN (ANALYZE, BUFFERS)" if analyze else "EXPLAIN"
        return replace(self, text=f"{how} {self.text}")


async def ask_values(view: SqlView, query: Query) -> list[str] | None:
    """The values of a statement; None when the person left. Without a placeholder nobody is asked."""
    return await view.ask_values(query.names) if query.names else []


@contextlib.asynccontextmanager
async def saying(view: SqlView, describe: Callable[[float], Awaitable[str]]) -> AsyncIterator[None]:
    """While the block runs, say each second what `describe` makes of the seconds gone by.

    Once the block is being cancelled nothing is said any more, though ending it may take a while.
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
