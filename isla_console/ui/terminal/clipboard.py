"""Copying out of a terminal, over SSH and through tmux or screen, and saying what happened.

OSC 52 asks the terminal to take text into the clipboard of the machine in front of the person. It has no
answer: a terminal may ignore it, and most cut what is long. So the words always say "if the terminal allows
it", and what is too long, or cannot be sent at all, goes into a file that is named.
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
"""Bytes of text that go out by OSC 52: base64 of it stays under the 100,000 that common terminals take."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How a text was copied, and the words that tell a person."""

    via: Literal["osc52", "file"]
    words: str


def osc52(text: str, environ: Mapping[str, str]) -> str:
    """Make the sequence that copies `text`, wrapped for the multiplexer in between, if there is one."""
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
    """Copy by OSC 52, or into a file under `directory` where that cannot work; never raises."""
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
