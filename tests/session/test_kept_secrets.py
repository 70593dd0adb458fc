"""What people write is kept without the secrets that are known, in whatever spelling they typed them."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from isla_console.incident import commands
from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from isla_console.settings.secret import MASK
from tests.session.sql_support import session_at

TOKEN = "vcp_Zx9/qq+17=abc"
SPELLINGS = {
    "plain": TOKEN,
    "percent": quote(TOKEN, safe=""),
    "base64": base64.b64encode(f"x:{TOKEN}".encode()).decode(),
    "hex": TOKEN.encode().hex(),
    "in JSON": TOKEN.replace("/", "\\/"),
}


@pytest.fixture
async def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(Settings, "secret", _with_a_token(Settings.secret))
    return await session_at("", tmp_path)


def _with_a_token(real):  # type: ignore[no-untyped-def]
    from isla_console.settings.secret import Secret

    return lambda self, name: Secret(TOKEN) if name == "VERCEL_TOKEN" else real(self, name)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_note_has_no_secret(session: Session, tmp_path: Path, spelling: str) -> None:
    assert session.incident is not None
    text = f"tried with {SPELLINGS[spelling]} and it failed"
    assert await session.record(commands.note(session.incident, text, **session.stamp()))
    await session.close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert SPELLINGS[spelling].encode() not in kept
    assert TOKEN.encode() not in kept
    assert MASK.encode() in kept
    assert b"tried with" in kept


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER ROLE app PASSWORD 'hunter2hunter2'",
        "ALTER ROLE app PASSWORD E'hunter2hunter2'",
        "ALTER ROLE app PASSWORD N'hunter2hunter2'",
        "ALTER ROLE app PASSWORD U&'hunter2hunter2'",
        "ALTER ROLE app PASSWORD E'hunter2\\'hunter2'",
        "ALTER ROLE app PASSWORD E'hunter2\\\nhunter2'",
        "ALTER ROLE app PASSWORD 'hunter2''hunter2'",
        "ALTER ROLE app PASSWORD 'hunter2\\'hunter2'",
        "ALTER ROLE app PASSWORD 'hunter2hunter2\\'",
        "ALTER ROLE app PASSWORD $$hunter2hunter2$$",
        "ALTER ROLE app PASSWORD $a$hunter2hunter2$a$",
        "CREATE USER app WITH ENCRYPTED PASSWORD 'hunter2hunter2'",
    ],
)
async def test_a_password_in_a_statement_is_hidden(session: Session, statement: str) -> None:
    assert "hunter2" not in session.keep(statement)
    assert session.keep(statement).startswith(statement[:10])


async def test_prose_about_secrets_stays_readable(session: Session) -> None:
    text = "the token: rotated at 03:12, password reset for all"
    assert session.keep(text) == text
