"""The glossary points at places that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "isla_console"
_ROW = re.compile(r"^\| (?P<word>[^|]+) \| [^|]+ \| (?P<where>[^|]+) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


def places() -> dict[str, tuple[list[str], Path]]:
    """For each word, the names that define it and the file or folder they are in."""
    found = {}
    for row in _ROW.finditer((ROOT / "docs/glossary.md").read_text()):
        if row["word"] not in ("Word", "---"):
            *names, path = _CODE.findall(row["where"])
            found[row["word"]] = (names, PACKAGE / path)
    return found


def test_every_word_has_a_place_that_exists() -> None:
    found = places()
    assert len(found) > 60
    missing = {word: str(path) for word, (_, path) in found.items() if not path.exists()}
    assert not missing


def test_every_name_is_defined_in_its_place() -> None:
    wrong = []
    for word, (names, path) in places().items():
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        text = "\n".join(file.read_text() for file in files)
        wrong += [
            f"{word}: {name} is not defined in {path.relative_to(PACKAGE)}"
            for name in names
            if not re.search(rf"^(?:(?:async )?def|class) {name}\b|^{name}\b[^=\n]*=", text, re.MULTILINE)
        ]
    assert not wrong
