"""Payments, as read from Stripe: data, and what can be said of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from isla_console.monitor.metrics.metric import BLIND_REASON, STALE_INTERVALS, WAITING
from isla_console.monitor.metrics.sample import Sample

FEW_ATTEMPTS = 20
"""A rate of fewer attempts says nothing."""

Mode = Literal["LIVE", "TEST", ""]


def mode_of(key: str) -> Mode:
    """Whether a key is of live or of test mode; "" where its prefix does not say."""
    kind = key.split("_")[1:2]
    return {"live": "LIVE", "test": "TEST"}.get(kind[0] if kind else "", "")  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class FailedPayment:
    """An attempt that failed. Nothing of the person who paid."""

    id: str
    at: datetime
    amount: str
    """With its currency: "12.00 EUR"."""
    code: str
    reason: str
    blocked: bool = False
    """Stripe's own rules refused it, not the bank."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An event that did not reach an endpoint of ours."""

    id: str
    at: datetime
    type: str
    pending: int
    """Endpoints that have not had it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint."""

    id: str
    url: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """Our subscriptions against Stripe's: only ids and states, never people."""

    at: datetime
    compared: int
    differ: tuple[tuple[str, str, str], ...] = ()
    """id, the database's status, Stripe's."""
    only_stripe: tuple[tuple[str, str], ...] = ()
    """id and status of what the database does not have."""
    only_database: tuple[tuple[str, str], ...] = ()
    complete: bool = True
    """Whether every subscription was read."""
    ended: str = ""
    """Why it ended before it was meant to."""

    @property
    def total(self) -> int:
        return len(self.differ) + len(self.only_stripe) + len(self.only_database)


@dataclass(frozen=True, slots=True)
class Details:
    """What the payments page shows beside the rate. A section that failed has a sentence in `problems`."""

    failed: tuple[FailedPayment, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    more_undelivered: bool = False
    endpoints: tuple[Endpoint, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    """By section: failed, undelivered, endpoints."""
    clock: str = ""


@dataclass(frozen=True, slots=True)
class PaymentsReading:
    """Payments at a moment, ready to draw."""

    state: Literal["ok", "stale", "unknown", "blind"]
    mode: Mode
    details: Details
    reason: str
    at: datetime | None


def reasons(failed: Sequence[FailedPayment]) -> list[tuple[str, int]]:
    """How often each reason occurs, the most frequent first."""
    return Counter(one.code or one.reason or "no reason given" for one in failed).most_common()


class PaymentsTracker:
    """Follows the details."""

    def __init__(self, mode: Mode, every_s: float, *, unknown: str = WAITING) -> None:
        self._mode = mode
        self._unknown = unknown
        self._has_source = unknown == WAITING
        self._stale_s = STALE_INTERVALS * every_s
        self._details = Details()
        self._failure = ""
        self._at: datetime | None = None

    def observe(self, sample: Sample) -> None:
        """Take an answer: `detail` is a Details, or there is a reason why not."""
        if isinstance(sample.detail, Details):
            self._details, self._failure, self._at = sample.detail, "", sample.at
        else:
            self._failure = sample.reason

    def reading(self, now: datetime, blind: bool = False) -> PaymentsReading:
        """Payments as they stand."""
        if blind and self._has_source:
            return PaymentsReading("blind", self._mode, self._details, BLIND_REASON, self._at)
        if self._at is None:
            reason = self._failure or self._unknown
            return PaymentsReading("unknown", self._mode, self._details, reason, None)
        stale = (now - self._at).total_seconds() > self._stale_s
        return PaymentsReading("stale" if stale else "ok", self._mode, self._details, self._failure, self._at)
