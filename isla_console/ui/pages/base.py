"""The base of pages that are widgets of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

if TYPE_CHECKING:
    from isla_console.session.state import ConsoleState


class PageWidget(Vertical):
    """One page. It is mounted when first opened and stays mounted; `show` gets each new state."""

    page: ClassVar[str]
    """The page id, which is also the id of the command that opens it."""

    def show(self, state: ConsoleState) -> None:
        """Draw a state; cheap when nothing has changed."""
        raise NotImplementedError

    def place_focus(self) -> Widget:
        """Return the widget that gets the focus when the page is opened."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """The key of the row under the cursor; "" for none."""
        return ""
