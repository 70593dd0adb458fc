"""Metrics in a JSON answer: of any HTTP API by JMESPath, and of Prometheus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from isla_console.monitor.http.json_value import PROMETHEUS, NoNumber, number
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.metric import HttpMetric

if TYPE_CHECKING:
    from isla_console.runbook.model import MetricSpec


class HttpJson(HttpMetric):
    """A metric whose value a JMESPath finds in an answer."""

    def __init__(
        self,
        spec: MetricSpec,
        context: Context,
        *,
        label: str = "http",
        url: str | None = None,
        select: str | None = None,
    ) -> None:
        """Take `url` and `select` from the arguments where given, otherwise from the runbook."""
        super().__init__(spec, context, label, url or spec.source.url or "")
        self._select = select or spec.source.select or ""

    async def ask(self) -> Sample:
        """Ask for the JSON; the sample's `value` is the number in it."""
        sample, body = await self.fetch()
        if not sample.ok:
            return sample
        try:
            return replace(sample, values={"value": number(body, self._select)})
        except NoNumber as error:
            return replace(sample, ok=False, reason=str(error))


class Prometheus(HttpJson):
    """A metric that is the first value of an instant query."""

    def __init__(self, spec: MetricSpec, context: Context) -> None:
        query = urlencode({"query": spec.source.query or ""})
        url = f"{(spec.source.url or '').rstrip('/')}/api/v1/query?{query}"
        super().__init__(spec, context, label="prometheus", url=url, select=PROMETHEUS)
