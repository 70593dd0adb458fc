"""One console at work, without a screen: its runbook, journal, monitor and database together.

The screen's workers and timers call its methods; what fails becomes text in the state.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isla_console import __version__
from isla_console.drill.client import DrillState
from isla_console.faults import LOG_NAME, Faults
from isla_console.incident.commands import Stamp
from isla_console.incident.record.events import Author, Event, EventError, event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.alarms import Alarm, alarms, heard_before
from isla_console.incident.rules.escalation import crossing_events
from isla_console.incident.rules.twins import twin_of
from isla_console.journal.place import FILE_NAME, JournalError
from isla_console.journal.store import JournalStore, Unsaved
from isla_console.monitor.monitor import Monitor, Snapshot
from isla_console.monitor.poller import Poller
from isla_console.monitor.stripe.drift import Drift
from isla_console.resources import resource
from isla_console.runbook.load import Loaded, RunbookError, load_runbook
from isla_console.runbook.model import MEASURED, Runbook
from isla_console.session.measured import MeasureLog
from isla_console.session.parts import Clock, Journal, MakeMonitor
from isla_console.session.state import Comparing, ConsoleState
from isla_console.session.steps import Sql, StepServices
from isla_console.settings.resolve import Settings
from isla_console.settings.variables import SECRETS
from isla_console.sql.database import Database
from isla_console.steps.runner import Run
from isla_console.text.redact import Redactor
from isla_console.text.times import utc_text
from isla_console.triage.facts import gather
from isla_console.triage.health import health_of
from isla_console.triage.ranking import rank

if TYPE_CHECKING:
    from isla_console.database.driver import TextConnection

DEEPER_AFTER_S = 3.0
"""Seconds after which scripts and patterns are looked at: by then the first board is drawn."""
FOLLOW_S = 2.0
"""How long leaving waits until what came of stopped steps is journalled, and what is cut off has said so."""
HURRY_S = 0.5
"""The same, and how long the steps have to end, when a signal ends the process."""


class SessionError(Exception):
    """The console cannot start; the message is printed."""


class Session:
    """Holds the console's parts and the incident that it works on."""

    is_replay = False
    """Whether this is a recorded incident, in which nothing is run and nothing is written."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        journal: Journal | None = None,
        make_monitor: MakeMonitor | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            settings: The resolved configuration.
            clock: Gives every `now`.
            journal: Where events are kept; by default the one in the settings' state directory.
            make_monitor: Makes the monitor; by default the poller, which asks production.
        """
        self.settings = settings
        self.clock = clock
        self.author = Author(settings.actor, settings.host)
        self.journal: Journal = journal or JournalStore(settings.state_dir / FILE_NAME)
        self._make_monitor = make_monitor or self._make_poller
        self.loaded: Loaded | None = None
        self.monitor: Monitor | None = None
        self.database: Database | None = None
        self._step_services: StepServices | None = None
        """What steps are done with; None before the first step."""
        self._followed: set[asyncio.Task[None]] = set()
        self._ran_of: tuple[Incident | None, dict[str, Event]] = (None, {})
        self.incident_id = ""
        self.frozen: Snapshot | None = None
        self.timeline_filter = ""
        self.edited_runbook = False
        self.drill_state = DrillState()
        self.drill_lost = ""
        """Why the drill's platform does not answer any more; "" while it does."""
        self._speed = float(settings.get("ISLA_DRILL_SPEED") or 1) if settings.drill else 1.0
        self._known: set[str] = set()
        self._redactor: Redactor | None = None
        self.faults = Faults(settings.state_dir / LOG_NAME, self._hide)
        self._rung: set[str] = set()
        self.measures = MeasureLog(self.author, self.complain)
        self._offered: set[frozenset[str]] = set()
        """The pairs of incidents that the person was asked to join."""
        self.drift: Drift | str | None = None
        self._settings: tuple[str, ...] = ()
        self.comparing: Comparing | None = None
        self.uncommitted = ""
        """The change to the database that waits for a decision, such as `UPDATE 14`; "" for none."""
        self._writing: asyncio.Task[object] | None = None

    @property
    def runbook(self) -> Runbook:
        """The runbook.

        Raises:
            SessionError: It is not read yet.
        """
        if self.loaded is None:
            raise SessionError("the runbook is not read yet")
        return self.loaded.runbook

    @property
    def runbook_sha256(self) -> str:
        """The SHA-256 of the runbook's bytes as hex, which an incident keeps; "" before it is read."""
        return self.loaded.sha256 if self.loaded else ""

    @property
    def incident(self) -> Incident | None:
        """The incident that this console works on, as the journal has it."""
        found = self.journal.incident(self.incident_id)
        return found if found is not None and found.is_open else None

    @property
    def step_services(self) -> StepServices:
        """What steps are done with, for the current runbook and incident.

        Raises:
            SessionError: The runbook is not read yet.
        """
        if self._step_services is None:
            # The SQL page's connection, which is already open: there may be no slot for another one.
            engine = self.database.engine if self.database is not None else None
            self._step_services = StepServices(
                self.runbook, self.settings, sql=Sql(engine) if engine is not None else None
            )
        self._step_services.settle(self.runbook, self.incident)
        return self._step_services

    @property
    def running_steps(self) -> list[Run]:
        """Return the running steps, oldest first."""
        return self._step_services.runner.running if self._step_services is not None else []

    def follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something to its end beside the screen, whatever becomes of the screen.

        `stop_steps` and `close` wait for it; what fails in it is shown on the banner.
        """
        task = asyncio.create_task(self._show_failure(work))
        self._followed.add(task)
        task.add_done_callback(self._followed.discard)

    async def _show_failure(self, work: Coroutine[Any, Any, None]) -> None:
        await self.faults.guard(work, f"in {getattr(work, '__qualname__', 'a task')}")

    async def stop_steps(self, *, in_hurry: bool = False) -> None:
        """Stop every running step, and wait until it has ended and its outcome is journalled.

        Args:
            in_hurry: Whether the process is ended from outside and has little time: what does not end by
                itself is killed sooner.
        """
        if self._step_services is not None:
            runner = self._step_services.runner
            await (runner.close(HURRY_S) if in_hurry else runner.close())
        if self._followed:
            # What is followed further, as a deployment that goes live, does not keep anybody here.
            _, late = await asyncio.wait(self._followed, timeout=HURRY_S if in_hurry else FOLLOW_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=HURRY_S if in_hurry else FOLLOW_S)

    @property
    def open_incidents(self) -> list[Incident]:
        """The incidents that are open, newest first."""
        return [incident for incident in self.journal.incidents if incident.is_open]

    @property
    def write_problem(self) -> str:
        """Why nothing can be journalled ("" when it can)."""
        return self.journal.problem

    async def load_runbook(self) -> None:
        """Read and check the runbook, off the event loop.

        Raises:
            SessionError: It cannot be used; the message has every finding, ready to print.
        """
        path = Path(self.settings.get("ISLA_RUNBOOK") or resource("runbook.yaml"))
        try:
            loaded = self._in_drill(await asyncio.to_thread(load_runbook, path))
        except RunbookError as error:
            lines = [str(finding) for finding in error.findings]
            many = "finding" if len(lines) == 1 else "findings"
            raise SessionError(
                "\n".join([*lines, f"{len(lines)} {many}: the runbook was not opened"])
            ) from None
        self.loaded = self._as_measured(loaded)
        declared = [item.env for item in self.runbook.inputs.values() if item.env]
        self._settings = tuple(str(finding) for finding in self.settings.all_findings(declared))

    def _as_measured(self, loaded: Loaded) -> Loaded:
        """Return a runbook that was read again with what is being measured as it was.

        The monitor that runs was made of the old one. What the screen draws of a measure must be what is
        measured, by its name and bounds; the new ones follow at the next start.
        """
        if self.loaded is None or self.monitor is None:
            return loaded
        measured = {name: getattr(self.runbook, name) for name in MEASURED}
        return replace(loaded, runbook=loaded.runbook.model_copy(update=measured))

    async def look_deeper(self) -> None:
        """Look in the background at what takes long: scripts and patterns. What is found joins the findings.

        It waits until the first board is drawn, and also loads the parsers for the first step.
        """
        await asyncio.sleep(DEEPER_AFTER_S)
        loaded = self.loaded
        if loaded is None:
            return
        from isla_console.runbook.deep import deep_findings

        found = await asyncio.to_thread(deep_findings, loaded)
        if self.loaded is loaded and found:
            self.loaded = replace(loaded, findings=(*loaded.findings, *found))

    def _in_drill(self, loaded: Loaded) -> Loaded:
        """Return the runbook with shorter times in a quick drill, which the banner mentions."""
        if self._speed == 1:
            return loaded
        from isla_console.drill.client import quickened

        return replace(loaded, runbook=quickened(loaded.runbook, self._speed))

    async def notice_edits(self) -> None:
        """Check whether the runbook's file was edited since it was read; an edit is offered, not loaded."""
        loaded = self.loaded
        if loaded is not None:
            digest = await asyncio.to_thread(_digest, loaded.path)
            self.edited_runbook = bool(digest) and digest != loaded.sha256

    async def open_journal(self) -> None:
        """Open the journal; if that fails, the console goes on without one, says so, and tries again."""
        with contextlib.suppress(JournalError):  # why is the journal's `problem`, which is shown
            await self.journal.open()
        self._known = {incident.id for incident in self.open_incidents}

    def declared_elsewhere(self) -> Incident | None:
        """Return the incident that another console declared since the last call, if this one has none."""
        fresh = [incident for incident in self.open_incidents if incident.id not in self._known]
        self._known.update(incident.id for incident in fresh)
        return fresh[0] if fresh and self.incident is None else None

    def same_issue(self, issue: str | None) -> Incident | None:
        """Return the newest open incident of an issue that this console does not work on; None for none."""
        return next(
            (
                one
                for one in self.open_incidents
                if issue and one.issue == issue and one.id != self.incident_id
            ),
            None,
        )

    def twin(self) -> Incident | None:
        """Return the incident that another console declared of the same issue just before this one's.

        Both wrote before either had read the other. Each pair is returned once.
        """
        mine = self.incident
        found = twin_of(mine, self.open_incidents) if mine is not None else None
        if mine is None or found is None:
            return None
        pair = frozenset((mine.id, found.id))
        if pair in self._offered:
            return None
        self._offered.add(pair)
        return found

    def open_database(self) -> None:
        """Make the SQL page's connections; `keep_database` opens and keeps them."""
        if self.database is None:
            self.database = Database.from_settings(self.settings)

    async def keep_database(self) -> None:
        """Open the SQL page's connections and keep them until cancelled: later there may be no slot.

        They stay open until `close`: a step may still be reading, and is to be stopped, not cut off.
        """
        if self.database is not None:
            await self.database.keep()

    def open_monitor(self) -> None:
        """Make the monitor; `measure` runs it."""
        self.monitor = self._make_monitor(self.runbook)
        self.monitor.on_change = self.measures.take
        self.monitor.on_fault = self.complain

    def _make_poller(self, runbook: Runbook) -> Monitor:
        return Poller(runbook, self.settings, clock=self.clock.now, judge=_refusal)

    async def measure(self) -> None:
        """Run the monitor until cancelled."""
        if self.monitor is not None:
            await self.monitor.run()

    async def recheck(self) -> None:
        """Ask everything that is watched once, now: all that any page shows of it is then fresh."""
        if self.monitor is not None:
            await self.monitor.ask_all()

    def work_on(self, incident_id: str) -> None:
        """Work on an incident; alarms that rang before it was opened here stay silent."""
        self.incident_id = incident_id
        if self.incident is not None:
            self._rung = set(heard_before(self.incident))

    def stamp(self) -> Stamp:
        """Return who acts, and the time now."""
        return {"author": self.author, "now": self.clock.now()}

    async def record(self, events: Sequence[Event]) -> bool:
        """Write events; return True once they are on disk."""
        if self.write_problem:
            return False
        return await self.journal.record([self._without_secrets(event) for event in events])

    def keep(self, text: str) -> str:
        """Return what a person wrote as it may be kept: without any secret that is known."""
        return self._known_secrets().sure().text(text)

    def _without_secrets(self, event: Event) -> Event:
        """Return an event as it may be kept: whoever wrote it, no known secret is in it."""
        redactor = self._known_secrets().sure()

        def clean(value: Any) -> Any:
            if isinstance(value, str):
                return redactor.text(value)
            if isinstance(value, Mapping):
                return {key: clean(one) for key, one in value.items()}
            if isinstance(value, list | tuple):
                return [clean(one) for one in value]
            return value

        data = clean(event.data)
        return event if data == event.data else replace(event, data=data)

    async def tick(self) -> None:
        """Journal the crossings that came due, the measured transitions, and a jump of the wall clock."""
        incident = self.incident
        jump = self.clock.jump()
        if incident is None or self.write_problem:
            self.measures.drop()
            return
        now = self.clock.now()
        # Events that wait for the disk may hold these crossings already.
        waiting = self.journal.saved.pending
        events = [] if waiting else crossing_events(incident, now, author=self.author)
        live = self.monitor.snapshot(now) if self.monitor is not None and not waiting else None
        events += self.measures.events(incident, live, now)
        if jump is not None:
            moved = {"name": "clock", "from": utc_text(now), "to": utc_text(now + jump)}
            events += self._event(
                "link_changed", {**moved, "value": round(jump.total_seconds(), 3)}, incident, now
            )
        if events:
            await self.record(events)

    async def look(self) -> bool:
        """Read what others wrote and write what waits; return whether anything changed."""
        before = (self.journal.saved, self.journal.problem)
        return await self.journal.refresh() or (self.journal.saved, self.journal.problem) != before

    def new_alarms(self) -> list[Alarm]:
        """Return the incident's alarms that this console has not rung yet; from now on they count as rung."""
        if self.incident is None:
            return []
        fresh = list(alarms(self.incident, self.clock.now(), self._rung))
        self._rung.update(alarm.key for alarm in fresh)
        return fresh

    def standing_alarms(self) -> tuple[Alarm, ...]:
        """Return what is due now and not done yet, rung or not; without what is only due soon."""
        if self.incident is None:
            return ()
        return tuple(alarm for alarm in alarms(self.incident, self.clock.now(), ()) if alarm.level != "soft")

    def toggle_freeze(self) -> None:
        """Freeze the panels as they are, or let them go on; measuring and the clocks never stop."""
        live = self.monitor.snapshot(self.clock.now()) if self.monitor is not None else None
        self.frozen = None if self.frozen is not None else live

    def complain(self, error: BaseException, doing: str = "beside the screen") -> None:
        """Show a defect of the console on the banner, and log it; it is never raised."""
        self.faults.report(error, doing)

    def _hide(self, text: str) -> str:
        """Take every secret that is known out of what a defect says."""
        return self._known_secrets().text(text)

    def _known_secrets(self) -> Redactor:
        if self._step_services is not None:
            return self._step_services.redactor
        if self._redactor is None:
            self._redactor = Redactor(found for name in SECRETS if (found := self.settings.secret(name)))
            for item in self.loaded.runbook.inputs.values() if self.loaded is not None else ():
                if item.is_secret and item.env:
                    self._redactor.add(self.settings.secret(item.env))
        return self._redactor

    def state(self, now: datetime) -> ConsoleState | None:
        """Return everything to draw at `now`; None until the runbook is read."""
        if self.loaded is None:
            return None
        live = self.monitor.snapshot(now) if self.monitor is not None else None
        incident = self.incident
        # Live facts, even while the panels are frozen: the ranking must not wait.
        facts = gather(live, incident)
        saved = self.journal.saved
        problem = self.journal.problem
        return ConsoleState(
            now=now,
            runbook=self.runbook,
            actor=self.author.actor,
            host=self.author.host,
            snapshot=self.frozen or live,
            live=live,
            incident=incident,
            others=tuple(
                other for other in self.journal.incidents if other.id != self.incident_id or not incident
            ),
            saved=replace(saved, reason=problem) if problem else saved,
            faults=self.faults.shown(),
            drill=self.settings.drill or "",
            drill_speed=self._speed,
            drill_state=self.drill_state,
            drill_lost=self.drill_lost,
            frozen_at=self.frozen.at if self.frozen else None,
            alarms=self.standing_alarms(),
            timeline_filter=self.timeline_filter,
            edited_runbook=self.edited_runbook,
            findings=tuple(self.loaded.findings),
            settings=self._settings,
            runs=self._step_services.run_views(now) if self._step_services is not None else {},
            ran=self._ran(incident),
            missing=self._missing(),
            database=self.database.standing(now) if self.database is not None else None,
            facts=facts,
            health=health_of(self.runbook, live),
            triage=rank(self.runbook.issues, facts),
            drift=self.drift,
            comparing=self.comparing,
            first_alerts=self.measures.sightings.alerts(now, live, self._settled_at()),
        )

    async def log_console(self, kind: str) -> None:
        """Journal that the console was opened or closed: `kind` is `console_opened` or `console_closed`."""
        if self.incident is not None and not self.write_problem:
            await self.record(self._event(kind, {"version": __version__}, self.incident, self.clock.now()))

    async def close(self, *, in_hurry: bool = False) -> Unsaved:
        """Stop what runs, close the database's connections, write what waits and close the journal.

        Args:
            in_hurry: As for `stop_steps`.

        Returns:
            What could not be saved.
        """
        await self.faults.guard(self.stop_steps(in_hurry=in_hurry), "while stopping steps")
        await self.faults.guard(
            self._roll_back(HURRY_S if in_hurry else FOLLOW_S), "while rolling back a change"
        )
        if self.database is not None:
            await self.faults.guard(self.database.close(), "while closing the database's connections")
        if not (in_hurry and self.journal.unsaved):
            await self.faults.guard(self.log_console("console_closed"), "while journalling the end")
        return await self.journal.close(in_hurry=in_hurry)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """While the current task has a transaction open: before the journal is closed, it is rolled back."""
        self._writing = asyncio.current_task()
        try:
            yield
        finally:
            self._writing, self.uncommitted = None, ""

    async def _roll_back(self, limit_s: float) -> None:
        """Roll back what waits for a decision, and let it be journalled."""
        if (task := self._writing) is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=limit_s)

    def _ran(self, incident: Incident | None) -> dict[str, Event]:
        """Return the newest `ran` entry of each step; cached for each state of the incident."""
        if incident is not self._ran_of[0]:
            found = [event for event in incident.timeline if event.kind == "ran"] if incident else []
            self._ran_of = (incident, {str(event.data.get("step")): event for event in found})
        return self._ran_of[1]

    def _settled_at(self) -> datetime | None:
        """Return when an incident was last resolved, or ended otherwise."""
        ended = (incident.resolved_at or incident.ended_at for incident in self.journal.incidents)
        return max((at for at in ended if at is not None), default=None)

    def _missing(self) -> dict[str, str]:
        """Return the variables that probes and metrics wait for, each with its meaning."""
        wanted: dict[str, str] = {}
        for probe in self.runbook.all_requests():
            for name in probe.needs:
                declared = self.runbook.inputs.get(name)
                env = (declared.env if declared else None) or name
                if not self.settings.get(env) and not (declared and declared.default):
                    wanted[env] = declared.title if declared else name
        return wanted

    def _event(self, kind: str, data: dict[str, object], incident: Incident, now: datetime) -> list[Event]:
        try:
            return [event(kind, data, incident=incident.id, author=self.author, now=now)]
        except EventError as error:
            self.complain(error)
            return []


def _digest(path: Path) -> str:
    """Return a file's SHA-256 as hex; "" when it cannot be read, as in the middle of an edit."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


async def _refusal(connection: TextConnection, sql: str) -> str:
    # The guard is loaded with the first statement, not with the board.
    from isla_console.sql.engine import refusal

    return await refusal(connection, sql)
