"""tmux and GNU screen, which may be between the console and the terminal: passing a sequence through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

SCREEN_CHUNK = 256
"""The most characters that GNU screen takes in one passthrough string."""

Multiplexer = Literal["tmux", "screen"]


def multiplexer(environ: Mapping[str, str]) -> Multiplexer | None:
    """Return which multiplexer the environment variables point to; None for none."""
    if environ.get("TMUX"):
        return "tmux"
    return "screen" if environ.get("STY") else None


def passed_through(sequence: str, environ: Mapping[str, str]) -> str:
    """Return a control sequence wrapped so that the multiplexer passes it to the terminal outside."""
    match multiplexer(environ):
        case "tmux":
            return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
        case "screen":
            parts = [sequence[at : at + SCREEN_CHUNK] for at in range(0, len(sequence), SCREEN_CHUNK)]
            return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return sequence
