"""The client of Stripe: how many payments succeed, which fail and why, which events were not delivered.

The SDK is imported with the first question, in a thread, because that takes a quarter of a second. Requests
are limited to two a second: the limit is the account's, and checkout needs it more than the console does.
The SDK's own retries are off: they would exceed that rate, and they do not retry a 429 anyway.
Read-only: nothing here creates or changes anything.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from isla_console.monitor.http.answers import clock_sentence, offset
from isla_console.monitor.metrics.sample import Sample, defect
from isla_console.monitor.stripe.payments import (
    FEW_ATTEMPTS,
    Details,
    Endpoint,
    FailedPayment,
    Undelivered,
    mode_of,
)
from isla_console.net.environment import proxy_fault, proxy_variable
from isla_console.net.failures import OwnFault
from isla_console.net.rate_limit import RateLimiter
from isla_console.settings.secret import Secret
from isla_console.text.brief import brief
from isla_console.text.money import amount_text
from isla_console.text.spans import span_text, window_text
from isla_console.text.times import http_date, since_1970

if TYPE_CHECKING:
    import stripe as sdk

TIMEOUT_S = 10.0
PACE_S = 0.5
"""Seconds between two requests."""
PAGE = 100
"""Items on a page of a list, the most that Stripe gives."""
_LISTED = 20
_AGAIN_S = 5.0

_PERMISSION = re.compile(r"\brak_[a-z_]+\b")
_NO_JSON = re.compile(r"(?i)invalid response body|unexpected.*json|expecting value")


class StripeUnavailable(Exception):
    """Stripe gave no answer. The text is a sentence without any key in it; `reached` is as in a Sample.

    `again_s` is how many seconds to wait before asking again; None where that does not help. `ours` says that
    the fault is our own: a key, a proxy, a defect.
    """

    def __init__(
        self, reason: str, *, reached: bool = True, again_s: float | None = None, ours: bool = False
    ) -> None:
        self.reached = reached
        self.again_s = again_s
        self.ours = ours
        super().__init__(reason)


class StripeReader:
    """Asks Stripe. The only error that a method raises is StripeUnavailable."""

    def __init__(
        self,
        key: Secret,
        url: str,
        clock: Callable[[], datetime],
        *,
        limiter: RateLimiter | None = None,
        timeout_s: float = TIMEOUT_S,
        page: int = PAGE,
    ) -> None:
        self.mode = mode_of(key.reveal())
        self._key = key
        self._url = url.rstrip("/")
        self._clock = clock
        self._limiter = limiter or RateLimiter(PACE_S, monotonic=time.monotonic)
        self._timeout_s = timeout_s
        self._page = page
        self._client: sdk.StripeClient | None = None
        self._opening: asyncio.Future[sdk.StripeClient] | None = None
        self._refusal = ""
        self._apart = timedelta()

    async def rate(self, id: str, window_s: float) -> Sample:
        """Return the share of attempts that succeeded, in percent, as a sample with `value` and `n`."""
        try:
            succeeded, failed = [
                await self._count(f"status:'{status}'", window_s) for status in ("succeeded", "failed")
            ]
        except StripeUnavailable as error:
            return Sample(id, self._clock(), False, str(error), reached=error.reached, ours=error.ours)
        n, at = succeeded + failed, self._clock()
        if n < FEW_ATTEMPTS:
            many = f"{n} attempt{'' if n == 1 else 's'}" if n else "no attempt"
            reason = f"not enough data: {many} in {window_text(window_s)}"
            return Sample(id, at, False, reason, reached=True)
        values = {"value": 100.0 * succeeded / n, "n": float(n)}
        return Sample(id, at, True, values=values, reached=True)

    async def details(self, id: str, window_s: float) -> Sample:
        """Failed payments, undelivered events and endpoints, as a sample with a Details."""
        found: dict[str, Any] = {}
        problems: dict[str, str] = {}
        reached, ours = True, False
        for name, ask in (
            ("failed", lambda: self._failed(window_s)),
            ("undelivered", self._undelivered),
            ("endpoints", self._endpoints),
        ):
            try:
                found[name] = await ask()
            except StripeUnavailable as error:
                problems[name], reached, ours = str(error), error.reached, error.ours
        at = self._clock()
        if not found:
            return Sample(id, at, False, next(iter(problems.values())), reached=reached, ours=ours)
        undelivered, more = found.get("undelivered", ((), False))
        details = Details(
            failed=found.get("failed", ()),
            undelivered=undelivered,
            more_undelivered=more,
            endpoints=found.get("endpoints", ()),
            problems=problems,
            clock=clock_sentence(self._apart, "Stripe"),
        )
        return Sample(id, at, True, reached=True, detail=details)

    async def subscriptions(self, after: str | None) -> tuple[dict[str, str], bool]:
        """Return a page of subscriptions, newest first: status by id, and whether it is the last page.

        Args:
            after: The id that the page follows; None for the first page.
        """
        asked: dict[str, Any] = {"status": "all", "limit": self._page}
        if after is not None:
            asked["starting_after"] = after
        # Read from the raw JSON: making the SDK's objects of a full page takes ten times as long.
        answer = await self._ask(
            "subscriptions",
            lambda client: client.raw_request_async("get", "/v1/subscriptions", **asked),
        )
        try:
            page = {str(one["id"]): str(one["status"]) for one in answer.data["data"]}
            return page, not answer.data["has_more"] or not page
        except (KeyError, TypeError):
            raise StripeUnavailable("Stripe's list of subscriptions has changed its shape") from None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            requestor = getattr(self._client, "_requestor", None)
            http = getattr(requestor, "_client", None)
            if http is not None:
                await http.close_async()

    async def _count(self, what: str, window_s: float) -> int:
        answer = await self._ask(
            "charges",
            lambda client: client.v1.charges.search_async(
                {
                    "query": f"{what} AND created>{self._since(window_s)}",
                    "limit": 1,
                    "expand": ["total_count"],
                }
            ),
        )
        total = getattr(answer, "total_count", None)
        if not isinstance(total, int):
            raise StripeUnavailable("Stripe's search gives no total")
        return total

    async def _failed(self, window_s: float) -> tuple[FailedPayment, ...]:
        answer = await self._ask(
            "charges",
            lambda client: client.v1.charges.search_async(
                {"query": f"status:'failed' AND created>{self._since(window_s)}", "limit": _LISTED}
            ),
        )
        return tuple(_failed(one) for one in answer.data)

    async def _undelivered(self) -> tuple[tuple[Undelivered, ...], bool]:
        answer = await self._ask(
            "events",
            lambda client: client.v1.events.list_async({"delivery_success": False, "limit": PAGE}),
        )
        events = tuple(
            Undelivered(brief(one.id, 64), since_1970(one.created), brief(one.type, 60), one.pending_webhooks)
            for one in answer.data
        )
        return events, bool(answer.has_more)

    async def _endpoints(self) -> tuple[Endpoint, ...]:
        answer = await self._ask(
            "webhook endpoints", lambda client: client.v1.webhook_endpoints.list_async({"limit": PAGE})
        )
        return tuple(
            Endpoint(brief(one.id, 64), brief(one.url, 120), one.status == "enabled") for one in answer.data
        )

    def _since(self, window_s: float) -> int:
        """Return the beginning of the window by Stripe's clock, in seconds since 1970."""
        return int((self._clock() + self._apart - timedelta(seconds=window_s)).timestamp())

    async def _ask(self, what: str, request: Callable[[sdk.StripeClient], Awaitable[Any]]) -> Any:
        if (left := self._limiter.away_s) > 0:
            raise StripeUnavailable(f"{self._refusal}: again in {span_text(left)}", again_s=left)
        client = await self._open()
        await self._limiter.turn()
        try:
            async with asyncio.timeout(self._timeout_s + 0.5):
                answer = await request(client)
        except Exception as error:
            raise self._unavailable(error, what) from None
        self._limiter.accepted()
        # An object of the SDK has its answer's headers beside it; a raw answer has them itself.
        headers = getattr(getattr(answer, "last_response", answer), "headers", None)
        self._apart = offset(_date(headers), self._clock())
        return answer

    async def _open(self) -> sdk.StripeClient:
        failed = self._opening is not None and self._opening.done() and self._opening.exception() is not None
        if self._opening is None or failed:
            self._opening = asyncio.ensure_future(asyncio.to_thread(self._load))
        # Shielded: one caller that stops waiting does not cancel the import for the others.
        try:
            client = self._client = await asyncio.shield(self._opening)
        except OwnFault as error:
            raise StripeUnavailable(str(error), reached=False, ours=True) from None
        except Exception as error:
            fault = proxy_fault()
            raise StripeUnavailable(
                str(fault) if fault is not None else defect(error), reached=False, ours=True
            ) from None
        return client

    def _load(self) -> sdk.StripeClient:
        stripe = importlib.import_module("stripe")
        importlib.import_module("iso4217")  # here, where it holds nothing up
        http = stripe.HTTPXClient(timeout=self._timeout_s)
        client: sdk.StripeClient = stripe.StripeClient(
            self._key.reveal(),
            http_client=http,
            max_network_retries=0,
            base_addresses={"api": self._url},
        )
        return client

    def _unavailable(self, error: Exception, what: str) -> StripeUnavailable:
        """Return an exception of the SDK in our own words: its text may quote what was sent."""
        import stripe

        if isinstance(error, TimeoutError) or _timed_out(error):
            reason = f"Stripe did not answer within {self._timeout_s:g} s"
            return StripeUnavailable(reason, reached=False, again_s=_AGAIN_S)
        if isinstance(error, stripe.RateLimitError):
            return self._rate_limited(error)
        if isinstance(error, stripe.AuthenticationError):
            return StripeUnavailable("Stripe refuses the key (401): look at STRIPE_API_KEY", ours=True)
        if isinstance(error, stripe.PermissionError):
            named = _PERMISSION.search(str(error))
            lacks = f"lacks the permission {named[0]}" if named else f"may not read {what}"
            return StripeUnavailable(f"the key {lacks} (403)", ours=True)
        if isinstance(error, stripe.APIConnectionError):
            if name := proxy_variable():
                return StripeUnavailable(
                    f"Stripe cannot be reached by the proxy that {name} names",
                    reached=False,
                    again_s=_AGAIN_S,
                    ours=True,
                )
            return StripeUnavailable("Stripe cannot be reached", reached=False, again_s=_AGAIN_S)
        if isinstance(error, stripe.StripeError):
            text = str(error)
            if _NO_JSON.search(text):
                return StripeUnavailable("what answers as Stripe sends no JSON: a proxy or a wrong address?")
            status = error.http_status
            if status is not None and status >= 500:
                return StripeUnavailable(f"Stripe is in trouble itself ({status})", again_s=_AGAIN_S)
            said = brief(text.replace(self._key.reveal(), "••••••"), 100)
            return StripeUnavailable(f"Stripe refuses the question ({status}): {said}")
        return StripeUnavailable(defect(error), reached=False, ours=True)

    def _rate_limited(self, error: Any) -> StripeUnavailable:
        headers = {str(k).lower(): str(v) for k, v in (error.headers or {}).items()}
        after = headers.get("retry-after", "")
        pause = self._limiter.refused(float(after) if after.isdigit() else None)
        why = headers.get("stripe-rate-limited-reason", "")
        self._refusal = f"Stripe limits us (429{', ' + brief(why, 30) if why else ''})"
        asked = ", as it asks" if after.isdigit() else ""
        return StripeUnavailable(f"{self._refusal}: again in {span_text(pause)}{asked}", again_s=pause)


def _failed(charge: Any) -> FailedPayment:
    outcome = getattr(charge, "outcome", None)
    reason = getattr(outcome, "seller_message", None) or getattr(charge, "failure_message", None) or ""
    return FailedPayment(
        id=brief(charge.id, 64),
        at=since_1970(charge.created),
        amount=amount_text(charge.amount, brief(str(charge.currency), 6)),
        code=brief(str(getattr(charge, "failure_code", None) or ""), 40),
        reason=brief(str(reason), 100),
        blocked=getattr(outcome, "type", None) == "blocked",
    )


def _date(headers: Mapping[str, str] | None) -> datetime | None:
    return http_date(next((v for k, v in (headers or {}).items() if k.lower() == "date"), ""))


def _timed_out(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if "Timeout" in type(cause).__name__ or "timed out" in str(cause).lower():
            return True
        cause = cause.__cause__ or cause.__context__
    return False
