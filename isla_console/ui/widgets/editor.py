"""The editor of statements: Tab indents, and a text too long to be edited here is held as it is."""

from __future__ import annotations

from importlib.util import find_spec

from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import TextArea

MOST = 10_000
"""The longest text in characters that is edited here: every key draws its lines anew."""
SHOWN_LINES = 3
SHOWN_CELLS = 400
INDENT = "  "


class StatementEditor(TextArea):
    """A text of up to `MOST` characters to edit; a longer one is `held`, and only its beginning is shown."""

    class Held(Message):
        """A text was pasted that is too long to be edited here."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, id: str) -> None:
        language = "sql" if find_spec("tree_sitter_sql") is not None else None
        super().__init__("", language=language, id=id, show_line_numbers=False, soft_wrap=False, compact=True)
        self.cursor_blink = False
        self.held = ""
        """The whole text, where it is too long to be edited here; "" where it is in the editor."""

    @property
    def content(self) -> str:
        """The whole text."""
        return self.held or self.text

    def take(self, text: str) -> None:
        """Show another text, or the beginning of one that is too long to be edited here."""
        self.held = text if len(text) > MOST else ""
        self.read_only = bool(self.held)
        if not self.held:
            self.load_text(text)
            return
        lines = text[: SHOWN_LINES * SHOWN_CELLS].split("\n")[:SHOWN_LINES]
        self.load_text("\n".join(line[:SHOWN_CELLS] for line in lines) + " …")

    def on_key(self, event: Key) -> None:
        """Let Tab indent: it never leaves, so that no letter after it is taken for a command."""
        if event.key == "tab" and not self.read_only:
            event.stop()
            event.prevent_default()
            self.insert(INDENT)

    def on_paste(self, event: Paste) -> None:
        """Hand on a paste that makes the text too long, before it is drawn."""
        if not self.read_only and len(self.text) + len(event.text) > MOST:
            event.stop()
            event.prevent_default()
            start, end = sorted(self.selection)
            document = self.document
            before = document.get_text_range((0, 0), start)
            self.post_message(self.Held(before + event.text + document.get_text_range(end, document.end)))
