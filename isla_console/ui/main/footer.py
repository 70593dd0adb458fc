"""The line of keys at the bottom: those that work here, always with `?`."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from isla_console.ui.commands import Command
from isla_console.ui.lines import ends
from isla_console.ui.widgets.text_block import TextBlock

GAP = 2


def footer_line(commands: Sequence[Command], status: Content, width: int) -> Content:
    """Return as many keys as fit before `status`, chosen by footer order and written in registry order."""
    wanted = sorted((command for command in commands if command.footer), key=lambda command: command.footer)
    room = width - 2 - (status.cell_length + GAP if status.cell_length else 0)
    chosen: set[str] = set()
    for command in wanted:
        cost = len(command.shown) + 1 + len(command.title) + (GAP if chosen else 0)
        if cost <= room:
            room -= cost
            chosen.add(command.id)
    parts: list[Content | str] = [" "]
    for command in commands:
        if command.id in chosen:
            if len(parts) > 1:
                parts.append(" " * GAP)
            parts.append(Content.assemble((command.shown, "$accent bold"), f" {command.title}"))
    return ends(Content.assemble(*parts), Content.assemble(status, " "), width)


class KeyLine(TextBlock):
    """Shows `footer_line`. It takes no clicks, because every command has a key."""
