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


class SqlAsked(Message):
    """The SQL page asks for something: `act` is run, stop, explain, analyze, watch, export, unlock, copy,
    commit or back; `text` is the statement, or what to copy.
    """

    def __init__(self, act: str, text: str = "") -> None:
        super().__init__()
        self.act = act
        self.text = text


class SqlTyped(Message):
    """The statement in the editor is another one: the guard looks at it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SqlTyped)


class SessionsAsked(Message):
    """The sessions page asks: `act` is look, cancel or terminate; `key` is the row it is about."""

    def __init__(self, act: str, key: str = "") -> None:
        super().__init__()
        self.act = act
        self.key = key
