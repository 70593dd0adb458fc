"""Comparing our subscriptions with Stripe's, page by page; what was found so far is always available."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from isla_console.database.session import DatabaseSession, DatabaseUnavailable
from isla_console.monitor.stripe.client import StripeUnavailable

QUICK_PAGES = 50
"""Pages of the newest subscriptions that a quick comparison reads: 25 s at our rate."""
PATIENCE = 5
"""How often in a row a long comparison asks again before it gives up."""
_AGAIN_S = 5.0
_DATABASE_S = 10.0
_BATCH = 5_000
_OVER = frozenset({"canceled", "incomplete_expired"})
_HAS = (
    "SELECT stripe_subscription_id AS id, status FROM subscriptions"
    " WHERE stripe_subscription_id = ANY($1::text[])"
)
_LIVING = (
    "SELECT stripe_subscription_id AS id, status FROM subscriptions"
    " WHERE status NOT IN ('canceled', 'incomplete_expired') AND stripe_subscription_id > $1"
    f" ORDER BY stripe_subscription_id LIMIT {_BATCH}"
)
_COUNT = "SELECT count(*) AS count FROM subscriptions"

PageOf = Callable[[str | None], Awaitable[tuple[dict[str, str], bool]]]
"""Gives Stripe's subscriptions after an id, newest first: status by id, and whether it is the last page."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Drift:
    """How our subscriptions differ from Stripe's: only ids and states, never people."""

    at: datetime
    compared: int
    differ: tuple[tuple[str, str, str], ...] = ()
    """(id, the database's status, Stripe's status) of each that differs."""
    only_stripe: tuple[tuple[str, str], ...] = ()
    """(id, status) of each that the database does not have."""
    only_database: tuple[tuple[str, str], ...] = ()
    complete: bool = True
    """Whether every subscription was read."""
    ended: str = ""
    """Why the comparison ended early; "" when it did not."""

    @property
    def total(self) -> int:
        """How many subscriptions differ or are missing on one side."""
        return len(self.differ) + len(self.only_stripe) + len(self.only_database)


class Ours(Protocol):
    """The database's side of a comparison."""

    async def rows(self, ids: list[str]) -> Mapping[str, str]:
        """Return the status by id of those subscriptions that it has."""
        ...

    def living(self) -> AsyncIterator[Mapping[str, str]]:
        """Yield every subscription that is not over, some at a time."""
        ...


class OurDatabase:
    """The subscriptions in our database. The only error that a method raises is DatabaseUnavailable."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def rows(self, ids: list[str]) -> Mapping[str, str]:
        """Return the status by id of those subscriptions that it has."""
        return _statuses(await self._session.rows(_HAS, ids, deadline_s=_DATABASE_S))

    async def living(self) -> AsyncIterator[Mapping[str, str]]:
        """Yield every subscription that is not over, some at a time."""
        after = ""
        while True:
            some = _statuses(await self._session.rows(_LIVING, after, deadline_s=_DATABASE_S))
            yield some
            if len(some) < _BATCH:
                return
            after = next(reversed(some))

    async def count(self) -> int:
        """Count all subscriptions, also those that are over: about as many as Stripe, which does not say."""
        [row] = await self._session.rows(_COUNT, deadline_s=_DATABASE_S)
        return int(row["count"])


class Comparison:
    """One comparison. `run` reads; `found` is what is known, also while it runs or after it was cut short."""

    def __init__(
        self,
        page: PageOf,
        ours: Ours,
        *,
        tries: int = 1,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Compare nothing yet; `tries` is how often a question is asked before its failure ends `run`."""
        self._page = page
        self._ours = ours
        self._tries = tries
        self._sleep = sleep
        self._known: set[str] = set()
        self._differ: list[tuple[str, str, str]] = []
        self._only_stripe: list[tuple[str, str]] = []
        self._only_database: list[tuple[str, str]] = []
        self._complete = False
        self.waits = ""
        """Why it pauses just now; "" when it does not."""
        self.on_progress: Callable[[], None] = lambda: None

    @property
    def read(self) -> int:
        """How many of Stripe's subscriptions were compared."""
        return len(self._known)

    async def run(self, pages: int | None = QUICK_PAGES) -> None:
        """Compare a number of pages, or all of them.

        Raises:
            StripeUnavailable, DatabaseUnavailable: It got no further; the error says why.
        """
        after: str | None = None
        last = False
        left = pages
        while not last and left != 0:
            page, last = await self._ask(partial(self._page, after))
            rows = await self._ask(partial(self._ours.rows, list(page)))
            self._compare(page, rows)
            after = next(reversed(page), None)
            left = left if left is None else left - 1
            self.on_progress()
        if last:
            gone = await self._ask(self._gone)
            self._only_database = await self._not_new(gone) if gone else []
            self._complete = True

    def found(self, at: datetime, ended: str = "") -> Drift:
        """Return what is known; `ended` is why it was cut short, "" when it was not."""
        return Drift(
            at,
            self.read,
            tuple(self._differ),
            tuple(self._only_stripe),
            tuple(self._only_database),
            self._complete,
            ended,
        )

    def _compare(self, page: Mapping[str, str], rows: Mapping[str, str]) -> None:
        self._known.update(page)
        for id, status in page.items():
            if id not in rows:
                # The database need not keep what is over.
                if status not in _OVER:
                    self._only_stripe.append((id, status))
            elif rows[id] != status:
                self._differ.append((id, rows[id], status))

    async def _gone(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        async for some in self._ours.living():
            found += [(id, status) for id, status in some.items() if id not in self._known]
        return found

    async def _not_new(self, gone: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return `gone` without new subscriptions: Stripe lists the newest first, on pages already read."""
        after: str | None = None
        last = False
        while gone and not last:
            page, last = await self._ask(partial(self._page, after))
            gone = [one for one in gone if one[0] not in page]
            last = last or not self._known.isdisjoint(page)
            after = next(reversed(page), None)
        return gone

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask, and ask again if need be: one refusal must not waste minutes of reading."""
        for left in range(self._tries - 1, -1, -1):
            try:
                answer = await ask()
            except (StripeUnavailable, DatabaseUnavailable) as error:
                again_s = _AGAIN_S if isinstance(error, DatabaseUnavailable) else error.again_s
                if not left or again_s is None:
                    raise
                self.waits = sentence(error)
                self.on_progress()
                await self._sleep(again_s)
            else:
                self.waits = ""
                return answer
        raise AssertionError("asked at least once")


def sentence(error: StripeUnavailable | DatabaseUnavailable) -> str:
    """Return a sentence that says whose error it is, and which."""
    return f"the database: {error}" if isinstance(error, DatabaseUnavailable) else str(error)


def left_s(read: int, expected: int | None, taken_s: float) -> float | None:
    """Return the seconds that the rest takes at the speed so far; None where that is not known."""
    if expected is None or not 0 < read <= expected:
        return None
    return (expected - read) * taken_s / read


def _statuses(rows: list[Mapping[str, object]]) -> dict[str, str]:
    return {str(row["id"]): str(row["status"]) for row in rows}
