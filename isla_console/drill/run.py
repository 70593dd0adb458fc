"""`isla-console drill`: the platform, then the console on it, then the score."""

from __future__ import annotations

import os
import random
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from isla_console.drill import launch, leftovers
from isla_console.drill.environment import Folders
from isla_console.drill.launch import DrillError, Platform
from isla_console.drill.scenario.model import ScenarioError, load, names
from isla_console.drill.score.report import report, score_of
from isla_console.settings.resolve import Settings, SettingsError


def main(
    scenario: str,
    open_console: Callable[[Settings], int],
    *,
    headless: bool = False,
    speed: float = 1,
    seed: int | None = None,
    quiet: bool = False,
) -> int:
    """Run `isla-console drill SCENARIO` and return the exit code.

    Args:
        scenario: Its name, or `random` for one that the screens do not name.
        open_console: Runs the console on the drill's settings until the person leaves it.
        headless: Whether to print the variables for another program instead of opening the console.
        speed: As for `launch.start`.
        seed: As for `launch.start`; it also draws the scenario of `random`.
        quiet: As for `launch.start`.
    """
    called = scenario
    try:
        if scenario == "random":
            called, scenario = "unnamed", random.Random(seed).choice(names())
            _say("An outage that you are not told. A platform of its own, on this machine only.")
        else:
            title = load(scenario).title
            _say(f"Drill {scenario}: {title}. A platform of its own, on this machine only.")
        with launch.start(
            scenario,
            lambda line: _say(f"  {line}"),
            seed=1 if seed is None else seed,
            speed=speed,
            quiet=quiet,
            called=called,
            kept=not headless,
        ) as platform:
            if headless:
                return _print_and_wait(platform)
            state = Path(platform.environ["ISLA_STATE_DIR"])
            with leftovers.cancelled(state / "journal.sqlite3"):
                # For good, so that what the console starts inherits it too.
                os.environ.clear()
                os.environ.update(platform.environ)
                code = open_console(Settings.load(platform.environ))
        if platform.record is not None:
            _print_score(platform.record.id, state)
        return code
    except (DrillError, ScenarioError, SettingsError) as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def list_scenarios() -> str:
    """Return what `isla-console drill --list` prints: name and title of each scenario, a line each."""
    width = max(map(len, names()))
    return "\n".join(f"{name:<{width}}  {load(name).title}" for name in names())


def print_report(environ: Mapping[str, str]) -> int:
    """Run `isla-console drill report`: the newest drill in full, all of them in a table."""
    text, wrong = report(Folders.of(environ).state)
    for line in wrong:
        _say(line)
    sys.stdout.write(text)
    return 0


def _print_score(id: str, state: Path) -> None:
    if (text := score_of(id, state)) is not None:
        sys.stdout.write(f"\n{text}\nAgainst earlier drills: isla-console drill report\n")


def _print_and_wait(platform: Platform) -> int:
    for name, value in platform.variables.items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    sys.stdout.flush()
    _say("Ready. Ctrl-C ends it.")
    while platform.running:
        time.sleep(0.25)
    _say("The platform ended.")
    return 1


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
