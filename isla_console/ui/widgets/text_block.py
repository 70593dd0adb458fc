"""Lines of text that repaint only the cells that changed.

A `Static` repaints all its cells on each update. Over a bad link that is most of what an idle console
sends, so everything that ticks is a `TextBlock`: it compares new lines with old ones and refreshes the
smallest run of cells that differs in each line.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.css.styles import RulesMap
from textual.geometry import Region
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import RenderOptions
from textual.widget import Widget

from isla_console.ui.lines import fit, in_ascii


class TextBlock(Widget):
    """Shows a list of `Content` lines, one row each, cut at the widget's width."""

    DEFAULT_CSS = "TextBlock { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Content] = []

    @property
    def lines(self) -> Sequence[Content]:
        """The lines as they were given, not cut."""
        return self._lines

    def show_lines(self, lines: Sequence[Content]) -> None:
        """Replace the lines; only the cells that differ are painted again."""
        old, self._lines = self._lines, list(lines)
        if len(old) != len(self._lines):
            self.refresh(layout=self.styles.height is not None and self.styles.height.is_auto)
            return
        width = self.content_size.width
        if not width:  # hidden: it is painted again in the right width once it is shown
            if self._lines != old:
                self.refresh()
            return
        # Regions are relative to the content: Textual adds border and padding itself.
        regions = [
            Region(start, row, stop - start, 1)
            for row, (before, after) in enumerate(zip(old, self._lines, strict=True))
            for start, stop in [_changed(fit(before, width), fit(after, width))]
            if stop > start
        ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        style = self.visual_style
        if y >= len(self._lines) or not width:
            return Strip.blank(width, style.rich_style)
        line = self._lines[y]
        line = fit(in_ascii(line) if self.app.has_class("-ascii") else line, width)
        rules: RulesMap = {"text_wrap": "nowrap", "text_overflow": "clip"}
        options = RenderOptions(self.app.stylesheet.parse_style, rules)
        return line.render_strips(width, 1, style, options)[0].crop_extend(0, width, style.rich_style)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        text = "\n".join(line.plain for line in self._lines)
        return selection.extract(text), "\n"


def _changed(before: Content, after: Content) -> tuple[int, int]:
    """Find the cells [start, stop) in which two lines of one width differ; none when they are the same."""
    if before.is_same(after):
        return 0, 0
    old, new = before.plain, after.plain
    if before.spans != after.spans or len(old) != len(new):
        return 0, max(before.cell_length, after.cell_length)
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b), len(new))
    tail = next((i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=True)) if a != b), 0)
    cells_before = Content(new[:start]).cell_length
    return cells_before, cells_before + Content(new[start : len(new) - tail]).cell_length
