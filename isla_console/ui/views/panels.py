"""The panels of the measures: three lines each, or one cell each where there is no room for panels."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest

from textual.content import Content

from isla_console.monitor.link import LinkReading
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.monitor import Snapshot
from isla_console.runbook.model import MetricSpec, Runbook
from isla_console.session.state import ConsoleState
from isla_console.text.plain import plain
from isla_console.text.spans import age
from isla_console.triage.blame import blame
from isla_console.triage.health import Health, health_of
from isla_console.ui.lines import ends
from isla_console.ui.theme import GLYPHS, MUTED, STYLES, sparkline


def metric_panel(reading: Reading, spec: MetricSpec, now: datetime, width: int) -> list[Content]:
    """Draw value and state, then the course, then bound, source and age; or what to set, if it is missing.

    A value made from too few samples is marked with `~`.
    """
    if reading.state == "unknown" and reading.value is None:
        return [_state(reading, width), *_wrapped(plain(reading.reason), width, 2)]
    ceiling = spec.alert.value if spec.alert.upward else 0.0
    course = Content.styled(sparkline(reading.history, width, ceiling), _course_style(reading))
    return [_state(reading, width), course, _origin(reading, spec, now, width)]


def metric_cell(reading: Reading) -> Content:
    """Draw glyph, the name's first word and value, and the state in words unless it is ok."""
    word = "" if reading.seen == "ok" else f" {_word(reading)}"
    value = reading.text if reading.value is not None else ""
    return Content.assemble(
        (GLYPHS[reading.seen], STYLES[reading.seen]),
        f" {reading.short.split(' ')[0]}{' ' if value else ''}",
        (value, "bold" if reading.state in {"alert", "elevated"} else ""),
        (word, STYLES[reading.seen]),
    )


def _word(reading: Reading) -> str:
    """Return the state in words; what is well by an older sample alone did not answer just now."""
    return reading.state if reading.seen == reading.state else "no answer"


def metric_strip(readings: Sequence[Reading], last: Content, width: int) -> list[Content]:
    """Draw all measures in two lines, three a line; `last` ends the second line if there is room."""
    rows = [[metric_cell(reading) for reading in readings[at : at + 3]] for at in range(0, len(readings), 3)]
    columns = [
        max(cell.cell_length for cell in column) for column in zip_longest(*rows, fillvalue=Content(""))
    ]
    gap = 2 if sum(columns) + 2 * len(columns) <= width else 1
    lines = [
        Content(" " * gap).join(
            cell.truncate(size, pad=True) for cell, size in zip(row, columns, strict=False)
        )
        for row in rows
    ]
    if lines and lines[-1].cell_length + last.cell_length < width:
        lines[-1] = ends(lines[-1], last, width)
    return lines


def they_or_me(runbook: Runbook, snapshot: Snapshot | None, width: int) -> list[Content]:
    """Draw our own link, the vendors and our endpoints: three lines that say whose trouble it is."""
    if snapshot is None:
        return [Content.styled("not measured yet", MUTED)]
    whole = health_of(runbook, snapshot)
    lines = [_link(snapshot.link), _vendors(whole.of("vendor")), _probes(whole.of("probe"))]
    return [line.truncate(width, ellipsis=True) for line in lines if line]


def _probes(probes: Health) -> Content:
    """Say how many fail, else how many of all answer; green only if all do."""
    failing, missing, all = len(probes.failing), len(probes.unmeasured), len(probes.parts)
    if not all:
        return Content("")
    if failing:
        said = (f"{GLYPHS['alert']} {failing} fail{'s' if failing == 1 else ''}", STYLES["alert"])
    elif missing == all:
        said = (f"{GLYPHS['unknown']} none asked yet", MUTED)
    elif missing:
        said = (f"{GLYPHS['unknown']} {all - missing} of {all} ok", STYLES["unknown"])
    else:
        return Content.assemble("probes   ", (GLYPHS["ok"], STYLES["ok"]), f" {all} ok")
    return Content.assemble("probes   ", said)


