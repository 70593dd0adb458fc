"""Stripe by its own SDK, unmodified, against the drill's endpoints: every call, every way to be refused."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from isla_console.drill.platform.services.stripe_account import ENDPOINT, StripeAccount
from isla_console.drill.platform.services.stripe_api import new_key, stripe_service
from isla_console.drill.scenario.faults import Errors, Faults, PaymentsFail
from isla_console.monitor.stripe import client as module
from isla_console.monitor.stripe.client import StripeReader
from isla_console.monitor.stripe.drift import Comparison, Drift
from isla_console.monitor.stripe.payments import Details, mode_of, reasons
from isla_console.net.rate_limit import RateLimiter
from isla_console.settings.secret import Secret
from tests.support.asgi import Recorded, served
from tests.support.pace import slowness
from tests.support.servers import Endpoints, utcnow
from tests.support.subscriptions import Ours

HOUR = 3600.0


def quick() -> RateLimiter:
    """No waiting between requests: what is tested is not the pace."""
    return RateLimiter(0.0, monotonic=time.monotonic, jitter=lambda: 1.0)


class Account:
    """The drill's Stripe account on a loopback port, and a reader of it."""

    def __init__(self, account: StripeAccount, faults: Faults, key: str, record: Recorded, url: str) -> None:
        self.account = account
        self.faults = faults
        self.key = key
        self.record = record
        self.url = url

    def reader(
        self, key: str | None = None, *, limiter: RateLimiter | None = None, timeout_s: float = 10.0
    ) -> StripeReader:
        return StripeReader(
            Secret(key or self.key), self.url, utcnow, limiter=limiter or quick(), timeout_s=timeout_s
        )


@contextlib.asynccontextmanager
async def account(
    *, quiet: bool = False, lacks: frozenset[str] = frozenset(), rate_per_s: int = 1000
) -> AsyncIterator[Account]:
    faults, key = Faults(), new_key()
    account = StripeAccount(faults, random.Random(1), quiet=quiet)
    record = Recorded(stripe_service(account, key, lacks=lacks, rate_per_s=rate_per_s))
    async with served(record) as url:
        yield Account(account, faults, key, record, url)


async def test_the_rate_is_two_searches_of_the_hour() -> None:
    async with account() as stripe:
        for _ in range(60):
            stripe.account.attempt(int(time.time()), fails=True)
        sample = await stripe.reader().rate("payment-success", HOUR)
        hour = [one for one in stripe.account.charges if one["created"] > time.time() - HOUR]
        good = sum(one["status"] == "succeeded" for one in hour)
        assert sample.ok
        assert sample.values["n"] == len(hour) > 400
        assert sample.values["value"] == pytest.approx(100 * good / len(hour), abs=0.3)
        assert stripe.record.paths == ["/v1/charges/search"] * 2


async def test_details_hold_failures_events_and_endpoints_and_nobodys_name() -> None:
    async with account() as stripe:
        stripe.faults.replace([Errors(target="webhook"), PaymentsFail()])
        for _ in range(130):
            stripe.account.attempt(int(time.time()), fails=True)
        found = (await stripe.reader().details("payments", HOUR)).detail
        assert isinstance(found, Details)
        assert len(found.failed) == 20
        assert found.failed[0].amount.endswith(" USD")
        assert dict(reasons(found.failed)).keys() <= {"card_declined", "insufficient_funds", "expired_card"}
        assert len(found.undelivered) == 100
        assert found.more_undelivered
        assert found.undelivered[0].type == "charge.failed"
        assert [(one.id, one.enabled) for one in found.endpoints] == [(ENDPOINT, True)]
        assert found.problems == {}
        assert "cus_" not in repr(found)


async def test_an_empty_account_has_no_rate_and_no_subscription() -> None:
    async with account(quiet=True) as stripe:
        reader = stripe.reader()
        sample = await reader.rate("payment-success", HOUR)
        assert (sample.ok, sample.reason) == (False, "not enough data: no attempt in 1 h")
        found = (await reader.details("payments", HOUR)).detail
        assert found == Details()
        assert await reader.subscriptions(None) == ({}, True)


async def test_fewer_than_twenty_attempts_are_not_enough_data() -> None:
    async with account(quiet=True) as stripe:
        for number in range(19):
            stripe.account.attempt(int(time.time()), fails=number < 15)
        reader = stripe.reader()
        assert (await reader.rate("p", HOUR)).reason == "not enough data: 19 attempts in 1 h"
        stripe.account.attempt(int(time.time()), fails=False)
        assert (await reader.rate("p", HOUR)).values["value"] == 25.0


async def test_a_wrong_key_is_named_and_not_shown() -> None:
    async with account() as stripe:
        sample = await stripe.reader("rk_test_wrong0000000000").rate("p", HOUR)
        assert sample.reason == "Stripe refuses the key (401): look at STRIPE_API_KEY"


