"""The row of panels: one for each metric, and one for our own link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal

from isla_console.ui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from isla_console.monitor.metrics.metric import Reading
    from isla_console.session.state import ConsoleState

_STATES = ("ok", "elevated", "alert", "stale", "unknown", "blind")


class MetricPanel(TextBlock):
    """One metric; its frame has the colour of its state."""

    def show(self, reading: Reading, console_state: ConsoleState) -> None:
        from isla_console.ui.views.panels import metric_panel

        if str(self.border_title or "") != reading.short:
            self.border_title = reading.short
        wanted = f"-{reading.state}"
        if not self.has_class(wanted):
            self.remove_class(*(f"-{state}" for state in _STATES))
            self.add_class(wanted)
        spec, now = console_state.runbook.metric(reading.id), console_state.frozen_at or console_state.now
        self.show_lines(metric_panel(reading, spec, now, self.content_size.width or 16))


class LinkPanel(TextBlock):
    """Whether it is them or us: our own link."""


class Panels(Horizontal):
    """One `MetricPanel` for each metric of the runbook, and the link panel."""

    def compose(self) -> ComposeResult:
        link = LinkPanel()
        link.border_title = "They or me"
        yield link

    def show(self, state: ConsoleState) -> None:
        from isla_console.ui.views.panels import they_or_me

        snapshot = state.snapshot
        panels = list(self.query(MetricPanel))
        readings = snapshot.metrics if snapshot else ()
        if len(panels) < len(readings):
            self.mount(*(MetricPanel() for _ in range(len(readings) - len(panels))), before=0)
            self.call_after_refresh(self.show, state)
            return
        for panel, reading in zip(panels, readings, strict=False):
            panel.show(reading, state)
        link = self.query_one(LinkPanel)
        link.show_lines(they_or_me(state.runbook, snapshot, link.content_size.width or 16))
