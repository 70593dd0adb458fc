"""Where a shell script uses an input's value as anything but data.

A value is data as an argument of a program that is no interpreter, in the environment, on standard input of
such a program, or in a comparison. It is code where an interpreter or the shell itself reads it again: then
whoever can choose the value chooses what runs. What is not clear counts as code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from isla_console.runbook.obeyed import obeys
from isla_console.runbook.shell import (
    WRAPPERS,
    base,
    chain,
    inner,
    literal,
    parsed,
    text_of,
    walk,
    words_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_INTERPRETERS: Final = frozenset(
    """
    sh bash dash ash ksh mksh zsh fish csh tcsh busybox awk gawk mawk nawk sed gsed perl python ruby node
    nodejs deno bun php lua luajit tclsh wish expect jq yq gojq dc bc m4 ed ex vi vim nvim emacs gdb lldb R
    Rscript julia groovy scala ghci osascript powershell pwsh cmd octave gnuplot sqlite3 mysql mariadb mongo
    mongosh redis-cli duckdb clickhouse-client cqlsh osqueryi ssh sshpass mosh rsh telnet nc ncat socat
    parallel make gmake ninja cmake ant gradle mvn npx bunx pnpx npm yarn pnpm rake just task tmux screen at
    batch crontab docker podman nerdctl kubectl oc nsenter chroot unshare su runuser systemd-run gcc cc go
    cargo java script ansible salt terraform pulumi eval source . trap let alias bind complete compgen
    mapfile readarray declare typeset local export readonly unset fc hash enable
    """.split()  # noqa: SIM905 - a list to read
)
"""Programs, and words of the shell, that read an argument as code, or as the name of something."""
_VERSION: Final = re.compile(r"^(python|perl|ruby|php|lua|node|tclsh|gawk)[\d.]+$")
_DATA_AFTER: Final = {
    "jq": ({"--arg", "--argjson"}, 2),
    "gojq": ({"--arg", "--argjson"}, 2),
    "awk": ({"-v"}, 1),
    "gawk": ({"-v"}, 1),
    "mawk": ({"-v"}, 1),
}
"""Interpreters with an option that takes a value as data, and how many words later that ends."""
_PARTLY: Final = {
    "psql": re.compile(r"-[a-zA-Z]*c|-c.*|--command(=.*)?|-v|-v.*|--set(=.*)?|--variable(=.*)?"),
    "git": re.compile(r"-c|--exec(=.*)?|-x|--upload-pack(=.*)?|--receive-pack(=.*)?"),
    "find": re.compile(r"-(exec|execdir|ok|okdir)"),
    "tar": re.compile(r"--(checkpoint-action|to-command|use-compress-program)(=.*)?|-I"),
    "rsync": re.compile(r"-e|--rsh(=.*)?|--rsync-path(=.*)?"),
    "scp": re.compile(r"-o|-S|-oProxyCommand.*"),
    "curl": re.compile(r"-K|--config(=.*)?"),
}
"""Programs that take code in some options alone: from such an option on, what follows is code."""
_ALWAYS_AFTER: Final = "find"
"""Of this one, everything behind such an option is the other program's."""

_SAFE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@/+=,-")
_PIECE: Final = re.compile(
    r"(?P<set>\[(?:\\.|[^\]\\])+\])|(?P<escape>\\.)|(?P<group>\((?:\?:)?|\)|\|)|(?P<many>[*+?]|\{\d+(?:,\d*)?\})"
    r"|(?P<plain>[A-Za-z0-9_:@/=,-])"
)
_PLAIN_TYPES: Final = frozenset({"int", "date", "datetime"})


@dataclass(frozen=True, slots=True)
class Misuse:
    """A place where a value is not data; `line` and `column` are of the script, from 0."""

    name: str
    line: int
    column: int
    why: str


def is_plain(pattern: str | None, type: str) -> bool:
    """Return whether an input's own pattern, or type, lets nothing through that a shell could read."""
    if type in _PLAIN_TYPES:
        return True
    if not pattern:
        return False
    text = pattern.removeprefix("^").removesuffix("$")
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None or not _is_safe(match):
            return False
        at = match.end()
    return at > 0


def _is_safe(match: re.Match[str]) -> bool:
    if (inside := match["set"]) is not None or (inside := match["escape"]) is not None:
        try:
            one = re.compile(inside, re.ASCII)
        except re.error:
            return False
        allowed = {chr(code) for code in range(0x250) if one.fullmatch(chr(code))}
        return bool(allowed) and allowed <= _SAFE
    return True


@lru_cache(maxsize=256)
def misuses(script: str, names: frozenset[str]) -> tuple[Misuse, ...]:
    """Return where a script uses one of these variables as anything but data, in the order of the text."""
    root = parsed(script)
    tainted = _tainted(root, names)
    found: dict[tuple[int, int, str], Misuse] = {}
    for node in walk(root):
        for name, why in _of_node(node, tainted, names):
            line, column = node.start_point
            found.setdefault((line, column, name), Misuse(name, line, column, why))
    return tuple(found[key] for key in sorted(found))


