"""Changing the database on purpose: one statement that shows what it changed, then commit or roll back.

Everything here runs on the armed connection (ISLA_DATABASE_ADMIN_URL), which is opened at start like the
others, in transactions of its own; only maintenance has a further connection while it runs, because what is
set for it cannot be set for a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.sql import errors
from isla_console.sql.apart import apart
from isla_console.sql.classify import statement_kind, tree_of
from isla_console.sql.judging import judged
from isla_console.sql.meaning import final_acts, settle
from isla_console.sql.queries import query
from isla_console.sql.result import SqlResult
from isla_console.sql.rows import fetch_rows

if TYPE_CHECKING:
    from isla_console.database.driver import TextConnection

DECIDE_S: Final = 60.0
"""Seconds for which a transaction waits for commit or roll back before it rolls back by itself."""
SAMPLE: Final = 5
MOST_LOCKS: Final = 100
"""How often one advisory lock is freed that a statement has taken again and again."""
_CLIENT_GRACE_S: Final = 2.0
_FREE_S: Final = 1.0
_AROUND: Final = "WITH isla_changed AS ("


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A change in a transaction that is still open.

    `before` and `after` are samples of at most five rows; `before` is empty for an INSERT.
    """

    status: str
    """The server's command tag, such as `UPDATE 14`."""
    affected: int
    before: SqlResult
    after: SqlResult


class Writer:
    """Runs a write and keeps its transaction open until someone decides, at most 60 s."""

    def __init__(self, session: DatabaseSession, *, decide_s: float = DECIDE_S) -> None:
        self.session = session
        self._decide_s = decide_s
        self._decided = asyncio.Event()
        self._commit = False

    def decide(self, commit: bool) -> None:
        """Commit the open transaction, or roll it back."""
        self._commit = commit
        self._decided.set()

    async def write(
        self, sql: str, params: Sequence[Any], timeout_s: float, show: Callable[[PendingWrite], None]
    ) -> SqlResult:
        """Run one INSERT, UPDATE, DELETE or the like; `show` is called when it waits for a decision.

        The result has no rows, but their number; its time is without that of the decision. `refused` says
        "rolled back ..." when it was not committed. Only a cancellation raises, and then the transaction is
        rolled back.
        """
        started, waited_s = monotonic(), 0.0
        self._decided.clear()
        before: list[str] = []
        result = SqlResult(await judged(sql))
        try:
            async with self.session.using() as connection:
                begin = self.session.begin(
                    "READ WRITE",
                    statement_timeout=f"{round(timeout_s * 1000)}ms",
                    idle_in_transaction_session_timeout=f"{round((self._decide_s + 5) * 1000)}ms",
                )
                async with _no_lock_left(connection, begin):
                    async with asyncio.timeout(timeout_s + _CLIENT_GRACE_S):
                        change = await _change(connection, sql, params, before.append)
                    result = replace(result, affected=change.affected)
                    show(change)
                    shown = monotonic()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._decided.wait(), self._decide_s)
                    waited_s = monotonic() - shown
                commit = self._decided.is_set() and self._commit
                async with asyncio.timeout(timeout_s):
                    await connection.execute(self.session.end("COMMIT" if commit else "ROLLBACK"))
            if not commit:
                late = "" if self._decided.is_set() else f" by itself after {self._decide_s:g} s"
                result = replace(result, refused=f"rolled back{late}")
        except DatabaseUnavailable as unavailable:
            result = replace(result, error=errors.from_failure(unavailable.failure))
        except ValueError as error:
            result = replace(result, error=errors.SqlError(str(error)))
        except Exception as error:
            failure = self.session.failure(error)
            # Where the statement ran inside another one, the error's position counts from that one's start.
            shift = len("".join(before))
            result = replace(result, error=errors.from_exception(error, failure, sql, shift))
        return replace(result, duration_ms=round((monotonic() - started - waited_s) * 1000, 1))

    async def maintain(self, sql: str, timeout_s: float, warn: Callable[[str], None]) -> SqlResult:
        """Run VACUUM or its like outside a transaction; `warn` gets each notice and warning as it comes."""
        started = monotonic()
        result = SqlResult(await judged(sql))

        def listen(_: object, message: Any) -> None:
            warn(f"{message.severity}: {message.message}")

        settings = {
            "statement_timeout": f"{round(timeout_s * 1000)}",
            "lock_timeout": "2000",
            "default_transaction_read_only": "off",
        }
        try:
            connection = await self.session.connect_apart(settings)
            try:
                connection.add_log_listener(listen)
                async with asyncio.timeout(timeout_s + _CLIENT_GRACE_S):
                    # By the extended protocol, which runs one statement whatever the text says.
                    await (await connection.prepare(sql, name="")).fetch()
            finally:
                await _close(connection)
        except DatabaseUnavailable as unavailable:
            result = replace(result, error=errors.from_failure(unavailable.failure))
        except Exception as error:
            failure = self.session.failure(error)
            result = replace(result, error=errors.from_exception(error, failure, sql))
        return replace(result, duration_ms=round((monotonic() - started) * 1000, 1))


