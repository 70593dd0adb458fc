"""Running a command so that it can neither ask a question, nor hang, nor outlive its step.

Bash runs it where there is bash, with `pipefail`: a pipe fails with any of its programs, except with one that
was ended because its reader had enough, as in `… | head`.

It gets a session of its own (no terminal, one process group to end), a closed standard input and a quiet
environment. Whatever is left of it at the end is ended by SIGTERM and, after a grace, SIGKILL, including
daemons that left the group where the system lets us find them. What could not be ended is reported. When the
console itself is killed, `lifeline` does the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol

from isla_console.runbook.shell import has_pipe, interpreter
from isla_console.steps.lifeline import MARK, Lifeline

GRACE_S: Final = 2.0
"""Seconds between SIGTERM and SIGKILL."""
_LINGER_S: Final = 0.5
"""Seconds for which output is still read once the command itself has ended."""
_CHUNK: Final = 64 * 1024

PACKAGES: Final = {
    "vercel": "npm install --global vercel",
    "supabase": "npm install --global supabase, or the supabase package of its releases",
    "stripe": "npm install --global @stripe/cli, or the stripe package of its apt repository",
    "pg_dump": "apt install postgresql-client (its version must not be older than the server's)",
    "pg_restore": "apt install postgresql-client",
    "psql": "apt install postgresql-client",
    "npm": "apt install npm",
    "curl": "apt install curl",
    "jq": "apt install jq",
    "kubectl": "apt install kubectl, from the Kubernetes repository",
    "dig": "apt install bind9-dnsutils",
}


class Sink(Protocol):
    """Takes a command's output."""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""


_SIGPIPE_EXIT: Final = 128 + signal.SIGPIPE
_STANDARD_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
LAST_ONLY: Final = "only the last program of each pipe counts here, without bash"


@dataclass(frozen=True, slots=True)
class Shell:
    """What runs a script: its path, and whether a pipe in it fails with any of its programs."""

    path: str
    has_pipefail: bool

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command up to the script itself."""
        return (self.path, "-o", "pipefail", "-c") if self.has_pipefail else (self.path, "-c")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. `exit_code` is minus a signal's number for a signal, None if it never started."""

    how: Literal["exited", "stopped", "timed out", "not started"]
    exit_code: int | None
    reason: str = ""
    left_behind: int = 0
    """How many processes it had left running, which were then ended."""
    survivors: tuple[int, ...] = ()
    """The ids of processes that could not be ended, most often because they are another user's."""
    note: str = ""
    """What to know of the exit code; "" for nothing."""


def missing_tools(tools: tuple[str, ...], path: str | None) -> list[str]:
    """Return how to install each program that is missing."""
    return [
        f"{tool} is not installed here" + (f" ({PACKAGES[tool]})" if tool in PACKAGES else "")
        for tool in tools
        if shutil.which(tool, path=path) is None
    ]


