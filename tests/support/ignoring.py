"""A parent that ignores what ends programs, as `nohup` and a script's background job have."""

import shlex
import signal
from collections.abc import Sequence


def ignoring(command: Sequence[str], *numbers: signal.Signals) -> list[str]:
    """The command, started by a shell that ignores the signals and becomes it."""
    return _shell(f"exec {shlex.join(command)}", numbers)


def below_ignoring(command: Sequence[str], *numbers: signal.Signals) -> list[str]:
    """The command below a shell that ignores the signals and stays: it gets what is meant for both."""
    return _shell(f"{shlex.join(command)}; exit $?", numbers)


def _shell(script: str, numbers: Sequence[signal.Signals]) -> list[str]:
    names = " ".join(number.name.removeprefix("SIG") for number in numbers)
    return ["/bin/sh", "-c", f"trap '' {names}; {script}"]
