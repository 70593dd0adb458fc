"""TLS to a real server under a real authority: verified in full, or refused in words; what is so is shown."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from isla_console.settings.secret import Secret
from isla_console.sql.engine import SqlEngine, pane_session
from tests.sql.conftest import Server, _programs, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def encrypted(authority: trustme.CA) -> Iterator[Server]:
    """The system's server: the wheel's is built without TLS."""
    _programs("system")
    with running("system") as server:
        server.stop()
        certificate = authority.issue_cert("localhost")
        files = {
            "server.key": certificate.private_key_pem.bytes(),
            "server.crt": b"".join(blob.bytes() for blob in certificate.cert_chain_pems),
        }
        for name, content in files.items():
            path = server.data / name
            path.touch(0o600)
            path.write_bytes(content)
            if os.geteuid() == 0:
                shutil.chown(path, "nobody")
        with (server.data / "postgresql.conf").open("a") as settings:
            settings.write("\nssl = on\n")
        server.start()
        yield server


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def engine(server: Server, host: str, query: str) -> SqlEngine:
    address = server.url().reveal().replace("127.0.0.1", host) + query
    return SqlEngine(pane_session(Secret(address), "isla-console/ana@jump1", "ISLA_DATABASE_URL"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?sslrootcert={ca}", "TLS verified"),
        ("?sslmode=verify-full&sslrootcert={ca}", "TLS verified"),
        ("?sslmode=verify-ca&sslrootcert={ca}", "TLS, host name not checked"),
        ("?sslmode=require", "TLS, certificate not verified"),
        ("?sslmode=disable", "local, no TLS"),
    ],
)
async def test_what_protects_the_connection_is_said(
    encrypted: Server, trusted: Path, query: str, said: str
) -> None:
    pane = engine(encrypted, "localhost", query.format(ca=trusted))
    result = await pane.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert result.error is None
    assert result.rows == (("t" if said.startswith("TLS") else "f",),)
    assert pane.reading().tls == said
    await pane.close()


async def test_another_host_than_the_certificates_is_refused(encrypted: Server, trusted: Path) -> None:
    pane = engine(encrypted, "127.0.0.1", f"?sslrootcert={trusted}")
    result = await pane.run("SELECT 1")
    assert result.error is not None
    assert "certificate refused" in result.error.message
    assert "127.0.0.1" in result.error.message
    assert pane.reading().state == "down"
    await pane.close()


async def test_an_unknown_authority_is_refused(encrypted: Server, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    pane = engine(encrypted, "localhost", f"?sslmode=verify-full&sslrootcert={other}")
    result = await pane.run("SELECT 1")
    assert result.error is not None
    assert "certificate refused" in result.error.message
    assert "self-signed" in result.error.message or "issuer" in result.error.message
    await pane.close()


async def test_an_authority_that_cannot_be_read_is_said(encrypted: Server, tmp_path: Path) -> None:
    missing, garbage = tmp_path / "missing.pem", tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    for path, said in ((missing, "no such file"), (garbage, "holds no certificate")):
        pane = engine(encrypted, "localhost", f"?sslrootcert={path}")
        result = await pane.run("SELECT 1")
        assert result.error is not None
        assert "sslrootcert" in result.error.message
        assert said in result.error.message
        await pane.close()


async def test_a_server_without_tls_is_refused_where_tls_is_asked_for() -> None:
    with running("embedded") as plain:
        pane = engine(plain, "127.0.0.1", "?sslmode=require")
        result = await pane.run("SELECT 1")
        assert result.error is not None
        assert "the server has no TLS" in result.error.message
        await pane.close()
