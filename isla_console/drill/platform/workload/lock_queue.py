"""A real lock queue: a forgotten transaction, a migration that waits for it, and queries behind that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg

from isla_console.drill.platform.postgres.database import Database
from isla_console.drill.scenario.faults import Faults

_POLL_S = 0.5
_PAUSE_S = 1.0
_FORGOTTEN = "BEGIN; SELECT count(*) FROM public.subscriptions WHERE status = 'past_due'"
_MIGRATION = "ALTER TABLE public.subscriptions ADD COLUMN IF NOT EXISTS trial_ends_at timestamptz"
_QUERY = "SELECT status, plan FROM public.subscriptions WHERE stripe_customer_id = 'cus_00000000000000'"
_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class LockQueue:
    """Keeps the queue while a fault says so; `freed` is called when its root session is ended.

    Ending any other session does not help for long: the migration and every query are tried again.
    """

    def __init__(self, database: Database, faults: Faults, freed: Callable[[], None]) -> None:
        self._database = database
        self._faults = faults
        self._freed = freed
        self._root: asyncpg.Connection[Any] | None = None
        self._behind: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        faults.on_change(self._changed.set)

    async def run(self) -> None:
        """Follow the fault until cancelled. Without a free connection the queue forms later."""
        try:
            while True:
                self._changed.clear()
                with contextlib.suppress(*_ERRORS):
                    await self._settle(self._faults.piled_up)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_S):
                        await self._changed.wait()
        finally:
            self._release()

    async def _settle(self, waiting: int) -> None:
        if waiting and self._root is None:
            root = await self._database.connect("isla_app", "psql")
            self._root = root
            await root.execute(_FORGOTTEN)
            self._behind.append(asyncio.create_task(self._migrate()))
            self._behind += [asyncio.create_task(self._query()) for _ in range(waiting)]
        elif waiting and self._root is not None and self._root.is_closed():
            self._root = None
            self._freed()
        elif not waiting and (self._root is not None or self._behind):
            self._release()

    def _release(self) -> None:
        if self._root is not None:
            self._root.terminate()
            self._root = None
        for task in self._behind:
            task.cancel()
        self._behind.clear()

    async def _migrate(self) -> None:
        done = False
        while not done:
            done = await self._try_sql("postgres", "migration", _MIGRATION, repeat=False)
            await asyncio.sleep(_PAUSE_S)

    async def _query(self) -> None:
        while True:
            await self._try_sql("isla_app", "billing-api", _QUERY, repeat=True)
            await asyncio.sleep(_PAUSE_S)

    async def _try_sql(self, role: str, name: str, sql: str, *, repeat: bool) -> bool:
        """Run a statement on its own connection, with `repeat` until that closes; return whether it ran."""
        try:
            connection = await self._database.connect(role, name)
        except _ERRORS:
            return False
        try:
            await connection.execute(sql)
            while repeat:
                await asyncio.sleep(_PAUSE_S)
                await connection.execute(sql)
        except _ERRORS:
            return False
        finally:
            connection.terminate()
        return True
