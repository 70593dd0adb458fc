"""Copying out of a terminal, also over SSH and through tmux or screen, and saying what happened.

OSC 52 asks the terminal to put text into the clipboard of the machine in front of the person. It has no
answer: a terminal may ignore it, and most cut off what is long. So the message always says "if the terminal
allows it", and a text that is too long or cannot be sent goes into a file, which the message names.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from isla_console.ui.terminal.driver import write
from isla_console.ui.terminal.multiplexer import multiplexer, passed_through

if TYPE_CHECKING:
    from textual.app import App

LIMIT = 74_994
"""The most bytes to send by OSC 52: their base64 stays under the 100,000 that common terminals take."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How a text was copied, and the message that says so."""

    via: Literal["osc52", "file"]
    words: str


def osc52(text: str, environ: Mapping[str, str]) -> str:
    """Return the sequence that copies `text`, wrapped for a multiplexer in between."""
    sequence = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    return passed_through(sequence, environ)


def save(text: str, directory: Path) -> Path:
    """Write `text` to a new file in `directory` that only its owner can read, and return its path.

    Raises:
        OSError: The file cannot be written there.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="copied-", suffix=".txt", dir=directory, text=True)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


async def copy(app: App[Any], text: str, directory: Path) -> Copied:
    """Copy by OSC 52, or into a file in `directory` where that cannot work. Never raises."""
    size = len(text.encode())
    if size <= LIMIT and write(app, osc52(text, os.environ)):
        through = multiplexer(os.environ)
        by = f"OSC 52 through {through}" if through else "OSC 52"
        return Copied("osc52", f"Copied {size} bytes by {by}, if the terminal allows it.")
    why = f"{size} bytes are too many for OSC 52" if size > LIMIT else "no terminal to copy to"
    with contextlib.suppress(OSError):
        path = await asyncio.to_thread(save, text, directory)
        return Copied("file", f"{why}: saved as {path}")
    return Copied("file", f"{why}, and {directory} cannot be written: nothing was copied")
