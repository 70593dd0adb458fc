"""Colours, glyphs and the sparkline: how a state looks everywhere.

A state is always a glyph, a word and a colour together, so that it can be read without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.theme import Theme

if TYPE_CHECKING:
    from isla_console.triage.health import Level

DARK = Theme(
    name="isla-dark",
    dark=True,
    primary="#6cb6ff",
    secondary="#8ea3b8",
    accent="#6cb6ff",
    foreground="#d5dde6",
    background="#0d1117",
    surface="#0d1117",
    panel="#182029",
    success="#6fbf8b",
    warning="#e3b341",
    error="#ff7b72",
    variables={
        "footer-key-foreground": "#6cb6ff",
        "block-cursor-background": "#1f3a5f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#182029",
        "border-blurred": "#2d3844",
        "muted": "#8b98a5",
        "frame": "#2d3844",
    },
)
LIGHT = Theme(
    name="isla-light",
    dark=False,
    primary="#0550ae",
    secondary="#57606a",
    accent="#0550ae",
    foreground="#1f2328",
    background="#ffffff",
    surface="#ffffff",
    panel="#eef2f6",
    success="#1a7f37",
    warning="#9a6700",
    error="#c4161c",
    variables={
        "footer-key-foreground": "#0550ae",
        "block-cursor-background": "#cfe3fb",
        "block-cursor-foreground": "#0b1f33",
        "block-cursor-blurred-background": "#eef2f6",
        "border-blurred": "#c5ced8",
        "muted": "#57606a",
        "frame": "#c5ced8",
    },
)

MUTED = "$muted"
GLYPHS = {"ok": "●", "elevated": "▲", "alert": "◆", "stale": "◌", "unknown": "?", "blind": "○"}
STYLES = {
    "ok": "$success",
    "elevated": "$warning bold",
    "alert": "$error bold",
    "stale": MUTED,
    "unknown": MUTED,
    "blind": MUTED,
}
LEVEL_GLYPHS: Mapping[Level, str] = {
    "alert": GLYPHS["alert"],
    "blind": GLYPHS["blind"],
    "fault": "!",
    "elevated": GLYPHS["elevated"],
    "starting": "…",
    "unset": "!",
    "unknown": GLYPHS["unknown"],
    "ok": GLYPHS["ok"],
}
"""How everything as a whole stands, as `triage.health` judges it; the styles are below."""
LEVEL_STYLES: Mapping[Level, str] = {
    "alert": STYLES["alert"],
    "blind": "$warning",
    "fault": "$warning",
    "elevated": STYLES["elevated"],
    "starting": MUTED,
    "unset": "$warning",
    "unknown": "$warning",
    "ok": STYLES["ok"],
}

_BLOCKS = "▁▂▃▄▅▆▇█"

# Each state has a character of its own, which no other glyph in its place has: open is no dash, and an alert
# not the exclamation mark of a fault of our own.
_ASCII = str.maketrans(
    "●▲◆◌○▸»✓✗·…→←↑↓─│╭╮╰╯▌" + _BLOCKS + "–—↵“”’×÷≤≥⏎␛≠",
    "o^#%_" + ">+vx" + ".~><^v-|++++|" + "_.,-=+*#" + "--<" + '""\'x/' + "<>/?*",
)


def ascii_only(text: str) -> str:
    """Return the same cells in ASCII, one character for one, for terminals without the glyphs."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def sparkline(history: Sequence[float | None], width: int, ceiling: float = 0.0) -> str:
    """Return the newest `width` values as block characters from zero up; a gap is a space.

    The top is the greater of `ceiling` and the highest value: with an alert's bound as ceiling, a quiet
    metric looks quiet, and the same height means the same everywhere.
    """
    values = list(history)[-width:]
    known = [value for value in values if value is not None]
    if not known:
        return ""
    top = max(ceiling, *known) or 1.0
    steps = len(_BLOCKS) - 1
    return "".join(
        " " if value is None else _BLOCKS[max(0, min(steps, round(value / top * steps)))] for value in values
    )
