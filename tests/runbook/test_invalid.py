"""Each file in invalid/ with every finding it has, at its line and column.

A file holds what is wrong; the sections it leaves out are appended from minimal.yaml, so that its own lines
keep their numbers. Its findings stand in the file of the same name ending in .txt.
"""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from isla_console.runbook.load import RunbookError, load_text

HERE = Path(__file__).parent
FILES = sorted((HERE / "invalid").glob("*.yaml"))
WHOLE = {"two_documents", "not_a_mapping", "empty"}
"""Files that are taken as they are."""

_SECTION = re.compile(r"^([a-z_]+):", re.MULTILINE)


def completed(path: Path) -> str:
    """The file's text and the sections of the minimal runbook that it leaves out."""
    text = path.read_text("utf-8")
    if path.stem in WHOLE:
        return text
    own = set(_SECTION.findall(text))
    minimal = (HERE / "minimal.yaml").read_text("utf-8")
    starts = [match.start() for match in _SECTION.finditer(minimal)] + [len(minimal)]
    sections = [minimal[start:end] for start, end in pairwise(starts)]
    return text + "".join(part for part in sections if part.split(":")[0] not in own)


def findings(path: Path) -> str:
    """What loading says, a finding a line, without the file's name."""
    with pytest.raises(RunbookError) as error:
        load_text(completed(path), "f")
    return "".join(f"{str(finding).removeprefix('f:')}\n" for finding in error.value.findings)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_finding_stands_at_its_place(path: Path) -> None:
    assert findings(path) == path.with_suffix(".txt").read_text("utf-8")


def test_minimal_runbook_is_valid() -> None:
    runbook, warnings = load_text((HERE / "minimal.yaml").read_text("utf-8"))
    assert runbook.title == "A runbook"
    assert [str(warning) for warning in warnings] == []
