"""What went wrong on the network, in words for a tired person; whether anything answered, and whose fault.

What this machine or the console's own settings cannot do (no file left to open, a certificate file that is
not there, a proxy that cannot be used) is our own fault. It says nothing about the far side.
"""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from isla_console.text.brief import brief


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there was no good answer.

    `reached` says that something answered, if only to refuse; `ours` that the fault is our own, so that the
    far side was not even asked.
    """

    reason: str
    reached: bool = False
    ours: bool = False


class OwnFault(Exception):
    """Nothing can be asked, because of this machine or a setting of ours; the text is safe to show."""


# errno: the words, and whether the far side sent them
_WORDS = {
    errno.ECONNREFUSED: ("connection refused", True),
    errno.ECONNRESET: ("connection reset", True),
    errno.EPIPE: ("connection reset", True),
    errno.ENETUNREACH: ("network unreachable", False),
    errno.EHOSTUNREACH: ("no route to host", False),
    errno.ENETDOWN: ("network down", False),
    errno.ETIMEDOUT: ("connection timed out", False),
    errno.ENOENT: ("no such socket", False),
}
_OURS = {
    errno.EMFILE: "too many open files in this console: raise its limit (ulimit -n)",
    errno.ENFILE: "too many open files on this machine",
    errno.EACCES: "not permitted by this machine: a firewall or sandbox of its own",
    errno.EPERM: "not permitted by this machine: a firewall or sandbox of its own",
    errno.EADDRNOTAVAIL: "this machine has no address or port left to connect from",
    errno.ENOBUFS: "this machine has no buffer left for another connection",
    errno.ENOMEM: "this machine has no memory left",
    errno.EAFNOSUPPORT: "this machine does not speak that kind of address",
}
"""What fails on this machine before anything is sent."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, then what caused it, innermost last."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def network_failure(error: BaseException) -> Failure | None:
    """Describe the socket's or TLS error among an exception's causes; None if there is none."""
    for cause in causes(error):
        if isinstance(cause, OwnFault):
            return Failure(str(cause), ours=True)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(f"certificate refused: {brief(cause.verify_message, 80)}", True)
        if isinstance(cause, ssl.SSLError):
            detail = brief((cause.reason or "handshake failed").replace("_", " ").lower(), 60)
            return Failure(f"TLS failed: {detail}", True)
        if isinstance(cause, TimeoutError) or not isinstance(cause, OSError):
            continue
        if cause.errno in _WORDS:
            return Failure(*_WORDS[cause.errno])
        if cause.errno in _OURS:
            return Failure(_OURS[cause.errno], ours=True)
        if cause.errno:
            return Failure(os.strerror(cause.errno).lower())
    return None
