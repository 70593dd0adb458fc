"""What the main screen asks of a page that is a widget of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

if TYPE_CHECKING:
    from isla_console.session.state import ConsoleState


class PageWidget(Vertical):
    """One page. It is mounted when first opened and stays mounted; `show` is called with each new state."""

    page: ClassVar[str]
    """The page id, which is also the id of the command that opens it."""

    def show(self, state: ConsoleState) -> None:
        """Draw this state; cheap when nothing changed."""
        raise NotImplementedError

    def place_focus(self) -> Widget:
        """The widget that takes the keys when the page is opened."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """What the cursor stands on, as a row key; "" where that means nothing."""
        return ""
