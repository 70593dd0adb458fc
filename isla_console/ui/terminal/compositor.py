"""A compositor that renders only the changed lines of the changed widgets.

Textual renders every widget in the rectangle around all changes. With a clock at the top and a probe's row at
the bottom that is the whole screen, once a second, and most of an idle console's work.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import _compositor
from textual.geometry import Region
from textual.strip import Strip


class Compositor(_compositor.Compositor):
    """The compositor of a screen with no other screen below it."""

    _waiting: tuple[Region, ...] = ()

    def render_partial_update(self) -> _compositor.ChopsUpdate | None:
        self._waiting = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._waiting = ()

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Yield each widget's region, the part of it that is rendered, and the lines, front to back."""
        waiting = self._waiting
        if not waiting:
            yield from super()._get_renders(crop)
        for widget, (region, clip) in self.visible_widgets.items():
            if not waiting:
                return
            seen = region.intersection(clip)
            here = [dirty for dirty in waiting if dirty.overlaps(seen)]
            if not here:
                continue
            top = max(seen.y, min(dirty.y for dirty in here))
            bottom = min(seen.bottom, max(dirty.bottom for dirty in here))
            lines = Region(seen.x, top, seen.width, bottom - top)
            yield region, lines, widget.render_lines(lines.translate(-region.offset))
            # What this widget covers need not be rendered behind it.
            waiting = tuple(dirty for dirty in waiting if not seen.contains_region(dirty))
