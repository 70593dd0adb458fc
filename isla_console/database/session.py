"""A diagnostic connection to PostgreSQL: opened at start, kept, and never hammering.

It is kept because nobody gets a new one while "too many connections" is the problem. It only reads:
every statement runs in a READ ONLY transaction that is rolled back, with a timeout on the server and
a deadline here.

The server's connection may not be ours alone: a pooler on any port may hand it to an application after each
transaction. So nothing is ever set but inside a transaction, for that transaction, and no statement has a
name. Even our own name is: a comment at the transaction's end says who left the connection idle. What was set
is read back, because a pooler may not have applied it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ipaddress
import random
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from isla_console.database import dsn as addresses
from isla_console.database.failures import (
    PgFailure,
    connect_failure,
    query_failure,
)
from isla_console.database.values import as_number
from isla_console.net.lookup import LookupFailed, Resolver
from isla_console.settings.secret import Secret
from isla_console.text.spans import span_text

if TYPE_CHECKING:
    from isla_console.database.driver import TextConnection

CONNECT_TIMEOUT_S: Final = 5.0
STATEMENT_TIMEOUT_S: Final = 3.0
BUSY_WAIT_S: Final = 1.0
"""How long a query waits for another one on the same connection before it gives up."""
BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between attempts to connect, with jitter; the last pause repeats for ever."""
REFUSED_RETRY_S: Final = 120.0
"""Seconds to wait after a refused login.

Poolers block a whole network after ten refusals in 150 s, and all consoles behind one address count.
"""
_CLOSE_S: Final = 0.3

_SETTINGS: Final[tuple[tuple[str, str, str], ...]] = (
    # name, as SET takes it, as pg_settings shows it (milliseconds)
    ("lock_timeout", "2s", "2000"),
    ("idle_in_transaction_session_timeout", "30s", "30000"),
    ("row_security", "off", "off"),  # an error instead of silently fewer rows
    ("standard_conforming_strings", "on", "on"),  # otherwise the server reads strings unlike the guard
    ("TimeZone", "UTC", "UTC"),
    # How values are written: as every server does unless told otherwise, so that they can be read back.
    ("DateStyle", "ISO", "ISO"),
    ("IntervalStyle", "postgres", "postgres"),
    ("extra_float_digits", "1", "1"),
    ("bytea_output", "hex", "hex"),
)
_NAME: Final = re.compile(r"[^A-Za-z0-9@._/:+-]")
_SHOWN: Final = "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY($1::text[])"
_WHO: Final = """
SELECT pg_backend_pid() AS process, current_user::text AS role, current_database()::text AS database,
       current_setting('server_version') AS version,
       pg_has_role(current_user, 'pg_monitor', 'member') AS sees_sessions,
       (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user) AS sees_rows
"""


class DatabaseUnavailable(Exception):
    """The database gave no answer. `failure` says why, redacted."""

    def __init__(self, failure: PgFailure) -> None:
        self.failure = failure
        super().__init__(failure.reason)


@dataclass(frozen=True, slots=True)
class SessionReading:
    """The state of the connection, ready to draw."""

    state: Literal["ok", "down", "unknown"]
    reason: str = ""
    role: str = ""
    database: str = ""
    version: str = ""
    mode: str = ""
    """`direct` or `pooler`, as the server's answers tell; "" when not connected."""
    tls: str = ""
    """How this connection is protected, as found, not as asked for."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Session settings by name, as read back from the server."""
    warnings: tuple[str, ...] = ()
    """Why its answers may be incomplete, such as a role that cannot see everything."""


Judge = Callable[["TextConnection", str], Awaitable[str]]
"""Says why a statement must not run, asked in a read-only transaction on the connection; "" if it may."""


Numbers = Mapping[str, float | None]
"""A row's numbers by column name; None for what is no number."""


