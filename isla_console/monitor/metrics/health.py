"""A probe's state, ok or failing, from its samples. Pure: `now` is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from isla_console.monitor.metrics.hysteresis import Hysteresis
from isla_console.monitor.metrics.metric import BLIND_REASON, STALE_INTERVALS, WAITING
from isla_console.monitor.metrics.sample import Sample, State


@dataclass(frozen=True, slots=True)
class ProbeReading:
    """A probe at a moment, ready to draw. `alert` means failing; it is never `elevated`."""

    id: str
    title: str
    state: State
    sample: Sample | None
    """The newest sample, also while stale or blind."""
    since: datetime | None
    """When the state began; None while blind."""
    reason: str
    needs: tuple[str, ...]
    """The variables that are not set."""
    unset: bool = False
    """Whether it waits for a setting, which the reason names."""

    @property
    def seen(self) -> State:
        """The state as it may be drawn: what answered before, and failed just now, is not green."""
        failed = self.sample is not None and not self.sample.ok
        return "stale" if failed and self.state == "ok" else self.state


class ProbeTracker:
    """Derives one probe's state from its samples: three failures to fail, two successes to recover."""

    def __init__(
        self,
        id: str,
        title: str,
        every_s: float,
        *,
        unknown: str = WAITING,
        needs: tuple[str, ...] = (),
    ) -> None:
        self.id = id
        self.title = title
        self._unknown = unknown
        self._void = ""
        self._ours = False
        # A probe that waits for a setting stays unknown and says so, even while blind.
        self._has_source = unknown == WAITING
        self._needs = needs
        self._hysteresis = Hysteresis()
        self._stale_after = timedelta(seconds=STALE_INTERVALS * every_s)
        self._sample: Sample | None = None
        self._fresh_from: datetime | None = None
        self._state: State = "unknown"
        self._since: datetime | None = None
        self._drawn: ProbeReading | None = None

    def observe(self, sample: Sample) -> None:
        """Take in a sample.

        One that says nothing changes no state: if that goes on the probe turns stale by itself, or unknown by
        a fault of our own.
        """
        self._void, self._drawn = "" if sample.counts else sample.reason, None
        self._ours = sample.ours
        if not sample.counts:
            return
        self._hysteresis.observe(not sample.ok)
        self._sample, self._fresh_from = sample, None
        if self._hysteresis.raised:
            self._enter("alert", sample.at)
        elif sample.ok or self._state != "unknown":
            self._enter("ok", sample.at)

    def resume(self, at: datetime) -> None:
        """Go on after being blind, which does not count as having had no sample."""
        self._fresh_from, self._drawn = at, None

    def state(self, now: datetime, blind: bool = False) -> State:
        """Return the state alone."""
        if blind and self._has_source:
            return "blind"
        if self._stale_at(now):
            return "unknown" if self._ours else "stale"
        return self._state

    def reading(self, now: datetime, blind: bool = False) -> ProbeReading:
        """Return the probe at `now`; the same object as before while nothing has changed."""
        state = self.state(now, blind)
        if self._drawn is None or self._drawn.state != state:
            since = self._stale_at(now) if state in {"stale", "unknown"} else self._since
            self._drawn = ProbeReading(
                self.id,
                self.title,
                state,
                self._sample,
                None if state == "blind" else since,
                self._reason(state),
                self._needs,
                not self._has_source,
            )
        return self._drawn

    def _reason(self, state: State) -> str:
        if state == "blind":
            return BLIND_REASON
        if self._sample is None:
            return self._void or self._unknown
        if self._void and state in {"stale", "unknown"}:
            return self._void
        if state == "stale":
            return "no sample for three intervals"
        parts = (self._sample.reason, self._hysteresis.progress)
        return " · ".join(part for part in parts if part)

    def _stale_at(self, now: datetime) -> datetime | None:
        if self._sample is None:
            return None
        since = max(self._sample.at, self._fresh_from or self._sample.at) + self._stale_after
        return since if now > since else None

    def _enter(self, state: State, at: datetime) -> None:
        if state != self._state:
            self._state, self._since = state, at
