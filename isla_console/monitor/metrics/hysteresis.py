"""Hysteresis: three bad samples in a row raise an alert, two good ones clear it. Pure."""

from __future__ import annotations

BAD_TO_RAISE = 3
GOOD_TO_CLEAR = 2


class Hysteresis:
    """Whether an alert is raised, from a run of good and bad samples."""

    __slots__ = ("_run", "raised")

    def __init__(self) -> None:
        self.raised = False
        self._run = 0

    def observe(self, bad: bool, *, confirmed: bool = True) -> None:
        """Count one sample.

        Args:
            bad: Whether it is on the wrong side.
            confirmed: False holds back an alert that is due (too few single measurements support it so
                far); it never delays a clear.
        """
        if bad == self.raised:
            self._run = 0
            return
        self._run += 1
        if self.raised and self._run >= GOOD_TO_CLEAR:
            self.raised, self._run = False, 0
        elif not self.raised and self._run >= BAD_TO_RAISE and confirmed:
            self.raised, self._run = True, 0

    @property
    def progress(self) -> str:
        """How near the next change is: `2 of 3 bad`, `1 of 2 good`, or ""."""
        if not self._run:
            return ""
        if self.raised:
            return f"{self._run} of {GOOD_TO_CLEAR} good"
        return f"{min(self._run, BAD_TO_RAISE)} of {BAD_TO_RAISE} bad"
