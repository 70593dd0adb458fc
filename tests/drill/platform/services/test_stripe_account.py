"""Payments go on as on a quiet day, and as customers do while they fail."""

import asyncio
import random
import time

import pytest

from isla_console.drill.platform.services.stripe_account import WINDOW_S, StripeAccount, per_minute
from isla_console.drill.scenario.faults import Faults, PaymentsFail
from isla_console.drill.scenario.speed import window
from isla_console.monitor.stripe.payments import FEW_ATTEMPTS
from isla_console.runbook.model import Runbook
from tests.support.waiting import until


@pytest.mark.parametrize("speed", [1, 2, 10, 30, 60, 120])
def test_the_quick_window_of_payments_holds_enough_of_them(speed: float, runbook: Runbook) -> None:
    """A rate of few attempts is stale; by chance alone none is bad: a soak would never end."""
    metric = next(one for one in runbook.metrics if one.source.kind == "stripe")
    assert window(metric.source.window_s, 1) == WINDOW_S
    short_s = window(metric.source.window_s, speed)
    account = StripeAccount(Faults(), random.Random(7), window_s=short_s)
    now = time.time()
    times = [one["created"] for one in account.charges]
    assert times == sorted(times, reverse=True), "newest first"
    newest = [one for one in account.charges if one["created"] > now - short_s]
    assert len(newest) >= 3 * FEW_ATTEMPTS - 3
    assert 100 * sum(one["status"] == "succeeded" for one in newest) / len(newest) > 95
    assert per_minute(short_s) == max(7, 60 * 60 / short_s)


async def test_payments_go_on_as_they_were_and_are_tried_again_while_they_fail() -> None:
    faults = Faults()
    account = StripeAccount(faults, random.Random(7), quiet=True, window_s=30)
    task = asyncio.create_task(account.live())
    try:
        await until(lambda: len(account.charges) >= 4)
        assert {one["status"] for one in account.charges} == {"succeeded"}
        faults.add(PaymentsFail(share=1))
        before = len(account.charges)
        await until(lambda: len(account.charges) >= before + 4)
        assert [one["status"] for one in account.charges][:3] == ["failed"] * 3
    finally:
        task.cancel()
