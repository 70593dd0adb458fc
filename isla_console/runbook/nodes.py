"""Reading YAML into plain data that remembers where each value was.

libyaml parses; the tree is built here from its events, because composing nodes recursively would let a
deeply nested file overflow the C stack, and aliases expand without a limit. Scalars follow the YAML 1.2
core schema: `yes`, `on` and dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml

from isla_console.runbook.findings import Path, show
from isla_console.text.plain import plain

MAX_DEPTH = 40
MAX_VALUES = 50_000
"""The most values a document may have, those repeated by aliases counted each time."""

_INT = re.compile(r"[-+]?[0-9]{1,18}$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)

# What no YAML may hold as it stands; libyaml would not say on which line.
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# What a text may not hold: it would be shown or run without being seen. Controls, line and paragraph
# separators, zero-width and direction characters, lone surrogates.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb]"
)


class Position(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """Something wrong with the file as YAML."""

    at: Position
    problem: str
    expected: str = ""
    path: Path = ()


class YamlError(Exception):
    """The text cannot be read to its end; `problems` holds what was found until then."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems[-1].problem)
        self.problems = problems


@dataclass(slots=True, eq=False)
class Node:
    """A value with its place.

    `value` is plain data: dict, list, str, int, float, bool or None. `keys` and `members` are filled for
    mappings, `items` for lists. `size` is the number of values in it. `block_indent` is by how many columns
    the lines of a text are indented that is written as it stands (`|`); 0 for any other value.
    """

    at: Position
    value: Any
    keys: dict[str, Position] = field(default_factory=dict)
    members: dict[str, Node] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    size: int = 1
    block_indent: int = 0

    def child(self, part: str | int) -> Node | None:
        """Return the member of this name or the item of this index."""
        if isinstance(part, int):
            return self.items[part] if part < len(self.items) else None
        return self.members.get(part)

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Return where the value at `path` or its key begins; the nearest place around it if it is absent."""
        node = self
        for index, part in enumerate(path):
            if key and index == len(path) - 1 and isinstance(part, str) and part in node.keys:
                return node.keys[part]
            found = node.child(part)
            if found is None:
                return node.at
            node = found
        return node.at


@dataclass(slots=True)
class _Open:
    """A collection being filled; `key` is the mapping key that waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_at: Position | None = None
    skip: bool = False
    """The coming value belongs to a key that is refused."""


