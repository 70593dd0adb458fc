"""Subscriptions compared: what differs, what is new meanwhile, what a failure on the way does."""

from __future__ import annotations

import pytest

from isla_console.database.failures import PgFailure
from isla_console.database.session import DatabaseUnavailable
from isla_console.drill.platform.services.stripe_account import subscription
from isla_console.monitor.stripe.client import StripeReader, StripeUnavailable
from isla_console.monitor.stripe.drift import PATIENCE, QUICK_PAGES, Comparison, left_s
from isla_console.settings.secret import Secret
from tests.monitor.stripe.test_client import account, quick
from tests.support.servers import utcnow
from tests.support.subscriptions import Ours, at_stripe


class Pages:
    """Stripe in pages of two, that fails now and then."""

    def __init__(self, ids: list[str], *failures: StripeUnavailable) -> None:
        self.ids = ids
        self.failures = list(failures)
        self.asked: list[str | None] = []

    async def __call__(self, after: str | None) -> tuple[dict[str, str], bool]:
        self.asked.append(after)
        if after is not None and self.failures:
            raise self.failures.pop(0)
        start = self.ids.index(after) + 1 if after is not None else 0
        page = self.ids[start : start + 2]
        return dict.fromkeys(page, "active"), start + 2 >= len(self.ids)


class Naps:
    """Sleeps that take no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def active(*ids: str) -> Ours:
    return Ours(dict.fromkeys(ids, "active"))


async def test_every_page_is_compared_and_only_differences_are_kept() -> None:
    async with account() as stripe:
        over = subscription(id="sub_z", customer="c", status="canceled", plan="pro", created=1, period_end=1)
        stripe.account.subscriptions = [*at_stripe(249), over]
        ours = active(*(f"sub_{n:06}" for n in range(1, 249)))
        ours.statuses |= {"sub_000007": "past_due", "sub_gone": "trialing"}
        comparison = Comparison(stripe.reader().subscriptions, ours)
        await comparison.run()
        drift = comparison.found(utcnow())
        assert (drift.compared, drift.complete, drift.ended) == (250, True, "")
        assert drift.differ == (("sub_000007", "past_due", "active"),)
        assert drift.only_stripe == (("sub_000000", "active"),), "what is over need not have been kept"
        assert drift.only_database == (("sub_gone", "trialing"),)
        # Three pages, and a look at the newest again for what only the database has.
        assert stripe.record.paths == ["/v1/subscriptions"] * 4


async def test_the_quick_one_ends_at_its_page_and_does_not_ask_what_else_we_have() -> None:
    async with account() as stripe:
        stripe.account.subscriptions = at_stripe(100 * QUICK_PAGES + 1)
        ours = active(*(one["id"] for one in stripe.account.subscriptions), "sub_gone")
        comparison = Comparison(stripe.reader().subscriptions, ours)
        await comparison.run()
        drift = comparison.found(utcnow())
        assert (drift.compared, drift.complete, drift.total) == (5_000, False, 0)
        assert len(stripe.record.paths) == QUICK_PAGES


async def test_who_subscribed_while_we_read_is_on_both_sides() -> None:
    pages = Pages(["c", "b", "a"])
    ours = active("a", "b", "c")

    def subscribed() -> None:
        for id in ("d", "e", "f"):
            pages.ids.insert(0, id)
            ours.statuses[id] = "active"
        ours.statuses["gone"] = "active"

    ours.on_living = subscribed
    comparison = Comparison(pages, ours)
    await comparison.run(None)
    assert comparison.found(utcnow()).only_database == (("gone", "active"),)
    assert pages.asked == [None, "b", None, "e"], "only as far back as we had been"


async def test_a_refusal_on_the_way_is_waited_for() -> None:
    pages = Pages(
        ["a", "b", "c"],
        StripeUnavailable("Stripe limits us (429): again in 7 s", again_s=7.0),
        StripeUnavailable("Stripe is in trouble itself (500)", again_s=5.0),
    )
    naps, said = Naps(), []
    comparison = Comparison(pages, active("a", "b", "c"), tries=PATIENCE, sleep=naps)
    comparison.on_progress = lambda: said.append((comparison.read, comparison.waits))
    await comparison.run(None)
    assert naps.taken == [7.0, 5.0]
    assert said == [
        (2, ""),
        (2, "Stripe limits us (429): again in 7 s"),
        (2, "Stripe is in trouble itself (500)"),
        (3, ""),
    ]
    assert comparison.found(utcnow()).complete


async def test_what_was_found_outlives_a_failure() -> None:
    pages = Pages(["a", "b", "c"], *[StripeUnavailable("no", again_s=1.0)] * PATIENCE)
    naps = Naps()
    comparison = Comparison(pages, active("b"), tries=PATIENCE, sleep=naps)
    with pytest.raises(StripeUnavailable):
        await comparison.run(None)
    assert len(naps.taken) == PATIENCE - 1
    found = comparison.found(utcnow(), "no")
    assert (found.compared, found.complete, found.ended) == (2, False, "no")
    assert found.only_stripe == (("a", "active"),)


async def test_a_lasting_refusal_is_not_asked_again() -> None:
    pages = Pages(["a", "b", "c"], StripeUnavailable("Stripe refuses the key (401)"))
    comparison = Comparison(pages, active("a", "b"), tries=PATIENCE, sleep=Naps())
    with pytest.raises(StripeUnavailable, match="401"):
        await comparison.run(None)
    assert pages.asked == [None, "b"]


async def test_a_database_that_is_busy_is_asked_again_and_the_quick_one_says_so_at_once() -> None:
    class Busy(Ours):
        left = 1

        async def rows(self, ids: list[str]) -> dict[str, str]:
            if self.left:
                self.left -= 1
                raise DatabaseUnavailable(PgFailure("query", "another question is under way", True))
            return dict.fromkeys(ids, "active")

    comparison = Comparison(Pages(["a"]), Busy({}), tries=2, sleep=(naps := Naps()))
    await comparison.run(None)
    assert (comparison.read, len(naps.taken)) == (1, 1)
    with pytest.raises(DatabaseUnavailable, match="another question"):
        await Comparison(Pages(["a"]), Busy({})).run()


async def test_without_stripe_it_says_why() -> None:
    reader = StripeReader(Secret("rk_test_x"), "http://127.0.0.1:1", utcnow, limiter=quick())
    with pytest.raises(StripeUnavailable, match="Stripe cannot be reached"):
        await Comparison(reader.subscriptions, Ours({})).run()


@pytest.mark.parametrize(
    ("read", "expected", "left"),
    [(0, 100, None), (100, None, None), (200, 100, None), (100, 100, 0.0), (12_000, 84_000, 360.0)],
)
def test_how_long_the_rest_takes(read: int, expected: int | None, left: float | None) -> None:
    assert left_s(read, expected, 60.0) == left
