"""Renders the lines that changed of the widgets that changed.

Textual renders every widget in the rectangle around all changes. With a clock at the top and a probe's row at
the bottom that is the whole screen, once a second: most of what an idle console would compute.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import _compositor
from textual.geometry import Region
from textual.strip import Strip


class Compositor(_compositor.Compositor):
    """For a screen that has nothing below it."""

    _waiting: tuple[Region, ...] = ()

    def render_partial_update(self) -> _compositor.ChopsUpdate | None:
        self._waiting = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._waiting = ()

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Each widget's region, what of it is rendered, and the lines; what lies in front comes first."""
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
            # What this one covers hides whatever lies behind it.
            waiting = tuple(dirty for dirty in waiting if not seen.contains_region(dirty))
