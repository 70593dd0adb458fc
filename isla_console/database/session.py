"""A diagnostic connection to PostgreSQL: opened at start, kept, and never hammering.

It is kept because a new one is what cannot be had while "too many connections" is the problem. It
reads only: every statement runs in a READ ONLY transaction that is rolled back, with timeouts on
the server's side and a shorter leash on ours. Session settings are SET after connecting (poolers
drop them from the startup packet) and read back, because what was asked for is not what is.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ipaddress
import random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
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

if TYPE_CHECKING:
    from asyncpg import Connection

CONNECT_TIMEOUT_S: Final = 5.0
STATEMENT_TIMEOUT_S: Final = 3.0
BUSY_WAIT_S: Final = 1.0
"""How long a query waits for another one on the same connection before it gives up."""
BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between attempts to connect, the last one for ever; each with jitter."""
REFUSED_RETRY_S: Final = 120.0
"""After a refused login. Poolers block a whole network after ten in 150 s, and every console of a
team behind one address counts."""
_CLOSE_S: Final = 0.3

_SETTINGS: Final[tuple[tuple[str, str, str], ...]] = (
    # name, as SET takes it, as pg_settings shows it (milliseconds)
    ("lock_timeout", "2s", "2000"),
    ("idle_in_transaction_session_timeout", "30s", "30000"),
    ("default_transaction_read_only", "on", "on"),
    ("row_security", "off", "off"),  # an error instead of silently fewer rows
    ("standard_conforming_strings", "on", "on"),  # or the server would read other strings than the guard
    ("TimeZone", "UTC", "UTC"),
)
_WHO: Final = """
SELECT current_user::text AS role, current_database()::text AS database,
       current_setting('server_version') AS version,
       pg_has_role(current_user, 'pg_monitor', 'member') AS sees_sessions,
       (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user) AS sees_rows
"""


class DatabaseUnavailable(Exception):
    """There is no answer. `failure` says why, redacted."""

    def __init__(self, failure: PgFailure) -> None:
        self.failure = failure
        super().__init__(failure.reason)


@dataclass(frozen=True, slots=True)
class SessionReading:
    """The connection as it stands, ready to draw."""

    state: Literal["ok", "down", "unknown"]
    reason: str = ""
    role: str = ""
    database: str = ""
    version: str = ""
    mode: str = ""
    """direct, session pooler or transaction pooler"""
    tls: str = ""
    """What is true of this connection, not what was asked for."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Session settings as read back from the server."""
    warnings: tuple[str, ...] = ()
    """What makes its answers less than the truth, such as a role that cannot see everything."""


class DatabaseSession:
    """Keeps one connection and asks it one thing at a time."""

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
        """`variable` is where the address came from, for messages."""
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
        """The connection as it stands."""
        return self._reading

    async def query(self, sql: str, deadline_s: float) -> dict[str, float]:
        """Ask for one row and give its numbers by column name, in the row's order.

        Args:
            sql: one statement; it runs in a READ ONLY transaction that is rolled back.
            deadline_s: for everything, connecting included. When it passes the connection is
                dropped: the server's own statement timeout should have come first.

        Raises:
            DatabaseUnavailable: why there is no answer. Nothing else.
        """
        await self._take(min(BUSY_WAIT_S, deadline_s))
        try:
            connection = await self._connected(deadline_s)
            return await self._ask(connection, sql, deadline_s)
        finally:
            self._lock.release()

    async def rows(self, sql: str, *arguments: object, deadline_s: float) -> list[Mapping[str, Any]]:
        """Ask for all rows of a statement of ours, in a READ ONLY transaction that is rolled back.

        Raises:
            DatabaseUnavailable: why there is no answer. Nothing else.
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
        """The connection, for one user alone until the block ends.

        An error in the block passes through; before it does, what was begun is rolled back, and where that
        is not possible at once the connection is dropped.

        Raises:
            DatabaseUnavailable: there is no connection, or another user has it.
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
        """What opens a transaction here: with its settings, where a pooler keeps none for us."""
        local = f"; {self._set_statements(local=True)}" if self._reading.mode == "transaction pooler" else ""
        return f"BEGIN {mode}{local}"

    def failure(self, error: BaseException) -> PgFailure:
        """What an error of this connection means, redacted."""
        return query_failure(error, self._dsn)

    async def keep(self, every_s: float) -> None:
        """Open the connection now and see to it for ever that it stays open: one that is lost is opened again
        at once, and then as the pauses allow.
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
        """Our own link is back, or a person asks: what failed for want of a link need not wait. What was
        refused still does.
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
            reason = f"{failure.reason}; tried again only every {pause:.0f} s"
            failure = PgFailure(failure.kind, reason, failure.reached)
        elif failure.kind == "address":
            pause = float("inf")  # it is read once, at start
        self._next_attempt = asyncio.get_running_loop().time() + pause * self._jitter()
        return failure

    async def _connect(self, timeout_s: float) -> Connection[Any] | PgFailure:
        if self._address is None:
            reason = "it is no postgresql:// address"
            return PgFailure("address", f"{self._variable}: {reason}", False)
        connection: Connection[Any] | None = None
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.to_thread(importlib.import_module, "asyncpg")
                if self._address.host:
                    # asyncpg looks the name up again, in threads that quitting waits for: it is
                    # only let near a name that resolves.
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
            failure = PgFailure("address", f"{self._variable}: {failure.reason}", False)
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

    async def _ask(self, connection: Connection[Any], sql: str, deadline_s: float) -> dict[str, float]:
        try:
            async with asyncio.timeout(deadline_s):
                await connection.execute(self.begin())
                row = await connection.fetchrow(sql)
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
            return _numbers(row)
        if failure.kind != "query" or not await _rolled_back(connection):
            self._drop(connection)
            self._down(failure)
        raise DatabaseUnavailable(failure)

    def _set_statements(self, local: bool) -> str:
        """SET LOCAL behind a transaction pooler: a plain SET would stay with whoever comes next."""
        word = "SET LOCAL" if local else "SET"
        return "; ".join(f"{word} {name} = '{value}'" for name, value, _ in self._settings)

    def _drop(self, connection: Connection[Any]) -> None:
        self._connection = None
        self._lost.set()
        connection.terminate()

    def _ended(self, connection: object) -> None:
        """The far side hung up, maybe while nobody asked anything."""
        if connection is self._connection:
            self._connection = None
            self._lost.set()
            self._down(PgFailure("lost", "the server closed our connection", False))

    def _down(self, failure: PgFailure) -> None:
        mode = self._address.mode if self._address else ""
        self._reading = SessionReading("down", failure.reason, mode=mode)


async def _rolled_back(connection: Connection[Any]) -> bool:
    """Whether the failed transaction could be ended and the connection is as good as before."""
    try:
        async with asyncio.timeout(BUSY_WAIT_S):
            await connection.execute("ROLLBACK")
    except Exception:
        return False
    return not connection.is_closed()


def _numbers(row: Mapping[str, object] | None) -> dict[str, float]:
    values = {name: _number(value) for name, value in (row or {}).items()}
    return {name: value for name, value in values.items() if value is not None}


def _number(value: object) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float | Decimal):
        number = float(value)
        return number if number == number else None
    return None


def _tls(connection: Connection[Any], host: str) -> str:
    """What protects this connection, from the socket itself: an address that asks for nothing may
    have got anything.
    """
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
