"""What the drill needs of the operating system: a child's account, what ends it, which signals it ignores."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# linux/prctl.h, linux/capability.h, linux/securebits.h
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_LINUX = sys.platform.startswith("linux")
# Loaded here, before any fork: dlopen between fork and exec is not safe.
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The unprivileged account PostgreSQL runs as when the console is root."""

    name: str
    uid: int
    gid: int


def service_user() -> ServiceUser | None:
    """Return `nobody` when we are root, as which PostgreSQL refuses to run; otherwise None, for ourselves.

    Every system has this account, so that a drill does not add one to /etc/passwd.

    Raises:
        OSError: This system has no such account.
    """
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise OSError("PostgreSQL does not run as root, and there is no user nobody") from None
    return ServiceUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def own(path: Path, user: ServiceUser | None) -> None:
    """Give a file, or a folder and everything in it, to the service user."""
    if user is None:
        return
    os.chown(path, user.uid, user.gid)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), user.uid, user.gid)


def restore_signals() -> None:
    """React again to the signals that end a program, whatever the parent ignored or blocked.

    A program that is started by `nohup`, or in the background of a shell without job control, inherits that
    SIGHUP, SIGINT or SIGQUIT are ignored, and so do its children: they would outlive their console.
    """
    for one in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def die_with_parent(death_signal: signal.Signals) -> None:
    """Ask Linux to send this process `death_signal` when the thread that made it ends."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def child_setup(user: ServiceUser | None, death_signal: signal.Signals) -> Callable[[], None]:
    """Return what a child does between fork and exec: become `user`, and end when its parent ends.

    It also reacts to every signal that ends a program. It is a `preexec_fn` for `subprocess`, to be used from
    the main thread of a process that lives as long as the child should.
    """
    parent = os.getpid()

    def setup() -> None:
        restore_signals()
        if user is not None:
            _become(user)
        # After changing the user, which clears this setting.
        die_with_parent(death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return setup


def _become(user: ServiceUser) -> None:
    """Change to `user` for good, keeping only the right to enter folders.

    root's home is closed to others, and so are an environment and a cache in it. Opening them would change
    the machine for everybody; keeping one capability across exec changes nothing. Where the system does not
    grant it, the child has ordinary permissions.
    """
    capability = _lookup_capability()
    if _libc is not None and capability is not None:
        # Without this bit the kernel drops capabilities with uid 0, and access(2), with which
        # PostgreSQL looks for its own programs, ignores them.
        _libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.gid)
    os.setuid(user.uid)
    if _libc is not None and capability is not None:
        mask = 1 << capability
        header = _CapHeader(_CAPABILITY_VERSION_3, 0)
        data = (_CapData * 2)(_CapData(mask, mask, mask), _CapData(0, 0, 0))
        if _libc.capset(ctypes.byref(header), ctypes.byref(data)) == 0:
            _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _lookup_capability() -> int | None:
    """Return the least capability we hold that lets a child enter closed folders, if any."""
    if _libc is None:
        return None
    header = _CapHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)()
    if _libc.capget(ctypes.byref(header), ctypes.byref(data)) != 0:
        return None
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if data[0].permitted & (1 << capability):
            return capability
    return None


def kill(pid: int, signal_number: signal.Signals) -> bool:
    """Send a signal to a process; return False when it has already ended."""
    try:
        os.kill(pid, signal_number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
