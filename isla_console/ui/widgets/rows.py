"""A page made of rows: headings and detail lines to read, rows to choose."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from isla_console.ui.theme import ascii_only


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page. `key` names what it stands for ("step:deployments"); empty is not choosable."""

    key: str
    content: Content

    @classmethod
    def heading(cls, text: str) -> "Row":
        return cls("", Content.assemble((text, "$accent bold")))

    @classmethod
    def text(cls, content: Content | str) -> "Row":
        return cls("", content if isinstance(content, Content) else Content(content))


class RowList(OptionList):
    """Rows that can be replaced at any time without moving the reader's place."""

    BINDINGS = [Binding("right", "app.command('detail', 'right')", show=False)]

    class Chosen(Message):
        """Enter (or a click) on a row."""

        def __init__(self, rows: "RowList", key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> "RowList":
            return self.rows

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, rows: "RowList", key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> "RowList":
            return self.rows

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, compact=True, markup=False)
        self._rows: list[Row] = []

    @property
    def key(self) -> str:
        """The key of the row under the cursor, or nothing."""
        option = self.highlighted_option
        return (option.id or "") if option is not None else ""

    @property
    def row_width(self) -> int:
        """Cells that a row may fill before it wraps."""
        return max(10, self.scrollable_content_region.width or self.size.width)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows; the cursor stays on its key and at its height on the screen."""
        if self.app.has_class("-ascii"):
            rows = [
                Row(row.key, Content(ascii_only(row.content.plain), list(row.content.spans))) for row in rows
            ]
        before, self._rows = self._rows, list(rows)
        if [row.key for row in before] == [row.key for row in self._rows]:
            pairs = zip(before, self._rows, strict=True)
            self._repaint([n for n, (old, new) in enumerate(pairs) if not old.content.is_same(new.content)])
            return
        key, place, stood = self.key, self.scroll_offset, self.highlighted
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options(
                Option(row.content, id=row.key or None, disabled=not row.key) for row in self._rows
            )
            stays = self.go(key)
        # Lines that came or went above the cursor move the view along: the cursor stays where the eye is.
        # But who reads a page from its top reads what comes there too, while the cursor is still in sight.
        stands = self.highlighted
        moved = stands - stood if stays and stands is not None and stood is not None else 0
        if place.y == 0 and stands is not None and stands < self.scrollable_content_region.height:
            moved = 0
        y = max(0, place.y + moved)
        if stays and stands is not None and len(self._rows) > len(before):
            # What came under the cursor is why it was asked for: it comes into view.
            below = self._end_below(stands) if stood == stands else stands
            y = min(max(y, below - self.scrollable_content_region.height), max(stands, y))
        self.scroll_to(y=y, animate=False)

    def _end_below(self, index: int) -> int:
        """Where the lines that belong to a row end: at the next row of its kind."""
        kind = self._rows[index].key.partition(":")[0]
        following = range(index + 1, len(self._rows))
        return next((i for i in following if self._rows[i].key.partition(":")[0] == kind), len(self._rows))

    def _repaint(self, changed: Sequence[int]) -> None:
        """Take new content for these rows and paint them alone.

        `OptionList` renders every line of the list anew for one changed prompt; with measures that change
        each second that is most of what an idle console computes. Rows are one line each, so the lines of
        the others still stand.
        """
        if not changed:
            return
        options = {self.options[index]: index for index in changed}
        for option, index in options.items():
            option._set_prompt(self._rows[index].content)
        for key in [key for key in self._option_render_cache.keys() if key[0] in options]:  # noqa: SIM118
            self._option_render_cache.discard(key)
        top, region = self.scroll_offset.y, self.scrollable_content_region
        lines = [index - top for index in changed if 0 <= index - top < region.height]
        if lines:
            self.refresh(*(Region(0, line, region.width, 1) for line in lines))

    def go(self, key: str) -> bool:
        """Put the cursor on a key; where it is not here, on the first row that can be chosen."""
        keys = [row.key for row in self._rows]
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
