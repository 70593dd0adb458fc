"""A real pile-up: a forgotten transaction, a migration that waits for it, and everybody behind that."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import asyncpg

from isla_console.drill.database import Database
from isla_console.drill.faults import Faults

_LOOK_S = 0.5
_PAUSE_S = 1.0
_FORGOTTEN = "BEGIN; SELECT count(*) FROM public.subscriptions WHERE status = 'past_due'"
_MIGRATION = "ALTER TABLE public.subscriptions ADD COLUMN IF NOT EXISTS trial_ends_at timestamptz"
_QUERY = "SELECT status, plan FROM public.subscriptions WHERE stripe_customer_id = 'cus_00000000000000'"
_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class PileUp:
    """Stands while a fault says so; `freed` is told when somebody ends the session at its root.

    Ending any other helps nobody for long: the migration is tried again, and so is every query.
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
        """Look until cancelled. Where no connection is free it stands up later."""
        try:
            while True:
                self._changed.clear()
                with contextlib.suppress(*_ERRORS):
                    await self._settle(self._faults.piled_up)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._changed.wait()
        finally:
            self._let_go()

    async def _settle(self, waiting: int) -> None:
        if waiting and self._root is None:
            root = await self._database.connect("isla_app", "psql")
            self._root = root
            await root.execute(_FORGOTTEN)
            self._behind.append(asyncio.create_task(self._migrate()))
            self._behind += [asyncio.create_task(self._ask()) for _ in range(waiting)]
        elif waiting and self._root is not None and self._root.is_closed():
            self._root = None
            self._freed()
        elif not waiting and (self._root is not None or self._behind):
            self._let_go()

    def _let_go(self) -> None:
        if self._root is not None:
            self._root.terminate()
            self._root = None
        for task in self._behind:
            task.cancel()
        self._behind.clear()

    async def _migrate(self) -> None:
        done = False
        while not done:
            done = await self._does("postgres", "migration", _MIGRATION, again=False)
            await asyncio.sleep(_PAUSE_S)

    async def _ask(self) -> None:
        while True:
            await self._does("isla_app", "billing-api", _QUERY, again=True)
            await asyncio.sleep(_PAUSE_S)

    async def _does(self, role: str, name: str, sql: str, *, again: bool) -> bool:
        """Whether it ran, on a connection of its own; `again` and again, until that is gone."""
        try:
            connection = await self._database.connect(role, name)
        except _ERRORS:
            return False
        try:
            await connection.execute(sql)
            while again:
                await asyncio.sleep(_PAUSE_S)
                await connection.execute(sql)
        except _ERRORS:
            return False
        finally:
            connection.terminate()
        return True
