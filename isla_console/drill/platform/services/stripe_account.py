"""The drill's Stripe account, in memory: what was charged, what was not delivered, who subscribes."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import asyncpg

from isla_console.drill.scenario.faults import Faults

StripeObject = dict[str, Any]
"""An object in Stripe's JSON shape."""

ENDPOINT: Final = "we_1IslaDrillProduction0001"
WINDOW_S: Final = 3600.0
"""The window of the shipped runbook's payment success rate, in seconds."""
PER_MINUTE: Final = 7.0
"""Attempts per minute on a quiet day; while payments fail, customers try again and again."""
_RETRY_S: Final = 0.8
_DECLINED: Final = 0.018
"""The share of attempts that banks decline on a quiet day."""
_LEAST_IN_WINDOW: Final = 60
"""The least number of attempts in a window: three times what a success rate needs."""
_DECLINES: Final = (
    ("card_declined", "The bank did not return any further details with this decline."),
    ("insufficient_funds", "The bank returned the decline code `insufficient_funds`."),
    ("expired_card", "The bank returned the decline code `expired_card`."),
)
_API_VERSION: Final = "2026-10-28.endive"


class StripeAccount:
    """One account's objects; `live` lets customers pay."""

    def __init__(
        self, faults: Faults, rng: random.Random, *, quiet: bool = False, window_s: float = WINDOW_S
    ) -> None:
        """Fill the account, unless it is `quiet`; `window_s` is the window of the success rate in seconds."""
        self._faults = faults
        self._rng = rng
        self._per_minute = per_minute(window_s)
        self._declines_due = rng.random()
        self._number = 0
        self.requests = 0
        """How many requests came with the right key."""
        self.most_requests_a_second = 0
        self._second = (0, 0)
        self.charges: deque[StripeObject] = deque(maxlen=20_000)
        """Newest first."""
        self.events: deque[StripeObject] = deque(maxlen=2_000)
        """Newest first."""
        self.on_retry: Callable[[bool], None] = lambda delivered: None
        """Called for each event that is sent again, with whether it arrived."""
        self.subscriptions: list[StripeObject] = []
        """Newest first."""
        self.endpoints: list[StripeObject] = [] if quiet else [_endpoint()]
        if not quiet:
            now = time.time()
            for since, until, rate in ((7200.0, window_s, PER_MINUTE), (window_s, 0.0, self._per_minute)):
                for number in range(int((since - until) / 60 * rate)):
                    self.attempt(int(now - since + number * 60 / rate), fails=self._is_declined())

    def count_request(self) -> None:
        """Count a request that came with the right key."""
        second = int(time.monotonic())
        self._second = (second, self._second[1] + 1 if self._second[0] == second else 1)
        self.requests += 1
        self.most_requests_a_second = max(self.most_requests_a_second, self._second[1])

    async def live(self) -> None:
        """Let customers pay until cancelled; on a slow machine some pay late, but all of them do."""
        quiet_s = 60 / self._per_minute
        retry_s = min(_RETRY_S, quiet_s / 1.5)
        due = time.monotonic()
        while True:
            await asyncio.sleep(min(retry_s, max(0.0, due - time.monotonic())))
            failing = self._faults.payments_failing
            # A customer who paid and received nothing tries again too.
            retrying = failing > 0 or self._faults.error("webhook", 0.0) is not None
            now = time.monotonic()
            if now < due and not retrying:
                continue
            due = min(due, now) + (retry_s if retrying else quiet_s * self._rng.uniform(0.7, 1.3))
            fails = self._rng.random() < failing if failing else self._is_declined()
            self.attempt(int(time.time()), fails=fails)

    def _is_declined(self) -> bool:
        """Return whether a bank declines the next attempt; spread evenly, so that no window looks bad."""
        self._declines_due += _DECLINED
        if self._declines_due < 1:
            return False
        self._declines_due -= 1
        return True

    def attempt(self, created: int, *, fails: bool) -> None:
        """Add a charge made at `created` (Unix seconds), and its event."""
        self._number += 1
        code, seller = self._rng.choice(_DECLINES)
        charge = {
            "id": f"ch_3Drill{self._number:019}",
            "object": "charge",
            "amount": self._rng.choice((900, 1900, 4900)),
            "currency": "usd",
            "created": created,
            "customer": f"cus_Drill{self._rng.randrange(9999):04}",
            "failure_code": code if fails else None,
            "failure_message": "Your card was declined." if fails else None,
            "livemode": False,
            "outcome": {
                "network_status": "declined_by_network" if fails else "approved_by_network",
                "reason": code if fails else None,
                "risk_level": "normal",
                "seller_message": seller if fails else "Payment complete.",
                "type": "issuer_declined" if fails else "authorized",
            },
            "paid": not fails,
            "payment_intent": f"pi_3Drill{self._number:019}",
            "status": "failed" if fails else "succeeded",
        }
        self.charges.appendleft(charge)
        undelivered = self._faults.error("webhook", self._rng.random()) is not None
        self.events.appendleft(
            {
                "id": f"evt_3Drill{self._number:019}",
                "object": "event",
                "api_version": _API_VERSION,
                "created": created,
                "data": {"object": charge},
                "livemode": False,
                "pending_webhooks": 1 if undelivered else 0,
                "request": {"id": None, "idempotency_key": None},
                "type": "charge.failed" if fails else "charge.succeeded",
            }
        )

    def retry(self, id: str) -> StripeObject | None:
        """Deliver an event once more, and return it; None if there is no event of this id."""
        event = next((one for one in self.events if one["id"] == id), None)
        if event is not None:
            was_pending = event["pending_webhooks"]
            if self._faults.error("webhook", self._rng.random()) is None:
                event["pending_webhooks"] = 0
            if was_pending:
                self.on_retry(event["pending_webhooks"] == 0)
        return event


