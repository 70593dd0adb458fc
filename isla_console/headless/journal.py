"""What `isla-console journal` says, as plain text and as JSON."""

from __future__ import annotations

from typing import Any

from isla_console.journal.rows import Damaged
from isla_console.journal.salvage import Salvaged, Verified
from isla_console.text.plain import plain

_SHOWN = 100
"""How many damaged entries are listed; the rest are counted."""


def verify_text(found: Verified) -> str:
    """Say in a few lines what a look over the journal found, what is wrong first."""
    lines = [found.problem] if found.problem else []
    lines += [f"damaged: {one}" for one in found.damaged[:_SHOWN]]
    if len(found.damaged) > _SHOWN:
        lines.append(f"and {len(found.damaged) - _SHOWN} more damaged entries")
    lines += [f"set aside: {id} ({_entries(count)}): {why}" for id, count, why in found.set_aside]
    incidents = "1 incident" if found.incidents == 1 else f"{found.incidents} incidents"
    lines.append(f"{_entries(found.entries)} of {incidents} {_are(found.entries)} as written")
    if found.unsealed:
        has = "has" if found.unsealed == 1 else "have"
        lines.append(
            f"{_entries(found.unsealed)} {has} no checksum: a console of an older version wrote them"
        )
    if found.damaged or found.problem:
        lines.append("isla-console journal salvage makes a good journal of it, with what backups have")
    elif found.is_well:
        lines.append("all well")
    return "".join(f"{plain(line)}\n" for line in lines)


def verify_view(found: Verified) -> dict[str, Any]:
    """Return the same, JSON-ready."""
    return {
        "journal": str(found.path),
        "well": found.is_well,
        "entries": found.entries,
        "incidents": found.incidents,
        "without_checksum": found.unsealed,
        "problem": found.problem or None,
        "damaged": [_damaged_view(one) for one in found.damaged],
        "set_aside": [
            {"incident": id, "entries": count, "problem": why} for id, count, why in found.set_aside
        ],
    }


def salvage_text(done: Salvaged) -> str:
    """Say in a few lines what was saved, what is lost, and where the damaged file is."""
    lines = [f"{_entries(done.entries)} {_are(done.entries)} in {done.path}"]
    if done.from_backups:
        lines.append(f"{_entries(done.from_backups)} of them came from backups")
    lines += [f"lost: {one}" for one in done.lost[:_SHOWN]]
    if done.lost:
        lines.append(f"{_entries(len(done.lost))} could not be saved")
    if done.kept is not None:
        lines.append(f"the damaged journal is kept as {done.kept}")
    return "".join(f"{plain(line)}\n" for line in lines)


def salvage_view(done: Salvaged) -> dict[str, Any]:
    """Return the same, JSON-ready."""
    return {
        "journal": str(done.path),
        "entries": done.entries,
        "from_backups": done.from_backups,
        "lost": [_damaged_view(one) for one in done.lost],
        "kept": str(done.kept) if done.kept is not None else None,
    }


def _damaged_view(one: Damaged) -> dict[str, Any]:
    return {
        "position": one.seq,
        "id": one.id or None,
        "incident": one.incident or None,
        "problem": one.problem,
    }


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
