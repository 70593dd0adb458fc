"""Editing a text in the person's own editor, while the console is suspended."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from isla_console.text.plain import plain

if TYPE_CHECKING:
    from textual.app import App


def edit(app: App[Any], text: str, directory: Path) -> tuple[str, str]:
    """Let a person edit `text` with $VISUAL, $EDITOR or vi.

    Blocks: probes and alarms pause meanwhile, and catch up afterwards. The file is in `directory`, which
    only its owner can read, and is removed.

    Returns:
        The text as the editor left it, and the problem ("" for none).
    """
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".md", dir=directory, text=True)
    except OSError as error:
        return text, f"No place for the text in {directory}: {error.strerror}"
    path = Path(name)
    problem = ""
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        with app.suspend():
            # No exception may leave this block: the screen would never come back.
            try:
                subprocess.run([*editor, name], check=False)
            except (OSError, ValueError) as error:
                problem = f"{plain(' '.join(editor))} could not be started: {error}"
        return path.read_text("utf-8", "replace").rstrip("\n"), problem
    except SuspendNotSupported:
        return text, "This terminal cannot be handed to an editor: edit in place (enter)."
    except OSError as error:
        return text, f"The edited text could not be read back: {error.strerror}"
    finally:
        path.unlink(missing_ok=True)
