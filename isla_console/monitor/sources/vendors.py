"""Vendors' status pages: tolerant of what changes in them, and never green without having read it.

Shapes: Atlassian Statuspage's `summary.json` (`status.indicator`, `components[]`, `incidents[]`) and
status.stripe.com's `current` (`largestatus`, `statuses`, `message`). Pure: the poller fetches.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from isla_console.monitor.metrics.metric import STALE_INTERVALS, WAITING
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.answers import NoAnswer
from isla_console.text.brief import brief

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
    """What a status page says. `since` is the page's own time of it, where it gives one."""

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
    """What is in trouble; or why it is not known."""
    since: datetime | None
    at: datetime | None
    """When the page was last read."""

    @property
    def known(self) -> bool:
        """Whether the page says anything now."""
        return self.state in _WORST

    @property
    def troubled(self) -> bool:
        return self.state in {"degraded", "down"}


def read(answer: Any, format: str) -> VendorStatus:
    """What a status page's JSON says. Both shapes are understood; the expected one is tried first.

    Raises:
        NoAnswer: neither shape fits.
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
    state = _INDICATORS[indicator]
    if state == "ok":
        return VendorStatus("ok")
    incidents = [one for one in _dicts(answer.get("incidents")) if one.get("status") not in _OVER]
    parts = [
        one
        for one in _dicts(answer.get("components"))
        if isinstance(one.get("status"), str) and one["status"] != "operational" and not one.get("group")
    ]
    description = status.get("description") if isinstance(status, dict) else None
    text = _few(f"{one.get('name')}: {str(one['status']).replace('_', ' ')}" for one in parts)
    text = text or _few(str(one.get("name")) for one in incidents) or str(description or indicator)
    times = [_time(one.get("started_at")) or _time(one.get("created_at")) for one in incidents]
    times = [at for at in times if at] or [_time(one.get("updated_at")) for one in parts]
    return VendorStatus(state, brief(text, 100), min((at for at in times if at), default=None))


_OVER = frozenset({"resolved", "postmortem", "completed"})


def _stripe(answer: Any) -> VendorStatus:
    if not isinstance(answer, dict):
        raise NoAnswer(_CHANGED)
    large, statuses = answer.get("largestatus"), answer.get("statuses")
    known = {str(k): v for k, v in statuses.items()} if isinstance(statuses, dict) else {}
    if not isinstance(large, str):
        if not known or not all(isinstance(v, str) and v in _STRIPE for v in known.values()):
            raise NoAnswer(_CHANGED)
        large = max(known.values(), key=lambda word: _WORST.index(_STRIPE[word]))
    if large not in _STRIPE:
        raise NoAnswer(f"its status page says {brief(large, 30)}, which is not known")
    state = _STRIPE[large]
    if state == "ok":
        return VendorStatus("ok")
    text = _few(f"{name}: {word}" for name, word in known.items() if word != "up")
    return VendorStatus(state, brief(text or str(answer.get("message") or large), 100))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _few(texts: Iterable[str]) -> str:
    each = list(texts)
    return ", ".join(each[:2]) + (f" and {len(each) - 2} more" if len(each) > 2 else "")


def _time(value: Any) -> datetime | None:
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        found = datetime.fromisoformat(value)
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return None


class VendorTracker:
    """Follows one status page."""

    def __init__(self, id: str, title: str, every_s: float, *, unknown: str = WAITING) -> None:
        self.id = id
        self.title = title
        self._unknown = unknown
        self._has_source = unknown == WAITING
        self._stale_after = timedelta(seconds=STALE_INTERVALS * every_s)
        self._status: VendorStatus | None = None
        self._at: datetime | None = None
        self._since: datetime | None = None

    def observe(self, sample: Sample) -> None:
        """Take an answer: `detail` is a VendorStatus, or there is a reason why not."""
        status = sample.detail if isinstance(sample.detail, VendorStatus) else None
        before = self._status.state if self._status else None
        if (status.state if status else None) != before:
            self._since = sample.at
        self._status, self._at = status, sample.at
        # A page that cannot be read is not the page as it was: it may have got worse since.
        self._unknown = sample.reason if status is None else WAITING

    def state(self, now: datetime, blind: bool = False) -> VendorState:
        """The state alone."""
        if blind and self._has_source:
            return "blind"
        if self._status is None or self._at is None:
            return "unknown"
        return "stale" if now - self._at > self._stale_after else self._status.state

    def reading(self, now: datetime, blind: bool = False) -> VendorReading:
        """The vendor as it stands."""
        state = self.state(now, blind)
        text = self._status.text if self._status else self._unknown
        if state == "stale":
            text = f"not read since {self._at:%H:%M}Z"
        since = (self._status.since if self._status else None) or self._since
        return VendorReading(self.id, self.title, state, text, since, self._at)
