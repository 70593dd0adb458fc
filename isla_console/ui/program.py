"""The program on the shell: all controllers, which of them carries out which command, and the timers.

It is loaded once the first frame is painted. Runbook, journal and probes are opened after that, in a worker.
No timer or worker may raise; what fails is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from weakref import WeakKeyDictionary

from textual.app import SystemCommand
from textual.worker import Worker, WorkerState

from isla_console.clock import Clock
from isla_console.resources import resource
from isla_console.session.parting import parting
from isla_console.session.session import Session, SessionError
from isla_console.ui.commands import BY_ID, COMMANDS, REPLAY, REPLAY_KEYS, REPLAY_ROWS
from isla_console.ui.controllers.base import BACKGROUND, COMMAND, Begun, Console, Controller, Handler
from isla_console.ui.controllers.communication import CommunicationController
from isla_console.ui.controllers.console import ConsoleController
from isla_console.ui.controllers.coordination import CoordinationController
from isla_console.ui.controllers.drill import DrillController
from isla_console.ui.controllers.incident import IncidentController
from isla_console.ui.controllers.ladder import LadderController
from isla_console.ui.controllers.navigation import NavigationController
from isla_console.ui.controllers.sessions import SessionsController
from isla_console.ui.controllers.sql import SQL, SqlController
from isla_console.ui.controllers.steps import StepController
from isla_console.ui.controllers.triage import TriageController
from isla_console.ui.lines import RowKey
from isla_console.ui.main.screen import MainScreen, why_not
from isla_console.ui.messages import DraftAsked, Request, SessionsAsked, SqlAsked, SqlTyped, StopAsked
from isla_console.ui.shell import Shell
from isla_console.ui.views import detail

STYLES = ("sheets.tcss", "communication.tcss", "steps.tcss", "sql.tcss")
"""The style sheets of sheets and pages."""
TICK_S = 1.0
EDITS_S = 10.0
LOOK_S = 0.5
"""Seconds between two readings of what other consoles journalled."""
OPENING_S = 1.0
"""How long the start waits for the journal before it opens what does not need it."""
START = "start"
"""The group of the worker that opens everything."""
ASKS_WITHIN = 50
"""How often, a hundredth of a second apart, waiting keys check whether a command under way asks something.

