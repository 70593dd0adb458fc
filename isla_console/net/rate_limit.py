"""A rate limit for requests, and how long to stay away after being refused."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

BACKOFF_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_MOST_S = 900.0


class RateLimiter:
    """Allows one request every `every_s` seconds, in the order they were asked for."""

    def __init__(
        self,
        every_s: float,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = lambda: random.uniform(1.0, 1.25),
    ) -> None:
        self._every_s = every_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter
        self._lock = asyncio.Lock()
        self._next = 0.0
        self._until = 0.0
        self._refusals = 0

    async def turn(self) -> None:
        """Wait until the next request may leave."""
        async with self._lock:
            if (wait := self._next - self._monotonic()) > 0:
                await self._sleep(wait)
            self._next = self._monotonic() + self._every_s

    @property
    def away_s(self) -> float:
        """Seconds for which we still stay away; 0 when we may ask."""
        return max(0.0, self._until - self._monotonic())

    def refused(self, retry_after_s: float | None) -> float:
        """Stay away after a refusal, as long as told or else longer each time; return the seconds."""
        known = BACKOFF_S[min(self._refusals, len(BACKOFF_S) - 1)] * self._jitter()
        pause = min(known if retry_after_s is None else retry_after_s, _MOST_S)
        self._refusals += 1
        self._until = self._monotonic() + pause
        return pause

    def accepted(self) -> None:
        """Note that an answer came, so that the next refusal begins small again."""
        self._refusals = 0