def parse(text: str) -> tuple[Node, list[Problem]]:
    """Return the document's tree, with the problems that do not end the reading, such as duplicate keys.

    Raises:
        YamlError: It is broken YAML, several documents, too deep, too large, or empty.
    """
    problems: list[Problem] = []
    if hidden := _NOT_YAML.search(text):
        at = hidden.start()
        place = Position(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        problem = f"a control character, U+{ord(hidden[0]):04X}"
        raise YamlError([Problem(place, problem, 'visible text, or an escape such as "\\n"')])
    try:
        root = _Builder(problems).build(text)
    except yaml.MarkedYAMLError as error:
        problems.append(_syntax(error, text))
        raise YamlError(problems) from None
    except yaml.YAMLError as error:
        problems.append(Problem(Position(1, 1), f"not YAML: {plain(str(error))[:200]}"))
        raise YamlError(problems) from None
    if root is None:
        problems.append(Problem(Position(1, 1), "the file is empty", "a runbook: version, title, issues …"))
        raise YamlError(problems)
    return root, problems


class _Builder:
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        """Finished nodes by anchor; None while the node is still open."""
        self.count = 0
        self.lines: list[str] = []

    def build(self, text: str) -> Node | None:
        self.lines = text.split("\n")
        for event in _events(text):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._open(event, {})
            elif isinstance(event, yaml.SequenceStartEvent):
                self._open(event, [])
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
            elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
                self._stop(event, "a second document begins", "one document in a file: remove this ---")
        return self.root

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        at = _start(event)
        top = self.stack[-1] if self.stack else None
        if hidden := _HIDDEN.search(event.value):
            code = f"U+{ord(hidden[0]):04X}"
            self.problems.append(
                Problem(
                    at, f"a hidden character, {code}, in {show(event.value)}", "visible text", self._path()
                )
            )
        self._refuse_tag(event)
        if top is not None and isinstance(top.node.value, dict) and top.key is None:
            self._key(top, event.value, at)
            return
        self._tally(event)
        node = Node(at, _resolve(event.value) if event.implicit[0] else event.value)
        if event.style == "|":
            node.block_indent = self._indent(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._add(node)

    def _indent(self, event: yaml.ScalarEvent) -> int:
        """Return by how many columns the first line of a literal text is indented."""
        mark = event.start_mark
        assert mark is not None  # libyaml marks every event
        first = self.lines[mark.line + 1] if mark.line + 1 < len(self.lines) else ""
        own = event.value.split("\n", 1)[0]
        return max(0, len(first.rstrip("\r")) - len(own))

    def _key(self, top: _Open, key: str, at: Position) -> None:
        top.key, top.key_at = key, at
        top.skip = key in top.node.keys
        if top.skip:
            line = top.node.keys[key].line
            path = (*self._path()[:-1], key)
            self.problems.append(
                Problem(at, f"the key {show(key)} stands twice; first on line {line}", "one of them", path)
            )

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        if name not in self.anchors:
            self._stop(event, f"*{plain(name)} refers to nothing", f"an anchor &{plain(name)} before it")
        node = self.anchors[name]
        if node is None:
            self._stop(event, f"*{plain(name)} stands inside what it refers to", "data that ends")
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.node.value, dict) and top.key is None:
            self._stop(event, "an alias stands as a key", "a plain name")
        self._tally(event, node.size)
        self._add(node)

    def _open(self, event: yaml.CollectionStartEvent, value: Any) -> None:
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.node.value, dict) and top.key is None:
            self._stop(event, "a list or mapping stands as a key", "a plain name")
        if len(self.stack) >= MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} deep", "a runbook is at most a dozen deep")
        self._refuse_tag(event)
        self._tally(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(Node(_start(event), value), event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor is not None:
            self.anchors[done.anchor] = done.node
        self._add(done.node)

    def _tally(self, event: yaml.Event, values: int = 1) -> None:
        self.count += values
        if self.count > MAX_VALUES:
            self._stop(event, f"more than {MAX_VALUES} values, aliases counted where used", "far fewer")

    def _add(self, node: Node) -> None:
        """Put a finished node into the collection around it."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        parent = top.node
        parent.size += node.size
        if isinstance(parent.value, list):
            parent.items.append(node)
            parent.value.append(node.value)
            return
        assert top.key is not None
        assert top.key_at is not None
        if not top.skip:
            parent.keys[top.key] = top.key_at
            parent.members[top.key] = node
            parent.value[top.key] = node.value
        top.key = None

    def _refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag not in (None, "!"):
            problem = f"the tag {show(event.tag)} is not used in runbooks"
            self.problems.append(Problem(_start(event), problem, "plain data", self._path()))

    def _stop(self, event: yaml.Event, problem: str, expected: str) -> NoReturn:
        self.problems.append(Problem(_start(event), problem, expected, self._path()))
        raise YamlError(self.problems)

    def _path(self) -> Path:
        """Return the path of the value that comes next."""
        path: list[str | int] = []
        for part in self.stack:
            if isinstance(part.node.value, list):
                path.append(len(part.node.items))
            elif part.key is not None:
                path.append(part.key)
        return tuple(path)


def _events(text: str) -> Iterator[yaml.Event]:
    return yaml.parse(text, Loader=yaml.CSafeLoader)


def _start(event: yaml.Event) -> Position:
    mark = event.start_mark
    assert mark is not None  # libyaml marks every event
    return Position(mark.line + 1, mark.column + 1)


def _resolve(text: str) -> Any:
    """Resolve a plain scalar by the core schema."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first.isdigit() or first in "+-.":
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Problem:
    """Word an error of libyaml, with what usually causes it."""
    mark = error.problem_mark or error.context_mark
    at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    lines = text.split("\n")
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    said = error.problem or "broken YAML"
    if "\t" in line[: len(line) - len(line.lstrip())]:
        tab = Position(at.line, line.index("\t") + 1)
        return Problem(tab, "a tab in the indentation", "spaces")
    if "mapping values are not allowed" in said:
        return Problem(at, 'a ": " where none can stand', 'quotes around text with ": " in it')
    if "cannot start any token" in said:
        return Problem(at, f"text begins with {show(line[at.column - 1 : at.column])}", "quotes around it")
    context = f" {error.context}" if error.context else ""
    return Problem(at, f"not YAML: {plain(said)}{plain(context)}")
