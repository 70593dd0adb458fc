"""Every private part of Textual that the console uses: that it is there, as we use it, and used in one room.

A failure after an update of Textual names what is gone and where it is needed; docs/textual-internals.md says
why it is used and what could take its place.
"""

import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import textual

from tests.support.private_names import Found, found_in, own_names

ROOT = Path(__file__).parents[3]
ROOM = Path("isla_console/ui/terminal")
PAGE = Path("docs/textual-internals.md")


@dataclass(frozen=True)
class Use:
    """A private name of Textual: `owner` is its class, or "" for a name of a private module."""

    module: str
    owner: str
    name: str
    file: str
    """Where in `ui/terminal` it is used."""
    purpose: str
    """Ends the sentence "which ui/terminal/<file> needs to …"."""
    parameters: tuple[str, ...] | None = None
    """Of a method that we call or override: its parameters without `self`."""

    @property
    def full(self) -> str:
        return f"{self.owner or self.module}.{self.name}"

    @property
    def gone(self) -> str:
        return (
            f"Textual {textual.__version__} no longer has {self.full}, which {ROOM}/{self.file} needs to "
            f"{self.purpose}; see {PAGE}"
        )


PARSER = "textual._xterm_parser"
LIST = "textual.widgets._option_list"
RENDER = "textual._compositor"
USES = [
    Use("textual.app", "App", "_driver", "driver.py", "write control sequences to the terminal"),
    Use("textual.app", "App", "_driver", "app.py", "know whether the terminal takes what is drawn"),
    Use(PARSER, "", "XTermParser", "decoder.py", "name the keys of a sequence"),
    Use(PARSER, "XTermParser", "_sequence_to_key_events", "decoder.py", "name keys", ("sequence", "alt")),
    Use("textual._ansi_sequences", "", "ANSI_SEQUENCES_KEYS", "decoder.py", "know which sequences are keys"),
    Use("textual._keyboard_protocol", "", "FUNCTIONAL_KEYS", "decoder.py", "know which numbers are keys"),
    Use("textual.app", "App", "_display", "app.py", "send only changed cells", ("screen", "renderable")),
    Use("textual.app", "App", "_fatal_error", "app.py", "keep variables out of a traceback", ()),
    Use("textual.screen", "Screen", "_compositor", "screen.py", "install a compositor of ours"),
    Use(RENDER, "", "Compositor", "compositor.py", "render changed lines alone"),
    Use(RENDER, "Compositor", "_dirty_regions", "compositor.py", "know what changed"),
    Use(RENDER, "Compositor", "_get_renders", "compositor.py", "render changed lines alone", ("crop",)),
    Use(RENDER, "", "ChopsUpdate", "painter.py", "read the cells of a partial update"),
    Use(RENDER, "", "LayoutUpdate", "painter.py", "read the cells of a full update"),
    Use(RENDER, "", "CompositorUpdate", "painter.py", "put its own update in place of Textual's"),
    Use(LIST, "Option", "_set_prompt", "prompts.py", "change the prompt of one option", ("prompt",)),
    Use(LIST, "OptionList", "_option_render_cache", "prompts.py", "render one option anew"),
]
PUBLIC_NAMES = [
    # Without an underscore, but of classes from a private module.
    Use(RENDER, "Compositor", "visible_widgets", "compositor.py", "go through the widgets, front first"),
    Use(RENDER, "Compositor", "render_partial_update", "compositor.py", "render changed lines alone", ()),
    Use(RENDER, "ChopsUpdate", "chops", "painter.py", "read the cells of a partial update"),
    Use(RENDER, "ChopsUpdate", "spans", "painter.py", "read the cells of a partial update"),
    Use(RENDER, "ChopsUpdate", "chop_ends", "painter.py", "read the cells of a partial update"),
    Use(RENDER, "LayoutUpdate", "strips", "painter.py", "read the cells of a full update"),
    Use(RENDER, "LayoutUpdate", "region", "painter.py", "read the cells of a full update"),
    Use(RENDER, "CompositorUpdate", "render_segments", "painter.py", "write its own", ("console",)),
    Use(PARSER, "XTermParser", "parse_mouse_code", "decoder.py", "read a mouse report", ("code",)),
]


@pytest.mark.parametrize("use", [*USES, *PUBLIC_NAMES], ids=lambda use: use.full)
def test_what_is_used_is_there(use: Use) -> None:
    try:
        owner = importlib.import_module(use.module)
        found = getattr(owner, use.owner) if use.owner else owner
    except (ImportError, AttributeError):
        pytest.fail(use.gone)
    if not use.owner:
        assert hasattr(found, use.name), use.gone
        return
    assert any(use.name in own_names(base) for base in found.__mro__[:-1]), use.gone
    if use.parameters is not None:
        parameters = tuple(inspect.signature(getattr(found, use.name)).parameters)
        assert parameters == ("self", *use.parameters), (
            f"Textual {textual.__version__} has other parameters for {use.full}: {parameters}; "
            f"{ROOM}/{use.file} needs it to {use.purpose}; see {PAGE}"
        )


def test_what_is_gone_is_named() -> None:
    """The check itself: a name that is not there is told with its place and its purpose."""
    use = Use("textual.screen", "Screen", "_composer", "screen.py", "install a compositor of ours")
    with pytest.raises(AssertionError, match=r"no longer has Screen\._composer, which .*/screen\.py needs"):
        test_what_is_used_is_there(use)


def test_every_use_is_listed() -> None:
    """The table above is what `ui/terminal` really uses, no more and no less."""
    found = _found(ROOM)
    used = {(one.path.name, one.name) for one in found if one.owner != "textual"}
    assert used == {(use.file, use.name) for use in USES if use.owner}
    modules = {f"textual.{one.name}" for one in found if one.owner == "textual"}
    assert modules == {use.module for use in USES if not use.owner}


def test_every_use_is_explained() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    missing = [use.full for use in USES if f"`{use.full.removeprefix('textual.')}`" not in text]
    assert not missing, f"{PAGE} does not name {missing}"


def test_only_the_terminal_package_uses_private_parts() -> None:
    elsewhere = [found for found in _found(Path("isla_console/ui")) if not found.path.is_relative_to(ROOM)]
    assert not elsewhere, "\n".join(map(str, elsewhere))


@cache
def _found(folder: Path) -> list[Found]:
    return [found for path in sorted((ROOT / folder).rglob("*.py")) for found in found_in(path, ROOT)]
