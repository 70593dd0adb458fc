"""What every deed uses: the parts of the app, refusing, recording, going to a page."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypedDict
from weakref import WeakKeyDictionary

from textual import on
from textual.worker import Worker, WorkerState

from isla_console.clock import Clock
from isla_console.incident.commands import Refused
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.state import Incident
from isla_console.session.session import Session
from isla_console.session.state import ConsoleState
from isla_console.settings import Settings
from isla_console.ui.commands import BY_ID, REPLAY_KEYS, Command
from isla_console.ui.main.pages import PAGE_COMMANDS, known_page
from isla_console.ui.main.screen import MainScreen, why_not
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.shell import Opening
from isla_console.ui.terminal.driver import Terminal
from isla_console.ui.views import detail

ASKS_WITHIN = 50
"""So many looks, a hundredth of a second apart, keys wait for a deed under way, for it may ask something:
then they are its answer. Looks, not seconds: on a busy machine both it and they take longer."""

COMPARING = "drift"
"""The worker that compares subscriptions: no deed that a person waits for, but one that can be stopped."""


class Stamp(TypedDict):
    """What every incident command wants to know of who gives it."""

    author: Author
    now: datetime


class Deeds(Opening):
    """The part of the app that acts: commands by id (`do`), rows by key (`open_row`)."""

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, session: Session | None = None
    ) -> None:
        super().__init__(settings)
        self.equip(clock=clock, session=session)

    def equip(self, *, clock: Clock | None = None, session: Session | None = None) -> None:
        """Take up what the deeds are done with."""
        self.clock = clock or Clock()
        self.session = session or Session(self.settings, self.clock)
        self.terminal = Terminal(self)
        self._looks: WeakKeyDictionary[Worker[object], int] = WeakKeyDictionary()

    def is_ready(self) -> bool:
        """Whether the page or sheet that was opened last is there, and no deed is about to ask something."""
        screen = self.screen
        if not isinstance(screen, MainScreen):
            # Its deed may go on to another sheet when this one is answered.
            self._looks.clear()
            return screen.is_mounted
        return screen.is_ready and not self._may_ask()

    def _may_ask(self) -> bool:
        for worker in self.workers:
            if worker.is_finished:
                continue
            if worker.group == "start":
                return True
            if worker.group in {"deed", "sql"} and (looks := self._looks.get(worker, 0)) < ASKS_WITHIN:
                self._looks[worker] = looks + 1
                return True
        return False

    @property
    def main(self) -> MainScreen:
        """The main screen, also while a sheet lies over it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def refresh_state(self) -> None:
        """Draw what is true now."""
        state = self.session.state(self.clock.now())
        if state is not None:
            self.main.show(state)

    def go(self, target: str) -> None:
        """Open `page` or `page#row`."""
        page, _, key = target.partition("#")
        state = self.main.state
        if state is not None and known_page(page, state):
            self.main.open(page, key)

    def say(self, text: str, *, warn: bool = False) -> None:
        """A passing word; nothing is ever said here alone."""
        self.notify(text, severity="warning" if warn else "information", timeout=4, markup=False)

    def action_command(self, id: str, key: str) -> None:
        """Do a command of the registry, or say why not."""
        if self.main.state is not None and self.main.state.replay:
            id = REPLAY_KEYS.get(key, id)
        command = BY_ID[id]
        if isinstance(self.screen, MainScreen):
            if reason := why_not(command, self.main.state):
                self.say(f"{command.title}: {reason}")
            else:
                self.do(command, key)

    def do(self, command: Command, key: str) -> None:
        """Carry out a command that is possible now."""
        if command.id in PAGE_COMMANDS:
            self.go(command.id)
        else:
            getattr(self, f"do_{command.id}")(key)

    def open_row(self, key: str) -> None:
        """Enter on a row: `row_<kind>` does it; where there is none, the row is shown in full."""
        kind, _, id = key.partition(":")
        opener = getattr(self, f"row_{kind}", None)
        if self.main.state is not None and self.main.state.replay and kind not in {"goto", "command"}:
            opener = None  # what was done then is shown, not done again
        if opener is not None:
            opener(id)
        elif self.main.state is not None and (shown := detail.of_row(key, self.main.state)) is not None:
            self.push_screen(DetailScreen(*shown))

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        """A deed that fails by a fault of ours says so; the console goes on."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and isinstance(error, Exception):
            self.session.complain(error)
            self.say(f"Not done, by an internal fault: {type(error).__name__}", warn=True)
        elif event.state is WorkerState.CANCELLED and event.worker.group == "deed" and not self._exit:
            # Nobody stops a deed: what cut it off is a fault too, and silence would look like a lost key.
            self.session.complain(RuntimeError(f"{event.worker.name} was cut off"))
            self.say("Not done: it was cut off. Press the key again.", warn=True)

    @property
    def state(self) -> ConsoleState:
        """What is true now.

        Raises:
            Refused: the console is still starting.
        """
        state = self.session.state(self.clock.now())
        if state is None:
            raise Refused("the console is still starting")
        return state

    def stamp(self) -> Stamp:
        """Who, and when: now."""
        return {"author": self.session.author, "now": self.clock.now()}

    def service_of(self, incident: Incident) -> str:
        """What is affected, as texts to the outside call it."""
        known = {issue.id: issue.area for issue in self.state.runbook.issues}
        return known.get(incident.issue or "", incident.title)

    async def attempt(self, deed: Callable[[Incident], Sequence[Event]]) -> bool:
        """Let an incident command make its events and record them; say what was refused."""
        incident = self.session.incident
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
        done = await self.session.record(events)
        if not done and (problem := self.session.write_problem):
            self.say(f"Not journalled: {problem}", warn=True)
        self.refresh_state()
        return done
