"""Faults of the analytics: days whose totals are deleted, and clicks that are stored twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from isla_console.drill.platform.postgres.database import Database
from isla_console.drill.scenario.faults import Faults

_POLL_S = 1.0
_DAY = "(date_trunc('day', now(), 'UTC') AT TIME ZONE 'UTC')::date - $1::int"
_CLICKS = f"""
    SELECT (created_at AT TIME ZONE 'UTC')::date AS date, slug, count(*) AS clicks
    FROM public.click_events
    WHERE created_at >= ({_DAY})::timestamp AT TIME ZONE 'UTC'
      AND created_at < ({_DAY} + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2
"""
_DELETE = f"DELETE FROM public.analytics_daily WHERE date = {_DAY}"
_RESTORE = f"INSERT INTO public.analytics_daily (date, slug, clicks) {_CLICKS} ON CONFLICT DO NOTHING"
_IS_COMPLETE = f"""
    SELECT (SELECT coalesce(sum(clicks), 0) FROM public.analytics_daily WHERE date = {_DAY})
         = (SELECT sum(clicks) FROM ({_CLICKS}) AS counted)
"""
_DOUBLE = """
    INSERT INTO public.click_events (slug, visitor_id, country, device, referrer, created_at)
    SELECT slug, visitor_id, country, device, referrer, created_at
    FROM public.click_events
    WHERE created_at > now() - interval '50 minutes' AND visitor_id IS NOT NULL
    ORDER BY created_at DESC
    LIMIT $1::int
"""


class AnalyticsFaults:
    """Deletes a day's totals when a fault says so; calls `rebuilt` with the day once they are complete again.

    It also stores clicks twice, once for each such fault; they stay, because no step of the runbook deletes
    any.
    """

    def __init__(self, database: Database, faults: Faults, rebuilt: Callable[[int], None]) -> None:
        self._database = database
        self._faults = faults
        self._rebuilt = rebuilt
        self._deleted: set[int] = set()
        self._doubled = 0

    async def run(self) -> None:
        """Follow the faults until cancelled. A database that does not answer is asked again."""
        while True:
            wanted, twice = self._faults.days_missing, self._faults.duplicated
            if wanted or self._deleted or twice != self._doubled:
                try:
                    connection = await self._database.connect("postgres", "worker")
                    try:
                        await self._settle(connection, wanted)
                        if twice > self._doubled:
                            await connection.execute(_DOUBLE, twice - self._doubled)
                        self._doubled = twice
                    finally:
                        await connection.close(timeout=2)
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    pass
            await asyncio.sleep(_POLL_S)

    async def _settle(self, connection: asyncpg.Connection[Any], wanted: frozenset[int]) -> None:
        for day in wanted - self._deleted:
            await connection.execute(_DELETE, day)
            self._deleted.add(day)
        for day in self._deleted - wanted:  # the fault was switched off by remote control
            await connection.execute(_RESTORE, day)
            self._deleted.discard(day)
        for day in self._deleted & wanted:
            if await connection.fetchval(_IS_COMPLETE, day):
                self._deleted.discard(day)
                self._rebuilt(day)
