"""Messages between pages and deeds, apart from the pages so that a deed imports no widget."""

from textual.message import Message

from isla_console.ui.views.communication import Draft


class DraftAsked(Message):
    """The communication page asks for something: `act` is copy, send, editor or keep."""

    def __init__(self, act: str, draft: Draft) -> None:
        super().__init__()
        self.act = act
        self.draft = draft


class StopAsked(Message):
    """The page of streams asks to end one, by its step's id."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step
