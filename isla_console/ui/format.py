"""Times and distances as the screens write them. Pure; seconds in, text out."""

from datetime import datetime, timedelta


def elapsed(seconds: float) -> str:
    """An incident clock, always with hours: `00:12:41`; days in front where there are any."""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86_400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}d {text}" if days else text


def countdown(seconds: float) -> str:
    """A distance that counts: `02:19`, from an hour on `1:02:19`, from two days on `2d 03h`."""
    whole = abs(int(seconds))
    if whole >= 172_800:
        return f"{whole // 86_400}d {whole // 3600 % 24:02}h"
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60:02}:{whole % 60:02}"


def age(seconds: float) -> str:
    """How old a figure is, short: `3s`, `4m`, `2h`, `5d`."""
    whole = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def duration(delta: timedelta) -> str:
    """A span in words for prose: `3 min`, `2 h 05 min`, `40 s`."""
    whole = max(0, int(delta.total_seconds()))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 172_800:
        return f"{whole // 3600} h {whole // 60 % 60:02} min"
    return f"{whole // 86_400} d {whole // 3600 % 24} h"


def hm(at: datetime, now: datetime | None = None) -> str:
    """A UTC minute: `14:30Z`; with the date where it is another day than `now`'s."""
    if now is not None and at.date() != now.date():
        return at.strftime("%m-%d %H:%MZ")
    return at.strftime("%H:%MZ")


def hms(at: datetime) -> str:
    """A UTC second: `14:05:10Z`."""
    return at.strftime("%H:%M:%SZ")
