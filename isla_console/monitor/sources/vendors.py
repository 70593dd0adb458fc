"""Vendors' status pages: read tolerantly, and never shown as green without having been read.

Shapes: Atlassian Statuspage's `summary.json` (`status.indicator`, `components[]`, `incidents[]`) and
status.stripe.com's `current` (`largestatus`, `statuses`, `message`).

The page's one word for everything is not believed alone: it may say "none" while a part is out or an
incident is open. Such a part or incident makes the vendor at least `degraded`, and is named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from isla_console.monitor.http.answers import MAX_JSON, NoAnswer
from isla_console.monitor.metrics.metric import STALE_INTERVALS, WAITING
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.context import Context
from isla_console.monitor.sources.source import Source
from isla_console.text.brief import brief
from isla_console.text.times import clock_text, moment

if TYPE_CHECKING:
    from isla_console.runbook.model import Vendor

VendorState = Literal["ok", "degraded", "down", "stale", "unknown", "blind"]

_INDICATORS: dict[str, VendorState] = {
    "none": "ok",
    "minor": "degraded",
    "maintenance": "degraded",
    "major": "down",
    "critical": "down",
}
_STRIPE: dict[str, VendorState] = {"up": "ok", "degraded": "degraded", "down": "down"}
_WORST: tuple[VendorState, ...] = ("ok", "degraded", "down")
_CHANGED = "its status page has changed its shape"


@dataclass(frozen=True, slots=True)
class VendorStatus:
    """What a status page says. `since` is the page's own time for it, None without one."""

    state: VendorState
    text: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class VendorReading:
    """A vendor at a moment, ready to draw."""

    id: str
    title: str
    state: VendorState
    text: str
    """What is in trouble, or why that is not known."""
    since: datetime | None
    at: datetime | None
    """When the page was last read."""
    unset: bool = False
    """Whether it waits for a setting, which the text names."""

    @property
    def known(self) -> bool:
        """Whether the page says anything now."""
        return self.state in _WORST

    @property
    def troubled(self) -> bool:
        """Whether the page reports trouble."""
        return self.state in {"degraded", "down"}


def read(answer: Any, format: str) -> VendorStatus:
    """Return what a status page's JSON says. Both shapes are understood; the expected one is tried first.

    Raises:
        NoAnswer: Neither shape fits.
    """
    readers = (_stripe, _statuspage) if format == "stripe" else (_statuspage, _stripe)
    problem = _CHANGED
    for reader in readers:
        try:
            return reader(answer)
        except NoAnswer as error:
            problem = problem if problem != _CHANGED else str(error)
    raise NoAnswer(problem)


def _statuspage(answer: Any) -> VendorStatus:
    status = answer.get("status") if isinstance(answer, dict) else None
    indicator = status.get("indicator") if isinstance(status, dict) else None
    if not isinstance(indicator, str):
        raise NoAnswer(_CHANGED)
    if indicator not in _INDICATORS:
        raise NoAnswer(f"its status page says {brief(indicator, 30)}, which is not known")
    incidents = [one for one in _dicts(answer, "incidents") if str(one.get("status")) not in _OVER]
    components = [one for one in _dicts(answer, "components") if not one.get("group")]
    parts = [one for one in components if _is_troubled(one.get("status"))]
    state = _INDICATORS[indicator]
    if state == "ok":
        if not incidents and not parts:
            return VendorStatus("ok")
        state = "degraded"
    description = status.get("description") if isinstance(status, dict) else None
    text = _few(f"{one.get('name')}: {str(one['status']).replace('_', ' ')}" for one in parts)
    if text and indicator == "none" and len(parts) < len(components):
        text = f"{len(parts)} of {len(components)} parts, {text}"
    named = _few(str(one.get("name")) for one in incidents)
    text = "; ".join(filter(None, (named if indicator == "none" else "", text)))
    text = text or named or str(description or indicator)
    times = [moment(one.get("started_at")) or moment(one.get("created_at")) for one in incidents]
    times = [at for at in times if at] or [moment(one.get("updated_at")) for one in parts]
    return VendorStatus(state, brief(text, 100), min((at for at in times if at), default=None))


_OVER = frozenset({"resolved", "postmortem", "completed"})


