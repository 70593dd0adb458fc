"""Going about: pages, columns, search."""

from textual import work

from isla_console.ui.controllers.base import Deeds
from isla_console.ui.sheets.search import SearchScreen
from isla_console.ui.views.timeline import next_filter


class GoingDeeds(Deeds):
    """Where to look."""

    def do_go(self, key: str) -> None:
        state = self.main.state
        if state is None or not key.isdigit():
            return
        number = int(key)
        for kind, items in (("issue", state.runbook.issues), ("procedure", state.runbook.procedures)):
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
        target = await self.push_screen_wait(SearchScreen(self.state.runbook))
        if target:
            self.go(target)

    def do_filter(self, key: str) -> None:
        """The timeline narrowed to the next kind of entry."""
        self.session.timeline_filter = next_filter(self.session.timeline_filter)
        self.go("timeline")
        self.refresh_state()

    def row_goto(self, issue: str) -> None:
        self.go(f"issue:{issue}")

    def row_command(self, command: str) -> None:
        self.action_command(command, "")
