"""What a PostgreSQL error means, in words, and what becomes of the connection after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from isla_console.database.dsn import authority_problem, redact_address
from isla_console.net.failures import network_failure
from isla_console.settings.secret import Secret
from isla_console.text.brief import brief

Kind = Literal["refused", "full", "lost", "query", "network", "address"]
"""What failed.

`refused`: the login, which is never retried fast. `full`: no connection slot is left. `lost`: the connection
is gone. `query`: only this statement failed. `network`: the server was not reached. `address`: the address is
unusable.
"""


@dataclass(frozen=True, slots=True)
class PgFailure:
    """One error. `reached`: the server or its pooler answered. `ours`: the fault is our own."""

    kind: Kind
    reason: str
    reached: bool
    ours: bool = False


# Supavisor gives every error SQLSTATE XX000 and tells them apart by a code in the text.
_POOLER: dict[str, tuple[Kind, str]] = {
    "EMAXCONNSESSION": ("full", "the pooler has no session left"),
    "EMAXCONN": ("full", "the pooler takes no more clients"),
    "ECHECKOUTTIMEOUT": ("full", "the pooler got no connection from the database in time"),
    "ECIRCUITBREAKER": ("refused", "the pooler has blocked this network after failed logins"),
    "EAUTHQUERY": ("refused", "the pooler cannot look the login up"),
}
_OUR_LOGIN = frozenset({"28P01", "28000", "3D000", "ECIRCUITBREAKER"})
"""Refusals that a wrong address of ours brings about: they say nothing about the database."""
_POOLER_CODE = re.compile(r"\((E[A-Z]{3,})\)")
_OLD_POOLER_FULL = re.compile(r"MaxClientsIn\w+Mode")

_CONNECT: dict[str, tuple[Kind, str]] = {
    "28P01": ("refused", "the password is refused"),
    "28000": ("refused", "the login is refused"),
    "3D000": ("refused", "there is no such database"),
    "53300": ("full", "no connection slot is left"),
    "57P03": ("network", "the server is starting up or shutting down"),
}
_QUERY: dict[str, tuple[Kind, str]] = {
    "57014": ("query", "the query was cancelled: it took longer than its statement timeout"),
    "57P01": ("lost", "an administrator ended our connection"),
    "57P02": ("lost", "the server crashed and ended our connection"),
    "57P05": ("lost", "our connection was ended for being idle"),
    "25P03": ("lost", "our connection was ended for being idle in a transaction"),
    "53300": ("full", "no connection slot is left"),
}


def connect_failure(error: BaseException, dsn: Secret) -> PgFailure:
    """Return what an error while connecting means. The text is redacted and safe to show."""
    import asyncpg

    if isinstance(error, asyncpg.PostgresError):
        return _server_failure(error, dsn, _CONNECT, otherwise="network")
    if isinstance(error, OSError) and (problem := authority_problem(dsn)):
        return PgFailure("network", brief(redact_address(problem, dsn), 120), False, ours=True)
    if found := network_failure(error):
        return PgFailure("network", found.reason, found.reached, found.ours)
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):
        return PgFailure(
            "network", "the server has no TLS, which the address' sslmode asks for", True, ours=True
        )
    if isinstance(error, asyncpg.ClientConfigurationError | ValueError):
        return PgFailure("address", "it is no postgresql:// address that can be used", False, True)
    if isinstance(error, asyncpg.InterfaceError):
        detail = brief(redact_address(str(error), dsn), 80)
        return PgFailure("network", f"cannot connect: {detail}", False)
    if isinstance(error, ConnectionError):
        return PgFailure("network", "the server closed the connection", True)
    return PgFailure("network", f"cannot connect: {type(error).__name__}", False)


def query_failure(error: BaseException, dsn: Secret) -> PgFailure:
    """Return what an error while querying means. The text is redacted and safe to show.

    An error of our own, such as a value that cannot be sent, is `query`: whether the connection still answers
    is to be tried, not guessed.
    """
    import asyncpg

    if isinstance(error, asyncpg.PostgresConnectionError):
        return PgFailure("lost", "our connection was closed", False)
    if isinstance(error, asyncpg.PostgresError):
        return _server_failure(error, dsn, _QUERY, otherwise="query")
    if isinstance(error, TimeoutError):
        return PgFailure("lost", "no answer in time: the connection is given up", False)
    if isinstance(error, OSError):
        found = network_failure(error)
        if found is not None:
            return PgFailure("lost", found.reason, found.reached)
        return PgFailure("lost", "our connection was closed", False)
    words = brief(redact_address(str(error), dsn), 100)
    return PgFailure("query", words or f"the query failed: {type(error).__name__}", True, ours=True)


def _server_failure(
    error: BaseException, dsn: Secret, words: dict[str, tuple[Kind, str]], otherwise: Kind
) -> PgFailure:
    code = str(getattr(error, "sqlstate", None) or "")
    message = str(error)
    detail = brief(redact_address(message, dsn), 100)
    if match := _POOLER_CODE.search(message):
        kind, reason = _POOLER.get(match[1], (otherwise, "the pooler refuses"))
        return PgFailure(kind, f"{reason} ({match[1]})", True, match[1] in _OUR_LOGIN)
    if _OLD_POOLER_FULL.search(message):
        return PgFailure("full", "the pooler has no session left", True)
    if code == "42501" and "row-level security" in message:
        reason = "row-level security hides rows from this role: grant it BYPASSRLS"
        return PgFailure(otherwise, reason, True)
    if code in words:
        kind, reason = words[code]
        return PgFailure(kind, f"{reason} ({code}: {detail})", True, code in _OUR_LOGIN)
    return PgFailure(otherwise, f"{detail} ({code})" if code else detail, True)
