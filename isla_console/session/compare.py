"""Comparing the database's subscriptions with Stripe's in the background, while its progress is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from isla_console.database.session import DatabaseUnavailable
from isla_console.monitor.stripe.client import StripeUnavailable
from isla_console.monitor.stripe.drift import (
    PATIENCE,
    QUICK_PAGES,
    Comparison,
    Drift,
    OurDatabase,
    left_s,
    sentence,
)
from isla_console.session.session import Session
from isla_console.session.state import Comparing

NOT_CONFIGURED = "set STRIPE_API_KEY and ISLA_DATABASE_URL to compare"


async def compare_subscriptions(
    session: Session, *, every: bool, redraw: Callable[[], None]
) -> Drift | str | None:
    """Compare the newest subscriptions, or `every` one; return what was found, or why nothing was.

    The session's `comparing` says how far it is and `drift` what came of it; `redraw` is called as they
    change. Returns None when a comparison is already running or nobody can be asked. Cancelling keeps what
    was found.
    """
    monitor = session.monitor
    if monitor is None or session.comparing:
        return None
    if monitor.stripe is None or monitor.database is None:
        session.drift = NOT_CONFIGURED
        redraw()
        return None
    ours = OurDatabase(monitor.database)
    comparison = Comparison(monitor.stripe.subscriptions, ours, tries=PATIENCE if every else 1)
    expected: int | None = None
    began = asyncio.get_running_loop().time()

    def show() -> None:
        gone = asyncio.get_running_loop().time() - began
        left = left_s(comparison.read, expected, gone) if every else None
        session.comparing = Comparing(comparison.read, every, left, expected, comparison.waits)
        redraw()

    comparison.on_progress = show
    show()
    try:
        if every:
            # Without the count the time left is unknown, which is said and does not stop the comparison.
            with suppress(DatabaseUnavailable):
                expected = await ours.count()
        await comparison.run(None if every else QUICK_PAGES)
        session.drift = comparison.found(session.clock.now())
    except (StripeUnavailable, DatabaseUnavailable) as error:
        session.drift = _cut_short(session, comparison, sentence(error))
    except asyncio.CancelledError:
        session.drift = _cut_short(session, comparison, "stopped by hand")
        raise
    finally:
        session.comparing = None
        redraw()
    return session.drift


def _cut_short(session: Session, comparison: Comparison, why: str) -> Drift | str:
    """Return what a comparison found that was cut short."""
    return comparison.found(session.clock.now(), why) if comparison.read else why