If it does, the keys are its answer. A count and not a time, because on a busy machine both take longer.
"""


class ConsoleProgram:
    """Owns the session and the controllers; screens only draw."""

    def __init__(self, shell: Shell, session: Session | None = None) -> None:
        """Make the controllers; without a `session`, one of the shell's settings and the real clock."""
        self.shell = shell
        self.session = session or Session(shell.settings, Clock())
        self.console = Console(shell, self.session)
        self.console.run_command = self.run_command
        self.communication = CommunicationController(self.console)
        self.coordination = CoordinationController(self.console)
        self.drill = DrillController(self.console)
        self.incident = IncidentController(self.console)
        self.sql = SqlController(self.console)
        self.sessions = SessionsController(self.console)
        self.triage = TriageController(self.console)
        self.steps = StepController(self.console, self.coordination, self.triage)
        self.controllers: tuple[Controller, ...] = (
            NavigationController(self.console),
            ConsoleController(self.console),
            LadderController(self.console),
            self.communication,
            self.coordination,
            self.drill,
            self.incident,
            self.sessions,
            self.sql,
            self.steps,
            self.triage,
        )
        self.commands: Mapping[str, Handler] = _joined(one.commands for one in self.controllers)
        self.rows: Mapping[str, Handler] = _joined(one.rows for one in self.controllers)
        self._is_resumed = False
        self._looks: WeakKeyDictionary[Worker[object], int] = WeakKeyDictionary()

    def begin(self) -> None:
        """Open what there is to show, once the first frame is painted."""
        shell = self.shell
        shell.main.on_fault = self.session.complain
        self.session.faults.watch(asyncio.get_running_loop())
        shell.stylesheet.read_all([resource("styles") / name for name in STYLES])
        shell.stylesheet.reparse()
        self.console.begin(self.start(), group=START)

    async def start(self) -> None:
        """Open the runbook, the journal and the monitor in this order, and show each as it comes.

        A part that fails is said, and those that do not need it are opened all the same.
        """
        session, shell, console = self.session, self.shell, self.console
        try:
            await session.load_runbook()
        except SessionError as error:
            shell.problem = str(error)
            shell.exit(1)
            return
        except Exception as error:
            # Without a runbook there is nothing to show, not even this.
            shell.problem = f"the runbook could not be read: {session.faults.report(error, 'in the start')}"
            shell.exit(1)
            return
        opening = asyncio.create_task(
            session.faults.guard(session.open_journal(), "while opening the journal"), name="open the journal"
        )
        # Keys wait for a journal that another program holds, but probes and the clock do not.
        await asyncio.wait({opening}, timeout=OPENING_S)
        self._draw()
        self._guarded(session.open_monitor, "while opening the monitor")
        self._guarded(session.open_database, "while opening the database")
        for work in (session.keep_database, session.measure, session.look_deeper, self.drill.watch):
            console.begin(work(), group=BACKGROUND)
        for every_s, timer in ((TICK_S, self.tick), (LOOK_S, self.look), (EDITS_S, self.notice_edits)):
            shell.set_interval(every_s, timer)
        await opening
        await self._resume()

    async def _resume(self) -> None:
        """Go back to the open incident and its page, once, as soon as the journal can be written."""
        if self._is_resumed or self.session.journal.problem:
            return
        self._is_resumed = True
        await self.session.faults.guard(self._go_back(), "while going back to the open incident")

    async def _go_back(self) -> None:
        await self.incident.resume()
        if (issue := self.session.incident.issue if self.session.incident else None) is not None:
            self.console.go(f"issue:{issue}")

    async def tick(self) -> None:
        """Once a second, journal the crossings that came due, ring what is due, and draw."""
        await self.session.faults.guard(self.session.tick(), "while journalling what came due")
        self._guarded(self.ring, "while ringing")
        self._draw()

    async def notice_edits(self) -> None:
        """From time to time, check whether the runbook's file was edited."""
        await self.session.faults.guard(self.session.notice_edits(), "while looking for edits")

    async def look(self) -> None:
        """Twice a second, read what other consoles journalled and write what waits for the disk."""
        await self.session.faults.guard(self._look(), "while reading the journal")

    async def _look(self) -> None:
        if await self.session.look():
            if not self._is_resumed and not self.session.journal.problem:
                # The journal could not be opened at the start: what the start does with it is done now.
                self.console.begin(self._resume())
            elif (declared := self.session.declared_elsewhere()) is not None:
                self.console.begin(self.incident.work_on(declared.id))
            self.ring()
            self.console.refresh_state()
        self._tell_of_a_twin()

    def _guarded(self, work: Callable[[], None], doing: str) -> None:
        """Do a part of something; its failure is said, and the other parts are done all the same."""
        try:
            work()
        except Exception as error:
            self.session.complain(error, doing)

    def _tell_of_a_twin(self) -> None:
        """Offer to join the incident that another console declared of the same issue at the same time.

        Not over a sheet: what a person types there is not an answer to this.
        """
        if isinstance(self.shell.screen, MainScreen) and (twin := self.session.twin()) is not None:
            self.console.begin(self.incident.offer_join(twin))

    def ring(self) -> None:
        """Sound each new alarm once, and put what is due into the window's title."""
        terminal = self.console.terminal
        for alarm in self.session.new_alarms():
            terminal.alarm(alarm.text)
        incident = self.session.incident
        if incident is None:
            terminal.title("isla-console")
        else:
            loud = "◆ " if self.session.standing_alarms() else ""
            terminal.title(f"{loud}{incident.severity} {incident.title} · isla-console")

    @property
    def is_replay(self) -> bool:
        """Whether this is a recorded incident, in which nothing is begun whatever key is pressed."""
        return self.session.is_replay

    def run_command(self, id: str, key: str) -> None:
        """Carry out a command of the registry, or say why it is not possible."""
        if self.is_replay:
            id = REPLAY_KEYS.get(key, id)
        command = BY_ID[id]
        if isinstance(self.shell.screen, MainScreen):
            if reason := why_not(command, self.shell.main.state):
                main = self.shell.main
                self.console.say(
                    f"{command.title}: {reason}", holds=lambda: why_not(command, main.state) == reason
                )
            else:
                with self._at_key():
                    self._carry_out(self.commands[id](key))

    def open_row(self, key: str) -> None:
        """Do what Enter does on a row of its kind; a kind without a handler is shown in full."""
        row, state = RowKey.parse(key), self.shell.main.state
        if row is None:
            return
        handler = self.rows.get(row.kind)
        # In a replay, what was done is shown, not done again.
        begins = handler is not None and self.is_replay and row.kind not in REPLAY_ROWS
        if handler is not None and not begins:
            with self._at_key():
                self._carry_out(handler(row.id))
        elif state is not None and (shown := detail.of_row(key, state)) is not None:
            self.console.show(*shown)
        elif begins:
            self.console.say(REPLAY.capitalize() + ".")

    def take_request(self, request: Request) -> None:
        """Do what a page asks for; in a replay, do nothing."""
        if self.is_replay:
            self.console.say(REPLAY.capitalize() + ".")
            return
        with self._at_key():
            self._take(request)

    def _take(self, request: Request) -> None:
        match request:
            case DraftAsked():
                self._carry_out(self.communication.take_draft(request))
            case SqlAsked():
                self.sql.take_request(request)
            case SqlTyped():
                self.sql.judge_typed(request.text)
            case SessionsAsked():
                self.sessions.take_request(request)
            case StopAsked():
                self.steps.stop_stream(request.step)
            case _:
                raise TypeError(f"no controller takes {type(request).__name__}")

    @contextlib.contextmanager
    def _at_key(self) -> Iterator[None]:
        """Say it when what a key does fails by a defect of the console, which goes on."""
        try:
            yield
        except Exception as error:
            self.session.complain(error, "at a key")
            self.console.say(f"Not done, by an internal fault: {type(error).__name__}", warn=True)
            self._draw()

    def _carry_out(self, begun: Begun) -> None:
        if begun is not None:
            self.console.begin(begun)

    def is_ready(self) -> bool:
        """Return whether what was opened last is ready, and no command is about to ask something."""
        screen = self.shell.screen
        if not isinstance(screen, MainScreen):
            # The command may open another sheet when this one is answered.
            self._looks.clear()
            return screen.is_mounted
        return screen.is_ready and not self._may_ask()

    def _may_ask(self) -> bool:
        for worker in self.shell.workers:
            if worker.is_finished:
                continue
            if worker.group == START:
                return True
            if worker.group in {COMMAND, SQL} and (looks := self._looks.get(worker, 0)) < ASKS_WITHIN:
                self._looks[worker] = looks + 1
                return True
        return False

    def worker_changed(self, event: Worker.StateChanged) -> None:
        """Say it when a command fails by a defect of the console, which goes on."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and isinstance(error, Exception):
            self.session.complain(error, f"in {event.worker.name or event.worker.group}")
            self.console.say(f"Not done, by an internal fault: {type(error).__name__}", warn=True)
            self._draw()
        elif (
            event.state is WorkerState.CANCELLED
            and event.worker.group == COMMAND
            and not self.shell.is_leaving
        ):
            # No person stops a command: its cancellation is a defect too, and silence would look like a
            # lost key.
            self.session.complain(RuntimeError("it was cut off"), f"in {event.worker.name}")
            self.console.say("Not done: it was cut off. Press the key again.", warn=True)

    def _draw(self) -> None:
        """Draw the state of now; where there is none to be had, at least why."""
        try:
            self.console.refresh_state()
        except Exception as error:
            self.session.complain(error, "while making what is shown")
            self._guarded(lambda: self.shell.main.show_fault(self.session.faults.shown()[0]), "while drawing")

    def palette(self) -> Iterable[SystemCommand]:
        """Yield the registry's commands, possible ones first, then issues and procedures by name."""
        state = self.session.state(self.session.clock.now())
        for command in sorted(COMMANDS, key=lambda command: bool(why_not(command, state))):
            if command.id == "go" or command.id == "palette":
                continue
            title = command.title + (f" ({command.shown})" if command.shown else "")
            about = why_not(command, state) or command.help
            yield SystemCommand(title, about, partial(self.run_command, command.id, ""))
        if state is not None:
            for issue in state.runbook.issues:
                opens = partial(self.console.go, f"issue:{issue.id}")
                yield SystemCommand(issue.title, "Open the issue.", opens)
            for procedure in state.runbook.procedures:
                opens = partial(self.console.go, f"procedure:{procedure.id}")
                yield SystemCommand(procedure.title, "Open the procedure.", opens)

    async def close(self, *, in_hurry: bool) -> str:
        """Stop what runs and close the journal; return what has to be said once the terminal is restored."""
        unsaved = await self.session.close(in_hurry=in_hurry)
        self.session.faults.unwatch(asyncio.get_running_loop())
        return parting(unsaved)


def _joined(tables: Iterable[Mapping[str, Handler]]) -> dict[str, Handler]:
    """Return one table made of several; the same name in two of them is a defect."""
    joined: dict[str, Handler] = {}
    for table in tables:
        if twice := joined.keys() & table.keys():
            raise ValueError(f"two controllers carry out {', '.join(sorted(twice))}")
        joined.update(table)
    return joined
