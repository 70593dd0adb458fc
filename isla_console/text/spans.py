"""The one place that writes distances in time. Every function takes a timedelta, or seconds.

| Function      | For                                        | Writes                                    |
|---------------|--------------------------------------------|-------------------------------------------|
| `span_text`   | a sentence                                 | `45 s`, `12 min`, `3 h 05 min`, `1 d 06 h` |
| `took_text`   | how long something took, or has taken      | `850 ms`, `1.3 s`, `2 min 19 s`, `3 h 05 min` |
| `window_text` | a length that was configured, exactly      | `90 s`, `5 min`, `24 h`, `1.5 s`          |
| `elapsed`     | the incident's clock                       | `00:12:41`, `1 d 06:12:41`                |
| `countdown`   | what counts down or up on the screen       | `02:19`, `1:02:19`, `1 d 06 h`            |
| `age`         | a figure's age, where space is short       | `3s`, `4m`, `2h`, `5d`                    |

All but `took_text` cut off what is below their last unit, as clocks do: nothing reads as over before it is.
A sign is never written: the words around a span say whether it is ahead or past.
"""

from __future__ import annotations

from datetime import timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def span_text(span: timedelta | float, *, seconds: bool = False) -> str:
    """Return a distance in words: `45 s`, `12 min`, `3 h 05 min`, `1 d 06 h`.

    Args:
        seconds: Write the seconds too, below an hour: `2 min 19 s`.
    """
    whole = _whole(span)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min" + (f" {whole % _MINUTE:02} s" if seconds else "")
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02} h"


def took_text(span: timedelta | float) -> str:
    """Return how long something took: `850 ms`, `1.3 s`, `2 min 19 s`, `3 h 05 min`."""
    exact = abs(_seconds(span))
    if round(exact * 1000) < 1000:
        return f"{exact * 1000:.0f} ms"
    if round(exact, 1) < _MINUTE:
        return f"{exact:.1f} s"
    return span_text(round(exact), seconds=True)


def window_text(span: timedelta | float) -> str:
    """Return a configured length to the millisecond: `60 s`, `5 min`, `24 h`.

    The unit is the greatest that the length is a whole number of; a single minute or day is written in the
    smaller unit, as people configure it.
    """
    exact = abs(_seconds(span))
    for size, unit, least in ((_DAY, "d", 2), (_HOUR, "h", 1), (_MINUTE, "min", 2)):
        if exact >= least * size and exact % size == 0:
            return f"{exact / size:.0f} {unit}"
    return f"{exact:.3f}".rstrip("0").rstrip(".") + " s"


def elapsed(span: timedelta | float) -> str:
    """Return an incident's clock, always with hours: `00:12:41`; days in front where there are any."""
    whole = max(0, int(_seconds(span)))
    days, rest = divmod(whole, _DAY)
    text = f"{rest // _HOUR:02}:{rest // _MINUTE % 60:02}:{rest % 60:02}"
    return f"{days} d {text}" if days else text


def countdown(span: timedelta | float) -> str:
    """Return a distance that counts: `02:19`, from an hour on `1:02:19`, from a day on `1 d 06 h`."""
    whole = _whole(span)
    if whole >= _DAY:
        return span_text(whole)
    if whole >= _HOUR:
        return f"{whole // _HOUR}:{whole // _MINUTE % 60:02}:{whole % 60:02}"
    return f"{whole // _MINUTE:02}:{whole % 60:02}"


def age(span: timedelta | float) -> str:
    """Return how old a figure is, in short: `3s`, `4m`, `2h`, `5d`; a time in the future is `0s`."""
    whole = max(0, int(_seconds(span)))
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def _seconds(span: timedelta | float) -> float:
    return span.total_seconds() if isinstance(span, timedelta) else span


def _whole(span: timedelta | float) -> int:
    return int(abs(_seconds(span)))
