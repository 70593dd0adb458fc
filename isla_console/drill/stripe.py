"""Stripe's REST API as the console and the runbook use it, in test mode, with its documented shapes.

Charges (search), events, webhook endpoints, subscriptions, customers, prices, and the CLI's event retry;
lists page by `starting_after`, searches by `page`; refusals are Stripe's own. Nothing is kept on disk.
"""

import asyncio
import hmac
import random
import re
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.faults import Faults

Handler = Callable[[Request], Awaitable[Response]]
Thing = dict[str, Any]

ACCOUNT: Final = "acct_1DrillIslaConsole"
ENDPOINT: Final = "we_1IslaDrillProduction0001"
RATE_PER_S: Final = 25
SEARCHES_PER_S: Final = 20
PAGE: Final = 100
WINDOW_S: Final = 3600.0
"""What the shipped runbook's payment success rate is taken over."""
PER_MINUTE: Final = 7.0
"""Attempts on a quiet day; while payments fail people try again, and again."""
_AGAIN_S: Final = 0.8
_DECLINED: Final = 0.018
"""The share that banks decline on a quiet day."""
_HELD: Final = 60
"""Attempts that a window holds at least: three times what a rate has to be of to say anything."""
_DECLINES: Final = (
    ("card_declined", "The bank did not return any further details with this decline."),
    ("insufficient_funds", "The bank returned the decline code `insufficient_funds`."),
    ("expired_card", "The bank returned the decline code `expired_card`."),
)
_CLAUSE: Final = re.compile(r"(\w+)\s*(:|>=|<=|>|<)\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))$")
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_PERMISSIONS: Final = {
    "charges": "rak_charge_read",
    "events": "rak_event_read",
    "webhook_endpoints": "rak_webhook_read",
    "subscriptions": "rak_subscription_read",
    "customers": "rak_customer_read",
    "prices": "rak_plan_read",
}


class Books:
    """The rehearsal's Stripe account: what was attempted, what was not delivered, who subscribes."""

    def __init__(
        self, faults: Faults, rng: random.Random, *, quiet: bool = False, window_s: float = WINDOW_S
    ) -> None:
        """`quiet`: an account without any object in it; `window_s`: what the success rate is taken over."""
        self._faults = faults
        self._rng = rng
        self._per_minute = per_minute(window_s)
        self._owed = rng.random()
        self._number = 0
        self.asked = 0
        """Requests that came with the right key."""
        self.most_a_second = 0
        self._second = (0, 0)
        self.charges: deque[Thing] = deque(maxlen=20_000)
        """Newest first."""
        self.events: deque[Thing] = deque(maxlen=2_000)
        self.on_retry: Callable[[bool], None] = lambda delivered: None
        """Told of each event that is sent again: whether it arrived."""
        self.subscriptions: list[Thing] = []
        """Newest first."""
        self.endpoints: list[Thing] = [] if quiet else [_endpoint()]
        if not quiet:
            now = time.time()
            for since, until, rate in ((7200.0, window_s, PER_MINUTE), (window_s, 0.0, self._per_minute)):
                for number in range(int((since - until) / 60 * rate)):
                    self.attempt(int(now - since + number * 60 / rate), fails=self._declined())

    def count(self) -> None:
        """One more request."""
        second = int(time.monotonic())
        self._second = (second, self._second[1] + 1 if self._second[0] == second else 1)
        self.asked += 1
        self.most_a_second = max(self.most_a_second, self._second[1])

    async def live(self) -> None:
        """Attempts come in until cancelled; on a slow machine some come late, but they come."""
        quiet_s = 60 / self._per_minute
        again_s = min(_AGAIN_S, quiet_s / 1.5)
        due = time.monotonic()
        while True:
            await asyncio.sleep(min(again_s, max(0.0, due - time.monotonic())))
            failing = self._faults.payments_failing
            # Who paid and got nothing for it tries again too.
            trying = failing > 0 or self._faults.error("webhook", 0.0) is not None
            now = time.monotonic()
            if now < due and not trying:
                continue
            due = min(due, now) + (again_s if trying else quiet_s * self._rng.uniform(0.7, 1.3))
            self.attempt(
                int(time.time()), fails=self._rng.random() < failing if failing else self._declined()
            )

    def _declined(self) -> bool:
        """Whether a bank declines the next one: spread evenly, so that no window looks bad by chance."""
        self._owed += _DECLINED
        if self._owed < 1:
            return False
        self._owed -= 1
        return True

    def attempt(self, created: int, *, fails: bool) -> None:
        """One charge, and the event that tells of it."""
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
        kind = "charge.failed" if fails else "charge.succeeded"
        undelivered = self._faults.error("webhook", self._rng.random()) is not None
        self.events.appendleft(
            {
                "id": f"evt_3Drill{self._number:019}",
                "object": "event",
                "api_version": "2026-10-28.endive",
                "created": created,
                "data": {"object": charge},
                "livemode": False,
                "pending_webhooks": 1 if undelivered else 0,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
            }
        )

    def retry(self, id: str) -> Thing | None:
        """Deliver an event once more."""
        event = next((one for one in self.events if one["id"] == id), None)
        if event is not None:
            waited = event["pending_webhooks"]
            if self._faults.error("webhook", self._rng.random()) is None:
                event["pending_webhooks"] = 0
            if waited:
                self.on_retry(event["pending_webhooks"] == 0)
        return event