def per_minute(window_s: float) -> float:
    """Return the attempts per minute on a quiet day: the shorter the success rate's window, the more."""
    return max(PER_MINUTE, _LEAST_IN_WINDOW * 60 / window_s)


async def subscriptions(pool: asyncpg.Pool[Any]) -> list[StripeObject]:
    """Read the database's subscriptions as Stripe has them, which differ in three places."""
    rows = await pool.fetch(
        "SELECT stripe_subscription_id AS id, stripe_customer_id AS customer, status, plan,"
        " extract(epoch FROM created_at)::bigint AS created,"
        " extract(epoch FROM current_period_end)::bigint AS period_end"
        " FROM public.subscriptions ORDER BY created_at DESC, id"
    )
    found = [subscription(**dict(row)) for row in rows]
    # Three webhooks never arrived: two changes, one new subscription.
    for one in [one for one in found if one["status"] == "active"][10:12]:
        one["status"] = "past_due"
    if found:
        newest = subscription(
            id="sub_1DrillNewestNotInDatabase",
            customer="cus_DrillNew",
            status="active",
            plan="pro",
            created=int(time.time()) - 3600,
            period_end=int(time.time()) + 29 * 86400,
        )
        found.insert(0, newest)
    return found


def subscription(
    *, id: str, customer: str, status: str, plan: str, created: int, period_end: int
) -> StripeObject:
    """Return a subscription; times are Unix seconds."""
    item = {
        "id": f"si_{id[4:20]}",
        "object": "subscription_item",
        "current_period_end": period_end,
        "price": {"id": f"price_{plan}", "object": "price"},
        "quantity": 1,
    }
    return {
        "id": id,
        "object": "subscription",
        "cancel_at_period_end": False,
        "created": created,
        "customer": customer,
        "items": {"object": "list", "data": [item], "has_more": False, "url": "/v1/subscription_items"},
        "latest_invoice": f"in_{id[4:20]}",
        "livemode": False,
        "status": status,
    }


def _endpoint() -> StripeObject:
    return {
        "id": ENDPOINT,
        "object": "webhook_endpoint",
        "api_version": _API_VERSION,
        "created": 1760000000,
        "enabled_events": ["*"],
        "livemode": False,
        "status": "enabled",
        "url": "https://app.isla.link/api/webhooks/stripe",
    }
