"""What each key does on each page: the keys that are a page's own, and where the registry's have a meaning.

Bindings of the pages, the footer, the help and the README's table are made from this and from `commands`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from textual.binding import Binding, BindingType

from isla_console.ui.commands import COMMANDS, Command
from isla_console.ui.lines import RowKey


class PageKey(NamedTuple):
    """A key of one page. `keys` and `shown` are as a command's; `action` is what the page's widget does."""

    keys: str
    shown: str
    title: str
    help: str
    action: str


PAGE_KEYS: Final[dict[str, tuple[PageKey, ...]]] = {
    "sql": (
        PageKey("x,f5", "x", "run", "Run the statement; a change is shown first.", "ask('run')"),
        PageKey("i", "i", "edit", "Type: F5 runs it there, Tab indents, Esc leaves.", "edit"),
        PageKey("Q", "Q", "new", "Begin an empty statement.", "new"),
        PageKey("g", "g", "plan", "How the statement would run, without running it.", "ask('explain')"),
        PageKey("w", "w", "watch", "Run it every few seconds.", "ask('watch')"),
        PageKey("slash", "/", "find", "Show only the rows that contain a text.", "find"),
        PageKey("S", "S", "save", "All rows into a file.", "ask('export')"),
        PageKey("s", "s", "sort", "Sort by the column under the cursor: up, down, as it came.", "sort"),
        PageKey("y", "y", "copy", "Copy the cell under the cursor.", "copy('cell')"),
        PageKey("full_stop", ".", "next", "The runbook's next statement.", "statement(1)"),
        PageKey("comma", ",", "previous", "The runbook's previous statement.", "statement(-1)"),
        PageKey("less_than_sign", "<", "older", "The statement typed before.", "history(-1)"),
        PageKey("greater_than_sign", ">", "newer", "The statement typed after.", "history(1)"),
        PageKey("X", "X", "stop", "End what runs; an open transaction is rolled back.", "ask('stop')"),
        PageKey("G", "G", "timed plan", "How it runs: it is run for that.", "ask('analyze')"),
        PageKey("Y", "Y", "copy row", "Copy the row under the cursor.", "copy('row')"),
        PageKey("U", "U", "unlock", "Unlock writing for five minutes, or lock it again.", "ask('unlock')"),
        PageKey("C", "C", "commit", "Keep what the open transaction changed.", "ask('commit')"),
        PageKey("B", "B", "roll back", "Undo what the open transaction changed.", "ask('back')"),
    ),
    "sessions": (
        PageKey("K", "K", "end it", "End the session, or an application's idle ones.", "ask('terminate')"),
        PageKey("C", "C", "cancel", "Cancel what the session runs.", "ask('cancel')"),
        PageKey("slash", "/", "find", "Show only the sessions that contain a text.", "find"),
    ),
    "streams": (
        PageKey("space", "space", "pause", "Hold what is shown; the stream goes on unseen.", "pause"),
        PageKey("slash", "/", "filter", "Show only the lines that contain a text.", "filter"),
        PageKey("left", "←", "previous", "The stream before.", "turn(-1)"),
        PageKey("right", "→", "next", "The stream after.", "turn(1)"),
        PageKey("X", "X", "stop", "End the stream.", "stop"),
    ),
    "communication": (
        PageKey("y", "y", "copy", "Copy the text.", "ask('copy')"),
        PageKey("S", "S", "mark sent", "Say that it was sent, and by which way.", "ask('send')"),
        PageKey("f4", "f4", "$EDITOR", "Edit the text in $VISUAL or $EDITOR.", "ask('editor')"),
    ),
}  # fmt: skip
"""The keys of the pages that are widgets."""

ENTER: Final[dict[str, str]] = {
    "home": "Do or open what the cursor is on.",
    "issue": "Do a step that reads, open a link; anything else is shown in full.",
    "procedure": "Do a step that reads, open a link; anything else is shown in full.",
    "contacts": "The contact in full.",
    "timeline": "The entry in full, as it was journalled.",
    "deployments": "The deployment in full.",
    "payments": "What the cursor is on in full; start comparing subscriptions.",
    "sql": "The row in full.",
    "sessions": "The session in full; an application's sessions alone.",
    "communication": "Type in the text; Esc keeps it as a draft.",
    "checklist": "Tick the item.",
}
"""What Enter does, by the kind of page."""

_STEPS = frozenset({"issue", "procedure"})
ONLY_ON: Final[dict[str, frozenset[str]]] = {
    "run": _STEPS,
    "stop": _STEPS | {"payments"},
    "copy": _STEPS,
    "reveal": _STEPS,
    "inputs": _STEPS,
    "detail": _STEPS | {"home", "contacts", "timeline", "payments"},
    "tick": _STEPS | {"checklist"},
    "deny": _STEPS | {"checklist"},
    "correct": frozenset({"timeline"}),
    "choose": frozenset({"issue"}),
}
"""The kinds of page on which a command of the registry does anything; the others do it everywhere."""


@dataclass(frozen=True, slots=True)
class Here:
    """A command of the registry as it is on a page: some of its keys may be the page's own there."""

    command: Command
    keys: tuple[str, ...]

    @property
    def shown(self) -> str:
        """How its key is written; "" where it has none."""
        first = self.command.keys.split(",")[0]
        return self.command.shown if not self.keys or first in self.keys else self.keys[0]


def kind_of(page: str) -> str:
    """Return the kind of a page: `issue` for `issue:redirect-down`."""
    key = RowKey.parse(page)
    return key.kind if key is not None else "home"


def own_keys(page: str) -> tuple[PageKey, ...]:
    """Return the keys that are a page's own."""
    return PAGE_KEYS.get(kind_of(page), ())


def commands_here(page: str) -> Iterator[Here]:
    """Yield the registry's commands that mean something on a page, and have a key there or none anywhere."""
    kind = kind_of(page)
    taken = {key for own in own_keys(page) for key in own.keys.split(",")}
    for command in COMMANDS:
        if kind not in ONLY_ON.get(command.id, {kind}):
            continue
        keys = tuple(key for key in command.keys.split(",") if key and key not in taken)
        if keys or not command.keys:
            yield Here(command, keys)


def covered(page: str) -> list[Command]:
    """Return the commands whose only key is the page's own on a page."""
    here = {one.command.id for one in commands_here(page)}
    kind = kind_of(page)
    return [one for one in COMMANDS if one.id not in here and kind in ONLY_ON.get(one.id, {kind})]


def page_bindings(page: str) -> list[BindingType]:
    """Return Textual's bindings for a page's own keys."""
    return [Binding(key.keys, key.action, key.title) for key in PAGE_KEYS[page]]


def hint(page: str) -> str:
    """Return a page's own keys for the bottom of its frame."""
    return "  ".join(f"{key.shown} {key.title}" for key in PAGE_KEYS[page])


def readme_table() -> str:
    """Return the README's table of keys: the registry's, then each page's own."""
    lines = ["| Key | What it does |", "| --- | --- |"]
    lines += [f"| `{one.shown}` | {one.help} |" for one in COMMANDS if one.shown]
    for page, keys in PAGE_KEYS.items():
        listed = ", ".join(f"`{key.shown}` {key.title}" for key in keys)
        lines.append(f"| on the page `{page}` | {listed} |")
    return "\n".join(lines) + "\n"