def per_minute(window_s: float) -> float:
    """Attempts on a quiet day, more of them where the rate is taken over a shorter window."""
    return max(PER_MINUTE, _HELD * 60 / window_s)


async def subscriptions(pool: "asyncpg.Pool[Any]") -> list[Thing]:
    """The database's subscriptions as Stripe has them: all but a few alike."""
    rows = await pool.fetch(
        "SELECT stripe_subscription_id AS id, stripe_customer_id AS customer, status, plan,"
        " extract(epoch FROM created_at)::bigint AS created,"
        " extract(epoch FROM current_period_end)::bigint AS period_end"
        " FROM public.subscriptions ORDER BY created_at DESC, id"
    )
    found = [subscription(**dict(row)) for row in rows]
    # Three webhooks that never came: two changes, one new subscription.
    for one in [one for one in found if one["status"] == "active"][10:12]:
        one["status"] = "past_due"
    if found:
        newest = subscription(
            id="sub_1DrillNewestNotInDatabase", customer="cus_DrillNew", status="active", plan="pro",
            created=int(time.time()) - 3600, period_end=int(time.time()) + 29 * 86400,
        )  # fmt: skip
        found.insert(0, newest)
    return found


def subscription(*, id: str, customer: str, status: str, plan: str, created: int, period_end: int) -> Thing:
    """One subscription in Stripe's shape."""
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
    }  # fmt: skip


def stripe_service(
    books: Books,
    key: str,
    *,
    lacks: frozenset[str] = frozenset(),
    rate_per_s: int = RATE_PER_S,
    most: int = PAGE,
) -> Starlette:
    """api.stripe.com for one account.

    Args:
        lacks: resources that the key may not read, such as `charges`.
        most: objects on a page at most.
    """
    limit = _Limit()

    async def search(request: Request) -> Response:
        if limit.over("search", SEARCHES_PER_S):
            return _limited("search-rate")
        query = request.query_params
        try:
            found = _search(query.get("query", ""), books.charges)
        except ValueError as error:
            return _refuse(400, str(error), param="query")
        start = int(query.get("page") or 0)
        size = _size(query.get("limit"))
        rest = len(found) > start + size
        answer: Thing = {
            "object": "search_result",
            "data": found[start : start + size],
            "has_more": rest,
            "next_page": str(start + size) if rest else None,
            "url": "/v1/charges/search",
        }
        if any(value == "total_count" for name, value in query.multi_items() if name.startswith("expand")):
            answer["total_count"] = len(found)
        return JSONResponse(answer)

    async def events(request: Request) -> Response:
        query = request.query_params
        found = list(books.events)
        if delivered := query.get("delivery_success"):
            found = [one for one in found if (one["pending_webhooks"] == 0) == (delivered == "true")]
        kinds = {value for name, value in query.multi_items() if name == "type" or name.startswith("types")}
        return _page([one for one in found if not kinds or one["type"] in kinds], request)

    async def endpoints(request: Request) -> Response:
        return _page(books.endpoints, request)

    async def all_subscriptions(request: Request) -> Response:
        status = request.query_params.get("status")
        customer = request.query_params.get("customer")
        if status == "all" and customer is None:
            return _page(books.subscriptions, request, most)
        found = [
            one
            for one in books.subscriptions
            if (one["status"] == status if status not in {None, "all"} else True)
            and (status is not None or one["status"] != "canceled")
            and (customer is None or one["customer"] == customer)
        ]
        return _page(found, request, most)

    async def customer(request: Request) -> Response:
        id = request.path_params["id"]
        if all(one["customer"] != id for one in (*books.subscriptions, *books.charges)):
            return _refuse(404, f"No such customer: '{id}'", code="resource_missing", param="id")
        return JSONResponse(
            {"id": id, "object": "customer", "created": 1760000000, "delinquent": False, "livemode": False}
        )

    async def prices(request: Request) -> Response:
        plans = (("pro", 900), ("team", 1900), ("business", 4900))
        found: list[Thing] = [
            {
                "id": f"price_{plan}",
                "object": "price",
                "active": True,
                "currency": "usd",
                "livemode": False,
                "product": f"prod_{plan}",
                "recurring": {"interval": "month", "interval_count": 1},
                "unit_amount": amount,
            }
            for plan, amount in plans
        ]
        return _page(found, request)

    async def retry(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        wanted = form.get("webhook_endpoint", [None])[0]
        if wanted is not None and all(one["id"] != wanted for one in books.endpoints):
            return _refuse(404, f"No such webhook endpoint: '{wanted}'", code="resource_missing")
        event = books.retry(request.path_params["id"])
        if event is None:
            return _refuse(404, f"No such event: '{request.path_params['id']}'", code="resource_missing")
        return JSONResponse(event)

    def known(handler: Handler, resource: str) -> Handler:
        async def handle(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), key.encode()):
                shown = f"{given[:8]}{'*' * 8}" if given else ""
                return _refuse(401, f"Invalid API Key provided: {shown}")
            if resource in lacks:
                return _refuse(
                    403,
                    f"The provided key '{key[:8]}{'*' * 8}' does not have the required permissions for this "
                    f"endpoint on account '{ACCOUNT}'. Having the '{_PERMISSIONS[resource]}' permission "
                    "would allow this request to continue.",
                )
            books.count()
            if limit.over("all", rate_per_s):
                return _limited("global-rate")
            return await handler(request)

        return handle

    return Starlette(
        routes=[
            Route("/v1/charges/search", known(search, "charges")),
            Route("/v1/events", known(events, "events")),
            Route("/v1/events/{id}/retry", known(retry, "events"), methods=["POST"]),
            Route("/v1/webhook_endpoints", known(endpoints, "webhook_endpoints")),
            Route("/v1/subscriptions", known(all_subscriptions, "subscriptions")),
            Route("/v1/customers/{id}", known(customer, "customers")),
            Route("/v1/prices", known(prices, "prices")),
        ],
        exception_handlers={404: _no_route},
    )