def _is_troubled(status: Any) -> bool:
    """Return whether a part's status is anything but operational.

    Raises:
        NoAnswer: It has none that is a word.
    """
    if not isinstance(status, str):
        raise NoAnswer(_CHANGED)
    return status != "operational"


def _stripe(answer: Any) -> VendorStatus:
    if not isinstance(answer, dict):
        raise NoAnswer(_CHANGED)
    large, statuses = answer.get("largestatus"), answer.get("statuses")
    known = {str(k): v for k, v in statuses.items()} if isinstance(statuses, dict) else {}
    if (statuses is not None and not isinstance(statuses, dict)) or not all(
        isinstance(word, str) for word in known.values()
    ):
        raise NoAnswer(_CHANGED)
    if not isinstance(large, str):
        if not known or not all(word in _STRIPE for word in known.values()):
            raise NoAnswer(_CHANGED)
        large = max(known.values(), key=lambda word: _WORST.index(_STRIPE[word]))
    if large not in _STRIPE:
        raise NoAnswer(f"its status page says {brief(large, 30)}, which is not known")
    state = _STRIPE[large]
    parts = [f"{name}: {word}" for name, word in known.items() if word != "up"]
    if state == "ok":
        if not parts:
            return VendorStatus("ok")
        state = "degraded"
        if len(parts) < len(known):
            parts[0] = f"{len(parts)} of {len(known)} parts, {parts[0]}"
    text = _few(parts)
    return VendorStatus(state, brief(text or str(answer.get("message") or large), 100))


def _dicts(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of the page's, empty where the page has none.

    Raises:
        NoAnswer: It is something else: what it would say is not known.
    """
    value = answer.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise NoAnswer(_CHANGED)
    return value


def _few(texts: Iterable[str]) -> str:
    each = list(texts)
    return ", ".join(each[:2]) + (f" and {len(each) - 2} more" if len(each) > 2 else "")


class StatusPage(Source[VendorReading]):
    """A vendor's status page. It is not asked where nothing of our own platform is configured."""

    def __init__(self, spec: Vendor, context: Context) -> None:
        inputs = context.inputs
        check, missing = inputs.request(f"vendor:{spec.id}", "GET", spec.url, {}, spec.timeout_s)
        unset = inputs.missing_text(missing) if missing else ""
        if not context.is_configured:
            unset = unset or "nothing is configured yet"
        super().__init__(f"vendor:{spec.id}", spec.every_s, unset=unset)
        self.check = replace(check, max_body=MAX_JSON) if check is not None else None
        self._vendor_id = spec.id
        self._title = spec.title
        self._format = spec.format
        self._polite = context.polite()
        self._clock = context.clock
        self._stale_after = timedelta(seconds=STALE_INTERVALS * spec.every_s)
        self._reason = unset or WAITING
        self._status: VendorStatus | None = None
        self._at: datetime | None = None
        self._since: datetime | None = None

    async def ask(self) -> Sample:
        """Read the page; the sample's `detail` is a VendorStatus."""
        assert self.check is not None, self.unset
        sample, answer = await self._polite.ask(self.check, self._clock())
        if answer is None:
            return sample
        try:
            return replace(sample, detail=read(answer, self._format))
        except NoAnswer as error:
            return replace(sample, ok=False, reason=str(error))

    def observe(self, sample: Sample) -> None:
        """Take in an answer: `detail` is a VendorStatus, or the sample has a reason."""
        status = sample.detail if isinstance(sample.detail, VendorStatus) else None
        before = self._status.state if self._status else None
        if (status.state if status else None) != before:
            self._since = sample.at
        self._status, self._at = status, sample.at
        # A page that cannot be read may have got worse since it last was.
        self._reason = sample.reason if status is None else WAITING

    def reading(self, now: datetime, blind: bool = False) -> VendorReading:
        """Return the vendor's state at `now`."""
        state = self._state(now, blind)
        text = self._status.text if self._status else self._reason
        if state == "stale" and self._at is not None:
            text = f"not read since {clock_text(self._at, now)}"
        since = (self._status.since if self._status else None) or self._since
        unset = bool(self.unset)
        return VendorReading(self._vendor_id, self._title, state, text, since, self._at, unset)

    def _state(self, now: datetime, blind: bool) -> VendorState:
        if blind and not self.unset:
            return "blind"
        if self._status is None or self._at is None:
            return "unknown"
        return "stale" if now - self._at > self._stale_after else self._status.state
