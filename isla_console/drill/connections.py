"""The platform's own database connections: a few pools in use, several sessions held open."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg

from isla_console.drill.database import Database

# Application name, role, how many: what hosts of this kind keep open on a quiet day.
_RESIDENTS = (
    ("postgrest", "authenticator", 5),
    ("gotrue", "supabase_auth_admin", 2),
    ("worker", "isla_app", 2),
    ("realtime", "postgres", 1),
    ("pg_cron scheduler", "postgres", 1),
)

_RETRY_S = 1.0


async def open_pool(database: Database, role: str, application_name: str, size: int) -> "asyncpg.Pool[Any]":
    """`size` connections, open from the start and never closed for being idle."""
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


class Holder:
    """Keeps a number of idle sessions open, and opens them again when they are terminated, unless leaked."""

    def __init__(
        self,
        database: Database,
        wanted: Callable[[], dict[str, int]],
        leaked: Callable[[], frozenset[str]] = frozenset,
        ended: Callable[[str], None] = lambda name: None,
        lost: Callable[[str], None] = lambda name: None,
    ) -> None:
        """`wanted` gives application name to count, over and above the residents; `leaked` the names of those
        whose ended sessions nobody misses; `ended` is told a leaked name when the last of its sessions was;
        `lost` a resident whose sessions somebody ended, though they were needed.
        """
        self._database = database
        self._wanted = wanted
        self._leaked = leaked
        self._on_ended = ended
        self._on_lost = lost
        self._stopped: set[tuple[str, str]] = set()
        self._open: dict[tuple[str, str], list[asyncpg.Connection[Any]]] = {}
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """What is wanted has changed: see to it now."""
        self._changed.set()

    async def run(self) -> None:
        """Hold until cancelled."""
        while True:
            self._changed.clear()
            await self.settle()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S):
                    await self._changed.wait()

    async def settle(self) -> None:
        """Open what is missing, close what is too much; what cannot be opened waits."""
        targets = {(name, role): count for name, role, count in _RESIDENTS}
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
            self._stopped.discard(key)
            if len(held) < len(before) and any(name == resident for resident, _, _ in _RESIDENTS):
                self._on_lost(name)
        elif len(held) < len(before) or key in self._stopped:
            # Whoever ends one of them has found the leak: no new one is opened.
            self._stopped.add(key)
            target = min(target, len(held))
            if before and not held:
                self._on_ended(name)
        try:
            while len(held) < target:
                held.append(await self._database.connect(role, name))
            while len(held) > target:
                await held.pop().close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return