@contextlib.asynccontextmanager
async def _no_lock_left(connection: TextConnection, begin: str) -> AsyncIterator[None]:
    """Begin a transaction, and free the session's advisory locks that were taken in the block.

    No transaction's end frees them, and after it the session may be somebody else's.
    """
    async with asyncio.timeout(_CLIENT_GRACE_S):
        await connection.execute(begin)
        before = [row["held"] for row in await connection.fetch(query("advisory"), [])]
        await connection.execute("SAVEPOINT isla_locks")
    try:
        yield
    except BaseException:
        # A failed transaction answers nothing before it is taken back to where it was whole.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_FREE_S):
                await connection.execute("ROLLBACK TO isla_locks")
                await _free(connection, before)
        raise
    async with asyncio.timeout(_CLIENT_GRACE_S):
        await _free(connection, before)


async def _free(connection: TextConnection, before: Sequence[str]) -> None:
    for _ in range(MOST_LOCKS):  # a lock that was taken twice is to be freed twice
        taken = await connection.fetch(query("advisory"), list(before))
        freed = [await connection.fetchval(f"SELECT pg_catalog.{row['free']}{row['key']}") for row in taken]
        if not any(freed):
            return


async def _close(connection: TextConnection) -> None:
    with contextlib.suppress(Exception):
        await connection.close(timeout=_CLIENT_GRACE_S)
    connection.terminate()


async def _change(
    connection: TextConnection, sql: str, params: Sequence[Any], around: Callable[[str], None]
) -> PendingWrite:
    """Run the statement in the open transaction: sample, run, sample.

    `around` is told what stands before the statement where it runs inside another one.

    Raises:
        ValueError: It would do what no rollback takes back.
    """
    if final := await final_acts(connection, sql):
        raise ValueError(f"not run: {'; '.join(final)}: no rollback takes that back")
    rows_before, counted = await apart(_built, sql)
    before = await _sample(connection, rows_before, params, sql)
    around(_AROUND if counted else "")
    columns, rows, status = await fetch_rows(connection, counted or sql, params)
    if counted:
        affected = int(rows[0][0] or 0) if rows else 0
        status = f"{before.verdict.verb} {affected}"
        columns, rows = columns[1:], [row[1:] for row in rows]
    else:
        number = status.rpartition(" ")[2]
        affected = int(number) if number.isdigit() else 0
    return PendingWrite(status, affected, before, SqlResult(before.verdict, columns, tuple(rows[:SAMPLE])))


def _built(sql: str) -> tuple[str, str]:
    """Return what is built from a statement: the SELECT of the rows before, and the counting form of it."""
    tree = tree_of(sql)
    return _rows_before(tree), _counted(sql, tree)


def _counted(sql: str, tree: Any) -> str:
    """Return the same statement, made to return how many rows it changed and five of them.

    "" where that cannot be built around it.
    """
    from postgast import unwrap_node

    kind = statement_kind(tree)
    statement = unwrap_node(tree.stmts[0].stmt)
    if kind not in {"InsertStmt", "UpdateStmt", "DeleteStmt"} or statement.HasField("with_clause"):
        return ""
    relation = statement.relation
    name = (relation.alias.aliasname or relation.relname).replace('"', '""')
    returning = "" if statement.HasField("returning_clause") else f' RETURNING "{name}".*'
    # The line break ends a comment at the statement's end.
    inner = f"{sql.rstrip().removesuffix(';')}\n{returning}"
    return f"{_AROUND}{inner}) SELECT (SELECT count(*) FROM isla_changed), * FROM isla_changed LIMIT {SAMPLE}"


def _rows_before(tree: Any) -> str:
    """Return a SELECT of the rows that an UPDATE or DELETE will touch; "" where there is none."""
    import postgast
    from postgast import deparse, unwrap_node

    pg_query_pb2 = postgast.pg_query_pb2

    kind = statement_kind(tree)
    if kind not in {"UpdateStmt", "DeleteStmt"}:
        return ""
    statement = unwrap_node(tree.stmts[0].stmt)
    select = pg_query_pb2.SelectStmt()
    target = select.target_list.add().res_target
    fields = target.val.column_ref.fields
    fields.add().string.sval = statement.relation.alias.aliasname or statement.relation.relname
    fields.add().a_star.SetInParent()
    select.from_clause.add().range_var.CopyFrom(statement.relation)
    for other in statement.from_clause if kind == "UpdateStmt" else statement.using_clause:
        select.from_clause.add().CopyFrom(other)
    if statement.HasField("where_clause"):
        select.where_clause.CopyFrom(statement.where_clause)
    if statement.HasField("with_clause"):
        select.with_clause.CopyFrom(statement.with_clause)
    select.limit_option = pg_query_pb2.LIMIT_OPTION_DEFAULT
    select.op = pg_query_pb2.SETOP_NONE
    parsed = pg_query_pb2.ParseResult()
    parsed.version = tree.version
    parsed.stmts.add().stmt.select_stmt.CopyFrom(select)
    return str(deparse(parsed))


async def _sample(connection: TextConnection, sql: str, params: Sequence[Any], original: str) -> SqlResult:
    """Return up to five rows of a SELECT that is proven to read only, or none: a sample may be missing.

    What it does, if it does anything, is rolled back.
    """
    verdict = await judged(original)
    empty = SqlResult(verdict)
    if not sql or (looks := await judged(sql)).kind != "read":
        return empty
    await connection.execute("SAVEPOINT look")
    try:
        if (await settle(looks, connection, sql)).kind != "read":
            return empty
        columns, rows, _ = await fetch_rows(connection, f"{sql} LIMIT {SAMPLE}", params, exact=False)
    except Exception:
        return empty
    finally:
        await connection.execute("ROLLBACK TO look; RELEASE look")
    return SqlResult(verdict, columns, tuple(rows))
