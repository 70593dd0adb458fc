"""Metrics in a JSON answer: of any HTTP API by JMESPath, and of Prometheus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from isla_console.monitor.http.json_value import NoNumber, numbers, series
from isla_console.monitor.metrics.combine import NotOneError, one_of, way_of
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.metric import HttpMetric

if TYPE_CHECKING:
    from isla_console.runbook.model import MetricSpec


class HttpJson(HttpMetric):
    """A metric whose value a JMESPath finds in an answer; several become one as the runbook says."""

    what = "number"
    """What there is one of in the answer."""

    def __init__(
        self, spec: MetricSpec, context: Context, *, label: str = "http", url: str | None = None
    ) -> None:
        """Take `url` from the argument where given, otherwise from the runbook."""
        super().__init__(spec, context, label, url or spec.source.url or "")
        self._select = spec.source.select or ""
        self._combine = way_of(spec.source.combine, spec.better)

    def numbers(self, body: bytes) -> list[float]:
        """Return the numbers in an answer.

        Raises:
            NoNumber: There is something else in it.
        """
        return numbers(body, self._select)

    async def ask(self) -> Sample:
        """Ask for the JSON; the sample's `value` is the number in it."""
        sample, body = await self.fetch()
        if not sample.ok:
            return sample
        try:
            value = one_of(self.numbers(body), self._combine, self.what)
            return replace(sample, values={"value": value})
        except (NoNumber, NotOneError) as error:
            return replace(sample, ok=False, reason=str(error))


class Prometheus(HttpJson):
    """A metric that an instant query gives: its scalar, its one series, or what becomes of several."""

    what = "series"

    def __init__(self, spec: MetricSpec, context: Context) -> None:
        query = urlencode({"query": spec.source.query or ""})
        url = f"{(spec.source.url or '').rstrip('/')}/api/v1/query?{query}"
        super().__init__(spec, context, label="prometheus", url=url)

    def numbers(self, body: bytes) -> list[float]:
        """Return the number of each series in an answer.

        Raises:
            NoNumber: It is no answer to an instant query.
        """
        return series(body)
