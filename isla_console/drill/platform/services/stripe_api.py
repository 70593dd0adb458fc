"""Stripe's REST API as the console and the runbook use it, in test mode, with its documented shapes.

Charges (search), events, webhook endpoints, subscriptions, customers, prices, and the CLI's event retry;
lists page by `starting_after`, searches by `page`; refusals are worded as Stripe's own.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isla_console.drill.platform.services.http import Handler, bears, guarded
from isla_console.drill.platform.services.stripe_account import StripeAccount, StripeObject

ACCOUNT: Final = "acct_1DrillIslaConsole"
RATE_PER_S: Final = 25
SEARCHES_PER_S: Final = 20
PAGE: Final = 100
_CLAUSE: Final = re.compile(r"(\w+)\s*(:|>=|<=|>|<)\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))$")
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
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
_PLANS: Final = (("pro", 900), ("team", 1900), ("business", 4900))
"""Each plan's name and price per month, in cents."""


def stripe_service(
    account: StripeAccount,
    key: str,
    *,
    lacks: frozenset[str] = frozenset(),
    rate_per_s: int = RATE_PER_S,
    most: int = PAGE,
) -> Starlette:
    """Make api.stripe.com for one account.

    Args:
        account: What is in the account.
        key: The key that is accepted.
        lacks: Resources that the key may not read, such as `charges`.
        rate_per_s: How many requests of all kinds are answered in a second.
        most: The most subscriptions on a page.
    """
    api = _StripeApi(account, key, lacks, rate_per_s, most)
    return Starlette(routes=api.routes(), exception_handlers={404: _no_route})


def new_key() -> str:
    """Make a restricted test key for the drill's account."""
    return f"rk_test_{secrets.token_hex(24)}"


