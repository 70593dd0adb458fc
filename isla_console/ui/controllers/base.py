"""What every controller uses: the console, and the way to say which commands and rows are its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from textual.content import Content
from textual.screen import Screen
from textual.worker import Worker

from isla_console.incident.commands import Refused, Stamp
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.session.parts import Clock
from isla_console.session.session import Session
from isla_console.session.state import ConsoleState
from isla_console.settings.resolve import Settings
from isla_console.ui.lines import RowKey
from isla_console.ui.main.pages import known_page
from isla_console.ui.main.screen import MainScreen
from isla_console.ui.sheets.ask import Answers, AskScreen, Problem
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.shell import Shell
from isla_console.ui.terminal.driver import Terminal

Answer = TypeVar("Answer")
Begun = Coroutine[Any, Any, None] | None
Handler = Callable[[str], Begun]
"""Carries out a command (given the key that was pressed) or Enter on a row (given the row's id).

A coroutine is run as a worker of the group `command`.
"""

BACKGROUND = "background"
"""The group of workers that run beside everything else."""
COMMAND = "command"
"""The group of workers that carry out commands; they may open sheets."""


class Console:
    """The console as controllers see it: its session and screen, and ways to ask, say and record."""

    def __init__(self, shell: Shell, session: Session) -> None:
        self.shell = shell
        self.session = session
        self.terminal = Terminal(shell)
        self.run_command: Callable[[str, str], None] = lambda id, key: None
        """Carries out another command of the registry; set by the program, which knows all controllers."""

    @property
    def settings(self) -> Settings:
        return self.session.settings

    @property
    def clock(self) -> Clock:
        return self.session.clock

    @property
    def main(self) -> MainScreen:
        """The main screen, also while a sheet is open above it."""
        return self.shell.main

    @property
    def state(self) -> ConsoleState:
        """The state of now, to draw or to decide by.

        Raises:
            Refused: The console is still starting.
        """
        state = self.session.state(self.clock.now())
        if state is None:
            raise Refused("the console is still starting")
        return state

    @property
    def shown(self) -> ConsoleState:
        """The state that the screen shows: what a key is meant for that says "change this".

        What another console wrote since is not what the person saw.

        Raises:
            Refused: The console is still starting.
        """
        return self.main.state or self.state

    @property
    def row(self) -> RowKey | None:
        """The key of the row under the cursor; None where there is none."""
        return RowKey.parse(self.main.key)

    @property
    def open_issue(self) -> str | None:
        """The id of the issue whose page is open, if one is."""
        page = RowKey.parse(self.main.page)
        return page.id if page is not None and page.kind == "issue" else None

    def refresh_state(self) -> None:
        """Draw the state of now."""
        if not self.shell.is_running:
            return  # the screen is gone, and what runs on may still want to draw
        state = self.session.state(self.clock.now())
        if state is not None:
            self.main.show(state)

    def go(self, target: str) -> None:
        """Open `page` or `page#row`, unless the runbook does not have the page."""
        page, _, key = target.partition("#")
        state = self.main.state
        if state is not None and known_page(page, state):
            self.main.open(page, key)

    def say(self, text: str, *, warn: bool = False, holds: Callable[[], bool] | None = None) -> None:
        """Say something in passing as long as it `holds`; it must never be the only place that says it."""
        if self.shell.is_running:
            self.shell.say(text, warn=warn, holds=holds)

    def show(self, title: str, lines: Sequence[Content], *, small: bool = False) -> None:
        """Show a text to read above the screen."""
        self.shell.push_screen(DetailScreen(title, list(lines), small=small))

    async def ask(self, sheet: Screen[Answer]) -> Answer:
        """Open a sheet and return its answer, which is None when the person leaves it."""
        return await self.shell.push_screen_wait(sheet)

    async def submit(
        self, sheet: AskScreen, make: Callable[[Incident, Answers], Sequence[Event]]
    ) -> Answers | None:
        """Ask, and record what the answers make; return them once they are recorded, else None.

        What is refused keeps the sheet open. If it is refused only afterwards, by what another console wrote
        in between, the sheet comes back as it was answered.
        """

        def events_of(answers: Answers) -> Sequence[Event]:
            return self._made(lambda found: make(found, answers))

        while True:
            sheet.judge = lambda answers: self.problem(lambda: events_of(answers))
            answers = await self.ask(sheet)
            if answers is None:
                return None
            try:
                events = events_of(answers)
            except Refused as refusal:
                sheet = sheet.again(answers, Problem(str(refusal), refusal.about))
                continue
            return answers if await self.record(events) else None

    def _made(self, make: Callable[[Incident], Sequence[Event]]) -> Sequence[Event]:
        """Return the events that a command makes of the incident as it is now.

        Raises:
            Refused: The command refuses, no incident is open, or nothing can be journalled.
        """
        incident = self.session.incident
        if incident is None:
            raise Refused("no incident is open: d declares one")
        if problem := self.session.write_problem:
            raise Refused(f"not journalled: {problem}")
        return make(incident)

    @staticmethod
    def problem(make: Callable[[], object]) -> Problem | None:
        """Return why something would be refused; None if it would not be."""
        try:
            make()
        except Refused as refusal:
            return Problem(str(refusal), refusal.about)
        return None

    def begin(
        self,
        work: Coroutine[Any, Any, None] | partial[Coroutine[Any, Any, None]],
        *,
        group: str = COMMAND,
        exclusive: bool = False,
    ) -> Worker[None]:
        """Run work in the background. A failure is said, and the console goes on.

        Work that a newer one may replace before it has begun (`exclusive`) is given as a partial: a coroutine
        that nobody ever awaits is a warning.
        """
        name = getattr(work, "__qualname__", group)
        return self.shell.run_worker(work, name=name, group=group, exclusive=exclusive, exit_on_error=False)

    def running(self, group: str) -> list[Worker[Any]]:
        """Return the workers of a group that have not finished."""
        return [worker for worker in self.shell.workers if worker.group == group and not worker.is_finished]

    def stamp(self) -> Stamp:
        """Return who acts, and the time now."""
        return self.session.stamp()

    async def attempt(self, make: Callable[[Incident], Sequence[Event]]) -> bool:
        """Let an incident command make its events and record them, or say why it was refused."""
        incident = self.session.incident
        if incident is None:
            self.say("No incident is open: d declares one.", warn=True)
            return False
        try:
            events = make(incident)
        except Refused as refusal:
            self.say(f"Refused: {refusal}", warn=True)
            return False
        return await self.record(events)

    async def record(self, events: Sequence[Event]) -> bool:
        """Record events and draw; until they are on disk, the banner says so."""
        done = await self.session.record(events)
        if not done and (problem := self.session.write_problem):
            self.say(f"Not journalled: {problem}", warn=True)
        self.refresh_state()
        return done


class Meanwhile:
    """What a person saw when a sheet was opened: refuses once what they did not know was changed since."""

    def __init__(self, seen: object) -> None:
        self._seen = seen

    def check(self, now: object, told: str, *, about: str = "") -> None:
        """Compare with what is there now.

        Raises:
            Refused: It is another thing; `told` says which, in words. The second time it is known.
        """
        if now != self._seen:
            self._seen = now
            raise Refused(f"{told}; f2 again if you still mean it", about=about)


class Controller:
    """Carries out the commands of one area, and Enter on some kinds of row.

    A controller asks on a sheet, lets the session or the incident's commands check the answer, and records
    the events. What is refused is said with its reason, and nothing is written.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.session = console.session

    @property
    def commands(self) -> Mapping[str, Handler]:
        """The handlers of its commands, by the command's id."""
        return {}

    @property
    def rows(self) -> Mapping[str, Handler]:
        """The handlers of Enter on a row, by the row's kind. A kind without one is shown in full."""
        return {}
