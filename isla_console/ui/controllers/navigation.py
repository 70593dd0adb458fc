"""Navigation: pages, columns, search, and rows that only lead somewhere."""

from __future__ import annotations

from collections.abc import Mapping

from isla_console.ui.controllers.base import Controller, Handler
from isla_console.ui.main.pages import PAGE_COMMANDS
from isla_console.ui.views.timeline import next_filter


class NavigationController(Controller):
    """Opens pages and rows, and folds the columns beside them."""

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {
            **{page: self._page(page) for page in PAGE_COMMANDS},
            "go": self.go_by_number,
            "back": self.back,
            "sidebar": lambda key: self.console.main.fold("sidebar"),
            "ladder": lambda key: self.console.main.fold("side"),
            "search": self.search,
            "filter": self.filter_timeline,
        }

    @property
    def rows(self) -> Mapping[str, Handler]:
        return {
            "goto": lambda issue: self.console.go(f"issue:{issue}"),
            "look": lambda target: self.console.go(target),
            "command": lambda command: self.console.run_command(command, ""),
        }

    def _page(self, page: str) -> Handler:
        return lambda key: self.console.go(page)

    def go_by_number(self, key: str) -> None:
        """Open the issue or the procedure that has the digit's number."""
        state = self.console.main.state
        if state is None or not key.isdigit():
            return
        number = int(key)
        for kind, items in (("issue", state.runbook.issues), ("procedure", state.runbook.procedures)):
            for item in items:
                if item.number == number:
                    self.console.go(f"{kind}:{item.id}")

    def back(self, key: str) -> None:
        """Return to the page before, or from the first one to the overview."""
        if not self.console.main.back():
            self.console.go("home")

    async def search(self, key: str) -> None:
        """Search the runbook, and open what was chosen."""
        from isla_console.ui.sheets.search import SearchScreen

        target = await self.console.ask(SearchScreen(self.console.state.runbook))
        if target:
            self.console.go(target)

    def filter_timeline(self, key: str) -> None:
        """Narrow the timeline to the next kind of entry."""
        self.session.timeline_filter = next_filter(self.session.timeline_filter)
        self.console.go("timeline")
        self.console.refresh_state()
