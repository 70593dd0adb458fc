"""How slow this machine is now: what a time limit of a quiet machine is multiplied by."""

import time

_PIECES = 4
_WORK = 400_000
_QUIET_S = 0.025
"""What a piece of the work takes where nothing else runs."""


def slowness() -> float:
    """How many times longer work takes just now than on a quiet machine; at least 1.

    A test that limits a time is about what is waited for, not about what else the machine does: it compares
    with this, measured in the same run.
    """
    return max(1.0, *(_piece_s() / _QUIET_S for _ in range(_PIECES)))


def _piece_s() -> float:
    began = time.perf_counter()
    total = 0
    for number in range(_WORK):
        total += number
    return time.perf_counter() - began
