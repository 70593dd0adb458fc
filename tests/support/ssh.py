"""A real SSH server on loopback, a wire to it that can be cut, and a real client in a terminal of its own."""

import asyncio
import contextlib
import fcntl
import os
import pty
import shutil
import struct
import sys
import termios
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import asyncssh

from tests.support.terminal import Terminal

T = TypeVar("T")
KEEP_ALIVE_S = 1
"""The server asks this often whether the client is there, and gives up after three times."""


class Host:
    """A host to log in to, as a jump host is: an SSH server that runs a command in a pty of its own.

    Use as a context manager. Everything it does happens in one thread of its own.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        """`environ` is the account's; keys are made in `folder`."""
        self._folder = folder
        self._environ = dict(environ)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._wires: list[Wire] = []
        self._sessions: set[asyncio.subprocess.Process] = set()
        self.port = 0

    def __enter__(self) -> "Host":
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def sessions(self) -> int:
        """How many commands run on the host now."""
        return len(self._sessions)

    def wire(self) -> "Wire":
        """A new way to the server."""
        wire = Wire(self.port, self._call)
        self._call(wire.open())
        self._wires.append(wire)
        return wire

    def log_in(self, command: str, wire: "Wire", *, columns: int, rows: int) -> Terminal:
        """A client that runs `command` on the host, in a terminal of that size."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "TERM": "xterm-256color"}
        environ |= {"LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])}
        return Terminal(self._client(command, wire.port), environ, columns=columns, rows=rows)

    def _client(self, command: str, port: int) -> list[str]:
        """OpenSSH's client; where there is none, asyncssh's."""
        key, known = str(self._folder / "id"), str(self._folder / "known_hosts")
        if (ssh := shutil.which("ssh")) is None:
            return [sys.executable, "-m", "tests.support.ssh_client", str(port), key, known, command]
        options = [
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={known}",
            "LogLevel=ERROR",
            "HostKeyAlias=jump1",
        ]
        flags = [part for option in options for part in ("-o", option)]
        return [ssh, "-F", "/dev/null", "-tt", "-i", key, "-p", str(port), *flags, "ana@127.0.0.1", command]

    async def _listen(self) -> None:
        own = asyncssh.generate_private_key("ssh-ed25519")
        client = asyncssh.generate_private_key("ssh-ed25519")
        client.write_private_key(self._folder / "id")
        (self._folder / "id").chmod(0o600)
        public = client.export_public_key().decode()
        self._server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[own],
            authorized_client_keys=asyncssh.import_authorized_keys(public),
            process_factory=self._session,
            encoding=None,
            line_editor=False,
            keepalive_interval=KEEP_ALIVE_S,
        )
        self.port = self._server.get_port()
        (self._folder / "known_hosts").write_text(f"jump1 {own.export_public_key().decode()}")

    async def _close(self) -> None:
        for wire in self._wires:
            wire.cut()
        for session in set(self._sessions):
            with contextlib.suppress(ProcessLookupError):
                session.kill()
        self._server.close()
        await self._server.wait_closed()

    async def _session(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """What sshd does with a command and a pty: the client gone, the pty hangs up."""
        master, slave = pty.openpty()
        columns, rows, *_ = process.get_terminal_size()
        _resize(slave, columns, rows)
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            process.command or "exit 1",
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self._environ | {"TERM": process.get_terminal_type() or "dumb"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._sessions.add(child)
        os.set_blocking(master, False)
        self._loop.add_reader(master, _pass_on, master, process)
        typing = asyncio.create_task(_type(process, master))
        gone = asyncio.create_task(process.channel.wait_closed())
        ended = asyncio.create_task(child.wait())
        try:
            await asyncio.wait((gone, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                await asyncio.sleep(0.05)  # what it wrote last is still on its way
                _pass_on(master, process)
        finally:
            typing.cancel()
            self._loop.remove_reader(master)
            os.close(master)
            code = await ended
            gone.cancel()
            self._sessions.discard(child)
            process.exit(code if code >= 0 else 128 - code)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(15)


class Wire:
    """The network between client and host: a port that leads to the server until it is cut, or goes dead."""

    def __init__(self, to: int, call: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._to = to
        self._call = call
        self._ends: list[asyncio.StreamWriter] = []
        self._alive = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        self._alive.set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Both ends are told that the connection is closed."""
        for task in self._tasks:
            task.cancel()
        for end in self._ends:
            end.transport.abort()

    def cut_now(self) -> None:
        """`cut`, from another thread."""
        self._call(self._do(self.cut))

    def go_dead(self) -> None:
        """Nothing passes any more, and nobody is told: a half-open connection."""
        self._call(self._do(self._alive.clear))

    async def _do(self, what: Callable[[], None]) -> None:
        what()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends += [writer, far_writer]
        for one, other in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pump(one, other))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._alive.wait()
                writer.write(data)
                await writer.drain()
            if self._alive.is_set():
                writer.close()


def _pass_on(master: int, process: "asyncssh.SSHServerProcess[bytes]") -> None:
    with contextlib.suppress(OSError, BrokenPipeError):
        process.stdout.write(os.read(master, 65536))


async def _type(process: "asyncssh.SSHServerProcess[bytes]", master: int) -> None:
    while not process.stdin.at_eof():
        try:
            if data := await process.stdin.read(4096):
                os.write(master, data)
        except asyncssh.TerminalSizeChanged as changed:
            _resize(master, changed.width, changed.height)
        except (asyncssh.Error, OSError):
            return


def _resize(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
