"""What went live and when, from the answer of a deployment API.

The API's clock and ours may differ: ages are computed by the API's, from the answer's Date header.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from isla_console.monitor.http.answers import MAX_JSON, NoAnswer, clock_offset, clock_sentence
from isla_console.monitor.http.prober import HttpCheck
from isla_console.monitor.metrics.metric import BLIND_REASON, STALE_INTERVALS, WAITING
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.source import Source
from isla_console.vendors.vercel import Deployment, deployment, first_moment

if TYPE_CHECKING:
    from isla_console.runbook.model import Deployments, HttpCall

_CHANGED = "the list of deployments has changed its shape"


@dataclass(frozen=True, slots=True)
class DeploymentList:
    """The deployments that the API listed, newest first, and what to say of its clock."""

    rows: tuple[Deployment, ...]
    """The deployments, with `live_since` by our clock."""
    clock: str = ""
    note: str = ""
    """What could not be read besides the list; "" for nothing."""


@dataclass(frozen=True, slots=True)
class DeploymentsReading:
    """The deployments at a moment, ready to draw."""

    state: Literal["ok", "stale", "unknown", "blind"]
    rows: tuple[Deployment, ...]
    reason: str
    at: datetime | None
    clock: str = ""


def read(
    sample: Sample,
    answer: Any,
    rows: str,
    *,
    serving: Any = None,
    serves: str | None = None,
    note: str = "",
    whose: str,
) -> DeploymentList:
    """Return the list in an answer.

    Args:
        sample: The sample of the request, whose Date header gives the API's clock.
        answer: The parsed JSON.
        rows: JMESPath to objects with `id`, `live_since`, `state`, `commit`, `author` and `message`.
        serving: The parsed JSON that says what serves now, if it was asked for.
        serves: JMESPath to that in `serving`.
        note: What could not be read besides the list.
        whose: Whose clock it is, for people.

    Raises:
        NoAnswer: The answer has another shape.
    """
    found = _search(rows, answer)
    if not isinstance(found, list):
        raise NoAnswer(_CHANGED)
    apart = clock_offset(sample)
    current = _search(serves, serving) if serves and isinstance(serving, dict) else None
    current = current if isinstance(current, dict) else {}
    listed = [_served(one, current) for item in found if (one := deployment(item)) is not None]
    if found and not listed:
        raise NoAnswer(_CHANGED)
    if not current:
        # The API does not say what serves: take the newest that went live.
        newest = max((one for one in listed if one.live_since), key=_live, default=None)
        listed = [replace(one, serving=one is newest) for one in listed]
    by_our_clock = (replace(one, live_since=one.live_since and one.live_since - apart) for one in listed)
    return DeploymentList(tuple(by_our_clock), clock_sentence(apart, whose), note)


def _served(one: Deployment, current: dict[str, Any]) -> Deployment:
    """Return the deployment, marked if production serves it, and live since the rollback to it."""
    if one.id != current.get("id"):
        return one
    since = first_moment(current.get("since")) if current.get("moved_to") == one.id else None
    return replace(one, serving=True, live_since=since or one.live_since)


def _live(one: Deployment) -> datetime:
    return one.live_since or datetime.min.replace(tzinfo=UTC)


def _search(expression: str, answer: Any) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(expression, answer)
    except JMESPathError:
        raise NoAnswer(_CHANGED) from None


class DeploymentsSource(Source[DeploymentsReading]):
    """The list of deployments, and which of them production serves."""

    def __init__(self, spec: Deployments, context: Context) -> None:
        self.recent, missing = _request(spec.recent, spec.timeout_s, context)
        unset = context.inputs.missing_text(missing) if missing else ""
        super().__init__("deployments:recent", spec.every_s, unset=unset)
        self._serving = _request(spec.serving, spec.timeout_s, context)[0] if spec.serving else None
        self._spec = spec
        self._polite = context.polite()
        self._clock = context.clock
        self.credential = context.inputs.secret_variables(spec.recent.headers.values())
        """The variable to check when the token is refused."""
        self._stale_after = timedelta(seconds=STALE_INTERVALS * spec.every_s)
        self._list = DeploymentList(())
        self._failure = ""
        self._at: datetime | None = None

    async def ask(self) -> Sample:
        """Ask for the list; the sample's `detail` is a DeploymentList."""
        assert self.recent is not None, self.unset
        sample, answer = await self._polite.ask(self.recent, self._clock(), credential=self.credential)
        if answer is None:
            return sample
        serving, note = None, ""
        if self._serving is not None:
            asked, serving = await self._polite.ask(self._serving, self._clock(), credential=self.credential)
            if serving is None:
                note = f"what serves now is not known: {asked.reason}"
        spec = self._spec
        whose = spec.page or "the deployment API"
        try:
            found = read(
                sample, answer, spec.rows, serving=serving, serves=spec.serves, note=note, whose=whose
            )
        except NoAnswer as error:
            return replace(sample, ok=False, reason=str(error))
        return replace(sample, detail=found)

    def observe(self, sample: Sample) -> None:
        """Take in an answer: `detail` is a DeploymentList, or the sample has a reason."""
        if isinstance(sample.detail, DeploymentList):
            self._list, self._failure, self._at = sample.detail, sample.detail.note, sample.at
        else:
            self._failure = sample.reason

    def reading(self, now: datetime, blind: bool = False) -> DeploymentsReading:
        """Return the newest list; an old one stays, marked as old."""
        rows = self._list.rows
        if blind and not self.unset:
            return DeploymentsReading("blind", rows, BLIND_REASON, self._at)
        if self._at is None:
            return DeploymentsReading("unknown", (), self._failure or self.unset or WAITING, None)
        stale = now - self._at > self._stale_after
        reason = self._failure or ("not read for three intervals" if stale else "")
        return DeploymentsReading("stale" if stale else "ok", rows, reason, self._at, self._list.clock)


def _request(call: HttpCall, timeout_s: float, context: Context) -> tuple[HttpCheck | None, tuple[str, ...]]:
    """Return the request, or None and the variables that are missing."""
    check, missing = context.inputs.request(
        "deployments:recent", call.method, call.url, call.headers, timeout_s, query=call.query
    )
    return (replace(check, max_body=MAX_JSON) if check is not None else None), missing
