"""isla.link, the redirect service: it looks up a short link and stores the click."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from isla_console.drill.scenario.faults import Faults

TEST_SLUG = "test-slug"
"""A short link that is reserved for probes: following it is not a click."""

_COUNTRIES = ("US", "US", "US", "GB", "GB", "DE", "DE", "FR", "IN", "BR", "ES", "JP", "CA", None)
_DEVICES = ("mobile", "mobile", "mobile", "desktop", "desktop", "tablet")
_REFERRERS = ("direct", "direct", "social", "social", "search")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: 307 with a location, 404 without one, or an error status."""

    status: int
    location: str | None = None


class Redirects:
    """The service's work, with exact times: the work counts towards the delay that was drawn."""

    def __init__(self, pool: asyncpg.Pool[Any], faults: Faults, rng: random.Random) -> None:
        self._pool = pool
        self._faults = faults
        self._rng = rng
        self.slugs: list[str] = []
        self.served = 0
        self.clicks = 0
        self.newest_click: datetime | None = None

    async def load(self) -> None:
        """Read the links that visitors choose from."""
        rows = await self._pool.fetch("SELECT slug FROM public.links ORDER BY id")
        self.slugs = [row["slug"] for row in rows if row["slug"] != TEST_SLUG]

    async def follow(self, slug: str, *, click: bool) -> Answer:
        """Answer for one short link, after the time that it takes now."""
        self.served += 1
        done = time.monotonic() + self.delay_s()
        answer = await self._answer(slug, click=click)
        await asyncio.sleep(done - time.monotonic())
        return answer

    async def health(self) -> Answer:
        """Answer for /health, which the same deployment serves."""
        await asyncio.sleep(self.delay_s())
        return Answer(self._faults.error("redirect", self._rng.random()) or 200)

    def delay_s(self) -> float:
        """Return how long an answer takes: 14 to 26 ms at random, and what a fault adds."""
        return (self._rng.triangular(14, 26, 17) + self._faults.added_ms("redirect")) / 1000

    async def _answer(self, slug: str, *, click: bool) -> Answer:
        if status := self._faults.error("redirect", self._rng.random()):
            return Answer(status)
        try:
            async with self._pool.acquire(timeout=5) as connection:
                url = await connection.fetchval("SELECT url FROM public.links WHERE slug = $1", slug)
                if url is None:
                    return Answer(404)
                if click and slug != TEST_SLUG and not self._faults.clicks_stopped:
                    await self._store(connection, slug)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return Answer(500)
        return Answer(307, str(url))

    async def _store(self, connection: Any, slug: str) -> None:
        self.newest_click = await connection.fetchval(
            "INSERT INTO public.click_events (slug, visitor_id, country, device, referrer)"
            " VALUES ($1, $2, $3, $4, $5) RETURNING created_at",
            slug,
            uuid.UUID(int=self._rng.getrandbits(128)),
            self._rng.choice(_COUNTRIES),
            self._rng.choice(_DEVICES),
            self._rng.choice(_REFERRERS),
        )
        self.clicks += 1

    def truths(self) -> dict[str, object]:
        """Return the service's own counts, as ground truth."""
        newest = self.newest_click
        return {
            "redirects_served": self.served,
            "clicks_stored": self.clicks,
            "newest_click_at": newest and newest.astimezone(UTC).isoformat(),
        }
