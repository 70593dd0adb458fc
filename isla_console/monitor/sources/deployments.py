"""What went live and when, from a deployment API's answer. Pure: the poller fetches.

Their clock and ours may differ: ages are taken by theirs, from the answer's Date header.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from isla_console.monitor.metrics.metric import BLIND_REASON, STALE_INTERVALS, WAITING
from isla_console.monitor.metrics.sample import Sample
from isla_console.monitor.sources.answers import NoAnswer, clock_offset, clock_sentence
from isla_console.text.brief import brief


@dataclass(frozen=True, slots=True)
class Deployment:
    """One production deployment. `live_since` by our clock; None when it never went live."""

    id: str
    live_since: datetime | None
    state: str
    commit: str = ""
    author: str = ""
    message: str = ""
    serving: bool = False


@dataclass(frozen=True, slots=True)
class DeploymentList:
    """What the API said, newest first, with what is to be said of its clock."""

    rows: tuple[Deployment, ...]
    clock: str = ""
    note: str = ""
    """What could not be read beside the list."""


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
    """The list in an answer.

    Args:
        rows: JMESPath giving objects with id, live_since, state, commit, author, message.
        serving, serves: the answer that says what serves now, and the JMESPath to it.

    Raises:
        NoAnswer: the answer has another shape.
    """
    found = _search(rows, answer)
    if not isinstance(found, list):
        raise NoAnswer("the list of deployments has changed its shape")
    apart = clock_offset(sample)
    current = _search(serves, serving) if serves and isinstance(serving, dict) else None
    current = current if isinstance(current, dict) else {}
    listed = [one for item in found if (one := _one(item, apart, current)) is not None]
    if found and not listed:
        raise NoAnswer("the list of deployments has changed its shape")
    if not current:
        # Nobody says what serves: the newest that went live.
        newest = max((one for one in listed if one.live_since), key=_live, default=None)
        listed = [replace(one, serving=one is newest) for one in listed]
    return DeploymentList(tuple(listed), clock_sentence(apart, whose), note)


def _live(one: Deployment) -> datetime:
    return one.live_since or datetime.min.replace(tzinfo=UTC)


def _search(expression: str, answer: Any) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(expression, answer)
    except JMESPathError:
        raise NoAnswer("the list of deployments has changed its shape") from None


def _one(item: Any, apart: timedelta, current: dict[str, Any]) -> Deployment | None:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return None
    state = _text(item.get("state"), 20).upper()
    serving = item["id"] == current.get("id")
    times = item.get("live_since")
    live = _moment(times) if state in {"READY", ""} and item.get("staged") is not True else None
    if serving and current.get("moved_to") == item["id"]:
        live = _moment(current.get("since")) or live
    return Deployment(
        id=_text(item["id"], 64),
        live_since=live - apart if live is not None else None,
        state=state,
        commit=_text(item.get("commit"), 40),
        author=_text(item.get("author"), 30),
        message=_text(item.get("message"), 200),
        serving=serving,
    )


def _text(value: Any, limit: int) -> str:
    return brief(value, limit) if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    """Milliseconds, seconds or ISO 8601; of a list the first that is a time."""
    if isinstance(value, list):
        return next((at for one in value if (at := _moment(one)) is not None), None)
    with contextlib.suppress(ValueError, OverflowError, OSError):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return None


class DeploymentsTracker:
    """Follows the list."""

    def __init__(self, every_s: float, *, unknown: str = WAITING) -> None:
        self._unknown = unknown
        self._has_source = unknown == WAITING
        self._stale_after = timedelta(seconds=STALE_INTERVALS * every_s)
        self._list = DeploymentList(())
        self._failure = ""
        self._at: datetime | None = None

    def observe(self, sample: Sample) -> None:
        """Take an answer: `detail` is a DeploymentList, or there is a reason why not."""
        if isinstance(sample.detail, DeploymentList):
            self._list, self._failure, self._at = sample.detail, sample.detail.note, sample.at
        else:
            self._failure = sample.reason

    def reading(self, now: datetime, blind: bool = False) -> DeploymentsReading:
        """The list as it stands; an old one stays on the screen, marked so."""
        if blind and self._has_source:
            return DeploymentsReading("blind", self._list.rows, BLIND_REASON, self._at)
        if self._at is None:
            return DeploymentsReading("unknown", (), self._failure or self._unknown, None)
        stale = now - self._at > self._stale_after
        reason = self._failure or ("not read for three intervals" if stale else "")
        return DeploymentsReading(
            "stale" if stale else "ok", self._list.rows, reason, self._at, self._list.clock
        )
