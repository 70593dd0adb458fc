"""What an address says, and that no spelling of its password gets out."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isla_console.database.dsn import Address, parse, redact_address, verified
from isla_console.database.failures import PgFailure, connect_failure
from isla_console.settings.secret import Secret


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://a:b@db.ref.supabase.co:5432/postgres", Address("db.ref.supabase.co", 5432)),
        ("postgres://a:b@db.ref.supabase.co", Address("db.ref.supabase.co", 5432)),
        ("postgresql://a:b@db.ref.supabase.co:6543/x", Address("db.ref.supabase.co", 6543)),
        ("postgresql://a:b@/x?host=/tmp&port=6543", Address("", 6543)),
        ("postgresql://a:b@one:1,two:2/x", Address("", 5432)),
        ("postgresql://a:p@ss@host:1/x", Address("host", 1)),
        ("postgresql://a:b@[::1]:1/x", Address("::1", 1)),
        ("postgresql://a:b@host:port/x", None),
        ("https://host/", None),
        ("", None),
    ],
)
def test_addresses(dsn: str, expected: Address | None) -> None:
    assert parse(Secret(dsn)) == expected


@settings(deadline=None)  # a redactor for each takes milliseconds
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=6, max_size=20))
def test_no_spelling_of_the_password_gets_out(password: str) -> None:
    quoted = quote(password, safe="")
    for dsn in (
        f"postgresql://ana:{quoted}@host/db",
        f"postgresql://ana@host/db?password={quoted}",
    ):
        text = f'server said: "{password}" and {quoted} in {dsn}'
        shown = redact_address(text, Secret(dsn))
        assert password not in shown
        assert quoted not in shown


@pytest.mark.parametrize(
    ("message", "sqlstate", "kind", "reason"),
    [
        (
            "(EMAXCONNSESSION) max clients reached in session mode - limited to pool_size: 15",
            "XX000",
            "full",
            "the pooler has no session left (EMAXCONNSESSION)",
        ),
        (
            "(EMAXCONN) max client connections reached",
            "XX000",
            "full",
            "the pooler takes no more clients (EMAXCONN)",
        ),
        (
            "(ECHECKOUTTIMEOUT) unable to check out connection from the pool after 60000ms",
            "XX000",
            "full",
            "the pooler got no connection from the database in time (ECHECKOUTTIMEOUT)",
        ),
        ("MaxClientsInSessionMode: max clients reached", "XX000", "full", "the pooler has no session left"),
        (
            "(ECIRCUITBREAKER) too many authentication failures",
            "XX000",
            "refused",
            "the pooler has blocked this network after failed logins (ECIRCUITBREAKER)",
        ),
        ("(ENEW) something", "XX000", "network", "the pooler refuses (ENEW)"),
        (
            "sorry, too many clients already",
            "53300",
            "full",
            "no connection slot is left (53300: sorry, too many clients already)",
        ),
        (
            "the database system is starting up",
            "57P03",
            "network",
            "the server is starting up or shutting down (57P03: the database system is starting up)",
        ),
        ("\x1b[2J\x07boom", "XX001", "network", "␛[2J␇boom (XX001)"),
        ("no password pass-word", "XX001", "network", "no password •••••• (XX001)"),
    ],
)
def test_what_servers_and_poolers_say(message: str, sqlstate: str, kind: str, reason: str) -> None:
    import asyncpg

    error = asyncpg.PostgresError(message)
    vars(error)["sqlstate"] = sqlstate
    failure = connect_failure(error, Secret("postgresql://ana:pass-word@host/db"))
    ours = "ECIRCUITBREAKER" in message
    assert failure == PgFailure(kind, reason, True, ours)  # type: ignore[arg-type]


@pytest.mark.parametrize("sqlstate", ["28P01", "28000", "3D000"])
def test_a_login_that_is_refused_is_our_setting(sqlstate: str) -> None:
    import asyncpg

    error = asyncpg.PostgresError("no")
    vars(error)["sqlstate"] = sqlstate
    assert connect_failure(error, Secret("postgresql://ana:pass-word@host/db")).ours


def test_a_ca_that_is_given_is_used() -> None:
    plain = "postgresql://a:b@db.example.com/x"
    assert verified(Secret(plain)).reveal() == plain
    given = f"{plain}?sslrootcert=/etc/ca.pem"
    assert verified(Secret(given)).reveal() == f"{given}&sslmode=verify-full"
    chosen = f"{given}&sslmode=require"
    assert verified(Secret(chosen)).reveal() == chosen