def _tainted(root: Node, names: Collection[str]) -> dict[str, str]:
    """Return each variable that holds a value, and of which input; what is assigned from one does, too."""
    found = {name: name for name in names}
    own = {text_of(one) for node in walk(root) if node.type == "function_definition"
           for one in [node.child_by_field_name("name")] if one is not None}  # fmt: skip
    while True:
        before = len(found)
        for node in walk(root):
            if node.type == "variable_assignment":
                target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
                if target is not None and value is not None and (source := _first(value, found)):
                    found.setdefault(re.split(r"[\[+]", text_of(target))[0], source)
            elif node.type == "for_statement":
                target = node.child_by_field_name("variable")
                source = next(
                    (s for one in node.children_by_field_name("value") if (s := _first(one, found))), ""
                )
                if target is not None and source:
                    found.setdefault(text_of(target), source)
            elif node.type == "command":
                words = words_of(node)
                name = literal(words[0]) if words else ""
                if name in own or name == "set":
                    source = next((s for one in words[1:] if (s := _first(one, found))), "")
                    if source:
                        for place in (*map(str, range(1, 10)), "@", "*"):
                            found.setdefault(place, source)
                elif name in {"read", "mapfile", "readarray"} and (source := _fed(node, found)):
                    for one in words[1:]:
                        if re.fullmatch(r"[A-Za-z_]\w*", literal(one)):
                            found.setdefault(literal(one), source)
        if len(found) == before:
            return found


def _first(node: Node, tainted: dict[str, str]) -> str:
    """Return the input whose value is somewhere in a node; "" for none."""
    return next((tainted[name] for one in walk(node) if (name := _variable(one)) in tainted), "")


def _variable(node: Node) -> str:
    """Return the variable that an expansion is of; "" for any other node."""
    if node.type not in {"simple_expansion", "expansion"}:
        return ""
    inside = [
        child for child in node.named_children if child.type in {"variable_name", "special_variable_name"}
    ]
    if not inside:
        inside = [one for child in node.named_children for one in walk(child) if one.type == "variable_name"]
    return text_of(inside[0]) if inside else ""


def _of_node(node: Node, tainted: dict[str, str], names: Collection[str]) -> Iterator[tuple[str, str]]:
    name = tainted.get(_variable(node), "")
    if name:
        if why := _of_expansion(node) or _of_place(node):
            yield name, why
    elif node.type in {"arithmetic_expansion", "subscript"} or (
        node.type in {"compound_statement", "c_style_for_statement"}
        and text_of(node).lstrip("for ").startswith("((")
    ):
        for one in walk(node):
            if one.type in {"variable_name", "word"} and (source := tainted.get(text_of(one), "")):
                yield source, "arithmetic reads it as an expression, which may run commands"
    elif node.type == "variable_assignment":
        target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if (
            target is not None
            and value is not None
            and obeys(text_of(target))
            and (s := _first(value, tainted))
        ):
            yield s, f"it becomes {text_of(target)}, which a shell or program obeys"
    elif node.type in {"raw_string", "string"} and (code := _code_in(node)):
        for inside in misuses(code, frozenset(names)):
            yield inside.name, f"in the script that it gives to another shell: {inside.why}"


def _of_expansion(node: Node) -> str:
    text = text_of(node)
    if text.startswith("${!"):
        return "its value is taken for a name"
    if re.search(r"@[A-Za-z]\}$", text):
        return "the shell reads its value again"
    return ""


def _of_place(node: Node) -> str:
    """Return why a value is not data where it stands; "" where it is."""
    child, parent = node, node.parent
    while parent is not None:
        match parent.type:
            case "arithmetic_expansion" | "subscript":
                return "arithmetic reads it as an expression, which may run commands"
            case "binary_expression" | "unary_expression" if why := _of_test(parent):
                return why
            case "command_name":
                return "it is the program that is run"
            case "declaration_command" | "unset_command":
                return "it is taken for a variable's name"
            case "command":
                return _of_command(parent, child) or _of_pipe(parent)
            case "herestring_redirect" | "heredoc_redirect" | "heredoc_body":
                return _of_input(parent)
            case "variable_assignment" | "program":
                return ""
        child, parent = parent, parent.parent
    return ""


