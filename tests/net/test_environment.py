"""What the environment names and cannot be used is our own fault, said with the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from isla_console.net.environment import proxy_fault, proxy_variable, ssl_context
from isla_console.net.failures import OwnFault

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_without_a_variable_the_usual_certificates_hold() -> None:
    assert ssl_context().get_ca_certs()


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_what_is_not_there_is_named(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(name, str(tmp_path / "gone"))
    with pytest.raises(
        OwnFault, match=rf"^{name} names {tmp_path}/gone, which cannot be read \(no such file"
    ):
        ssl_context()


def test_a_file_without_a_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(OwnFault, match="holds no certificate"):
        ssl_context()


def test_an_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with pytest.raises(OwnFault, match=f"SSL_CERT_DIR names {tmp_path}, which holds no certificate"):
        ssl_context()


@pytest.mark.parametrize(
    ("name", "value", "scheme"),
    [
        ("ALL_PROXY", "socks5://ana:hunter2@proxy:1080", "socks5"),
        ("all_proxy", "socks5h://proxy:1080", "socks5h"),
        ("HTTPS_PROXY", "ftp://proxy", "ftp"),
    ],
)
def test_a_proxy_that_cannot_be_used(
    name: str, value: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    fault = str(proxy_fault())
    assert fault.startswith(f"{name} names a {scheme} proxy, which cannot be used here")
    assert "hunter2" not in fault


@pytest.mark.parametrize("value", ["http://proxy:3128", "https://proxy", "proxy:3128", ""])
def test_a_proxy_that_can_be_used(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    assert proxy_fault() is None
    assert proxy_variable() == ("HTTPS_PROXY" if value else "")
