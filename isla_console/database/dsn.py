"""What can be told from a PostgreSQL address without connecting, and keeping its password to us."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from isla_console.settings.secret import MASK, Secret

TRANSACTION_POOLER_PORT = 6543
"""Supavisor's and Supabase's PgBouncer's transaction mode; by convention, everywhere."""

Mode = Literal["direct", "session pooler", "transaction pooler"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an address leads. `host` is "" for a Unix socket or when several are listed."""

    host: str
    port: int
    mode: Mode

    @property
    def pooled(self) -> bool:
        """Whether a pooler sits between: prepared statements may not survive it."""
        return self.mode != "direct"


def parse(dsn: Secret) -> Address | None:
    """The address' host, port and mode, or None if it is no postgresql:// URL."""
    try:
        parts = urlsplit(dsn.reveal())
        if parts.scheme not in {"postgresql", "postgres"}:
            return None
        query = parse_qs(parts.query)
        listed = "," in parts.netloc.rpartition("@")[2]
        host = query.get("host", ["" if listed else parts.hostname or ""])[0]
        port = int(query.get("port", ["5432" if listed else str(parts.port or 5432)])[0])
    except ValueError:
        return None
    if host.startswith("/"):
        host = ""
    if port == TRANSACTION_POOLER_PORT:
        return Address(host, port, "transaction pooler")
    return Address(host, port, "session pooler" if "pooler" in host else "direct")


def verified(dsn: Secret) -> Secret:
    """The address, its server's certificate and name checked where a CA is given and no mode asked for."""
    address = dsn.reveal()
    query = parse_qs(address.partition("?")[2])
    if "sslrootcert" in query and "sslmode" not in query:
        return Secret(f"{address}&sslmode=verify-full")
    return dsn


def authority_problem(dsn: Secret) -> str:
    """Why the address' sslrootcert cannot be used; "" when it can, or when none is given."""
    path = parse_qs(dsn.reveal().partition("?")[2]).get("sslrootcert", [""])[0]
    if not path:
        return ""
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return f"sslrootcert: {path} holds no certificate (PEM)"
    except OSError as error:
        return f"sslrootcert: {path}: {(error.strerror or 'it cannot be read').lower()}"
    return ""


def redact(text: str, dsn: Secret) -> str:
    """`text` without the address or its password, in any form they have in the address."""
    address = dsn.reveal()
    for piece in sorted({address, *_passwords(address)}, key=len, reverse=True):
        text = text.replace(piece, MASK)
    return text


def _passwords(address: str) -> set[str]:
    """Every spelling of the password; an unescaped @, : or # in it gives several."""
    found: set[str] = set()
    rest = address.partition("://")[2]
    for userinfo in (rest.rpartition("@")[0], rest.partition("/")[0].rpartition("@")[0]):
        found.add(userinfo.partition(":")[2])
    for key, _, value in (pair.partition("=") for pair in address.partition("?")[2].split("&")):
        if "password" in key:
            found.add(value)
    found |= {unquote(password) for password in found}
    # One or two characters hide nothing and would riddle every sentence with bullets.
    return {password for password in found if len(password) > 2}