def _of_test(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    word = text_of(operator) if operator is not None else ""
    if word in {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"} and _is_double(node):
        return "[[ reads it as an expression, which may run commands"
    return "it is taken for a variable's name" if word in {"-v", "-R"} else ""


def _is_double(node: Node) -> bool:
    parent: Node | None = node
    while parent is not None and parent.type != "test_command":
        parent = parent.parent
    return parent is not None and text_of(parent).startswith("[[")


def _of_command(command: Node, argument: Node) -> str:
    words = words_of(command)
    place = next(
        (i for i, word in enumerate(words) if word.start_byte <= argument.start_byte < word.end_byte), None
    )
    if place is None:
        return ""  # an assignment before it, or a redirection: judged there
    texts = [literal(word) for word in words]
    option = re.match(r"-[\w-]+=?", text_of(words[place]).strip("'\""))
    return _of_words(texts, place, option[0] if option else "")


def _of_words(texts: list[str], place: int, option: str = "") -> str:
    """Return why the word at `place` of a command is not data; words that depend on variables are "".

    `option` is what stands before the value in its own word, such as `--command=`.
    """
    if place == 0:
        return "it is the program that is run"
    name = base(texts[0])
    if not name:
        return "which program gets it depends on a variable"
    if name == "coproc":
        return _of_words(texts[1:], place - 1, option)
    if name == "watch":
        return "watch gives it to a shell"
    if name == "read":
        return "it is taken for a variable's name"
    if name in WRAPPERS:
        rest = inner(name, texts[1:])
        skipped = len(texts) - len(rest)
        if place < skipped or not rest:
            return f"it says what {name} does"
        return _of_words(rest, place - skipped, option)
    if name in {"[", "test"}:
        return "it is taken for a variable's name" if texts[place - 1] in {"-v", "-R"} else ""
    if name == "printf":
        return (
            "it is the format, or a variable's name"
            if place == 1 or (texts[1:2] == ["-v"] and place == 2)
            else ""
        )
    if name in _DATA_AFTER:
        options, many = _DATA_AFTER[name]
        if any(texts[place - back] in options for back in range(1, many + 1) if place - back > 0):
            return ""
    if (rule := _PARTLY.get(name)) is not None:
        before = texts[1:place]
        # What an option has behind its equals sign stands in one word with it.
        near = [*(before if name == _ALWAYS_AFTER else before[-1:]), option]
        return f"{name} takes it for code there" if any(rule.fullmatch(word) for word in near) else ""
    return f"{name} takes it for code" if _reads_code(name) else ""


def _reads_code(name: str) -> bool:
    return name in _INTERPRETERS or _VERSION.match(name) is not None


def _programs_of(node: Node) -> list[str]:
    """Return the programs of a command, a wrapper's own one included."""
    while node.type == "redirected_statement" and (body := node.child_by_field_name("body")) is not None:
        node = body
    if node.type != "command":
        return [
            base(literal(words_of(one)[0])) for one in walk(node) if one.type == "command" and words_of(one)
        ]
    return [base(texts[0]) for texts in chain([literal(word) for word in words_of(node)])]


def _of_pipe(command: Node) -> str:
    """Return why what a command puts out is code for another one behind it in a pipe."""
    child, parent = command, command.parent
    while parent is not None:
        if parent.type == "pipeline":
            for later in parent.named_children:
                if later.start_byte > child.start_byte and (name := _input_reader(later)):
                    return f"what is put out goes to {name}, which may read it as code"
        elif parent.type not in {"redirected_statement", "list", "subshell", "compound_statement"}:
            return ""
        child, parent = parent, parent.parent
    return ""


_READS_INPUT: Final = frozenset(
    """
    sh bash dash ash ksh mksh zsh fish csh tcsh busybox perl python ruby node nodejs deno bun php lua tclsh
    expect dc bc m4 ed ex psql sqlite3 mysql mariadb mongo mongosh redis-cli duckdb ssh parallel at batch
    crontab xargs telnet nc ncat socat gdb R julia docker podman kubectl su sudo source .
    """.split()  # noqa: SIM905 - a list to read
)
"""Programs that read code, or names of programs, from standard input where no file says otherwise."""


def _input_reader(node: Node) -> str:
    names = _programs_of(node)
    return next((name for name in names if name in _READS_INPUT or _VERSION.match(name)), "")


def _of_input(redirect: Node) -> str:
    """Return why a here-document, or a here-string, is code for the program that reads it."""
    parent = redirect.parent
    while parent is not None and parent.type not in {"redirected_statement", "command", "pipeline"}:
        parent = parent.parent
    if parent is None:
        return "which program gets it is not clear"
    name = _input_reader(parent)
    return f"{name} reads it as code" if name else ""


_AROUND: Final = frozenset(
    {
        "command",
        "redirected_statement",
        "pipeline",
        "while_statement",
        "list",
        "compound_statement",
        "do_group",
    }
)


def _fed(command: Node, tainted: dict[str, str]) -> str:
    """Return the input whose value comes to a command's standard input, as far as its surroundings show."""
    node: Node | None = command
    while node is not None and node.type in _AROUND:
        if source := _first(node, tainted):
            return source
        node = node.parent
    return ""


def _code_in(node: Node) -> str:
    """Return the script that a quoted word is for another shell, `eval` or `trap`; "" where it is none."""
    command = node.parent
    if command is None or command.type != "command":
        return ""
    words = words_of(command)
    *_, texts = [[], *chain([literal(word) for word in words])]  # what a wrapper starts is what reads it
    place = next((i for i, word in enumerate(words) if word.id == node.id), 0) - (len(words) - len(texts))
    if place < 1:
        return ""
    name = base(texts[0])
    if name in {"eval", "trap"} and place == 1:
        return texts[place]
    is_shell = name in {"sh", "bash", "dash", "ash", "ksh", "zsh"}
    return texts[place] if is_shell and re.fullmatch(r"-[a-z]*c", texts[place - 1] or "") else ""