def new_key() -> str:
    """A restricted test key for the rehearsal's account."""
    return f"rk_test_{secrets.token_hex(24)}"


class _Limit:
    """Requests in the current second, by kind."""

    def __init__(self) -> None:
        self._second = 0
        self._counts: dict[str, int] = {}

    def over(self, kind: str, most: int) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._counts = second, {}
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind] > most


def _search(query: str, charges: Sequence[Thing]) -> list[Thing]:
    clauses = []
    for part in re.split(r"\s+AND\s+", query.strip()):
        match = _CLAUSE.match(part.strip())
        if match is None or match[1] not in {"status", "created", "customer", "currency", "amount"}:
            raise ValueError(f"We were unable to parse your search query: {part!r}")
        name, op, single, double, digits = match.groups()
        clauses.append((name, op, single or double or digits))

    def fits(one: Thing) -> bool:
        return all(
            str(one[name]) == value if op == ":" else _HOLDS[op](float(one[name]), float(value))
            for name, op, value in clauses
        )

    return [one for one in charges if fits(one)]


def _page(things: Sequence[Thing], request: Request, most: int = PAGE) -> Response:
    query = request.query_params
    size = _size(query.get("limit"), most)
    start = 0
    if after := query.get("starting_after"):
        place = next((n for n, one in enumerate(things) if one["id"] == after), None)
        if place is None:
            return _refuse(404, f"No such object: '{after}'", code="resource_missing", param="starting_after")
        start = place + 1
    return JSONResponse(
        {
            "object": "list",
            "data": list(things[start : start + size]),
            "has_more": len(things) > start + size,
            "url": request.url.path,
        }
    )


def _size(limit: str | None, most: int = PAGE) -> int:
    return min(most, max(1, int(limit))) if limit is not None and limit.isdigit() else 10


def _endpoint() -> Thing:
    return {
        "id": ENDPOINT,
        "object": "webhook_endpoint",
        "api_version": "2026-10-28.endive",
        "created": 1760000000,
        "enabled_events": ["*"],
        "livemode": False,
        "status": "enabled",
        "url": "https://app.isla.link/api/webhooks/stripe",
    }


def _refuse(status: int, message: str, *, code: str | None = None, param: str | None = None) -> Response:
    error: Thing = {"message": message, "type": "invalid_request_error"}
    error |= {name: value for name, value in (("code", code), ("param", param)) if value}
    return JSONResponse({"error": error}, status_code=status, headers={"Request-Id": "req_drill"})


def _limited(reason: str) -> Response:
    message = "Request rate limit exceeded. See https://docs.stripe.com/rate-limits."
    return JSONResponse(
        {"error": {"message": message, "type": "invalid_request_error", "code": "rate_limit"}},
        status_code=429,
        headers={"Stripe-Rate-Limited-Reason": reason},
    )


async def _no_route(request: Request, error: Exception) -> Response:
    return _refuse(404, f"Unrecognized request URL ({request.method}: {request.url.path}).")