async def test_a_restricted_key_names_the_permission_and_the_rest_is_read() -> None:
    async with account(lacks=frozenset({"events"})) as stripe:
        found = (await stripe.reader().details("payments", HOUR)).detail
        assert isinstance(found, Details)
        assert found.problems == {"undelivered": "the key lacks the permission rak_event_read (403)"}
        assert found.endpoints
    async with account(lacks=frozenset({"charges"})) as stripe:
        sample = await stripe.reader().rate("p", HOUR)
        assert sample.reason == "the key lacks the permission rak_charge_read (403)"


async def test_a_429_without_retry_after_is_left_alone_ever_longer() -> None:
    async with account(rate_per_s=0) as stripe:
        reader = stripe.reader()
        first = await reader.rate("p", HOUR)
        assert first.reason == "Stripe limits us (429, global-rate): again in 2 s"
        second = await reader.rate("p", HOUR)
        assert second.reason.startswith("Stripe limits us (429, global-rate): again in ")
        assert len(stripe.record.paths) == 1, "while we stay away nothing is sent"


ANSWERS = {
    "429 with Retry-After": (
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Type: application/json\r\n",
        b'{"error": {"message": "slow down", "type": "invalid_request_error"}}',
        "Stripe limits us (429): again in 7 s, as it asks",
    ),
    "500": (
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n",
        b'{"error": {"message": "oops", "type": "api_error"}}',
        "Stripe is in trouble itself (500)",
    ),
    "HTML instead of JSON": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n",
        b"<html>Sign in to the company proxy</html>",
        "what answers as Stripe sends no JSON: a proxy or a wrong address?",
    ),
    "another question": (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n",
        b'{"error": {"message": "Search is not available in your region.", "type": "invalid_request_error"}}',
        "Stripe refuses the question (400): Search is not available in your region.",
    ),
    "no total": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
        b'{"object": "search_result", "data": [], "has_more": false, "url": "/v1/charges/search"}',
        "Stripe's search gives no total",
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_each_bad_answer_has_its_sentence(endpoints: Endpoints, case: str) -> None:
    head, body, sentence = ANSWERS[case]
    length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    url = await endpoints.answers(head + length + body)
    reader = StripeReader(Secret("rk_live_abcdefghij"), url, utcnow, limiter=quick())
    sample = await reader.rate("p", HOUR)
    assert sample.reason == sentence
    assert "rk_live" not in sample.reason
    await reader.close()


async def test_a_slow_answer_is_given_up(endpoints: Endpoints) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    reader = StripeReader(
        Secret("rk_test_x"), await endpoints.url(hang), utcnow, limiter=quick(), timeout_s=0.5
    )
    await reader._open()
    began = time.monotonic()
    sample = await reader.rate("p", HOUR)
    assert (sample.reason, sample.reached) == ("Stripe did not answer within 0.5 s", False)
    assert time.monotonic() - began < 10 * slowness()
    assert module.TIMEOUT_S == 10


async def test_nobody_there() -> None:
    reader = StripeReader(Secret("rk_test_x"), "http://127.0.0.1:1", utcnow, limiter=quick())
    sample = await reader.rate("p", HOUR)
    assert (sample.reason, sample.reached) == ("Stripe cannot be reached", False)


async def test_a_clock_five_minutes_off_is_said_and_corrected() -> None:
    async with account() as stripe:

        def ahead() -> datetime:
            return datetime.now(UTC) + timedelta(minutes=5)

        reader = StripeReader(Secret(stripe.key), stripe.url, ahead, limiter=quick())
        await reader.rate("p", HOUR)
        found = (await reader.details("payments", HOUR)).detail
        assert isinstance(found, Details)
        assert found.clock == "our clock is 5 min ahead of Stripe's: times are corrected"
        true = await stripe.reader().rate("p", HOUR)
        assert (await reader.rate("p", HOUR)).values["n"] == pytest.approx(true.values["n"], abs=2)


async def test_at_most_two_requests_a_second_whoever_asks() -> None:
    async with account() as stripe:
        reader = stripe.reader(limiter=RateLimiter(module.PACE_S, monotonic=time.monotonic))
        comparison = Comparison(reader.subscriptions, Ours({}))
        asking = (reader.rate("a", HOUR), reader.rate("b", HOUR), reader.details("payments", HOUR))
        await asyncio.gather(comparison.run(None), *asking)
        times = [at for at, _, _ in stripe.record.asked]
        assert len(times) == 8
        # Two at most in any second, but for the loop's own unevenness.
        assert all(later - earlier > 0.85 for earlier, later in zip(times, times[2:], strict=False))


def test_the_mode_is_the_keys() -> None:
    assert [mode_of(key) for key in ("rk_live_x", "sk_test_x", "x", "")] == ["LIVE", "TEST", "", ""]


def test_a_drift_counts_all_its_kinds() -> None:
    drift = Drift(utcnow(), 9, (("a", "b", "c"),), (("d", "e"),), (("f", "g"),))
    assert drift.total == 3
