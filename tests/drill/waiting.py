"""Waiting for what has no event to wait for."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(true: Callable[[], bool | Awaitable[bool]], seconds: float = 5) -> None:
    give_up = time.monotonic() + seconds
    while not (found if isinstance(found := true(), bool) else await found):
        assert time.monotonic() < give_up
        await asyncio.sleep(0.03)
