"""Runs statements that read, on a connection of its own that is opened at start and kept.

It is not the panels' connection: a query of fifteen seconds must not leave the panels without figures. Both
are opened before anybody needs them, so that they exist when the server has no slot left.

A statement that the guard judges to be a read runs by the extended protocol (one statement, never more), in
`BEGIN READ ONLY`, through a cursor, and is rolled back. The guard's own question to the catalogue comes
first in the transaction, after which the server refuses `SET TRANSACTION READ WRITE`.

Bytes are bounded as rows are: a long cell is cut as it arrives, and so many rows are asked for at a time as
those before them let expect to be of a bearable size.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from isla_console.database.incoming import Limits
from isla_console.database.session import DatabaseSession, DatabaseUnavailable, SessionReading
from isla_console.net.lookup import Resolver
from isla_console.settings.resolve import Settings
from isla_console.settings.secret import Secret
from isla_console.sql import errors
from isla_console.sql.judging import KEPT, judged
from isla_console.sql.meaning import own_rows, settle
from isla_console.sql.result import ROWS, Column, SqlResult
from isla_console.sql.rows import EXPORTED, SHOWN, RowReader, Rows, open_reader
from isla_console.sql.verdict import Verdict

if TYPE_CHECKING:
    from isla_console.database.driver import TextConnection

TIMEOUT_S: Final = 15.0
"""A statement's time limit on the server, in seconds, unless its step sets one."""
GRACE_S: Final = 2.0
"""Seconds beyond the server's limit after which the connection is given up."""
KEEP_S: Final = 25.0
FIRST_ROWS: Final = 50
BATCH: Final = 2000
WAIT_S: Final = 5.0
"""Seconds for which a statement waits for the connection: the guard may be reading another one on it."""


