"""What Stripe is asked: the share of payments that succeed, and what failed or was not delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from isla_console.monitor.metrics.metric import BLIND_REASON, STALE_INTERVALS, WAITING
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.metric import MetricSource
from isla_console.monitor.sources.source import Source
from isla_console.monitor.stripe.payments import Details, Mode
from isla_console.text.spans import window_text

if TYPE_CHECKING:
    from isla_console.runbook.model import MetricSpec

EVERY_S = 60.0
"""Seconds between two readings of failed payments, events and endpoints."""
WINDOW_S = 3600.0
"""How many seconds back failed payments are listed where no metric says."""


class PaymentSuccess(MetricSource):
    """The share of attempts in the window that succeeded. Stripe counts them: its answer is the aggregate."""

    def __init__(self, spec: MetricSpec, context: Context) -> None:
        mode = context.stripe.mode if context.stripe is not None else ""
        whose = " ".join(filter(None, ("stripe", mode)))
        self._window_s = spec.source.window_s
        label = f"{whose} · {window_text(self._window_s)}"
        super().__init__(spec, label, unset=context.stripe_unset, aggregate="last")
        self._stripe = context.stripe

    async def ask(self) -> Sample:
        """Ask for the share of attempts that succeeded."""
        assert self._stripe is not None, self.unset
        return await self._stripe.rate(self.id, self._window_s)

    def observe(self, sample: Sample) -> None:
        """Take in the share, and of how many attempts it is."""
        if sample.ok and "value" in sample.values:
            self.pipeline.add(sample.values["value"], sample.at, int(sample.values.get("n", 1)))
        else:
            self.pipeline.missing(sample.reason or "the answer has no value", sample.at, ours=sample.ours)


@dataclass(frozen=True, slots=True)
class PaymentsReading:
    """Payments at a moment, ready to draw."""

    state: Literal["ok", "stale", "unknown", "blind"]
    mode: Mode
    details: Details
    reason: str
    at: datetime | None


class Payments(Source[PaymentsReading]):
    """Failed payments, undelivered events and endpoints: the details besides the rate."""

    def __init__(self, specs: Sequence[MetricSpec], context: Context) -> None:
        """Look back as far as the longest window of `specs`, the metrics that Stripe measures."""
        super().__init__("stripe:payments", EVERY_S, unset=context.stripe_unset)
        self._stripe = context.stripe
        self._mode: Mode = context.stripe.mode if context.stripe is not None else ""
        self._window_s = max((spec.source.window_s for spec in specs), default=WINDOW_S)
        self._stale_after = timedelta(seconds=STALE_INTERVALS * EVERY_S)
        self._details = Details()
        self._failure = ""
        self._at: datetime | None = None

    async def ask(self) -> Sample:
        """Ask for the details; the sample's `detail` is a Details."""
        assert self._stripe is not None, self.unset
        return await self._stripe.details(self.id, self._window_s)

    def observe(self, sample: Sample) -> None:
        """Take in an answer: `detail` is a Details, or the sample has a reason."""
        if isinstance(sample.detail, Details):
            self._details, self._failure, self._at = sample.detail, "", sample.at
        else:
            self._failure = sample.reason

    def reading(self, now: datetime, blind: bool = False) -> PaymentsReading:
        """Return the payments at `now`."""
        if blind and not self.unset:
            return PaymentsReading("blind", self._mode, self._details, BLIND_REASON, self._at)
        if self._at is None:
            reason = self._failure or self.unset or WAITING
            return PaymentsReading("unknown", self._mode, self._details, reason, None)
        state: Literal["ok", "stale"] = "stale" if now - self._at > self._stale_after else "ok"
        return PaymentsReading(state, self._mode, self._details, self._failure, self._at)
