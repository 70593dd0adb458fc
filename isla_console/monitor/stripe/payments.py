"""Payments as read from Stripe: the data, and what can be said of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

FEW_ATTEMPTS = 20
"""A rate of fewer attempts is not meaningful."""

Mode = Literal["LIVE", "TEST", ""]


def mode_of(key: str) -> Mode:
    """Return whether a key is for live or test mode; "" where its prefix does not say."""
    kind = key.split("_")[1:2]
    return {"live": "LIVE", "test": "TEST"}.get(kind[0] if kind else "", "")  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class FailedPayment:
    """A payment that failed, without anything about the person who paid."""

    id: str
    at: datetime
    amount: str
    """The amount with its currency, such as `12.00 EUR`."""
    code: str
    reason: str
    blocked: bool = False
    """Whether Stripe's own rules refused it, not the bank."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An event that did not reach one of our endpoints."""

    id: str
    at: datetime
    type: str
    pending: int
    """How many endpoints have not received it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint."""

    id: str
    url: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Details:
    """What the payments page shows besides the rate. A section that failed has a sentence in `problems`."""

    failed: tuple[FailedPayment, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    more_undelivered: bool = False
    endpoints: tuple[Endpoint, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    """By section, `failed`, `undelivered` or `endpoints`: why it could not be read."""
    clock: str = ""


def reasons(failed: Sequence[FailedPayment]) -> list[tuple[str, int]]:
    """Return how often each reason occurs, the most frequent first."""
    return Counter(one.code or one.reason or "no reason given" for one in failed).most_common()
