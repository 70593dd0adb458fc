"""A diagnostic connection to PostgreSQL: opened at start, kept, and never hammering.

It is kept because nobody gets a new one while "too many connections" is the problem. It only reads:
every statement runs in a READ ONLY transaction that is rolled back, with a timeout on the server and
a deadline here. Session settings are SET after connecting (poolers drop them from the startup packet)
and read back, because a pooler may not have applied them.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ipaddress
import math
import random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from isla_console.database import dsn as addresses
from isla_console.database.failures import (
    PgFailure,
    connect_failure,
    query_failure,
)
from isla_console.net.lookup import LookupFailed, Resolver
from isla_console.settings.secret import Secret
from isla_console.text.spans import span_text

if TYPE_CHECKING:
    from asyncpg import Connection

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
    ("default_transaction_read_only", "on", "on"),
    ("row_security", "off", "off"),  # an error instead of silently fewer rows
    ("standard_conforming_strings", "on", "on"),  # otherwise the server reads strings unlike the guard
    ("TimeZone", "UTC", "UTC"),
)
_WHO: Final = """
SELECT current_user::text AS role, current_database()::text AS database,
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
    """`direct`, `session pooler` or `transaction pooler`; "" when not connected."""
    tls: str = ""
    """How this connection is protected, as found, not as asked for."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Session settings by name, as read back from the server."""
    warnings: tuple[str, ...] = ()
    """Why its answers may be incomplete, such as a role that cannot see everything."""


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
        jitter: Callable[[], float] = lambda: random.uniform(1.0, 1.25),
    ) -> None:
        """Connect to nothing yet.

        Args:
            dsn: The address.
            application_name: How the server lists the connection.
            resolver: Looks up the host name.
            statement_timeout_s: The server's limit for a statement, in seconds.
            variable: The variable that the address came from, for messages.
            refused_retry_s: Seconds to wait after a refused login.
            jitter: Gives the factor by which a pause is stretched.
        """
        self._dsn = dsn
        self._address = addresses.parse(dsn)
        self._application_name = application_name[:63]
        self._resolver = resolver
        self._variable = variable
        limit = statement_timeout_s
        self._settings = (("statement_timeout", f"{limit:g}s", f"{limit * 1000:.0f}"), *_SETTINGS)
        self._refused_retry_s = refused_retry_s
        self._jitter = jitter
        self._connection: Connection[Any] | None = None
        self._lock = asyncio.Lock()
        self._attempts = 0
        self._next_attempt = 0.0
        self._failure: PgFailure | None = None
        self._reading = SessionReading("unknown", "not connected yet")
        self._lost = asyncio.Event()

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
                rows = await connection.fetch(sql, *arguments)
                await connection.execute("ROLLBACK")
        except DatabaseUnavailable:
            raise
        except Exception as error:
            raise DatabaseUnavailable(query_failure(error, self._dsn)) from None
        return list(rows)

    @contextlib.asynccontextmanager
    async def using(
        self, connect_s: float = CONNECT_TIMEOUT_S, wait_s: float = BUSY_WAIT_S
    ) -> AsyncIterator[Connection[Any]]:
        """Provide the connection to one user alone until the block ends.

        An error in the block passes through, after the transaction is rolled back; where that is not
        possible at once, the connection is dropped.

        Raises:
            DatabaseUnavailable: There is no connection, or another user has it.
        """
        await self._take(wait_s)
        try:
            connection = await self._connected(connect_s)
            try:
                yield connection
            except asyncio.CancelledError:
                if not await _rolled_back(connection):
                    self._drop(connection)
                    self._down(PgFailure("lost", "no answer: the connection is given up", False))
                raise
            except Exception as error:
                failure = query_failure(error, self._dsn)
                if failure.kind != "query" or not await _rolled_back(connection):
                    self._drop(connection)
                    self._down(failure)
                raise
        finally:
            self._lock.release()

    def begin(self, mode: str = "READ ONLY") -> str:
        """Return the SQL that begins a transaction, with the session's settings where a pooler keeps none."""
        local = f"; {self._set_statements(local=True)}" if self._reading.mode == "transaction pooler" else ""
        return f"BEGIN {mode}{local}"

    def failure(self, error: BaseException) -> PgFailure:
        """Return what an error of this connection means, redacted."""
        return query_failure(error, self._dsn)

    async def keep(self, every_s: float) -> None:
        """Open the connection and keep it open until cancelled.

        A lost connection is opened again at once, and then as the pauses allow.
        """
        while True:
            self._lost.clear()
            with contextlib.suppress(Exception):
                async with self.using() as connection, asyncio.timeout(BUSY_WAIT_S * 2):
                    await connection.execute("SELECT 1")
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

    async def _connected(self, deadline_s: float) -> Connection[Any]:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        self._connection = None
        now = asyncio.get_running_loop().time()
        if self._failure is not None and now < self._next_attempt:
            raise DatabaseUnavailable(self._failure)
        result = await self._connect(min(CONNECT_TIMEOUT_S, deadline_s))
        if not isinstance(result, PgFailure):
            self._connection, self._attempts, self._failure = result, 0, None
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

    async def _connect(self, timeout_s: float) -> Connection[Any] | PgFailure:
        if self._address is None:
            reason = "it is no postgresql:// address"
            return PgFailure("address", f"{self._variable}: {reason}", False, ours=True)
        connection: Connection[Any] | None = None
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.to_thread(importlib.import_module, "asyncpg")
                if self._address.host:
                    # asyncpg looks the name up again, in threads that quitting waits for: it only
                    # gets a name that resolves.
                    await self._resolver.resolve(self._address.host, self._address.port)
                connection = await self._open(self._address)
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

    async def _open(self, address: addresses.Address) -> Connection[Any]:
        import asyncpg

        return await asyncpg.connect(
            addresses.verified(self._dsn).reveal(),
            # A transaction pooler hands each transaction to another server connection, where our
            # prepared statements do not exist.
            statement_cache_size=0 if address.pooled else 100,
            server_settings={"application_name": self._application_name},
        )

    async def _prepare(self, connection: Connection[Any], address: addresses.Address) -> SessionReading:
        """Set the session up, then read back what is true."""
        local = address.mode == "transaction pooler"
        if local:
            await connection.execute("BEGIN READ ONLY")
        await connection.execute(self._set_statements(local))
        names = [name for name, _, _ in self._settings]
        rows = await connection.fetch(
            "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[])", names
        )
        who = await connection.fetchrow(_WHO)
        if local:
            await connection.execute("ROLLBACK")
        settings = {row["name"]: row["setting"] for row in rows}
        warnings = [
            f"{name} is {settings.get(name, 'not known')}, not {wanted}"
            for name, _, wanted in self._settings
            if settings.get(name) != wanted
        ]
        assert who is not None
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
            mode=address.mode,
            tls=_tls(connection, address.host),
            settings=settings,
            warnings=tuple(warnings),
        )

    async def _ask(self, connection: Connection[Any], sql: str, deadline_s: float) -> list[Numbers]:
        try:
            async with asyncio.timeout(deadline_s):
                await connection.execute(self.begin())
                rows = await connection.fetch(sql)
                await connection.execute("ROLLBACK")
        except TimeoutError:
            reason = f"the server stopped answering for {deadline_s:g} s: connection dropped"
            failure = PgFailure("lost", reason, False)
        except asyncio.CancelledError:
            self._drop(connection)
            raise
        except Exception as error:
            failure = query_failure(error, self._dsn)
        else:
            return [{name: _number(value) for name, value in row.items()} for row in rows]
        if failure.kind != "query" or not await _rolled_back(connection):
            self._drop(connection)
            self._down(failure)
        raise DatabaseUnavailable(failure)

    def _set_statements(self, local: bool) -> str:
        """Return the settings as SQL; behind a transaction pooler SET LOCAL, because SET would outlast us."""
        word = "SET LOCAL" if local else "SET"
        return "; ".join(f"{word} {name} = '{value}'" for name, value, _ in self._settings)

    def _drop(self, connection: Connection[Any]) -> None:
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
        mode = self._address.mode if self._address else ""
        self._reading = SessionReading("down", failure.reason, mode=mode)


async def _rolled_back(connection: Connection[Any]) -> bool:
    """Return whether the failed transaction was rolled back, so that the connection can be used again."""
    try:
        async with asyncio.timeout(BUSY_WAIT_S):
            await connection.execute("ROLLBACK")
    except Exception:
        return False
    return not connection.is_closed()


def _number(value: object) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float | Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def _tls(connection: Connection[Any], host: str) -> str:
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
