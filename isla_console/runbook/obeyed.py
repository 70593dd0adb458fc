"""Variables that a shell, a loader or a common tool obeys: whoever sets one decides what is run."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = frozenset(
    """
    PATH HOME SHELL ENV IFS CDPATH GLOBIGNORE FPATH TMPDIR EDITOR VISUAL PAGER BROWSER MANPAGER TERM TERMINFO
    UID EUID PPID OPTIND OPTARG RANDOM SECONDS PS0 PS1 PS2 PS3 PS4 PROMPT_COMMAND SHELLOPTS BASHOPTS
    POSIXLY_CORRECT GCONV_PATH LOCPATH NLSPATH GLIBC_TUNABLES RES_OPTIONS HOSTALIASES LOCALDOMAIN LANG
    LANGUAGE TZ TZDIR _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH MORE WGETRC HTTP_PROXY HTTPS_PROXY ALL_PROXY
    NO_PROXY
    REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS MAKEFLAGS CC CXX CFLAGS GOPATH GOFLAGS GOROOT GOPROXY GOENV GOBIN
    GOCACHE GOTOOLCHAIN KUBECONFIG AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE TAR_OPTIONS GREP_OPTIONS
    DISPLAY
    """.split()  # noqa: SIM905 - a list to read
)
_BEGINNINGS: Final = tuple(
    """
    LD_ DYLD_ BASH MALLOC_ LC_ PYTHON PERL RUBY GEM_ BUNDLE_ NODE_ NPM_ npm_ JAVA PHP LUA_ TCL AWK GIT_ SSH_
    LESS PSQL MYSQL_ REDISCLI_ CURL_ SSL_CERT_ OPENSSL_ MAKE RUSTC CARGO_ XDG_ DOCKER_ KUBE JQ_ DBUS_ SYSTEMD_
    SUDO_
    """.split()  # noqa: SIM905 - a list to read
)


def obeys(name: str) -> bool:
    """Return whether a shell, a loader or a common tool does what a variable of this name says."""
    return (
        name in _NAMES
        or name.startswith(_BEGINNINGS)
        or re.fullmatch(r"PG[A-Z]+|[a-z]+_proxy", name) is not None
    )
