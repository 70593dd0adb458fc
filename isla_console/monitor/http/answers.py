"""JSON answers of other people's APIs: asked for politely, read tolerantly, refusals put into sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from isla_console.monitor.http.prober import HttpCheck, Prober
from isla_console.monitor.metrics.sample import Sample
from isla_console.text.brief import brief
from isla_console.text.spans import span_text

MAX_JSON = 1024 * 1024
"""The most bytes that are read of an answer; a status page with a hundred components has a tenth of that."""
CLOCK_TOLERANCE = timedelta(seconds=60)
_PAUSE_S = 60.0
"""Seconds to wait after a 429 that does not say how long."""
_MOST_PAUSE_S = 900.0


class NoAnswer(Exception):
    """There is no usable answer; the text is a sentence for people, safe to show."""


def parse(sample: Sample, body: bytes, *, credential: str = "") -> Any:
    """Return the JSON of an answer with status 200.

    Args:
        credential: The variable to check when the far side refuses us; "" for a public page.

    Raises:
        NoAnswer: There is no JSON; it says what came instead.
    """
    status = sample.phases.status if sample.phases else None
    if status is None:
        raise NoAnswer(sample.reason or "no answer")
    if status != 200:
        raise NoAnswer(_refused(status, sample, credential))
    if not sample.ok:  # cut off in the middle
        raise NoAnswer(sample.reason)
    kind = sample.phases.content_type if sample.phases else ""
    if kind == "text/html" or body.lstrip()[:1] == b"<":
        raise NoAnswer("answered with a web page, not with data")
    if len(body) >= MAX_JSON:
        raise NoAnswer(f"the answer is larger than {MAX_JSON // 1024} KiB")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer("the answer is no JSON") from None


def _refused(status: int, sample: Sample, credential: str) -> str:
    look = f": look at {credential}" if credential else ""
    if status == 401:
        return f"401, it does not accept our token{look}"
    if status == 403:
        return f"403, the token may not read this{look}"
    if status == 404:
        return f"404, there is no such project{look}" if credential else "404, the page has moved"
    if status == 429:
        wait = sample.phases.retry_after_s if sample.phases else None
        again = (
            f"again in {span_text(wait)}, as it asks"
            if wait is not None
            else f"again in {span_text(_PAUSE_S)}"
        )
        return f"429, we asked too often: {again}"
    if status >= 500:
        return f"{status}, it is in trouble itself"
    return f"{status} instead of 200"


class Polite:
    """Asks one far side; after a 429 it waits as long as the answer demands."""

    def __init__(self, http: Prober, monotonic: Callable[[], float]) -> None:
        self._http = http
        self._monotonic = monotonic
        self._until = 0.0
        self._reason = ""

    async def ask(self, check: HttpCheck, now: datetime, *, credential: str = "") -> tuple[Sample, Any]:
        """Return a sample and its answer's JSON, or None; the sample's reason says why there is none."""
        left = self._until - self._monotonic()
        if left > 0:
            return Sample(check.id, now, False, self._reason), None
        sample, body = await self._http.fetch(check)
        try:
            return sample, parse(sample, body, credential=credential)
        except NoAnswer as error:
            if sample.phases is not None and sample.phases.status == 429:
                wait = sample.phases.retry_after_s
                self._until = self._monotonic() + min(_PAUSE_S if wait is None else wait, _MOST_PAUSE_S)
                self._reason = str(error)
            # Of our own fault every word is ours, and its cure stands at the end.
            reason = str(error) if sample.ours else brief(str(error), 160)
            return replace(sample, ok=False, reason=reason), None


def clock_offset(sample: Sample) -> timedelta:
    """Return how far the far side's clock is ahead of ours; zero where a round trip may explain it."""
    theirs = sample.phases.server_time if sample.phases else None
    return offset(theirs, sample.at)


def offset(theirs: datetime | None, ours: datetime) -> timedelta:
    """Return the difference of two clocks; zero where it is too small to mention."""
    apart = theirs - ours if theirs is not None else timedelta()
    return apart if abs(apart) > CLOCK_TOLERANCE else timedelta()


def clock_sentence(apart: timedelta, whose: str) -> str:
    """Return a sentence about a clock that is off; "" where none is."""
    if not apart:
        return ""
    seconds = abs(apart.total_seconds())
    unit = 60 if seconds >= 60 else 1  # a measured value is rounded, not cut off
    way = "behind" if apart > timedelta() else "ahead of"
    return f"our clock is {span_text(unit * round(seconds / unit))} {way} {whose}'s: times are corrected"