class DatabaseSession:
    """Keeps one connection open and runs one statement at a time on it."""

    def __init__(
        self,
        dsn: Secret,
        application_name: str,
        resolver: Resolver,
        *,
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
        variable: str = "ISLA_DATABASE_URL",
        refused_retry_s: float = REFUSED_RETRY_S,
        judge: Judge | None = None,
        jitter: Callable[[], float] = lambda: random.uniform(1.0, 1.25),
    ) -> None:
        """Connect to nothing yet.

        Args:
            dsn: The address.
            application_name: How the server lists the connection while it works, and what its last statement
                says while it is idle.
            resolver: Looks up the host name.
            statement_timeout_s: The server's limit for a statement, in seconds.
            variable: The variable that the address came from, for messages.
            refused_retry_s: Seconds to wait after a refused login.
            judge: Judges each statement of `numbers` and `rows` before it runs for the first time on a
                connection; what it refuses is a fault of our own.
            jitter: Gives the factor by which a pause is stretched.
        """
        self._dsn = dsn
        self._address = addresses.parse(dsn)
        self._name = _NAME.sub("_", application_name)[:63]
        self._resolver = resolver
        self._variable = variable
        limit = statement_timeout_s
        self._settings = (("statement_timeout", f"{limit:g}s", f"{limit * 1000:.0f}"), *_SETTINGS)
        self._refused_retry_s = refused_retry_s
        self._jitter = jitter
        self._judge = judge
        self._admitted: set[str] = set()
        """The statements that the judge has let through on this connection."""
        self._connection: TextConnection | None = None
        self._lock = asyncio.Lock()
        self._attempts = 0
        self._next_attempt = 0.0
        self._failure: PgFailure | None = None
        self._reading = SessionReading("unknown", "not connected yet")
        self._is_direct = False
        self._lost = asyncio.Event()
        self._judged: tuple[BaseException | None, PgFailure | None] = (None, None)

    def reading(self) -> SessionReading:
        """Return the state of the connection."""
        return self._reading

    async def query(self, sql: str, deadline_s: float) -> dict[str, float]:
        """Ask for one row and return its numbers by column name, in the row's order.

        Raises:
            DatabaseUnavailable: There is no answer. Nothing else is raised.
        """
        row = next(iter(await self.numbers(sql, deadline_s)), {})
        return {name: value for name, value in row.items() if value is not None}

    async def numbers(self, sql: str, deadline_s: float) -> list[Numbers]:
        """Ask for numbers and return those of each row, by column name and in the row's order.

        Args:
            sql: One statement; it runs in a READ ONLY transaction that is rolled back.
            deadline_s: Seconds for everything, connecting included. When they have passed the connection
                is dropped: the server's own statement timeout should have come first.

        Raises:
            DatabaseUnavailable: There is no answer. Nothing else is raised.
        """
        await self._take(min(BUSY_WAIT_S, deadline_s))
        try:
            connection = await self._connected(deadline_s)
            return await self._ask(connection, sql, deadline_s)
        finally:
            self._lock.release()

    async def rows(self, sql: str, *arguments: object, deadline_s: float) -> list[Mapping[str, Any]]:
        """Return all rows of a statement, run in a READ ONLY transaction that is rolled back.

        Raises:
            DatabaseUnavailable: There is no answer. Nothing else is raised.
        """
        try:
            async with self.using(deadline_s) as connection, asyncio.timeout(deadline_s):
                await connection.execute(self.begin())
                refused = await self._refusal(connection, sql)
                rows = await connection.fetch(sql, *arguments) if not refused else []
                await connection.execute(self.end())
        except DatabaseUnavailable:
            raise
        except Exception as error:
            raise DatabaseUnavailable(self.failure(error)) from None
        if refused:
            raise DatabaseUnavailable(_not_run(refused))
        return rows

    async def _refusal(self, connection: TextConnection, sql: str) -> str:
        """Return why a statement must not run; "" when it may, which is asked once for each connection."""
        if self._judge is None or sql in self._admitted:
            return ""
        reason = await self._judge(connection, sql)
        if not reason:
            self._admitted.add(sql)
        return reason

    @contextlib.asynccontextmanager
    async def using(
        self, connect_s: float = CONNECT_TIMEOUT_S, wait_s: float = BUSY_WAIT_S
    ) -> AsyncIterator[TextConnection]:
        """Provide the connection to one user alone until the block ends.

        An error in the block passes through, after the transaction is rolled back; where that is not
        possible at once, the connection is dropped. Whether it is lost, the server says, not the error.

        Raises:
            DatabaseUnavailable: There is no connection, or another user has it.
        """
        await self._take(wait_s)
        try:
            connection = await self._connected(connect_s)
            try:
                yield connection
            except asyncio.CancelledError:
                if not await self._rolled_back(connection):
                    self._drop(connection)
                    self._down(PgFailure("lost", "no answer: the connection is given up", False))
                raise
            except Exception as error:
                self._judged = error, await self._settle(connection, error)
                raise
        finally:
            self._lock.release()

    def begin(self, mode: str = "READ ONLY", **more: str) -> str:
        """Return the SQL that begins a transaction with the settings for it; `more` adds to them."""
        wanted = {name: value for name, value, _ in self._settings} | more | {"application_name": self._name}
        return "; ".join(
            (f"BEGIN {mode}", *(f"SET LOCAL {name} = '{value}'" for name, value in wanted.items()))
        )

    def end(self, how: Literal["ROLLBACK", "COMMIT"] = "ROLLBACK") -> str:
        """Return the SQL that ends a transaction.

        Where the connection is ours alone, it tells whoever looks at it while it is idle whose it is.
        """
        return f"{how} -- {self._name}" if self._is_direct else how

    def failure(self, error: BaseException) -> PgFailure:
        """Return what an error of this connection means, redacted, and what became of the connection."""
        judged, failure = self._judged
        return failure if judged is error and failure is not None else query_failure(error, self._dsn)

    async def connect_apart(self, settings: Mapping[str, str]) -> TextConnection:
        """Return a further connection, for the caller to close, on which `settings` hold from its start.

        It is for what runs outside a transaction, and so must be the caller's alone. The settings are as
        pg_settings has them.

        Raises:
            DatabaseUnavailable: There is none, or not one that is the caller's alone.
        """
        connection: TextConnection | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                connection = await self._open({**settings, "application_name": self._name})
                rows = await connection.fetch(_SHOWN, list(settings))
                process = await connection.fetchval("SELECT pg_backend_pid()")
        except BaseException as error:
            if connection is not None:
                connection.terminate()
            if not isinstance(error, Exception):
                raise
            raise DatabaseUnavailable(_no_further(connect_failure(error, self._dsn))) from None
        shown = {row["name"]: row["setting"] for row in rows}
        if process != connection.get_server_pid() or shown != dict(settings):
            connection.terminate()
            raise DatabaseUnavailable(_ONLY_DIRECT)
        return connection

    async def keep(self, every_s: float) -> None:
        """Open the connection and keep it open until cancelled.

        A lost connection is opened again at once, and then as the pauses allow.
        """
        while True:
            self._lost.clear()
            with contextlib.suppress(Exception):
                async with self.using() as connection, asyncio.timeout(BUSY_WAIT_S * 2):
                    await connection.execute(self.begin())
                    await connection.execute(self.end())
            if self._connection is None:
                await asyncio.sleep(BACKOFF_S[0])
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), every_s)

    def retry_now(self) -> None:
        """Let the next attempt to connect go at once, because our own link is back or a person asks.

        A refused login still waits.
        """
        if self._failure is not None and self._failure.kind in {"network", "lost"}:
            self._attempts, self._next_attempt = 0, 0.0

    async def close(self) -> None:
        """Say goodbye, or hang up if the server does not answer that at once."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(Exception):
            await connection.close(timeout=_CLOSE_S)
        connection.terminate()

    async def _take(self, wait_s: float) -> None:
        try:
            await asyncio.wait_for(self._lock.acquire(), wait_s)
        except TimeoutError:
            raise DatabaseUnavailable(
                PgFailure("query", "the connection is busy with another query", False)
            ) from None

    async def _connected(self, deadline_s: float) -> TextConnection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        self._connection = None
        now = asyncio.get_running_loop().time()
        if self._failure is not None and now < self._next_attempt:
            raise DatabaseUnavailable(self._failure)
        result = await self._connect(min(CONNECT_TIMEOUT_S, deadline_s))
        if not isinstance(result, PgFailure):
            self._connection, self._attempts, self._failure = result, 0, None
            self._admitted.clear()
            result.add_termination_listener(self._ended)
            return result
        self._failure = self._patient(result)
        self._down(self._failure)
        raise DatabaseUnavailable(self._failure)

    def _patient(self, failure: PgFailure) -> PgFailure:
        """Set the next attempt's time, and say so where that is long."""
        pause = BACKOFF_S[min(self._attempts, len(BACKOFF_S) - 1)]
        self._attempts += 1
        if failure.kind == "refused":
            pause = self._refused_retry_s
            reason = f"{failure.reason}; tried again only every {span_text(pause)}"
            failure = replace(failure, reason=reason)
        elif failure.kind == "address":
            pause = float("inf")  # the address is read once, at start
        self._next_attempt = asyncio.get_running_loop().time() + pause * self._jitter()
        return failure

    async def _connect(self, timeout_s: float) -> TextConnection | PgFailure:
        if self._address is None:
            reason = "it is no postgresql:// address"
            return PgFailure("address", f"{self._variable}: {reason}", False, ours=True)
        connection: TextConnection | None = None
        try:
            async with asyncio.timeout(timeout_s):
                connection = await self._open()
                self._reading = await self._prepare(connection, self._address)
        except TimeoutError:
            failure = PgFailure("network", f"timed out after {timeout_s:g} s connecting", False)
        except LookupFailed as error:
            failure = PgFailure("network", str(error), False)
        except asyncio.CancelledError:
            if connection is not None:
                connection.terminate()
            raise
        except Exception as error:
            failure = connect_failure(error, self._dsn)
        else:
            return connection
        if connection is not None:
            connection.terminate()
        if failure.kind == "address":
            failure = replace(failure, reason=f"{self._variable}: {failure.reason}")
        return failure

    async def _open(self, settings: Mapping[str, str] | None = None) -> TextConnection:
        driver = await asyncio.to_thread(importlib.import_module, "isla_console.database.driver")
        if self._address is not None and self._address.host:
            # asyncpg looks the name up again, in threads that quitting waits for: it only gets a name
            # that resolves.
            await self._resolver.resolve(self._address.host, self._address.port)
        opened: TextConnection = await driver.connect(addresses.verified(self._dsn).reveal(), settings)
        return opened

    async def _prepare(self, connection: TextConnection, address: addresses.Address) -> SessionReading:
        """Begin a transaction as all will begin, and read back what is true in it."""
        self._is_direct = False
        await connection.execute(self.begin())
        names = [name for name, _, _ in self._settings]
        rows = await connection.fetch(_SHOWN, names)
        who = await connection.fetchrow(_WHO)
        assert who is not None
        # The server named its process when we connected; a pooler makes that number up.
        self._is_direct = who["process"] == connection.get_server_pid()
        await connection.execute(self.end())
        settings = {row["name"]: row["setting"] for row in rows}
        warnings = [
            f"{name} is {settings.get(name, 'not known')}, not {wanted}"
            for name, _, wanted in self._settings
            if settings.get(name, "").partition(",")[0] != wanted
        ]
        if not who["sees_sessions"]:
            warnings.append(f"{who['role']} is no member of pg_monitor: other sessions are hidden")
        if not who["sees_rows"]:
            warnings.append(f"{who['role']} has no BYPASSRLS: tables with row security are refused")
        return SessionReading(
            "ok",
            "",
            role=who["role"],
            database=who["database"],
            version=who["version"],
            mode="direct" if self._is_direct else "pooler",
            tls=_tls(connection, address.host),
            settings=settings,
            warnings=tuple(warnings),
        )

    async def _ask(self, connection: TextConnection, sql: str, deadline_s: float) -> list[Numbers]:
        try:
            async with asyncio.timeout(deadline_s):
                await connection.execute(self.begin())
                refused = await self._refusal(connection, sql)
                rows = await connection.fetch(sql) if not refused else []
                await connection.execute(self.end())
        except TimeoutError:
            reason = f"the server stopped answering for {deadline_s:g} s: connection dropped"
            failure = PgFailure("lost", reason, False)
            self._drop(connection)
            self._down(failure)
        except asyncio.CancelledError:
            self._drop(connection)
            raise
        except Exception as error:
            failure = await self._settle(connection, error)
        else:
            if refused:
                raise DatabaseUnavailable(_not_run(refused))
            return [{name: as_number(value) for name, value in row.items()} for row in rows]
        raise DatabaseUnavailable(failure)

    async def _settle(self, connection: TextConnection, error: BaseException) -> PgFailure:
        """Return what an error means; drop the connection unless the transaction could be rolled back."""
        failure = query_failure(error, self._dsn)
        if failure.kind == "query":
            if await self._rolled_back(connection):
                return failure
            failure = PgFailure("lost", "our connection was closed", False)
        self._drop(connection)
        self._down(failure)
        return failure

    async def _rolled_back(self, connection: TextConnection) -> bool:
        """Return whether the failed transaction was rolled back, so that the connection can be used again."""
        try:
            async with asyncio.timeout(BUSY_WAIT_S):
                await connection.execute(self.end())
        except Exception:
            return False
        return not connection.is_closed()

    def _drop(self, connection: TextConnection) -> None:
        self._connection = None
        self._lost.set()
        connection.terminate()

    def _ended(self, connection: object) -> None:
        """Note that the server hung up, perhaps while nothing was asked."""
        if connection is self._connection:
            self._connection = None
            self._lost.set()
            self._down(PgFailure("lost", "the server closed our connection", False))

    def _down(self, failure: PgFailure) -> None:
        self._reading = SessionReading("down", failure.reason, mode=self._reading.mode)


_ONLY_DIRECT: Final = PgFailure(
    "query",
    "it needs a direct connection: a pooler sits between, which may split it or pass settings on",
    True,
)


def _not_run(reason: str) -> PgFailure:
    return PgFailure("query", f"not run, the guard refuses its statement: {reason}", False, ours=True)


def _no_further(failure: PgFailure) -> PgFailure:
    """Return why there is no further connection; the kept one is there all the same."""
    if "startup parameter" in failure.reason:
        return _ONLY_DIRECT
    return PgFailure("query", f"it needs a connection of its own: {failure.reason}", failure.reached)


def _tls(connection: TextConnection, host: str) -> str:
    """Return how the connection is protected, as the socket says: an address need not ask for anything."""
    transport = getattr(connection, "_transport", None)
    if transport is None:
        return "TLS not known"
    encrypted = transport.get_extra_info("ssl_object")
    if encrypted is None:
        return "local, no TLS" if _is_local(host) else "no TLS: readable on the way"
    context = encrypted.context
    if context.verify_mode != ssl.CERT_REQUIRED:
        return "TLS, certificate not verified"
    return "TLS verified" if context.check_hostname else "TLS, host name not checked"


def _is_local(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
