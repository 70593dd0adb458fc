"""Reading a runbook: what is refused, that nothing else is ever raised, and how long it takes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from isla_console.resources import resource
from isla_console.runbook.load import Finding, Loaded, RunbookError, load_runbook, load_text
from isla_console.text.plain import plain
from tests.support.pace import slowness

MINIMAL = (Path(__file__).parent / "minimal.yaml").read_text("utf-8")


def refusal(path: Path) -> str:
    """What loading says of a file that it refuses."""
    with pytest.raises(RunbookError) as error:
        load_runbook(path)
    assert len(error.value.findings) == 1
    return str(error.value.findings[0]).removeprefix(str(path))


def test_shipped_runbook_has_no_findings(shipped: Loaded) -> None:
    assert shipped.findings == ()
    assert len(shipped.sha256) == 64
    assert shipped.path == resource("runbook.yaml")


def test_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.yaml") == ": there is no such file"


def test_directory(tmp_path: Path) -> None:
    assert refusal(tmp_path) == ": is a directory; expected a file, such as runbook.yaml in it"


def test_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == ": is no regular file; expected a file"


def test_name_with_nul() -> None:
    with pytest.raises(RunbookError, match="cannot be opened"):
        load_runbook(Path("a\0b"))


def test_endless_device() -> None:
    assert "is no regular file" in refusal(Path("/dev/zero"))


def test_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.symlink_to(path)
    assert "cannot be opened" in refusal(path)


def test_binary(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    path.write_bytes(b"version: 1\nid: a\0b\n")
    assert refusal(path) == ":2:6: is binary: byte 16 is NUL; expected UTF-8 text"


def test_program(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    path.write_bytes(Path(sys.executable).read_bytes()[:100_000])
    assert "is binary" in refusal(path)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    path.write_bytes("version: 1\nowner: é caf".encode() + b"\xe9\n")
    assert refusal(path) == ":2:13: is not UTF-8: byte 24 is 0xe9; expected UTF-8 text"


def test_utf16(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    path.write_bytes(MINIMAL.encode("utf-16"))
    assert refusal(path) == ": is UTF-16; expected UTF-8"


def test_byte_order_mark_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    path.write_bytes(MINIMAL.encode("utf-8-sig"))
    assert load_runbook(path).runbook.id == "minimal"


def test_windows_line_ends_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    path.write_bytes(MINIMAL.replace("\n", "\r\n").encode())
    assert load_runbook(path).runbook.id == "minimal"


def test_50_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    start = time.monotonic()
    assert refusal(path) == ": is larger than 2 MB; expected a runbook of some 100 kB"
    assert time.monotonic() - start < 1 * slowness()


@pytest.mark.parametrize(
    "nested", ["[" * 1_000_000, "a: " + "{a: " * 300_000, "- " * 500_000, "? " * 500_000]
)
def test_deep_nesting(nested: str) -> None:
    start = time.monotonic()
    with pytest.raises(RunbookError):
        load_text(nested)
    assert time.monotonic() - start < 5 * slowness()


def test_many_values() -> None:
    with pytest.raises(RunbookError, match="more than 50000 values"):
        load_text("contacts:\n" + "- a\n" * 400_000)


def test_bomb_is_quick() -> None:
    bomb = (Path(__file__).parent / "invalid/bomb.yaml").read_text("utf-8")
    start = time.monotonic()
    with pytest.raises(RunbookError):
        load_text(bomb)
    assert time.monotonic() - start < 1 * slowness()


def test_alias_that_expands_little_is_taken() -> None:
    text = MINIMAL.replace("owner: A team", "owner: &team A team").replace("title: A runbook", "title: *team")
    # An alias comes after its anchor.
    with pytest.raises(RunbookError, match="refers to nothing"):
        load_text(text)
    runbook, _ = load_text(
        MINIMAL.replace("title: A runbook", "title: &it A runbook").replace("A team", "*it")
    )
    assert runbook.owner == "A runbook"


def test_file_name_cannot_move_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\nb.yaml"
    with pytest.raises(RunbookError) as error:
        load_runbook(path)
    assert "\x1b" not in str(error.value)
    assert "\n" not in str(error.value)


def test_findings_cannot_move_the_terminal() -> None:
    with pytest.raises(RunbookError) as error:
        load_text(MINIMAL + '"\\e]0;x\\a": "\\x9b31m"\n')
    assert not any(ord(character) < 32 and character != "\n" for character in str(error.value))
    assert "\x9b" not in str(error.value)


texts = st.text(st.characters(codec="utf-8"), max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)
_SHIPPED = yaml.load(resource("runbook.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)


def errors(load: Callable[[], object]) -> tuple[Finding, ...]:
    """The findings if loading refuses; it raises nothing else."""
    try:
        load()
    except RunbookError as error:
        return error.findings
    return ()


def only_refuses(text: str) -> None:
    for finding in errors(lambda: load_text(text)):
        assert finding.line >= 1
        assert finding.column >= 1
        assert plain(str(finding)) == str(finding)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    assert all(plain(str(finding)) == str(finding) for finding in errors(lambda: load_runbook(path)))


@given(st.text(st.sampled_from("abP0 :-[]{}&*!|>'\"#%@`?,\n\t\\~0123.$"), max_size=200))
@settings(deadline=None, max_examples=300)
def test_anything_like_yaml(text: str) -> None:
    only_refuses(text)


@given(st.dictionaries(st.sampled_from(list(_SHIPPED)), trees, min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_any_section_replaced(sections: dict[str, object]) -> None:
    only_refuses(
        yaml.dump({**_SHIPPED, **sections}, allow_unicode=True, sort_keys=False, Dumper=yaml.CSafeDumper)
    )


def places(data: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document."""
    found = [path] if path else []
    if isinstance(data, dict):
        for key, value in data.items():
            found += places(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            found += places(value, (*path, index))
    return found


@given(st.sampled_from(places(yaml.load(MINIMAL, Loader=yaml.CSafeLoader))), trees)
@settings(deadline=None, max_examples=400)
def test_any_value_replaced(path: tuple[str | int, ...], value: object) -> None:
    data = yaml.load(MINIMAL, Loader=yaml.CSafeLoader)
    inner = data
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    only_refuses(yaml.dump(data, allow_unicode=True, sort_keys=False, Dumper=yaml.CSafeDumper))


def test_loading_imports_neither_screen_nor_network() -> None:
    heavy = ["textual", "rich", "httpx", "asyncpg", "stripe", "asyncio", "ssl", "difflib"]
    script = (
        "import sys; from pathlib import Path; from isla_console.runbook.load import load_runbook;"
        f"load_runbook(Path({str(resource('runbook.yaml'))!r}));"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_is_quick() -> None:
    path = resource("runbook.yaml")
    best = min(_seconds(path) for _ in range(5))
    # About 30 ms where this was written; the bound only catches a change of kind.
    assert best < 0.25 * slowness()


def _seconds(path: Path) -> float:
    start = time.perf_counter()
    load_runbook(path)
    return time.perf_counter() - start
