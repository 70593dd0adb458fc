"""What a screen shows, as text."""

from typing import Any

from textual.app import App


def screen_lines(app: App[Any]) -> list[str]:
    """Each line of the terminal as the compositor renders it now, whatever was sent before."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def screen_text(app: App[Any]) -> str:
    """All lines of the terminal, as `screen_lines` has them."""
    return "\n".join(screen_lines(app))
