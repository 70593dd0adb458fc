"""Reading a PostgreSQL address without connecting, and keeping its password out of every text."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from isla_console.settings.secret import Secret
from isla_console.text.redact import redact


@dataclass(frozen=True, slots=True)
class Address:
    """Where an address leads. `host` is "" for a Unix socket or when several are listed.

    Neither says whether a pooler sits between: only the server's answers do.
    """

    host: str
    port: int


def parse(dsn: Secret) -> Address | None:
    """Return the address' host and port, or None if it is not a postgresql:// URL."""
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
    return Address("" if host.startswith("/") else host, port)


def verified(dsn: Secret) -> Secret:
    """Return the address; with a CA and no sslmode, one that checks the server's certificate and name."""
    address = dsn.reveal()
    query = parse_qs(address.partition("?")[2])
    if "sslrootcert" in query and "sslmode" not in query:
        return Secret(f"{address}&sslmode=verify-full")
    return dsn


def authority_problem(dsn: Secret) -> str:
    """Return why the address' sslrootcert cannot be used; "" when it can, or when none is given."""
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


def redact_address(text: str, dsn: Secret) -> str:
    """Return `text` without the address or its password, in any form they have in the address."""
    # One or two characters hide nothing and would riddle every sentence with bullets.
    return redact(text, dsn, shortest=3)
