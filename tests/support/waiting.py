"""Waiting for a state, not for a time: as long as a busy machine may need, and no longer than it takes."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")

PATIENCE_S = 120.0
"""When something is said to never come. Reached only by a test that fails."""
_LOOK_S = 0.01


async def until(holds: Callable[[], T | Awaitable[T]], seconds: float = PATIENCE_S) -> T:
    """Ask again and again until the answer is true; that answer. `holds` may be a coroutine function."""
    give_up = time.monotonic() + seconds
    while True:
        answer = holds()
        found = cast(T, await answer if inspect.isawaitable(answer) else answer)
        if found:
            return found
        assert time.monotonic() < give_up, f"{_name(holds)}: not within {seconds:g} s, but {found!r}"
        await asyncio.sleep(_LOOK_S)


def wait_until(holds: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """`until`, where there is no loop."""
    give_up = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < give_up, f"{_name(holds)}: not within {seconds:g} s, but {found!r}"
        time.sleep(_LOOK_S)
    return found


def _name(holds: Callable[..., object]) -> str:
    """Where the question stands: most of them are lambdas."""
    code = getattr(holds, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else repr(holds)
