"""tmux and GNU screen: what stands between the console and the terminal, and how a sequence gets through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

SCREEN_CHUNK = 256
"""Characters that GNU screen takes in one passthrough string."""

Multiplexer = Literal["tmux", "screen"]


def multiplexer(environ: Mapping[str, str]) -> Multiplexer | None:
    """Name the multiplexer that these environment variables tell of, if there is one."""
    if environ.get("TMUX"):
        return "tmux"
    return "screen" if environ.get("STY") else None


def passed_through(sequence: str, environ: Mapping[str, str]) -> str:
    """Wrap a control sequence so that the multiplexer hands it on to the terminal outside."""
    match multiplexer(environ):
        case "tmux":
            return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
        case "screen":
            parts = [sequence[at : at + SCREEN_CHUNK] for at in range(0, len(sequence), SCREEN_CHUNK)]
            return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return sequence
