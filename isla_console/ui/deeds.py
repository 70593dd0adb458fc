"""What a person does: each command of the registry, carried out.

A deed asks on a sheet, lets the incident's commands check it, and records the events; what is refused is said
with its reason and nothing is written.
"""

from collections.abc import Callable, Sequence

from textual import work
from textual.app import App

from isla_console.clock import Clock
from isla_console.incident import commands as act
from isla_console.incident.commands import Refused
from isla_console.incident.events import Event
from isla_console.incident.state import Incident
from isla_console.settings import Settings
from isla_console.ui import dialogs
from isla_console.ui.board import Board
from isla_console.ui.commands import BY_ID, Command
from isla_console.ui.desk import Desk
from isla_console.ui.screens.detail import DetailScreen
from isla_console.ui.screens.help import HelpScreen
from isla_console.ui.screens.main import MainScreen, why_not
from isla_console.ui.screens.search import SearchScreen
from isla_console.ui.terminal import Terminal
from isla_console.ui.views import detail
from isla_console.ui.views.pages import known_page

SIMPLE = {"home", "contacts", "timeline"}


class Deeds(App[int]):
    """The part of the app that acts: commands by id (`do`), rows by key (`open_row`)."""

    def __init__(self, settings: Settings, clock: Clock, desk: Desk) -> None:
        super().__init__()
        self.settings = settings
        self.clock = clock
        self.desk = desk
        self.terminal = Terminal(self)

    @property
    def main(self) -> MainScreen:
        """The main screen, also while a sheet lies over it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def refresh_board(self) -> None:
        """Draw what is true now."""
        board = self.desk.board(self.clock.now())
        if board is not None:
            self.main.show(board)

    def go(self, target: str) -> None:
        """Open `page` or `page#row`."""
        page, _, key = target.partition("#")
        board = self.main.board
        if board is not None and known_page(page, board):
            self.main.open(page, key)

    def say(self, text: str, *, warn: bool = False) -> None:
        """A passing word; nothing is ever said here alone."""
        self.notify(text, severity="warning" if warn else "information", timeout=4, markup=False)

    def action_command(self, id: str, key: str) -> None:
        """Do a command of the registry, or say why not."""
        command = BY_ID[id]
        if isinstance(self.screen, MainScreen):
            if reason := why_not(command, self.main.board):
                self.say(f"{command.title}: {reason}")
            else:
                self.do(command, key)

    def do(self, command: Command, key: str) -> None:
        """Carry out a command that is possible now."""
        if command.id in SIMPLE:
            self.go(command.id)
        else:
            getattr(self, f"do_{command.id}")(key)

    def open_row(self, key: str) -> None:
        """Enter on a row: go there, do it, or show it in full."""
        board = self.main.board
        if board is None:
            return
        kind, _, rest = key.partition(":")
        match kind:
            case "goto":
                self.go(f"issue:{rest}")
            case "command":
                self.action_command(rest, "")
            case "incident":
                self.do_work_on(rest)
            case "check":
                self.do_tick("")
            case _:
                if (shown := detail.of_row(key, board)) is not None:
                    self.push_screen(DetailScreen(*shown))

    @property
    def _board(self) -> Board:
        board = self.desk.board(self.clock.now())
        if board is None:
            raise Refused("the console is still starting")
        return board

    async def attempt(self, deed: Callable[[Incident], Sequence[Event]]) -> bool:
        """Let an incident command make its events and record them; say what was refused."""
        incident = self.desk.incident
        if incident is None:
            self.say("No incident is open: d declares one.", warn=True)
            return False
        try:
            events = deed(incident)
        except Refused as refusal:
            self.say(f"Refused: {refusal}", warn=True)
            return False
        return await self.record(events)

    async def record(self, events: Sequence[Event]) -> bool:
        """Record and draw; while it is not on disk, the banner says so."""
        done = await self.desk.record(events)
        if not done and (problem := self.desk.can_write):
            self.say(f"Not journalled: {problem}", warn=True)
        self.refresh_board()
        return done

    # Going about

    def do_go(self, key: str) -> None:
        board = self.main.board
        if board is None or not key.isdigit():
            return
        number = int(key)
        for kind, items in (("issue", board.runbook.issues), ("procedure", board.runbook.procedures)):
            for item in items:
                if item.number == number:
                    self.go(f"{kind}:{item.id}")

    def do_back(self, key: str) -> None:
        if not self.main.back():
            self.go("home")

    def do_sidebar(self, key: str) -> None:
        self.main.fold("sidebar")

    def do_ladder(self, key: str) -> None:
        self.main.fold("side")

    @work(exit_on_error=False, group="deed")
    async def do_search(self, key: str) -> None:
        target = await self.push_screen_wait(SearchScreen(self._board.runbook))
        if target:
            self.go(target)

    # The incident

    @work(exit_on_error=False, group="deed")
    async def do_declare(self, key: str) -> None:
        board = self._board
        if problem := self.desk.can_write:
            self.say(f"An incident cannot be journalled: {problem}", warn=True)
            return
        kind, _, id = self.main.page.partition(":")
        answers = await self.push_screen_wait(dialogs.declare_sheet(board, id if kind == "issue" else None))
        if answers is None:
            return
        issue = None if answers["issue"] == dialogs.NO_ISSUE else answers["issue"]
        title = answers["title"].strip() or (board.runbook.issue(issue).title if issue else "")
        board = self._board
        try:
            events = act.declare(
                title=title,
                severity=answers["severity"],
                issue=issue,
                policy=board.runbook.policy(),
                runbook_sha256=self.desk.runbook_sha256,
                author=self.desk.author,
                now=board.now,
                taken=[incident.id for incident in self.desk.keeper.incidents],
                metrics=_bad_metrics(board),
            )
        except Refused as refusal:
            self.say(f"Refused: {refusal}", warn=True)
            return
        if await self.desk.record(events):
            self.desk.work_on(events[0].incident)
        self.refresh_board()
        if issue:
            self.go(f"issue:{issue}")

    @work(exit_on_error=False, group="deed")
    async def do_state(self, key: str) -> None:
        board = self._board
        if board.incident is None:
            return
        answers = await self.push_screen_wait(dialogs.state_sheet(board, board.incident))
        if answers is not None:
            await self.attempt(
                lambda incident: self._change_state(incident, answers["state"], answers["reason"])
            )

    def _change_state(self, incident: Incident, state: str, reason: str) -> list[Event]:
        author, board = self.desk.author, self._board
        now = board.now
        match state:
            case "resolved":
                live = dialogs.live_states(board)
                return act.resolve(incident, author=author, now=now, override=reason, metrics=live)
            case "closed":
                return act.close(incident, author=author, now=now)
            case "cancelled":
                return act.cancel(incident, reason, author=author, now=now)
            case "investigating" if not incident.is_active and incident.state != "monitoring":
                return act.reopen(incident, reason, author=author, now=now)
            case _:
                return act.change_state(incident, state, author=author, now=now, reason=reason)

    @work(exit_on_error=False, group="deed")
    async def do_severity(self, key: str) -> None:
        board = self._board
        if board.incident is None:
            return
        answers = await self.push_screen_wait(dialogs.severity_sheet(board, board.incident))
        if answers is not None:
            await self.attempt(
                lambda incident: act.change_severity(
                    incident,
                    answers["severity"],
                    author=self.desk.author,
                    now=self.clock.now(),
                    reason=answers["reason"],
                )
            )

    @work(exit_on_error=False, group="deed")
    async def do_note(self, key: str) -> None:
        answers = await self.push_screen_wait(dialogs.note_sheet())
        if answers is not None:
            await self.attempt(
                lambda incident: act.note(
                    incident, answers["text"], author=self.desk.author, now=self.clock.now()
                )
            )

    @work(exit_on_error=False, group="deed")
    async def do_acknowledge(self, key: str) -> None:
        board = self._board
        sheet = dialogs.acknowledge_sheet(board, board.incident) if board.incident else None
        if sheet is None:
            self.say("No level is engaged.")
            return
        answers = await self.push_screen_wait(sheet)
        if answers is not None:
            await self.attempt(
                lambda incident: act.acknowledge(
                    incident,
                    answers["level"],
                    answers["person"],
                    author=self.desk.author,
                    now=self.clock.now(),
                )
            )

    @work(exit_on_error=False, group="deed")
    async def do_escalate(self, key: str) -> None:
        board = self._board
        sheet = dialogs.escalate_sheet(board, board.incident) if board.incident else None
        if sheet is None:
            self.say("Every level is engaged already.")
            return
        answers = await self.push_screen_wait(sheet)
        if answers is not None:
            await self.attempt(
                lambda incident: act.escalate(
                    incident,
                    answers["level"],
                    author=self.desk.author,
                    now=self.clock.now(),
                    reason=answers["reason"],
                )
            )

    @work(exit_on_error=False, group="deed")
    async def do_tick(self, key: str) -> None:
        """Space: tick the checklist item, mark the step, say the symptom is seen; again takes it back."""
        kind, _, id = self.main.key.partition(":")
        author, now = self.desk.author, self.clock.now()
        match kind:
            case "check":
                await self.attempt(lambda incident: _toggle_item(incident, id, self))
            case "symptom":
                await self.attempt(lambda incident: act.see_symptom(incident, id, author=author, now=now))
            case "step":
                await self.attempt(lambda incident: _toggle_step(incident, id, self))
            case _:
                self.say("Nothing to tick here: steps, symptoms and the checklist can be ticked.")

    @work(exit_on_error=False, group="deed")
    async def do_deny(self, key: str) -> None:
        kind, _, id = self.main.key.partition(":")
        if kind != "symptom":
            self.say("The cursor is not on a symptom.")
            return
        await self.attempt(
            lambda incident: act.see_symptom(
                incident, id, author=self.desk.author, now=self.clock.now(), seen=False
            )
        )

    @work(exit_on_error=False, group="deed")
    async def do_work_on(self, incident_id: str) -> None:
        """Make another incident the one this console works on."""
        found = self.desk.keeper.incident(incident_id)
        if found is None or not found.is_open:
            self.say("That incident is over.")
            return
        self.desk.work_on(incident_id)
        self.refresh_board()
        if found.issue:
            self.go(f"issue:{found.issue}")

    async def resume(self) -> None:
        """On launch: back into the open incident; of several, the one chosen."""
        waiting = self.desk.open_incidents
        if len(waiting) == 1:
            self.desk.work_on(waiting[0].id)
        elif waiting:
            answers = await self.push_screen_wait(dialogs.resume_sheet(waiting))
            self.desk.work_on(answers["incident"] if answers else waiting[0].id)
        self.refresh_board()

    # The console

    @work(exit_on_error=False, group="deed")
    async def do_check(self, key: str) -> None:
        self.say("Re-checking every probe …")
        await self.desk.recheck()
        self.refresh_board()

    def do_freeze(self, key: str) -> None:
        self.desk.toggle_freeze()
        self.refresh_board()

    @work(exit_on_error=False, group="deed")
    async def do_fault(self, key: str) -> None:
        self.say(await self.desk.switch_fault())

    def do_theme(self, key: str) -> None:
        self.theme = "isla-light" if self.theme == "isla-dark" else "isla-dark"

    def do_mouse(self, key: str) -> None:
        self.say("Mouse: " + ("the console's" if self.terminal.toggle_mouse() else "the terminal's"))

    def do_help(self, key: str) -> None:
        board = self.main.board
        self.push_screen(HelpScreen(lambda command: why_not(command, board)))

    def do_palette(self, key: str) -> None:
        self.action_command_palette()

    @work(exit_on_error=False, group="deed")
    async def do_quit(self, key: str) -> None:
        answers = await self.push_screen_wait(dialogs.quit_sheet(self.desk.incident))
        if answers is not None and answers["leave"] == "yes":
            self.exit(0)


def _toggle_item(incident: Incident, item: str, app: Deeds) -> list[Event]:
    author, now = app.desk.author, app.clock.now()
    tick = incident.checklist.get(item)
    if tick is not None and tick.state != "open":
        return act.untick(incident, item, author=author, now=now)
    return act.tick(incident, item, author=author, now=now)


def _toggle_step(incident: Incident, step: str, app: Deeds) -> list[Event]:
    known = incident.steps.get(step)
    state = "undone" if known is not None and known.state == "done" else "done"
    return act.mark_step(incident, step, state, author=app.desk.author, now=app.clock.now())


def _bad_metrics(board: Board) -> dict[str, tuple[str, str]]:
    """Measures beyond normal at the declaration: the soak waits for them."""
    if board.snapshot is None:
        return {}
    return {
        reading.id: (reading.state, reading.text)
        for reading in board.snapshot.metrics
        if reading.state in {"alert", "elevated"}
    }
