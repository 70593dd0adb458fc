"""The one screen of an incident.

+-- bar: severity, title, state, clocks, who is next ------------------+
+-- banner: drill, what is not saved ----------------------------------+
| panels: one for each measure, and "they or me" (strip when small)    |
| sidebar | page                                     | side: ladder,   |
|         |                                          | checklist,      |
|         |                                          | timeline        |
+-- keys --------------------------------------------------------------+
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from isla_console.ui.commands import LOOKING, NO_INCIDENT, REPLAY, Command
from isla_console.ui.lines import Row
from isla_console.ui.main.footer import KeyLine, footer_line
from isla_console.ui.main.notice import Notice
from isla_console.ui.main.panels import Panels
from isla_console.ui.main.registry import WIDGET_PAGES, page_class
from isla_console.ui.page_keys import commands_here
from isla_console.ui.pages.base import PageWidget
from isla_console.ui.terminal.screen import LeanScreen
from isla_console.ui.theme import MUTED
from isla_console.ui.widgets.focus import KeepsFocus
from isla_console.ui.widgets.rows import RowList
from isla_console.ui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from isla_console.session.state import ConsoleState


@dataclass(frozen=True, slots=True)
class Place:
    """Where the person is: a page and the row under the cursor."""

    page: str
    key: str = ""


class MainScreen(LeanScreen, KeepsFocus[None]):
    """Draws the newest `ConsoleState`; knows which page is open and the way back. Decides nothing.

    The views are imported when there is a state to draw, after the first frame.
    """

    class RowChosen(Message):
        """Enter on a row of the page or of the checklist."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        super().__init__()
        self.state: ConsoleState | None = None
        self.notice: Notice | None = None
        """What is said at the moment, in the line of the keys."""
        self.page = "home"
        self.on_fault: Callable[[Exception, str], None] = lambda error, doing: None
        """Takes a defect in drawing; set by the program."""
        self._way_back: list[Place] = []
        self._places: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield TextBlock(id="bar")
        yield TextBlock(id="banner")
        yield Panels(id="panels")
        yield TextBlock(id="strip")
        with Horizontal(id="body"):
            yield RowList(id="sidebar")
            with ContentSwitcher(id="pages", initial="page"):
                yield RowList(id="page")
            with Vertical(id="side"):
                yield TextBlock(id="ladder")
                yield RowList(id="checklist")
                yield TextBlock(id="events")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        self.query_one("#bar", TextBlock).show_lines([Content(" isla-console · reading the runbook …")])
        self.set_focus(self.query_one("#page"))

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def show(self, state: ConsoleState) -> None:
        """Draw this state from now on."""
        self.state = state
        self.draw()

    def draw(self) -> None:
        """Bring every part up to the state; only what has changed is painted.

        A part that cannot be drawn says so, and the others are drawn all the same.
        """
        state = self.state
        if state is None or not self.is_mounted:
            return
        for name, part in self._PARTS.items():
            try:
                part(self, state)
            except Exception as error:
                self.on_fault(error, f"while drawing the {name}")
                self._draw_fault(name, error)

    def show_fault(self, text: str) -> None:
        """Show on the banner why there is nothing newer to draw."""
        from isla_console.ui.views.bar import whole

        line = f"{text}; what is shown is no longer true"
        self.query_one("#banner", TextBlock).show_lines(
            whole(line, "$background on $error bold", self.size.width)
        )

    def _draw_fault(self, name: str, error: Exception) -> None:
        """Say in a part that it cannot be drawn: what it showed last is no longer true."""
        line = Content.styled(f" cannot be drawn: {type(error).__name__}", "$error bold")
        for found in self.query(f"#{name}").results(TextBlock):
            found.show_lines([line])
        for rows in self.query(f"#{name}").results(RowList):
            rows.show_rows([Row.text(line)])

    def _draw_bar(self, state: ConsoleState) -> None:
        from isla_console.ui.views.bar import bar_line

        self.query_one("#bar", TextBlock).show_lines([bar_line(state, self.size.width)])

    def _draw_banner(self, state: ConsoleState) -> None:
        from isla_console.ui.views.bar import banner_lines

        self.query_one("#banner", TextBlock).show_lines(banner_lines(state, self.size.width))

    def _draw_sidebar(self, state: ConsoleState) -> None:
        from isla_console.ui.views.sidebar import sidebar_rows

        sidebar = self.query_one("#sidebar", RowList)
        sidebar.show_rows(sidebar_rows(state, sidebar.row_width))

    def draw_keys(self) -> None:
        """Draw the footer with the keys that work here, or with what is said at the moment."""
        if not self.is_mounted or not self.is_running:
            return
        if self.state is not None:
            self._draw_keys(self.state)
            return
        said = self.notice.lines(self.size.width, Content("")) if self.notice else []
        self.query_one("#keys", KeyLine).show_lines(said)

    def _draw_keys(self, state: ConsoleState) -> None:
        keys = self.query_one("#keys", KeyLine)
        # Where every column has room, the keys that fold them are not needed; and a second incident
        # is rare enough to be left to the help and the palette.
        folded = {"sidebar", "ladder"} if self.has_class("-wide") else set()
        if state.incident is not None:
            folded.add("declare")
        possible = [
            replace(here.command, shown=here.shown)
            for here in commands_here(self.place)
            if here.command.id not in folded and not why_not(here.command, state)
        ]
        status = "saved" if not state.saved.reason else "CANNOT SAVE"
        if state.saved.pending:
            status = f"{state.saved.pending} NOT SAVED"
        shown = Content.styled(
            status if state.incident else "", MUTED if status == "saved" else "$error bold"
        )
        if self.notice is not None:
            keys.show_lines(self.notice.lines(self.size.width, shown))
        else:
            keys.show_lines([footer_line(possible, shown, self.size.width)])

    @property
    def place(self) -> str:
        """Where keys go: the open page, or `checklist` while that has the focus."""
        focused = self.focused
        return "checklist" if focused is not None and focused.id == "checklist" else self.page

    @property
    def key(self) -> str:
        """The key of the row under the cursor of the list that has the focus."""
        focused = self.focused
        if isinstance(focused, RowList):
            return focused.key
        widget = self._widget_page()
        return widget.key if widget is not None else self.query_one("#page", RowList).key

    def open(self, page: str, key: str = "", *, back: bool = False) -> None:
        """Open a page; the cursor goes to `key`, or to where it was when the page was last open."""
        rows = self.query_one("#page", RowList)
        if self.page not in WIDGET_PAGES:
            self._places[self.page] = rows.key
        if page != self.page and not back:
            self._way_back.append(Place(self.page, rows.key))
        self.page = page
        self.remove_class("-show-sidebar", "-show-side")
        self.query_one("#sidebar", RowList).go(page)
        if page in WIDGET_PAGES:
            self._open_widget(page)
            return
        self.query_one("#pages", ContentSwitcher).current = "page"
        self.draw()
        rows.go(key or self._places.get(page, ""))
        if not (key or self._places.get(page)):
            rows.scroll_home(animate=False)
        self.set_focus(rows)
        if not rows.size.width:  # hidden until now, so that its lines have no width yet
            self.call_after_refresh(self.draw)

    def _open_widget(self, page: str) -> None:
        """Show a page that is a widget, mounting it the first time."""
        switcher = self.query_one("#pages", ContentSwitcher)
        widget = self._widget_page()
        if widget is None:
            widget = page_class(page)(id=f"page-{page}", classes="page")
            self.call_next(self._mount_widget, switcher, widget)
        else:
            self._show_widget(widget)

    async def _mount_widget(self, switcher: ContentSwitcher, widget: PageWidget) -> None:
        """Mount a page with all its parts, then show it; it may have been asked for twice."""
        there = next(iter(switcher.query_children(f"#{widget.id}").results(PageWidget)), None)
        if there is None:
            await switcher.mount(widget)
        self._show_widget(there or widget)

    def _show_widget(self, widget: PageWidget) -> None:
        if self._widget_page() is widget:
            self.query_one("#pages", ContentSwitcher).current = widget.id
            self.draw()
            self.set_focus(widget.place_focus())
            # Its parts have no size before it is laid out.
            self.call_after_refresh(self.draw)

    @property
    def is_ready(self) -> bool:
        """Return whether there is a state and the open page is the one that shows."""
        if self.state is None or self.page not in WIDGET_PAGES:
            return self.state is not None
        widget = self._widget_page()
        return widget is not None and self.query_one("#pages", ContentSwitcher).current == widget.id

    def _widget_page(self) -> PageWidget | None:
        """Return the widget of the open page, once it is mounted."""
        found = self.query(f"#page-{self.page}").results(PageWidget) if self.page in WIDGET_PAGES else ()
        return next(iter(found), None)

    def back(self) -> bool:
        """Return to the page before; return False when there is none."""
        if not self._way_back:
            return False
        place = self._way_back.pop()
        self.open(place.page, place.key, back=True)
        return True

    def fold(self, side: str) -> None:
        """Show or hide a side column, as the width allows: `sidebar` or `side`."""
        narrow = self.has_class("-narrow") or (side == "side" and self.has_class("-medium"))
        name = f"-show-{side}" if narrow else f"-hide-{side}"
        shown = not self.has_class(name) if narrow else self.has_class(name)
        if self.has_class("-narrow"):
            self.remove_class("-show-sidebar", "-show-side")
        self.set_class(shown if narrow else not shown, name)
        target: Widget = self.query_one("#page")
        if shown and narrow:
            target = self.query_one("#sidebar" if side == "sidebar" else "#checklist")
        elif (widget := self._widget_page()) is not None:
            target = widget.place_focus()
        self.set_focus(target)
        self.call_after_refresh(self.draw)

    @on(RowList.Chosen, "#sidebar")
    def _entry_chosen(self, event: RowList.Chosen) -> None:
        self.open(event.key)

    @on(RowList.Chosen, "#page")
    @on(RowList.Chosen, "#checklist")
    def _row_chosen(self, event: RowList.Chosen) -> None:
        self.post_message(self.RowChosen(event.key))

    def _draw_panels(self, state: ConsoleState) -> None:
        self.query_one("#panels", Panels).show(state)

    def _draw_strip(self, state: ConsoleState) -> None:
        from isla_console.ui.views.panels import metric_strip, verdict

        metrics = state.snapshot.metrics if state.snapshot else ()
        strip = metric_strip(metrics, verdict(state), self.size.width - 2)
        self.query_one("#strip", TextBlock).show_lines(strip)

    def _draw_page(self, state: ConsoleState) -> None:
        from isla_console.ui.main.pages import page_rows, page_title

        if self.page in WIDGET_PAGES:
            if (widget := self._widget_page()) is not None and widget.is_mounted:
                widget.show(state)
            return
        rows = self.query_one("#page", RowList)
        title, hint = page_title(self.page, state)
        _title(rows, title, hint)
        rows.show_rows(page_rows(self.page, state, rows.row_width, self._last_issue()))

    def _draw_ladder(self, state: ConsoleState) -> None:
        from isla_console.ui.views.side import ladder_lines

        ladder = self.query_one("#ladder", TextBlock)
        _title(ladder, "Escalation")
        ladder.show_lines(ladder_lines(state, ladder.content_size.width or 26))

    def _draw_checklist(self, state: ConsoleState) -> None:
        from isla_console.ui.views.side import checklist_rows

        checklist = self.query_one("#checklist", RowList)
        rows = checklist_rows(state, checklist.row_width)
        done = (
            sum(1 for item in state.incident.checklist.values() if item.state != "open")
            if state.incident
            else 0
        )
        _title(checklist, f"Checklist {done}/{len(rows)}" if state.incident else "Checklist")
        checklist.show_rows(rows)

    def _draw_events(self, state: ConsoleState) -> None:
        from isla_console.ui.views.side import event_lines

        events = self.query_one("#events", TextBlock)
        _title(events, "Timeline")
        events.show_lines(
            event_lines(state, events.content_size.width or 26, events.content_size.height or 6)
        )

    _PARTS: ClassVar[dict[str, Callable[[MainScreen, ConsoleState], None]]] = {
        "bar": _draw_bar,
        "banner": _draw_banner,
        "panels": _draw_panels,
        "strip": _draw_strip,
        "sidebar": _draw_sidebar,
        "page": _draw_page,
        "ladder": _draw_ladder,
        "checklist": _draw_checklist,
        "events": _draw_events,
        "keys": _draw_keys,
    }
    """What draws each part, by the id of its widget."""

    @property
    def last_issue(self) -> str | None:
        """The issue that was open last, for the pages that depend on it."""
        return self._last_issue()

    def _last_issue(self) -> str | None:
        """Return the issue that was open last, by which contacts are filtered until the incident has one."""
        pages = [place.page for place in self._way_back]
        return next((page.split(":")[1] for page in reversed(pages) if page.startswith("issue:")), None)


def why_not(command: Command, state: ConsoleState | None) -> str:
    """Return why a command is not possible now; "" when it is possible."""
    if state is None:
        return "still starting"
    if state.replay and command.id not in LOOKING:
        return REPLAY
    if command.needs == "incident" and state.incident is None:
        return NO_INCIDENT
    if command.needs == "replay" and not state.replay:
        return "only in a replay"
    if command.needs == "drill" and not state.drill:
        return "only in a drill"
    return ""


def _title(widget: TextBlock | RowList, title: str, hint: str = "") -> None:
    """Set a frame's title if it has changed: setting it repaints the frame."""
    if str(widget.border_title or "") != title:
        widget.border_title = Content(title)
    if str(widget.border_subtitle or "") != hint:
        widget.border_subtitle = Content(hint)