@functools.lru_cache(maxsize=16)
def shell_for(name: str, path: str) -> Shell:
    """Return what runs a script that asks for a shell of this name. It may start the shell, to try it.

    `sh` is bash too where there is one, because many a `sh` has no `pipefail`.
    """
    wanted = ("bash", "sh") if name in {"", "sh", "bash"} else (name, "bash", "sh")
    found = next(
        (at for one in wanted if (at := shutil.which(one, path=f"{_STANDARD_PATH}:{path}"))), "/bin/sh"
    )
    if Path(found).name == "bash":
        return Shell(found, True)
    try:
        tried = subprocess.run(
            [found, "-o", "pipefail", "-c", ":"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GRACE_S,
            env={"PATH": _STANDARD_PATH},
        )
    except (OSError, subprocess.TimeoutExpired):
        return Shell(found, False)
    return Shell(found, tried.returncode == 0)


async def run(
    script: str,
    environ: Mapping[str, str],
    capture: Sink,
    *,
    timeout_s: float | None = None,
    stop: asyncio.Event | None = None,
    cwd: str | None = None,
) -> Ended:
    """Run a script with its shell until it ends, `stop` is set, or the time is up.

    Its output (standard output and error, as they come) goes into `capture`. Cancelling ends the processes
    too. Nothing that the command does raises.
    """
    mark = secrets.token_hex(8)
    shell = await asyncio.to_thread(shell_for, interpreter(script), environ.get("PATH", ""))
    try:
        lifeline = await Lifeline.tie(mark)
    except OSError as error:
        return Ended("not started", None, f"the command could not be started: {error}")
    try:
        ended = await _run((*shell.arguments, script), environ, capture, lifeline, mark, timeout_s, stop, cwd)
    finally:
        await lifeline.untie()
    return await asyncio.to_thread(_judged, ended, script, shell)


def _judged(ended: Ended, script: str, shell: Shell) -> Ended:
    """Return how a script ended, with what is to be known of its pipes."""
    if ended.how != "exited" or ended.exit_code not in {0, _SIGPIPE_EXIT} or "|" not in script:
        return ended
    if not shell.has_pipefail:
        return replace(ended, note=LAST_ONLY) if has_pipe(script) else ended
    # Of several programs that failed the last one counts: those after the one that was cut short were well.
    if ended.exit_code == _SIGPIPE_EXIT and has_pipe(script):
        return replace(ended, exit_code=0)
    return ended


async def _run(
    command: Sequence[str],
    environ: Mapping[str, str],
    capture: Sink,
    lifeline: Lifeline,
    mark: str,
    timeout_s: float | None,
    stop: asyncio.Event | None,
    cwd: str | None,
) -> Ended:
    # A pipe of our own: asyncio regards a process as ended only when every holder has closed its pipe.
    read_end, write_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            env={**environ, MARK: mark},
            cwd=cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        os.close(read_end)
        return Ended("not started", None, f"the command could not be started: {error}")
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    lifeline.watch(process.pid)
    pipe = os.fdopen(read_end, "rb", 0)
    reading = asyncio.create_task(_read(pipe, capture))
    ended = asyncio.create_task(process.wait())
    stopped = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait((ended, stopped), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        how: Literal["exited", "stopped", "timed out"] = "exited"
        if not ended.done():
            how = "stopped" if stopped.done() else "timed out"
            await _end(process, mark)
        else:
            # A process it left behind may hold the pipe: read what still comes, then end that process too.
            await asyncio.wait((reading,), timeout=_LINGER_S)
        left = await _end_rest(process.pid, mark) if how == "exited" else 0
        await asyncio.wait((reading,), timeout=_LINGER_S)
        reason = f"timed out after {timeout_s:g} s" if how == "timed out" else ""
        survivors = await _survivors(process.pid, mark) if left or how != "exited" else ()
        return Ended(how, process.returncode, reason, max(0, left - len(survivors)), survivors)
    finally:
        for task in (reading, ended, stopped):
            task.cancel()
        _signal_all(process.pid, mark, signal.SIGKILL)
        await asyncio.gather(reading, ended, stopped, return_exceptions=True)
        pipe.close()


async def _read(pipe: io.FileIO, capture: Sink) -> None:
    """Read from the pipe until every holder of the other end is gone."""
    reader = asyncio.StreamReader(limit=_CHUNK)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        while data := await reader.read(_CHUNK):
            capture.feed(data)
            # A command that writes at full speed must not keep keys from being read.
            await asyncio.sleep(0)
    finally:
        transport.close()


async def _end(process: asyncio.subprocess.Process, mark: str) -> None:
    """Send SIGTERM to all its processes, and SIGKILL to those that remain after the grace."""
    _signal_all(process.pid, mark, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        if process.returncode is not None and not _alive(process.pid, mark):
            return
        await asyncio.sleep(0.02)
    _signal_all(process.pid, mark, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE_S)


async def _end_rest(group: int, mark: str) -> int:
    """End what the command left running; return how many processes that were."""
    left = _alive(group, mark)
    if not left:
        return 0
    _signal_all(group, mark, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while _alive(group, mark):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.02)
    _signal_all(group, mark, signal.SIGKILL)
    return len(left)


async def _survivors(group: int, mark: str) -> tuple[int, ...]:
    """Return the processes that remain in spite of SIGKILL, once it had time to take effect."""
    deadline = time.monotonic() + _LINGER_S
    while True:
        found = _alive(group, mark)
        if not found or time.monotonic() > deadline:
            return tuple(sorted(found))
        await asyncio.sleep(0.02)


def _signal_all(group: int, mark: str, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
    for pid in _marked(mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _alive(group: int, mark: str) -> set[int]:
    """Return the running processes of the group or with the mark."""
    return {pid for pid in _in_group(group) | _marked(mark) if not _is_zombie(pid)}


def _marked(mark: str) -> set[int]:
    """Return the processes that carry the mark, by Linux's /proc; elsewhere none are found."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in entry.read_bytes().split(b"\0"):
                found.add(int(entry.parent.name))
    return found


def _in_group(group: int) -> set[int]:
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(entry.read_text().rpartition(")")[2].split()[2]) == group:
                found.add(int(entry.parent.name))
    return found


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True
