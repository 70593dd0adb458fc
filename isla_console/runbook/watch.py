"""What is watched: health checks, metrics, vendors, deployments, and our own link."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from isla_console.runbook.bound import Bound
from isla_console.runbook.fields import (
    MOST,
    Bytes,
    Decimals,
    Figure,
    Id,
    Interval,
    Line,
    Part,
    Pattern,
    Seconds,
    Short,
    Status,
    Text,
    Unit,
    Value,
)
from isla_console.runbook.steps import HttpCall
from isla_console.runbook.templates import variables

MetricKind = Literal["probe", "error_rate", "postgres", "stripe", "http_json", "prometheus", "openmetrics"]
MetricName = Annotated[str, StringConstraints(pattern=r'^[^\s{}"]+$', max_length=300)]
Headers = Annotated[dict[Line, Value], Field(max_length=MOST)]
Combine = Literal["sum", "mean", "max", "min", "worst"]
Aggregate = Literal["last", "p95", "max", "mean", "rate"]


class HealthCheck(Part):
    """A request repeated for ever. Redirects are answers here: they are never followed.

    A good answer is what all the conditions given say. An expected redirect always has to lead somewhere
    else than to where it came from.
    """

    id: Id
    title: Line
    method: Literal["GET", "HEAD"] = "GET"
    url: Line
    headers: Headers = Field(default_factory=dict)
    expect_status: Annotated[tuple[Status, ...], Field(min_length=1, max_length=20)] = (200,)
    expect_headers: Annotated[dict[Line, Pattern], Field(max_length=20)] = Field(default_factory=dict)
    """Headers that the answer has, each with a pattern found in its value, such as location: "^https://"."""
    expect_text: Pattern | None = None
    """A pattern found in the answer's body."""
    expect_bytes: Bytes = 0
    """How many bytes the answer's body has at least; 0: it may be empty."""
    healthy: Text | None = None
    """A JMESPath over the JSON answer that gives true when all is well, or else why not."""
    every_s: Interval
    timeout_s: Seconds
    source: Text | None = None
    because: Text | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the inputs it needs before it can run."""
        return variables(" ".join((self.url, *self.headers.values())))


class DatabaseCheck(Part):
    """A question to the database, repeated for ever. `rows` says what makes it fail."""

    id: Id
    title: Line
    query: Text
    """One statement that reads; it runs with ISLA_DATABASE_URL's role, row-level security off."""
    rows: Literal["problem", "pg_cron", "any"] = "problem"
    """problem: the first column of the first row says what is not well; no row means that all is well.
    pg_cron: each row is a job with its newest runs (name, schedule, status, started_at, failed_at, message,
    now, timezone, log_run), and one that fails or is late is not well. any: whatever the rows say, a database
    that does not answer fails; of the other two nothing is known then."""
    every_s: Interval
    because: Text | None = None


class MetricSource(Part):
    """Where a metric's samples come from and how a window of them becomes one value."""

    kind: MetricKind
    probes: Annotated[tuple[Id, ...], Field(max_length=MOST)] = ()
    """probe: exactly one; error_rate: which ones, or none for all of them."""
    query: Text | None = None
    """postgres: one statement that returns the sample: one row and one column, or the column `value` of
    several; prometheus: PromQL of an instant."""
    url: Line | None = None
    """http_json, prometheus and openmetrics: the address."""
    headers: Headers = Field(default_factory=dict)
    select: Text | None = None
    """http_json: a JMESPath that gives one number, or with `combine` a list of them."""
    metric: MetricName | None = None
    """openmetrics: the series' name in the exposition. A gauge is shown as it is, a counter per second."""
    labels: Headers = Field(default_factory=dict)
    """openmetrics: labels that the series has, each with exactly this value."""
    combine: Combine | None = None
    """postgres, http_json, prometheus, openmetrics: what becomes of several rows, numbers or series; without
    it there may be only one. worst: the greatest where lower is better, the least where higher is."""
    aggregate: Aggregate
    window_s: Interval
    take: Literal["total", "server_time"] = "total"
    """probe: the whole request, or its first byte less one round trip of our own."""


class MetricSpec(Part):
    """A number to watch, with the bounds of normal and of alert."""

    id: Id
    title: Line
    short: Short
    unit: Unit = ""
    decimals: Decimals = 0
    better: Literal["lower", "higher"]
    """Which values are good. It says nothing new, so that bounds that were swapped are found."""
    lowest: Figure = 0
    """The least value that it can have: below 0 only for what can be negative, such as a temperature."""
    normal: Bound
    alert: Bound
    source: MetricSource
    every_s: Interval
    """Seconds between samples."""


class Vendor(Part):
    """Somebody else's status page, read as data."""

    id: Id
    title: Short
    url: Line
    format: Literal["statuspage", "stripe"] = "statuspage"
    """statuspage: Atlassian's `summary.json`; stripe: status.stripe.com's `current`."""
    every_s: Interval = 60.0
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
    page: Line | None = None
    """The vendor whose API this is, for people."""
    every_s: Interval = 30.0
    timeout_s: Seconds = 10.0


HOST_PORT = r"^[^\s:]+:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$"


class LinkCheck(Part):
    """Hosts reached to tell our own broken link from a broken platform, each `host:port`."""

    targets: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=HOST_PORT, max_length=260)], ...],
        Field(min_length=1, max_length=20),
    ]
    every_s: Interval = 5.0
    timeout_s: Seconds = 3.0
