"""The platform's own database connections: pools in use, and idle sessions held open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg

from isla_console.drill.platform.postgres.database import Database

# Application name, role, count: what such a host keeps open on a quiet day.
_QUIET_DAY = (
    ("postgrest", "authenticator", 5),
    ("gotrue", "supabase_auth_admin", 2),
    ("worker", "isla_app", 2),
    ("realtime", "postgres", 1),
    ("pg_cron scheduler", "postgres", 1),
)

_RETRY_S = 1.0


async def open_pool(database: Database, role: str, application_name: str, size: int) -> asyncpg.Pool[Any]:
    """Open a pool of `size` connections that are never closed for being idle."""
    return await asyncpg.create_pool(
        host="127.0.0.1",
        port=database.port,
        user=role,
        password=database.passwords[role],
        database="postgres",
        ssl=False,
        timeout=10,
        command_timeout=10,
        min_size=size,
        max_size=size,
        max_inactive_connection_lifetime=0,
        server_settings={"application_name": application_name},
    )


class SessionHolder:
    """Keeps a number of idle sessions open, and opens them again when they are terminated, unless leaked."""

    def __init__(
        self,
        database: Database,
        *,
        wanted: Callable[[], dict[str, int]],
        leaked: Callable[[], frozenset[str]],
        on_leak_ended: Callable[[str], None],
        on_needed_ended: Callable[[str], None],
    ) -> None:
        """Open nothing yet.

        Args:
            database: Where to open them.
            wanted: Gives how many sessions to hold, by application name, on top of a quiet day's.
            leaked: Gives the applications whose sessions are not opened again once they were ended.
            on_leak_ended: Called with a leaked application when its last session was ended.
            on_needed_ended: Called with an application whose sessions were ended although it needs them.
        """
        self._database = database
        self._wanted = wanted
        self._leaked = leaked
        self._on_leak_ended = on_leak_ended
        self._on_needed_ended = on_needed_ended
        self._ended: set[tuple[str, str]] = set()
        self._open: dict[tuple[str, str], list[asyncpg.Connection[Any]]] = {}
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Settle now, because what is wanted has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Hold the sessions until cancelled."""
        while True:
            self._changed.clear()
            await self.settle()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S):
                    await self._changed.wait()

    async def settle(self) -> None:
        """Open missing sessions and close surplus ones; one that cannot be opened waits."""
        targets = {(name, role): count for name, role, count in _QUIET_DAY}
        for name, count in self._wanted().items():
            key = (name, "isla_app")
            targets[key] = targets.get(key, 0) + count
        for key in {*targets, *self._open}:
            await self._settle(key, targets.get(key, 0))

    async def _settle(self, key: tuple[str, str], target: int) -> None:
        name, role = key
        before = self._open.get(key, [])
        held = [one for one in before if not one.is_closed()]
        self._open[key] = held
        if name not in self._leaked():
            self._ended.discard(key)
            if len(held) < len(before) and any(name == needed for needed, _, _ in _QUIET_DAY):
                self._on_needed_ended(name)
        elif len(held) < len(before) or key in self._ended:
            # A person who ends one of them has found the leak: no new one is opened.
            self._ended.add(key)
            target = min(target, len(held))
            if before and not held:
                self._on_leak_ended(name)
        try:
            while len(held) < target:
                opened = await self._database.connect(role, name)
                if name in self._leaked() and any(one.is_closed() for one in held):
                    # A leak was ended while this one was on its way: the next round finds it so.
                    await opened.close(timeout=2)
                    break
                held.append(opened)
            while len(held) > target:
                await held.pop().close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return
