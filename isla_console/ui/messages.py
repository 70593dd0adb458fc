"""What pages ask the controllers for, apart from the pages so that a controller imports no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from isla_console.runbook.steps import Step
    from isla_console.ui.views.communication import Draft

DraftAct = Literal["copy", "send", "editor", "keep"]
SqlAct = Literal["run", "stop", "explain", "analyze", "watch", "export", "unlock", "copy", "commit", "back"]
SessionsAct = Literal["look", "cancel", "terminate"]


class Request(Message):
    """Something that a page asks for and does not do itself."""


@dataclass
class DraftAsked(Request):
    """The communication page asks for something to be done with a text."""

    act: DraftAct
    draft: Draft


@dataclass
class StopAsked(Request):
    """The page of streams asks to end one, by its step's id."""

    step: str


@dataclass
class SqlAsked(Request):
    """The SQL page asks for something.

    `text` is the statement, or what to copy; `step` is the step of the runbook that it is, if it is one.
    """

    act: SqlAct
    text: str = ""
    step: Step | None = None


@dataclass
class SqlTyped(Request):
    """The statement in the editor is another one: the guard looks at it."""

    text: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SqlTyped)


@dataclass
class SessionsAsked(Request):
    """The sessions page asks; `key` is the row it is about."""

    act: SessionsAct
    key: str = ""
