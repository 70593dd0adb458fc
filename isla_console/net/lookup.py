"""Looking names up, without a resolver that hangs ever holding anything else up.

asyncio's own lookup runs in the loop's shared threads: a few names whose servers do not answer fill
them, and quitting waits for them. Here each name has at most one daemon thread, which all probes of
that name share and for which nothing waits at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from dataclasses import dataclass
from typing import Final

from isla_console.net.failures import OwnFault


class LookupFailed(Exception):
    """The name has no address, or the resolver did not answer; the message is safe to show."""


_OURS: Final = frozenset({socket.EAI_SYSTEM, socket.EAI_MEMORY})
"""Failures of this machine, before any name server was asked."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


_REASONS: Final = {
    socket.EAI_NONAME: "no such name",
    socket.EAI_NODATA: "the name has no address",
    socket.EAI_AGAIN: "the name server does not answer",
    socket.EAI_FAIL: "the name server failed",
}


class Resolver:
    """Looks names up, with one lookup at a time for each name."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, int], asyncio.Future[tuple[Address, ...]]] = {}

    async def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """Return a host's addresses in the order to try them: families alternate, as in RFC 8305.

        Raises:
            LookupFailed: There are none.
        """
        with contextlib.suppress(ValueError):
            return (Address(str(ipaddress.ip_address(host)), port),)
        key = (host, port)
        if key not in self._running:
            self._running[key] = self._start(host, port)
        # Shielded: one probe's deadline must not cancel the lookup that another waits for.
        return await asyncio.shield(self._running[key])

    def _start(self, host: str, port: int) -> asyncio.Future[tuple[Address, ...]]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[Address, ...]] = loop.create_future()

        def finish(found: tuple[Address, ...] | None, problem: Exception) -> None:
            self._running.pop((host, port), None)
            if future.done():
                return
            if found:
                future.set_result(found)
            else:
                future.set_exception(problem)
                future.exception()  # seen: nobody may be waiting any more

        def work() -> None:
            found, problem = _lookup(host, port)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody cares
                loop.call_soon_threadsafe(finish, found, problem)

        threading.Thread(target=work, name=f"lookup {host[:40]}", daemon=True).start()
        return future


def _lookup(host: str, port: int) -> tuple[tuple[Address, ...] | None, Exception]:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in _OURS:
            return None, OwnFault("this machine cannot look names up")
        return None, LookupFailed(_REASONS.get(error.errno or 0, "the name cannot be looked up"))
    except OSError as error:
        return None, error
    except UnicodeError:
        return None, OwnFault("the address has a host name that cannot be one: correct it")
    by_family: dict[int, list[Address]] = {}
    for family, _, _, _, sockaddr in entries:
        address = Address(str(sockaddr[0]), port)
        group = by_family.setdefault(family, [])
        if address not in group:
            group.append(address)
    ordered: list[Address] = []
    groups = list(by_family.values())
    while groups:
        for group in groups:
            ordered.append(group.pop(0))
        groups = [group for group in groups if group]
    return tuple(ordered) or None, LookupFailed("the name has no address")