def verdict(state: ConsoleState) -> Content:
    """Say whose trouble it is in a few words, for the strip."""
    found = blame(state.runbook, state.facts, state.triage, state.health)
    style = {"us": STYLES["alert"], "they": STYLES["elevated"], "me": STYLES["elevated"]}.get(
        found.side, MUTED
    )
    return Content.styled(found.words, style)


def _vendors(vendors: Health) -> Content:
    """Name the vendors in trouble, else those not known, else say how many are well."""
    if not vendors.parts:
        return Content("")
    for states, state in (
        (("down",), "alert"),
        (("degraded",), "elevated"),
        (("unknown", "stale"), "unknown"),
    ):
        if names := [vendor.title for vendor in vendors.parts if vendor.state in states]:
            said = ", ".join(names) if len(names) < len(vendors.parts) or state != "unknown" else "not known"
            return Content.assemble("vendors  ", (f"{GLYPHS[state]} {said}", STYLES[state]))
    if vendors.unmeasured:
        return Content.assemble("vendors  ", (f"{GLYPHS['blind']} blind", STYLES["blind"]))
    return Content.assemble("vendors  ", (GLYPHS["ok"], STYLES["ok"]), f" {len(vendors.parts)} green")


def _link(link: LinkReading) -> Content:
    if link.state == "ok":
        measured = f" {link.ms:.0f} ms" if link.ms is not None else " ok"
        return Content.assemble("own link ", (GLYPHS["ok"], STYLES["ok"]), measured)
    return Content.assemble("own link ", (f"{GLYPHS[link.state]} {link.state}", STYLES[link.state]))


def _state(reading: Reading, width: int) -> Content:
    glyph, style = GLYPHS[reading.seen], STYLES[reading.seen]
    few = "~" if reading.provisional else ""
    value = f"{few}{reading.text}  " if reading.value is not None else ""
    return Content.assemble((f"{glyph} ", style), (value, "bold"), (_word(reading), style)).truncate(
        width, ellipsis=True
    )


_SHORT_KINDS = {"postgres": "sql", "http_json": "json", "prometheus": "prom"}
"""What a kind of metric source is called where room lacks, unless it is by its own name."""


def _origin(reading: Reading, spec: MetricSpec, now: datetime, width: int) -> Content:
    """Draw bound, source and age; where room is short, one word for the source and no unit."""
    old = "" if reading.sampled_at is None else age(now - reading.sampled_at)
    long = " · ".join(part for part in (reading.bound, plain(reading.source), old) if part)
    if len(long) <= width:
        return Content.styled(long, MUTED)
    bound = reading.bound.removesuffix(f" {spec.unit}")
    if spec.source.kind == "stripe":
        # Of how many, and whose money: both matter more than the bound.
        mode = " ".join(word for word in ("LIVE", "TEST") if word in reading.source)
        short = " ".join(part for part in (f"n={reading.n} {_window(spec)}", mode, "·", old) if part)
        if len(short) > width:
            short = " ".join(part for part in (f"n={reading.n}", mode, "·", old) if part)
        return Content.styled(short, MUTED).truncate(width, ellipsis=True)
    kind = spec.source.kind
    source = age(spec.source.window_s) if kind == "error_rate" else _SHORT_KINDS.get(kind, kind)
    short = " · ".join(part for part in (bound, source, old) if part)
    if len(short) > width:  # an age that lost its end would be another age
        short = " · ".join(part for part in (bound, old) if part)
    return Content.styled(short, MUTED).truncate(width, ellipsis=True)


def _window(spec: MetricSpec) -> str:
    return age(spec.source.window_s)


def _course_style(reading: Reading) -> str:
    return STYLES[reading.state] if reading.state in {"alert", "elevated"} else MUTED


def _wrapped(text: str, width: int, rows: int) -> list[Content]:
    lines = _lines(text, width)
    if len(lines) > rows:
        # In a narrow panel the name of the variable matters, and it must be whole.
        first, *others = text.split("; ")
        rest = _lines(f"and {len(others)} more", width) if others else []
        lines = _lines(first, width)
        if len(lines) + len(rest) > rows:
            lines = _lines(first.removeprefix("set "), width)
        lines += rest
    return [*(Content.styled(line, MUTED) for line in lines[:rows]), *[Content("")] * (rows - len(lines))]


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(1, width), break_on_hyphens=False)
