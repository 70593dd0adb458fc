"""A recorded incident on the real screens, with its clock running again. Nothing is done or written.

The panels show what was journalled of metrics and probes; whatever was not journalled is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from isla_console.clock import Clock
from isla_console.database.session import SessionReading
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident, fold
from isla_console.incident.rules.alarms import Alarm
from isla_console.journal.store import Saved, Unsaved
from isla_console.monitor.link import LinkReading
from isla_console.monitor.metrics.health import ProbeReading
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.metrics.sample import Sample, State
from isla_console.monitor.monitor import Snapshot, Transition
from isla_console.runbook.model import Runbook
from isla_console.session.session import Session
from isla_console.session.state import ConsoleState
from isla_console.settings.resolve import Settings
from isla_console.text.spans import span_text

REASON = "this is a replay: nothing is done, nothing is written"
_UNTOLD = "nothing of it is in the journal"
SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""The speeds that + and - choose from."""
_LEAD = timedelta(seconds=2)
"""Real time before the first and after the last event."""
_STATES: dict[str, State] = {
    state: state for state in ("ok", "elevated", "alert", "stale", "unknown", "blind")
}


class Replay:
    """One incident's events, and the clock that runs through them."""

    def __init__(
        self, events: Sequence[Event], speed: float, *, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self.events = sorted(events, key=lambda event: (event.recorded_at, event.id))
        self.speed = speed
        self.paused = False
        self.incident_id = self.events[0].incident
        start = self.events[0].recorded_at - _LEAD * speed
        self.end = self.events[-1].recorded_at + _LEAD * speed
        self._length = (self.end - start).total_seconds()
        self._steady = steady
        self._since, self._gone = steady(), 0.0
        self.clock = Clock(wall=lambda: start, steady=self._passed)

    @property
    def pace(self) -> str:
        """How fast it runs, in a word."""
        return "paused" if self.paused else f"×{self.speed:g}"

    def pause(self) -> None:
        """Pause the clock, or let it go on."""
        self._hold()
        self.paused = not self.paused

    def faster(self, steps: int = 1) -> None:
        """Take the next speed, or with -1 the one before; the clock goes on from where it is."""
        self._hold()
        others = [speed for speed in SPEEDS if (speed > self.speed if steps > 0 else speed < self.speed)]
        if others:
            self.speed = min(others) if steps > 0 else max(others)

    def _hold(self) -> None:
        """Fix what has passed so far, and count on from now."""
        self._gone, self._since = self._passed(), self._steady()

    def _passed(self) -> float:
        """Return how many seconds of the recording have passed."""
        pace = 0.0 if self.paused else self.speed
        return min(self._length, self._gone + (self._steady() - self._since) * pace)

    def until(self, now: datetime) -> list[Event]:
        """Return the events that were written by `now`."""
        return [event for event in self.events if event.recorded_at <= now]

    def measured_by(self, now: datetime) -> list[Event]:
        """Return the events of what had happened by `now`, in order, also where it was written down later.

        The console had measured it: a declaration writes how the measures came to be as they are.
        """
        return sorted((event for event in self.events if event.occurred_at <= now), key=lambda one: one.order)


class RecordedJournal:
    """A journal that has only what was written by the time of the replay's clock."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._shown = -1
        self._incident: Incident | None = None

    problem = ""
    """Nothing hinders it."""
    unsaved = ()
    """Nothing ever waits for the disk."""

    @property
    def saved(self) -> Saved:
        """Nothing ever waits for the disk."""
        return Saved()

    @property
    def incidents(self) -> list[Incident]:
        """The recorded incident, once the clock has reached its declaration."""
        return [self._incident] if self._incident is not None else []

    def incident(self, incident_id: str) -> Incident | None:
        """Return the recorded incident as far as the clock has come."""
        return self._incident

    async def open(self) -> None:
        """Fold what the clock has passed."""
        await self.refresh()

    async def record(self, events: Sequence[Event]) -> bool:
        """Record nothing: a replay journals nothing."""
        return False

    async def refresh(self) -> bool:
        """Fold the events that the clock has passed; return whether they are more than before."""
        written = self._replay.until(self._replay.clock.now())
        if len(written) == self._shown:
            return False
        self._shown = len(written)
        self._incident = fold(written)
        return True

    async def close(self, *, in_hurry: bool = False) -> Unsaved:
        """Do nothing: there is nothing to close."""
        return Unsaved()


class RecordedMonitor:
    """A monitor that shows what was journalled; nobody is asked."""

    stripe = None
    database = None

    def __init__(self, replay: Replay, runbook: Runbook) -> None:
        self.on_change: Callable[[Transition], None] | None = None
        self.on_fault: Callable[[Exception, str], object] = lambda error, doing: None
        self._replay = replay
        self._runbook = runbook

    async def run(self) -> None:
        """Do nothing: nobody is asked."""

    async def ask_all(self) -> None:
        """Do nothing: nobody is asked."""

    async def probe_once(self, id: str) -> Sample:
        """Return a failed sample: nobody is asked."""
        return Sample(id, self._replay.clock.now(), ok=False, reason=REASON)

    def snapshot(self, now: datetime) -> Snapshot:
        """Return what was known at `now`."""
        events = self._replay.measured_by(now)
        link = _last(events, self._replay.events, "link_changed", "link")
        return Snapshot(
            at=now,
            metrics=tuple(self._metric(spec.id, events) for spec in self._runbook.metrics),
            probes=tuple(self._probe(probe.id, probe.title, events) for probe in self._runbook.all_probes()),
            link=LinkReading("blind" if link[0] == "blind" else "unknown", None, link[1], now),
            database=SessionReading("unknown", ""),
        )

    def _metric(self, id: str, events: Sequence[Event]) -> Reading:
        spec = self._runbook.metric(id)
        state, text, since = _last(events, self._replay.events, "metric_changed", id)
        number = text.split(" ")[0]
        return Reading(
            id=id,
            title=spec.title,
            short=spec.short,
            unit=spec.unit,
            decimals=spec.decimals,
            state=state,
            value=float(number) if number.replace(".", "", 1).isdigit() else None,
            text=text if since is not None else "",
            bound=str(spec.alert if state == "alert" else spec.normal),
            source="from the journal",
            n=0,
            provisional=False,
            sampled_at=since,
            since=since,
            reason=_UNTOLD if state == "unknown" else "",
            history=(),
        )

    def _probe(self, id: str, title: str, events: Sequence[Event]) -> ProbeReading:
        state, text, since = _last(events, self._replay.events, "probe_changed", id)
        return ProbeReading(
            id, title, state, None, since, text or (_UNTOLD if state == "unknown" else ""), ()
        )


class ReplaySession(Session):
    """A session in which nothing can be changed."""

    is_replay = True

    def __init__(self, settings: Settings, replay: Replay) -> None:
        super().__init__(
            settings,
            replay.clock,
            journal=RecordedJournal(replay),
            make_monitor=lambda runbook: RecordedMonitor(replay, runbook),
        )
        self.replay = replay
        self.incident_id = replay.incident_id

    @property
    def incident(self) -> Incident | None:
        """The recorded incident, also once it is closed."""
        return self.journal.incident(self.incident_id)

    @property
    def write_problem(self) -> str:
        """Why nothing is journalled: it is a replay."""
        return REASON

    def open_database(self) -> None:
        """Do nothing: no database is asked."""

    def new_alarms(self) -> list[Alarm]:
        """Return nothing: what rang then does not ring again."""
        return []

    def state(self, now: datetime) -> ConsoleState | None:
        """Return the state of the moment, named as a replay."""
        state = super().state(now)
        if state is None:
            return None
        left = self.replay.end - now
        what = "over" if left < timedelta(seconds=1) else f"{span_text(left)} to go"
        return replace(state, replay=f"{self.replay.incident_id} · {self.replay.pace} · {what}")


def choose(events: Sequence[Event], incident: str) -> list[Event]:
    """Return the events of one incident: the one whose id begins as asked for, or the last one declared.

    Raises:
        ValueError: There is no such incident, or several; the message lists them.
    """
    ids = list(dict.fromkeys(event.incident for event in events if event.kind == "declared"))
    fitting = [id for id in ids if id == incident] or [id for id in ids if id.startswith(incident)]
    if not ids:
        raise ValueError("no incident was declared in it")
    if not fitting or (incident and len(fitting) > 1):
        raise ValueError(f"which incident? {', '.join(ids)}")
    return [event for event in events if event.incident == fitting[-1]]


def _last(
    events: Sequence[Event], all_events: Sequence[Event], kind: str, name: str
) -> tuple[State, str, datetime | None]:
    """Return state, value and since when; before the first transition, the state that it began from."""
    mine = [event for event in events if event.kind == kind and event.data.get("name") == name]
    if mine:
        newest = mine[-1]
        state = _STATES.get(str(newest.data.get("to")), "unknown")
        return state, str(newest.data.get("value") or ""), newest.occurred_at
    first = next(
        (event for event in all_events if event.kind == kind and event.data.get("name") == name), None
    )
    before = str(first.data.get("from")) if first is not None else "unknown"
    return _STATES.get(before, "unknown"), "", None