class _StripeApi:
    def __init__(
        self, account: StripeAccount, key: str, lacks: frozenset[str], rate_per_s: int, most: int
    ) -> None:
        self._account = account
        self._key = key
        self._lacks = lacks
        self._rate_per_s = rate_per_s
        self._most = most
        self._limit = _RateLimit()

    def routes(self) -> list[Route]:
        """Return every route, behind the check of the key's permission for its resource."""
        table: tuple[tuple[str, str, Handler, str], ...] = (
            ("GET", "/v1/charges/search", self._search_charges, "charges"),
            ("GET", "/v1/events", self._list_events, "events"),
            ("POST", "/v1/events/{id}/retry", self._retry_event, "events"),
            ("GET", "/v1/webhook_endpoints", self._list_endpoints, "webhook_endpoints"),
            ("GET", "/v1/subscriptions", self._list_subscriptions, "subscriptions"),
            ("GET", "/v1/customers/{id}", self._get_customer, "customers"),
            ("GET", "/v1/prices", self._list_prices, "prices"),
        )
        return [
            Route(path, guarded(handler, self._refusal_of(resource)), methods=[method])
            for method, path, handler, resource in table
        ]

    def _refusal_of(self, resource: str) -> Callable[[Request], Response | None]:
        def refusal(request: Request) -> Response | None:
            if not bears(request, self._key):
                given = request.headers.get("authorization", "").removeprefix("Bearer ")
                shown = f"{given[:8]}{'*' * 8}" if given else ""
                return _refuse(401, f"Invalid API Key provided: {shown}")
            if resource in self._lacks:
                return _refuse(
                    403,
                    f"The provided key '{self._key[:8]}{'*' * 8}' does not have the required permissions for "
                    f"this endpoint on account '{ACCOUNT}'. Having the '{_PERMISSIONS[resource]}' permission "
                    "would allow this request to continue.",
                )
            self._account.count_request()
            if self._limit.is_over("all", self._rate_per_s):
                return _limited("global-rate")
            return None

        return refusal

    async def _search_charges(self, request: Request) -> Response:
        if self._limit.is_over("search", SEARCHES_PER_S):
            return _limited("search-rate")
        query = request.query_params
        try:
            found = _search(query.get("query", ""), self._account.charges)
        except ValueError as error:
            return _refuse(400, str(error), param="query")
        start = int(query.get("page") or 0)
        size = _page_size(query.get("limit"))
        has_more = len(found) > start + size
        answer: StripeObject = {
            "object": "search_result",
            "data": found[start : start + size],
            "has_more": has_more,
            "next_page": str(start + size) if has_more else None,
            "url": "/v1/charges/search",
        }
        if any(value == "total_count" for name, value in query.multi_items() if name.startswith("expand")):
            answer["total_count"] = len(found)
        return JSONResponse(answer)

    async def _list_events(self, request: Request) -> Response:
        query = request.query_params
        found = list(self._account.events)
        if delivered := query.get("delivery_success"):
            found = [one for one in found if (one["pending_webhooks"] == 0) == (delivered == "true")]
        kinds = {value for name, value in query.multi_items() if name == "type" or name.startswith("types")}
        return _page([one for one in found if not kinds or one["type"] in kinds], request)

    async def _retry_event(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        wanted = form.get("webhook_endpoint", [None])[0]
        if wanted is not None and all(one["id"] != wanted for one in self._account.endpoints):
            return _refuse(404, f"No such webhook endpoint: '{wanted}'", code="resource_missing")
        event = self._account.retry(request.path_params["id"])
        if event is None:
            return _refuse(404, f"No such event: '{request.path_params['id']}'", code="resource_missing")
        return JSONResponse(event)

    async def _list_endpoints(self, request: Request) -> Response:
        return _page(self._account.endpoints, request)

    async def _list_subscriptions(self, request: Request) -> Response:
        status = request.query_params.get("status")
        customer = request.query_params.get("customer")
        if status == "all" and customer is None:
            return _page(self._account.subscriptions, request, self._most)
        found = [
            one
            for one in self._account.subscriptions
            if (one["status"] == status if status not in {None, "all"} else True)
            and (status is not None or one["status"] != "canceled")
            and (customer is None or one["customer"] == customer)
        ]
        return _page(found, request, self._most)

    async def _get_customer(self, request: Request) -> Response:
        id = request.path_params["id"]
        if all(one["customer"] != id for one in (*self._account.subscriptions, *self._account.charges)):
            return _refuse(404, f"No such customer: '{id}'", code="resource_missing", param="id")
        return JSONResponse(
            {"id": id, "object": "customer", "created": 1760000000, "delinquent": False, "livemode": False}
        )

    async def _list_prices(self, request: Request) -> Response:
        return _page([_price(plan, amount) for plan, amount in _PLANS], request)


class _RateLimit:
    """Counts the requests in the current second, by kind."""

    def __init__(self) -> None:
        self._second = 0
        self._counts: dict[str, int] = {}

    def is_over(self, kind: str, most: int) -> bool:
        """Count a request; return whether there are now more than `most`."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._counts = second, {}
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind] > most


def _search(query: str, charges: Sequence[StripeObject]) -> list[StripeObject]:
    """Return the charges that a search query matches.

    Raises:
        ValueError: It is not a query; the message is Stripe's.
    """
    clauses = []
    for part in re.split(r"\s+AND\s+", query.strip()):
        match = _CLAUSE.match(part.strip())
        if match is None or match[1] not in {"status", "created", "customer", "currency", "amount"}:
            raise ValueError(f"We were unable to parse your search query: {part!r}")
        name, op, single, double, digits = match.groups()
        clauses.append((name, op, single or double or digits))

    def matches(one: StripeObject) -> bool:
        return all(
            str(one[name]) == value if op == ":" else _COMPARISONS[op](float(one[name]), float(value))
            for name, op, value in clauses
        )

    return [one for one in charges if matches(one)]


def _page(objects: Sequence[StripeObject], request: Request, most: int = PAGE) -> Response:
    query = request.query_params
    size = _page_size(query.get("limit"), most)
    start = 0
    if after := query.get("starting_after"):
        place = next((n for n, one in enumerate(objects) if one["id"] == after), None)
        if place is None:
            return _refuse(404, f"No such object: '{after}'", code="resource_missing", param="starting_after")
        start = place + 1
    return JSONResponse(
        {
            "object": "list",
            "data": list(objects[start : start + size]),
            "has_more": len(objects) > start + size,
            "url": request.url.path,
        }
    )


def _page_size(limit: str | None, most: int = PAGE) -> int:
    return min(most, max(1, int(limit))) if limit is not None and limit.isdigit() else 10


def _price(plan: str, amount: int) -> StripeObject:
    return {
        "id": f"price_{plan}",
        "object": "price",
        "active": True,
        "currency": "usd",
        "livemode": False,
        "product": f"prod_{plan}",
        "recurring": {"interval": "month", "interval_count": 1},
        "unit_amount": amount,
    }


def _refuse(status: int, message: str, *, code: str | None = None, param: str | None = None) -> Response:
    error: StripeObject = {"message": message, "type": "invalid_request_error"}
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
