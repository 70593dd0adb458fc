"""What is watched: health checks, metrics, and our own link."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from isla_console.runbook.bound import Bound
from isla_console.runbook.fields import Id, Part, Seconds, Short, Status, Text, Whole, variables

MetricKind = Literal["probe", "error_rate", "postgres", "stripe", "http_json", "prometheus"]
Aggregate = Literal["last", "p95", "max", "mean", "rate"]


class HealthCheck(Part):
    """A request repeated for ever. Redirects are answers here: they are never followed."""

    id: Id
    title: Text
    method: Literal["GET", "HEAD"] = "GET"
    url: Text
    headers: dict[str, str] = Field(default_factory=dict)
    expect_status: tuple[Status, ...] = (200,)
    every_s: Seconds
    timeout_s: Seconds
    source: Text | None = None
    because: Text | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs it needs before it can run."""
        return variables(" ".join((self.url, *self.headers.values())))


class MetricSource(Part):
    """Where a metric's samples come from and how a window of them becomes one value."""

    kind: MetricKind
    probes: tuple[Id, ...] = ()
    """probe: exactly one; error_rate: which ones, or none for all of them."""
    query: Text | None = None
    """postgres: one statement whose first row's first column, `value`, is the sample; prometheus: PromQL."""
    url: Text | None = None
    """http_json and prometheus: the address."""
    headers: dict[str, str] = Field(default_factory=dict)
    select: Text | None = None
    """http_json: a JMESPath that gives one number."""
    aggregate: Aggregate
    window_s: Seconds
    take: Literal["total", "server_time"] = "total"
    """probe: the whole request, or its first byte less one round trip of our own."""


class MetricSpec(Part):
    """A number to watch, with the bounds of normal and of alert."""

    id: Id
    title: Text
    short: Short
    unit: str = ""
    decimals: Whole = 0
    normal: Bound
    alert: Bound
    source: MetricSource
    every_s: Seconds
    """Seconds between samples."""


class LinkCheck(Part):
    """Hosts reached to tell our own broken link from a broken platform, each `host:port`."""

    targets: tuple[Annotated[str, StringConstraints(pattern=r"^[^\s:]+:\d{1,5}$")], ...]
    every_s: Seconds = 5.0
    timeout_s: Seconds = 3.0
