"""What pages ask the controllers for; in a module of its own, so that a controller need not import a page."""

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
    """Something that a page asks for because it does not do it itself."""


@dataclass
class DraftAsked(Request):
    """The communication page asks for something to be done with a text."""

    act: DraftAct
    draft: Draft


@dataclass
class StopAsked(Request):
    """The page of streams asks to stop one, by its step's id."""

    step: str


@dataclass
class SqlAsked(Request):
    """The SQL page asks for something.

    `text` is the statement, or what to copy; `step` is the runbook's step that it comes from, if any.
    """

    act: SqlAct
    text: str = ""
    step: Step | None = None


@dataclass
class SqlTyped(Request):
    """The statement in the editor has changed, and the guard has to judge it."""

    text: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SqlTyped)


@dataclass
class SessionsAsked(Request):
    """The sessions page asks for something; `key` is the row that it is about."""

    act: SessionsAct
    key: str = ""
