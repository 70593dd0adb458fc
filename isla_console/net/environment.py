"""What this machine's environment says of certificates and proxies, and what is wrong with it.

A certificate file that is not there or a proxy that cannot be used is our own fault: it is said with the
variable that names it, and it never counts against whom we meant to ask.
"""

from __future__ import annotations

import importlib
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from isla_console.net.failures import OwnFault

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""The variables that say whom to trust, the one that wins first."""
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def ssl_context() -> ssl.SSLContext:
    """Return how certificates are verified: as httpx does, by certifi's list unless a variable names another.

    It reads files and takes some 0.2 s: call it in a thread.

    Raises:
        OwnFault: What a variable names cannot be used.
    """
    make: Callable[[], ssl.SSLContext] = importlib.import_module("httpx").create_ssl_context
    name = next((name for name in _CERTIFICATES if os.environ.get(name)), "")
    if not name:
        return make()
    path = Path(os.environ[name])
    empty = OwnFault(f"{name} names {path}, which holds no certificate: correct or unset it")
    try:
        if name == "SSL_CERT_DIR" and not any(path.iterdir()):
            raise empty
        return make()
    except ssl.SSLError:
        raise empty from None
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise OwnFault(f"{name} names {path}, which cannot be read ({why}): correct or unset it") from None


def proxy_variable() -> str:
    """Return the variable that names the proxy of https:// addresses; "" where there is none."""
    return next((name for name in _PROXIES if name.lower() != "http_proxy" and os.environ.get(name)), "")


def proxy_fault() -> OwnFault | None:
    """Return what is wrong with a proxy that the environment names; None where nothing can be seen of it.

    httpx takes every proxy variable when a client is made, and fails on one that it cannot use, whatever is
    to be asked. The proxy's address may hold a password and is not shown.
    """
    for name in _PROXIES:
        value = os.environ.get(name, "")
        scheme = urlsplit(value if "://" in value else f"http://{value}").scheme if value else "http"
        if scheme not in {"http", "https"}:
            return OwnFault(
                f"{name} names a {scheme} proxy, which cannot be used here: unset it, or name an http:// one"
            )
    return None
