"""The console itself: probes, drill, looks, help, leaving."""

import asyncio
import contextlib

from textual import work
from textual.content import Content

from isla_console.session.session import SessionError
from isla_console.ui.controllers.base import Deeds
from isla_console.ui.main.pages import known_page
from isla_console.ui.main.screen import why_not
from isla_console.ui.sheets import incident as dialogs
from isla_console.ui.sheets.detail import DetailScreen
from isla_console.ui.sheets.help import HelpScreen


class ConsoleDeeds(Deeds):
    """What changes nothing out there."""

    @work(exit_on_error=False, group="deed")
    async def do_check(self, key: str) -> None:
        self.say("Re-checking every probe …")
        await self.session.recheck()
        self.refresh_state()

    @work(exit_on_error=False, group="deed")
    async def do_reload(self, key: str) -> None:
        """Read the runbook again; one that does not load is said and changes nothing."""
        try:
            await self.session.load_runbook()
        except SessionError as error:
            lines = [Content(line) for line in str(error).splitlines()]
            self.push_screen(DetailScreen("The runbook was not taken", lines))
            return
        await self.session.notice_edits()
        if not known_page(self.main.page, self.state):
            self.go("home")
        self.refresh_state()
        self.say("The runbook was read again. Probes and measures follow at the next start.")

    def do_freeze(self, key: str) -> None:
        self.session.toggle_freeze()
        self.refresh_state()

    @work(exit_on_error=False, group="deed")
    async def do_fault(self, key: str) -> None:
        self.say(await self.session.switch_fault())

    def do_redraw(self, key: str) -> None:
        self.painter.forget()
        self.screen.refresh(layout=True)

    def do_theme(self, key: str) -> None:
        self.theme = "isla-light" if self.theme == "isla-dark" else "isla-dark"

    def do_mouse(self, key: str) -> None:
        self.say("Mouse: " + ("the console's" if self.terminal.toggle_mouse() else "the terminal's"))

    def do_help(self, key: str) -> None:
        state = self.main.state
        self.push_screen(HelpScreen(lambda command: why_not(command, state)))

    def do_palette(self, key: str) -> None:
        self.action_command_palette()

    @work(exit_on_error=False, group="deed")
    async def do_quit(self, key: str) -> None:
        tools = self.session.step_services
        running = [run.step.title for run in tools.runner.running] if tools is not None else []
        answers = await self.push_screen_wait(dialogs.quit_sheet(self.session.incident, running))
        if answers is not None and answers["leave"] == "yes":
            if tools is not None:
                await tools.runner.close()
                await self._wait_for_steps()
            self.exit(0)

    async def _wait_for_steps(self) -> None:
        """Until what was stopped is journalled."""
        waiting = [worker for worker in self.workers if worker.group == "steps" and not worker.is_finished]
        if not waiting:  # of none Textual would wait for all, this one included
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self.workers.wait_for_complete(waiting)
