"""Sources of the monitor, made as the poller makes them, for tests of one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

import yaml

from isla_console.monitor.http.prober import Prober
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.sources.context import Context, make_context
from isla_console.monitor.sources.source import Source
from isla_console.monitor.table import METRIC_SOURCES, Sources, make_sources
from isla_console.net.lookup import Resolver
from isla_console.resources import resource
from isla_console.runbook.model import MetricSpec, Runbook
from isla_console.settings.resolve import Settings
from tests.support.servers import utcnow


@lru_cache(maxsize=1)
def shipped() -> dict[str, Any]:
    """The shipped runbook as plain data."""
    found: dict[str, Any] = yaml.load(resource("runbook.yaml").read_text(), yaml.CSafeLoader)
    return found


def a_context(
    environ: dict[str, str] | None = None,
    *,
    http: Prober | None = None,
    clock: Callable[[], datetime] = utcnow,
    **parts: Any,
) -> Context:
    """What sources are made from, where these variables alone are set.

    Args:
        parts: sections instead of the shipped runbook's.
    """
    runbook = Runbook.model_validate(shipped() | parts)
    settings = Settings.load({"HOME": "/nowhere"} | (environ or {}))
    return make_context(runbook, settings, Resolver(), clock=clock, http=http)


def all_sources(context: Context, **parts: Any) -> Sources:
    """Everything that the shipped runbook, or these sections instead of its own, has watched."""
    return make_sources(Runbook.model_validate(shipped() | parts), context)


def a_metric(context: Context, source: dict[str, Any], **fields: Any) -> Source[Reading]:
    """One metric with this source."""
    return METRIC_SOURCES[source["kind"]](metric_spec(source, **fields), context)


def metric_spec(source: dict[str, Any], **fields: Any) -> MetricSpec:
    """A metric as the runbook has it."""
    whole = {"id": "latency", "title": "Latency", "short": "Latency", "unit": "", "every_s": 5}
    whole |= {"better": "lower", "normal": "< 50", "alert": "> 200"}
    whole |= {"source": {"aggregate": "last", "window_s": 60} | source}
    return MetricSpec.model_validate(whole | fields)
