"""Editing a text in the person's own editor, which has the terminal meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.app import SuspendNotSupported

from isla_console.text.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

_END_S: Final = 0.5
"""Seconds that an editor has to end when the console ends."""


async def edit(app: App[Any], text: str, directory: Path, leave: Callable[[str], None]) -> tuple[str, str]:
    """Let a person edit `text` with $VISUAL, $EDITOR or vi, while probes, clocks and alarms go on.

    The file is in `directory`, which only its owner can read, and is removed. When the console is ended
    meanwhile, so is the editor, and what it has saved stays there.

    Args:
        app: Whose terminal the editor gets.
        text: What there is.
        directory: Where the file is made.
        leave: Called with what to say of a text that stays, once the terminal is restored.

    Returns:
        The text as the editor left it, and the problem ("" for none).
    """
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        path = _made(text, directory)
    except OSError as error:
        return text, f"No place for the text in {directory}: {error.strerror}"
    problem, is_kept = "", False
    try:
        with app.suspend():
            # No fault of the editor's may leave this block: the screen would never come back.
            try:
                await _run([*editor, str(path)])
            except (OSError, ValueError) as error:
                problem = f"{plain(' '.join(editor))} could not be started: {error}"
        return _read(path), problem
    except SuspendNotSupported:
        return text, "This terminal cannot be handed to an editor: edit in place (enter)."
    except OSError as error:
        return text, f"The edited text could not be read back: {error.strerror}"
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            is_kept = _read(path) != text.rstrip("\n")
        if is_kept:
            leave(f"The console ended while a text was being edited. What was saved of it is in {path}")
        raise
    finally:
        if not is_kept:
            path.unlink(missing_ok=True)


def _made(text: str, directory: Path) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=".md", dir=directory, text=True)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace").rstrip("\n")


async def _run(command: list[str]) -> None:
    """Run a program in front, and end it when this is cancelled."""
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await process.wait()
            process.kill()
        raise
