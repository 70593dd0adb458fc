"""The console itself: probes, the runbook's file, appearance, help, leaving."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from isla_console.session.parting import event_line
from isla_console.session.session import SessionError
from isla_console.ui.controllers.base import BACKGROUND, Controller, Handler
from isla_console.ui.main.pages import known_page
from isla_console.ui.main.screen import why_not
from isla_console.ui.sheets import incident as sheets
from isla_console.ui.sheets.help import HelpScreen
from isla_console.ui.theme import DARK, LIGHT


class ConsoleController(Controller):
    """Carries out the commands that change nothing in production."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            "check": self.recheck,
            "freeze": self.freeze,
            "reload": self.reload,
            "redraw": self.redraw,
            "theme": self.switch_theme,
            "mouse": self.switch_mouse,
            "help": self.show_help,
            "palette": lambda key: self.console.shell.action_command_palette(),
            "quit": self.quit,
        }

    async def recheck(self, key: str) -> None:
        """Ask every probe once, now."""
        done = False
        self.console.say("Re-checking every probe …", holds=lambda: not done)
        await self.session.recheck()
        done = True
        self.console.refresh_state()

    async def reload(self, key: str) -> None:
        """Read the runbook again; if it does not load, say so and change nothing."""
        try:
            await self.session.load_runbook()
        except SessionError as error:
            lines = [Content(line) for line in str(error).splitlines()]
            self.console.show("The runbook was not taken", lines)
            return
        self.console.begin(self.session.look_deeper(), group=BACKGROUND)
        await self.session.notice_edits()
        if not known_page(self.console.main.page, self.console.state):
            self.console.go("home")
        self.console.refresh_state()
        self.console.say("The runbook was read again. Probes and measures follow at the next start.")

    def freeze(self, key: str) -> None:
        """Freeze the panels, or let them go on; the clock never stops."""
        self.session.toggle_freeze()
        self.console.refresh_state()

    def redraw(self, key: str) -> None:
        """Paint the whole screen again."""
        self.console.shell.painter.forget()
        self.console.shell.screen.refresh(layout=True)

    def switch_theme(self, key: str) -> None:
        """Switch between the dark and the light theme."""
        shell = self.console.shell
        shell.theme = LIGHT.name if shell.theme == DARK.name else DARK.name

    def switch_mouse(self, key: str) -> None:
        """Give the mouse to the terminal, or take it back."""
        ours = self.console.terminal.toggle_mouse()
        self.console.say("Mouse: " + ("the console's" if ours else "the terminal's"))

    def show_help(self, key: str) -> None:
        """Show the keys that mean something on the open page."""
        main = self.console.main
        self.console.shell.push_screen(HelpScreen(main.place, lambda command: why_not(command, main.state)))

    async def quit(self, key: str) -> None:
        """Leave the console, once the person knows what still runs (it is stopped) and what is not saved."""
        if self.session.is_replay:  # nothing runs, and nothing is left open
            self.console.shell.exit(0)
            return
        running = [run.step.title for run in self.session.running_steps]
        if change := self.session.uncommitted:
            running.append(f"a change that is not committed ({change}): leaving rolls it back")
        journal = self.session.journal
        unsaved = [event_line(event) for event in journal.unsaved]
        drill = bool(self.session.settings.drill)
        sheet = sheets.quit_sheet(self.session.incident, running, unsaved, journal.saved.reason, drill=drill)
        answers = await self.console.ask(sheet)
        if answers is not None and answers["leave"] == "yes":
            await self.session.stop_steps()
            self.console.shell.exit(0)
