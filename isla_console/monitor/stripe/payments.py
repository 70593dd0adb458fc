"""Payments, as read from Stripe: data, and what can be said of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

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
class Details:
    """What the payments page shows beside the rate. A section that failed has a sentence in `problems`."""

    failed: tuple[FailedPayment, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    more_undelivered: bool = False
    endpoints: tuple[Endpoint, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    """By section: failed, undelivered, endpoints."""
    clock: str = ""


def reasons(failed: Sequence[FailedPayment]) -> list[tuple[str, int]]:
    """How often each reason occurs, the most frequent first."""
    return Counter(one.code or one.reason or "no reason given" for one in failed).most_common()
