"""Subscriptions on both sides: Stripe's objects, and a database that is a dictionary."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from isla_console.drill.platform.services.stripe_account import subscription

_ONE = subscription(id="x", customer="c", status="active", plan="pro", created=1, period_end=1)


def at_stripe(count: int, *, first: int = 0) -> list[dict[str, Any]]:
    """So many active ones, sub_000000 the newest."""
    return [_ONE | {"id": f"sub_{n:06}"} for n in range(first, first + count)]


class Ours:
    """Status by id."""

    def __init__(self, statuses: Mapping[str, str]) -> None:
        self.statuses = dict(statuses)
        self.on_living: Callable[[], None] = lambda: None

    async def rows(self, ids: list[str]) -> Mapping[str, str]:
        return {id: self.statuses[id] for id in ids if id in self.statuses}

    async def living(self) -> AsyncIterator[Mapping[str, str]]:
        self.on_living()
        yield self.statuses