class SqlEngine:
    """Runs statements that read, one at a time; a second one waits a moment, then says that it is busy."""

    def __init__(self, session: DatabaseSession) -> None:
        self.session = session
        self._proved: OrderedDict[str, tuple[str, Verdict]] = OrderedDict()
        """What was proved of texts that were typed, and in which state of the catalogue."""

    @classmethod
    def from_settings(cls, settings: Settings, variable: str = "ISLA_DATABASE_URL") -> SqlEngine | None:
        """Make an engine for the address in `variable`; None where it is not set."""
        dsn = settings.secret(variable)
        if dsn is None:
            return None
        return cls(pane_session(dsn, f"isla-console/{settings.actor}@{settings.host}", variable))

    async def keep(self) -> None:
        """Open the connection and keep it until cancelled."""
        await self.session.keep(KEEP_S)

    def reading(self) -> SessionReading:
        """Return the state of the connection: role, mode, TLS, settings as read back."""
        return self.session.reading()

    async def close(self) -> None:
        """Close the connection."""
        await self.session.close()

    async def verdict(self, sql: str) -> Verdict:
        """Return the guard's verdict on a statement, asking the server where possible. Never raises."""
        verdict = await judged(sql)
        if verdict.kind != "read":
            return verdict
        try:
            async with self.session.using(wait_s=0.05) as connection, asyncio.timeout(GRACE_S):
                await connection.execute(self.session.begin())
                verdict = await self._settled(verdict, connection, sql)
                await connection.execute(self.session.end())
        except Exception:
            return verdict
        return verdict

    async def _settled(self, verdict: Verdict, connection: TextConnection, sql: str) -> Verdict:
        """Return the settled verdict, kept for as long as the catalogue is as it was.

        It is asked for while somebody types, and each time it is made the server writes a tree to its log.
        """
        ((state,),) = [tuple(row.values()) for row in await own_rows(connection, "state")]
        if (kept := self._proved.get(sql)) is not None and kept[0] == str(state):
            self._proved.move_to_end(sql)
            return kept[1]
        verdict = await settle(verdict, connection, sql)
        self._proved[sql] = str(state), verdict
        while len(self._proved) > KEPT:
            self._proved.popitem(last=False)
        return verdict

    async def run(
        self,
        sql: str,
        params: Sequence[Any] = (),
        *,
        limit: int = ROWS,
        timeout_s: float = TIMEOUT_S,
        first: Callable[[SqlResult], None] | None = None,
        unproven: bool = False,
    ) -> SqlResult:
        """Run one statement that reads. Only a cancellation raises, and ends it on the server too.

        Args:
            params: Values for $1, $2 ...; texts are converted to the types that the statement wants.
            limit: How many rows to fetch; the result says whether there were more.
            timeout_s: The server's time limit, in seconds.
            first: Called with the first rows as soon as they arrive.
            unproven: Whether it also runs where the server does not show what it means.
        """
        started = monotonic()
        result = SqlResult(await judged(sql))
        try:
            async with self._reading(sql, params, timeout_s, SHOWN, unproven) as (verdict, reader):
                result = replace(result, verdict=verdict)
                if reader is None:
                    return replace(result, refused=_refusal(verdict), duration_ms=_since(started))
                result = replace(result, columns=reader.columns)
                rows = await reader.fetch(1)
                result = replace(result, first_row_ms=_since(started))
                await reader.fill(rows, min(FIRST_ROWS, limit + 1))
                if first is not None and len(rows) == FIRST_ROWS:
                    first(replace(result, rows=tuple(rows)))
                await reader.fill(rows, limit + 1)
                more = len(rows) > limit or not reader.at_end
                too_long = reader.received if more and len(rows) <= limit else 0
                rows = rows[:limit]
                result = replace(result, rows=tuple(rows), truncated=more, too_long=too_long, cut=reader.cut)
        except DatabaseUnavailable as unavailable:
            result = replace(result, error=errors.from_failure(unavailable.failure))
        except ValueError as error:
            result = replace(result, error=errors.SqlError(str(error)))
        except Exception as error:
            failure = self.session.failure(error)
            result = replace(result, rows=(), error=errors.from_exception(error, failure, sql))
        return replace(result, duration_ms=_since(started))

    async def stream(
        self,
        sql: str,
        params: Sequence[Any],
        take: Callable[[tuple[Column, ...], Rows], None],
        timeout_s: float,
        *,
        unproven: bool = False,
    ) -> SqlResult:
        """Run a statement that reads and pass on all its rows, batch by batch; the result holds none.

        `take` is called at least once, with the columns and perhaps no rows; an OSError of its own is raised.
        Only a cell of more than 16 MiB is cut.
        """
        started = monotonic()
        result = SqlResult(await judged(sql))
        refused: OSError | None = None
        try:
            async with self._reading(sql, params, timeout_s, EXPORTED, unproven) as (verdict, reader):
                result = replace(result, verdict=verdict)
                if reader is None:
                    return replace(result, refused=_refusal(verdict))
                result = replace(result, columns=reader.columns)
                is_first = True
                while is_first or not reader.at_end:
                    batch = await reader.fetch(FIRST_ROWS if is_first else BATCH)
                    is_first = False
                    try:
                        take(reader.columns, batch)
                    except OSError as error:  # a full disk is not the connection's fault: it is kept
                        refused = error
                        break
                result = replace(result, cut=reader.cut)
        except DatabaseUnavailable as unavailable:
            result = replace(result, error=errors.from_failure(unavailable.failure))
        except ValueError as error:
            result = replace(result, error=errors.SqlError(str(error)))
        except Exception as error:
            failure = self.session.failure(error)
            result = replace(result, error=errors.from_exception(error, failure, sql))
        if refused is not None:
            raise refused
        return replace(result, duration_ms=_since(started))

    @contextlib.asynccontextmanager
    async def _reading(
        self, sql: str, params: Sequence[Any], timeout_s: float, limits: Limits, unproven: bool
    ) -> AsyncIterator[tuple[Verdict, RowReader | None]]:
        """Provide the guarded transaction around one statement; without a reader the guard refuses it."""
        verdict = await judged(sql)
        if verdict.kind != "read":
            yield verdict, None
            return
        session = self.session
        async with session.using(wait_s=WAIT_S) as connection, asyncio.timeout(timeout_s + GRACE_S):
            await connection.execute(session.begin(statement_timeout=f"{max(1, round(timeout_s * 1000))}ms"))
            verdict = await settle(verdict, connection, sql)
            if verdict.kind != "read" and not (unproven and verdict.kind == "unproven"):
                await connection.execute(session.end())
                yield verdict, None
                return
            yield verdict, await open_reader(connection, sql, params, limits)
            await connection.execute(session.end())


def pane_session(dsn: Secret, name: str, variable: str) -> DatabaseSession:
    """Make a kept connection with the SQL page's time limit."""
    return DatabaseSession(dsn, name, Resolver(), statement_timeout_s=TIMEOUT_S, variable=variable)


async def refusal(connection: TextConnection, sql: str) -> str:
    """Return why a statement of the runbook's must not be asked again and again; "" when it may.

    What the server does not show goes by its text: the panels would be empty behind such a pooler.
    """
    verdict = await judged(sql)
    if verdict.kind == "read":
        verdict = await settle(verdict, connection, sql)
    return "" if verdict.kind in {"read", "unproven"} else _refusal(verdict)


def _refusal(verdict: Verdict) -> str:
    return "; ".join(verdict.reasons) or verdict.kind


def _since(started: float) -> float:
    return round((monotonic() - started) * 1000, 1)
