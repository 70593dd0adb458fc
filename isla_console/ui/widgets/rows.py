"""A list of rows: headings and lines to read, and rows that the cursor can stand on."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from isla_console.ui.lines import Row, in_ascii
from isla_console.ui.terminal.prompts import replace_prompts


class RowList(OptionList):
    """Rows that can be replaced at any time without moving the reader's place.

    Each row fills one line. Outside, a row is named by the text of its `RowKey`; "" is no row.
    """

    BINDINGS = [Binding("right", "app.command('detail', 'right')", show=False)]

    class Chosen(Message):
        """Enter (or a click) on the row with this key."""

        def __init__(self, rows: RowList, key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> RowList:
            """The list that the row is in."""
            return self.rows

    class Moved(Message):
        """The cursor has moved to the row with this key."""

        def __init__(self, rows: RowList, key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> RowList:
            """The list that the row is in."""
            return self.rows

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, compact=True, markup=False)
        self._rows: list[Row] = []
        self._height = 0

    @property
    def key(self) -> str:
        """The key of the row under the cursor; "" when the cursor is on none."""
        option = self.highlighted_option
        return (option.id or "") if option is not None else ""

    @property
    def row_width(self) -> int:
        """How many cells a row may fill."""
        return max(10, self.scrollable_content_region.width or self.size.width)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show new rows; the cursor stays on its key and at its height on the screen."""
        if self.app.has_class("-ascii"):
            rows = [Row(row.key, in_ascii(row.content)) for row in rows]
        old_rows, self._rows = self._rows, list(rows)
        if [row.key for row in old_rows] == [row.key for row in self._rows]:
            replace_prompts(
                self,
                {
                    index: new.content
                    for index, (old, new) in enumerate(zip(old_rows, self._rows, strict=True))
                    if not old.content.is_same(new.content)
                },
            )
            return
        key, old_offset, old_index = self.key, self.scroll_offset, self.highlighted
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options(
                Option(row.content, id=str(row.key) if row.key else None, disabled=row.key is None)
                for row in self._rows
            )
            is_kept = self.go(key)
        # When lines come or go above the cursor, the view moves along, so that the cursor stays at its
        # height. A page that shows its top keeps showing it, as long as the cursor is still visible.
        index, height = self.highlighted, self.scrollable_content_region.height
        moved = index - old_index if is_kept and index is not None and old_index is not None else 0
        if old_offset.y == 0 and index is not None and index < height:
            moved = 0
        y = max(0, old_offset.y + moved)
        if is_kept and index is not None and len(self._rows) > len(old_rows):
            # Lines that came below the cursor's row were asked for: bring them into view.
            below = self._end_below(index) if old_index == index else index
            y = min(max(y, below - height), max(index, y))
        self.scroll_to(y=y, animate=False)

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Bring the cursor's row into view, with the first lines of the page wherever they fit above it.

        What a page says first has no row to stand on, so that no key would bring it back into sight.
        """
        height = self.scrollable_content_region.height
        if not height:
            return  # it is hidden, and will be looked at again once it has a size
        if self.highlighted is not None and self.highlighted < height:
            self.scroll_to(y=0, animate=False)
        else:
            super().scroll_to_highlight(top)

    def on_resize(self) -> None:
        """Keep the cursor in sight, if it was, when an alarm or the terminal takes lines away."""
        top, height = self.scroll_offset.y, self._height
        # Where no line is left, what was in sight before is looked for again once there are lines.
        self._height = self.scrollable_content_region.height or height
        if self.highlighted is not None and (not height or top <= self.highlighted < top + height):
            self.call_after_refresh(self.scroll_to_highlight)

    def _end_below(self, index: int) -> int:
        """Find where the lines that belong to a row end: at the next row of its kind."""
        kinds = [row.key and row.key.kind for row in self._rows]
        return next((i for i in range(index + 1, len(kinds)) if kinds[i] == kinds[index]), len(kinds))

    def go(self, key: str) -> bool:
        """Move the cursor to the row with a key.

        Returns:
            Whether there is such a row; otherwise the cursor goes to the first row that has a key.
        """
        keys = [str(row.key) if row.key else "" for row in self._rows]
        if key and key in keys:
            self.highlighted = keys.index(key)
            return True
        self.highlighted = next((index for index, found in enumerate(keys) if found), None)
        return False

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option.id:
            self.post_message(self.Chosen(self, event.option.id))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.post_message(self.Moved(self, event.option.id or ""))
