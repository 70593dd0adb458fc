"""What went wrong on the network, in words for a tired person, and whether anything answered."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from isla_console.text.brief import brief


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there was no good answer. `reached` says that something answered, if only to refuse."""

    reason: str
    reached: bool = False


# errno: the words, and whether the far side sent them
_WORDS = {
    errno.ECONNREFUSED: ("connection refused", True),
    errno.ECONNRESET: ("connection reset", True),
    errno.EPIPE: ("connection reset", True),
    errno.ENETUNREACH: ("network unreachable", False),
    errno.EHOSTUNREACH: ("no route to host", False),
    errno.ENETDOWN: ("network down", False),
    errno.ETIMEDOUT: ("connection timed out", False),
    errno.EMFILE: ("too many open files in this console", False),
    errno.ENFILE: ("too many open files on this machine", False),
    errno.EACCES: ("not permitted by this machine", False),
    errno.EPERM: ("not permitted by this machine", False),
    errno.ENOENT: ("no such socket", False),
}


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
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(f"certificate refused: {brief(cause.verify_message, 80)}", True)
        if isinstance(cause, ssl.SSLError):
            detail = brief((cause.reason or "handshake failed").replace("_", " ").lower(), 60)
            return Failure(f"TLS failed: {detail}", True)
        if isinstance(cause, TimeoutError) or not isinstance(cause, OSError):
            continue
        if cause.errno in _WORDS:
            return Failure(*_WORDS[cause.errno])
        if cause.errno:
            return Failure(os.strerror(cause.errno).lower())
    return None
