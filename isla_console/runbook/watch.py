"""What is watched: health checks, metrics, vendors, deployments, and our own link."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from isla_console.runbook.bound import Bound
from isla_console.runbook.fields import Id, Part, Seconds, Short, Status, Text, Whole
from isla_console.runbook.steps import HttpCall
from isla_console.runbook.templates import variables

MetricKind = Literal["probe", "error_rate", "postgres", "stripe", "http_json", "prometheus", "openmetrics"]
MetricName = Annotated[str, StringConstraints(pattern=r'^[^\s{}"]+$')]
Aggregate = Literal["last", "p95", "max", "mean", "rate"]


class HealthCheck(Part):
    """A request repeated for ever. Redirects are answers here: they are never followed."""

    id: Id
    title: Text
    method: Literal["GET", "HEAD"] = "GET"
    url: Text
    headers: dict[str, str] = Field(default_factory=dict)
    expect_status: tuple[Status, ...] = (200,)
    healthy: Text | None = None
    """A JMESPath over the JSON answer that gives true when all is well, or else why not."""
    every_s: Seconds
    timeout_s: Seconds
    source: Text | None = None
    because: Text | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the inputs it needs before it can run."""
        return variables(" ".join((self.url, *self.headers.values())))


class DatabaseCheck(Part):
    """A question to the database, repeated for ever. No row means that all is well."""

    id: Id
    title: Text
    query: Text
    """One statement that reads; it runs with ISLA_DATABASE_URL's role, row-level security off."""
    rows: Literal["problem", "pg_cron"] = "problem"
    """problem: the first column of the first row says what is not well. pg_cron: each row is a job with its
    newest runs (name, schedule, status, started_at, failed_at, message, now, timezone, log_run), and one that
    fails or is late is not well."""
    every_s: Seconds
    because: Text | None = None


class MetricSource(Part):
    """Where a metric's samples come from and how a window of them becomes one value."""

    kind: MetricKind
    probes: tuple[Id, ...] = ()
    """probe: exactly one; error_rate: which ones, or none for all of them."""
    query: Text | None = None
    """postgres: one statement whose first row's first column, `value`, is the sample; prometheus: PromQL."""
    url: Text | None = None
    """http_json, prometheus and openmetrics: the address."""
    headers: dict[str, str] = Field(default_factory=dict)
    select: Text | None = None
    """http_json: a JMESPath that gives one number."""
    metric: MetricName | None = None
    """openmetrics: the series' name in the exposition. A gauge is shown as it is, a counter per second."""
    labels: dict[str, str] = Field(default_factory=dict)
    """openmetrics: labels that the series has, each with exactly this value."""
    combine: Literal["sum", "max", "min"] | None = None
    """openmetrics: what becomes of several such series; without it there may be only one."""
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


class Vendor(Part):
    """Somebody else's status page, read as data."""

    id: Id
    title: Short
    url: Text
    format: Literal["statuspage", "stripe"] = "statuspage"
    """statuspage: Atlassian's `summary.json`; stripe: status.stripe.com's `current`."""
    every_s: Seconds = 60.0
    timeout_s: Seconds = 10.0


class Deployments(Part):
    """Where to read which deployments went live, and when."""

    recent: HttpCall
    rows: Text
    """A JMESPath over the answer: objects with `id`, `live_since` (milliseconds or ISO 8601, or a list of
    which the first time counts), `state`, `commit`, `author` and `message`, newest first."""
    serving: HttpCall | None = None
    """What serves production now, where that need not be the newest one."""
    serves: Text | None = None
    """A JMESPath over that answer: an object with `id`, and `since` where a rollback put it there."""
    page: Text | None = None
    """The vendor whose API this is, for people."""
    every_s: Seconds = 30.0
    timeout_s: Seconds = 10.0


class LinkCheck(Part):
    """Hosts reached to tell our own broken link from a broken platform, each `host:port`."""

    targets: tuple[Annotated[str, StringConstraints(pattern=r"^[^\s:]+:\d{1,5}$")], ...]
    every_s: Seconds = 5.0
    timeout_s: Seconds = 3.0
