"""Connecting to the first address that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")  # a connection
A = TypeVar("A")  # an address

HEAD_START_S = 0.25
"""Seconds for which an address is tried before the next one joins; RFC 8305 asks for 250 ms."""


async def first_answer(
    addresses: Sequence[A],
    connect: Callable[[A], Awaitable[T]],
    discard: Callable[[T], Awaitable[None]],
) -> tuple[A, T]:
    """Try addresses in order, each a quarter of a second after the last, or once that one failed.

    Args:
        addresses: At least one, in the order to try them.
        connect: Opens a connection to one address.
        discard: Closes a connection that came second.

    Returns:
        The address that answered first, and its connection.

    Raises:
        Exception: All failed; this is what the last of them raised.
    """
    if len(addresses) == 1:
        return addresses[0], await connect(addresses[0])
    tasks: dict[asyncio.Task[T], A] = {}
    waiting: set[asyncio.Task[T]] = set()
    rest = list(addresses)
    failure: BaseException | None = None

    async def attempt(address: A) -> T:
        return await connect(address)

    try:
        while rest or waiting:
            if rest:
                address = rest.pop(0)
                task = asyncio.create_task(attempt(address))
                tasks[task] = address
                waiting.add(task)
            done, waiting = await asyncio.wait(
                waiting,
                timeout=HEAD_START_S if rest else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                if (problem := task.exception()) is None:
                    winner = tasks.pop(task)
                    return winner, task.result()
                failure = problem
        assert failure is not None
        raise failure
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()
        for task in tasks:
            if task.done() and not task.cancelled() and task.exception() is None:
                await discard(task.result())
