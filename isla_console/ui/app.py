"""The application: starts the parts, ticks once a second, joins what they say into one `ConsoleState`.

First paint comes before everything else: the runbook, the journal and the probes are opened after it, in a
worker. Nothing here may raise from a timer or a worker; what fails is shown.
"""

from collections.abc import Iterable

from textual import on, work
from textual.app import SystemCommand
from textual.screen import Screen

from isla_console.resources import resource
from isla_console.session.session import SessionError
from isla_console.ui.commands import COMMANDS
from isla_console.ui.controllers.command import CommandDeeds
from isla_console.ui.controllers.communication import CommunicationDeeds
from isla_console.ui.controllers.console import ConsoleDeeds
from isla_console.ui.controllers.drill import DrillDeeds
from isla_console.ui.controllers.incident import IncidentDeeds
from isla_console.ui.controllers.navigation import GoingDeeds
from isla_console.ui.controllers.sql import SqlDeeds
from isla_console.ui.controllers.steps import StepDeeds
from isla_console.ui.controllers.triage import TriageDeeds
from isla_console.ui.main.screen import MainScreen, why_not

STYLES = ("sheets.tcss", "communication.tcss", "steps.tcss", "sql.tcss")
"""Of what lies over the main screen, and of pages."""
TICK_S = 1.0
EDITS_S = 10.0
LOOK_S = 0.5
"""How often the journal is looked at for what other consoles wrote."""


class IslaApp(
    GoingDeeds,
    IncidentDeeds,
    TriageDeeds,
    StepDeeds,
    SqlDeeds,
    CommandDeeds,
    CommunicationDeeds,
    ConsoleDeeds,
    DrillDeeds,
):
    """Owns the session (runbook, journal, monitor) and the clock; screens only draw."""

    def begin(self) -> None:
        """The frame is painted: open what there is to show in it."""
        self.stylesheet.read_all([resource("styles") / name for name in STYLES])
        self.stylesheet.reparse()
        self.start()

    @work(exit_on_error=False, group="start")
    async def start(self) -> None:
        """Open the runbook, the journal and the monitor, in this order, each shown as it comes."""
        try:
            await self.session.load_runbook()
        except SessionError as error:
            self.problem = str(error)
            self.exit(1)
            return
        await self.session.open_journal()
        self.refresh_state()
        self.session.open_monitor()
        self.open_database()
        self.run_worker(self.session.measure(), exit_on_error=False, group="probes")
        self.set_interval(TICK_S, self.tick)
        self.set_interval(LOOK_S, self.look)
        self.set_interval(EDITS_S, self.notice_edits)
        self.run_worker(self.watch_drill(), exit_on_error=False, group="drill")
        await self.resume()
        if (issue := self.session.incident.issue if self.session.incident else None) is not None:
            self.main.open(f"issue:{issue}")

    async def tick(self) -> None:
        """Once a second: write the crossings that came due, ring what is due, draw."""
        try:
            await self.session.tick()
            self.ring()
            self.refresh_state()
        except Exception as error:
            self.session.complain(error)

    async def notice_edits(self) -> None:
        """Now and then: was the runbook's file edited?"""
        try:
            await self.session.notice_edits()
        except Exception as error:
            self.session.complain(error)

    async def look(self) -> None:
        """Twice a second: what other consoles wrote, what waits for the disk."""
        try:
            if await self.session.look():
                if (declared := self.session.declared_elsewhere()) is not None:
                    self.do_work_on(declared.id)
                self.ring()
                self.refresh_state()
        except Exception as error:
            self.session.complain(error)

    def ring(self) -> None:
        """Sound each new alarm once; the window's title says what stands."""
        for alarm in self.session.new_alarms():
            self.terminal.alarm(alarm.text)
        incident = self.session.incident
        if incident is None:
            self.terminal.title("isla-console")
        else:
            loud = "◆ " if self.session.standing_alarms() else ""
            self.terminal.title(f"{loud}{incident.severity} {incident.title} · isla-console")

    @on(MainScreen.RowChosen)
    def _row_chosen(self, event: MainScreen.RowChosen) -> None:
        self.open_row(event.key)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: the registry, what is possible now first."""
        state = self.session.state(self.clock.now())
        for command in sorted(COMMANDS, key=lambda command: bool(why_not(command, state))):
            if command.id == "go" or command.id == "palette":
                continue
            reason = why_not(command, state)
            yield SystemCommand(
                command.title + (f" ({command.shown})" if command.shown else ""),
                reason or command.help,
                lambda id=command.id: self.action_command(id, ""),
            )
        if state is not None:
            for issue in state.runbook.issues:
                yield SystemCommand(
                    issue.title, "Open the issue.", lambda id=issue.id: self.go(f"issue:{id}")
                )
            for procedure in state.runbook.procedures:
                yield SystemCommand(
                    procedure.title,
                    "Open the procedure.",
                    lambda id=procedure.id: self.go(f"procedure:{id}"),
                )

    def _fatal_error(self) -> None:
        """A fault of ours ends the app: told without the values of variables, which may hold secrets."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        traceback = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        await self.session.close()
