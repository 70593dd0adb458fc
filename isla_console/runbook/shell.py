"""Shell scripts, read without being run: programs, pipes, variables, quotes, and whether the syntax is right.

Programs are found in the tree that tree-sitter makes of a script: what stands in a here-document, a comment,
a pattern or an arithmetic expression starts nothing. Its grammar is loaded with the first script, which takes
some 50 ms: not on the event loop.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

SYNTAX_S: Final = 5.0
"""The most seconds for which a shell is let read a script."""
LONGEST_RUN: Final = 100_000
"""The most bytes of a script: a single argument of a process takes no more than 128 KiB."""

_SHELLS: Final = ("bash", "sh", "dash", "ash", "ksh", "zsh")
_SHELL_WORDS = """
! : . [ [[ { } alias bg bind break builtin caller case cd command compgen complete continue declare dirs
disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash
help history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return
select set shift shopt source suspend test then time times trap true type typeset ulimit umask unalias
unset until wait while
"""
_BUILT_IN: Final = frozenset(_SHELL_WORDS.split())
_PROGRAM: Final = re.compile(r"[A-Za-z0-9_./+-]+")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
WRAPPERS: Final[dict[str, frozenset[str]]] = {
    "env": frozenset({"-u", "--unset", "-C", "--chdir", "-S", "--split-string"}),
    "sudo": frozenset(
        {"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user", "--group", "--host", "--chdir"}
    ),
    "doas": frozenset({"-u", "-C"}),
    "xargs": frozenset(
        {"-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s", "--max-args", "--max-procs", "--delimiter"}
    ),
    "nohup": frozenset(),
    "setsid": frozenset(),
    "nice": frozenset({"-n", "--adjustment"}),
    "ionice": frozenset({"-c", "-n", "-p"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "timeout": frozenset({"-s", "-k", "--signal", "--kill-after"}),
    "command": frozenset(),
    "exec": frozenset({"-a"}),
    "time": frozenset({"-f", "-o"}),
    "builtin": frozenset(),
    "watch": frozenset({"-n", "-d", "--interval"}),
    "flock": frozenset({"-w", "-E", "--timeout"}),
}
"""Programs that start another one, among their arguments; each with its own options that take a value."""
_OWN_FIRST: Final = {"timeout": 1, "flock": 1}
"""How many arguments of its own a wrapper has before the program."""

_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\}|([A-Za-z_][A-Za-z0-9_]*))")
_SAID = re.compile(r"^.*?: (?:-c: )?line (\d+): (?:syntax error: )?(.*)$|^.*?: (\d+): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """What a shell says of a script that it cannot read, and on which line of it, from 1; 0 is unknown."""

    line: int
    problem: str


def interpreter(script: str) -> str:
    """Return the shell that a script's first line asks for, bash without one; "" for what is no shell."""
    first = script.split("\n", 1)[0].strip()
    if not first.startswith("#!"):
        return "bash"
    words = [word for word in first[2:].split() if not word.startswith("-")]
    name = base(words[0]) if words else ""
    if name == "env":
        name = base(words[1]) if len(words) > 1 else ""
    return name if name in _SHELLS else ""


@functools.lru_cache(maxsize=512)
def tools(script: str) -> tuple[str, ...]:
    """Return the programs that a script starts on this machine, in order, each once."""
    data = script.encode("utf-8", "replace")
    root = _parser().parse(data).root_node
    own: set[str] = set()
    for node in walk(root):
        if node.type == "function_definition" and (name := node.child_by_field_name("name")) is not None:
            own.add(text_of(name))
    found: dict[str, None] = {}
    for node in walk(root):
        if node.type == "command":
            for word in _programs([literal(child) for child in words_of(node)]):
                if word not in _BUILT_IN and word not in own:
                    found[word] = None
    return tuple(found)


@functools.lru_cache(maxsize=512)
def has_pipe(script: str) -> bool:
    """Return whether a script joins programs by a pipe."""
    root = _parser().parse(script.encode("utf-8", "replace")).root_node
    return any(node.type == "pipeline" for node in walk(root))


@functools.lru_cache(maxsize=512)
def early_readers(script: str) -> tuple[tuple[int, str], ...]:
    """Return the pipes in conditions whose last program may stop reading early, each with its line from 0.

    Where pipes fail with any of their programs, the one before is ended by that, and the condition fails.
    """
    root = _parser().parse(script.encode("utf-8", "replace")).root_node
    return tuple(_early_readers(root))


def syntax_fault(script: str) -> SyntaxFault | None:
    """Return why a script's own shell cannot read it; None where it can, or where that shell is not here.

    It is read and not run, for a bounded time.
    """
    name = interpreter(script)
    shell = shutil.which(name, path=_PATH) or (shutil.which("sh", path=_PATH) if name == "bash" else None)
    if shell is None or len(script.encode()) > LONGEST_RUN:
        return None
    try:
        done = subprocess.run(
            [shell, "-n", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SYNTAX_S,
            env={"PATH": _PATH, "LC_ALL": "C"},
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        return SyntaxFault(0, f"{name} needs more than {SYNTAX_S:g} s to read it")
    except (OSError, ValueError):
        return None
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace")
    match = _SAID.search(said)
    if match is None:
        return SyntaxFault(0, said.strip().split("\n")[0][:200] or f"{name} cannot read it")
    return SyntaxFault(int(match[1] or match[3]), (match[2] or match[4])[:200])


def names(script: str) -> tuple[str, ...]:
    """Return the variables that a script uses as `$NAME` or `${NAME...}`, in order, each once."""
    return tuple(dict.fromkeys(braced or bare for braced, bare in _NAME.findall(script)))


def is_bare(script: str, name: str) -> bool:
    """Return whether `$name` occurs outside double quotes, where the shell splits it."""
    quoted = single = False
    place = 0
    while place < len(script):
        char = script[place]
        if char == "\\" and not single:
            place += 2
            continue
        if char == "'" and not quoted:
            single = not single
        elif char == '"' and not single:
            quoted = not quoted
        elif char == "$" and not single and not quoted:
            match = _NAME.match(script, place)
            if match is not None and name in (match[1], match[2]):
                return True
        place += 1
    return False


_PATH: Final = "/usr/local/bin:/usr/bin:/bin"


@functools.cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def parsed(script: str) -> Node:
    """Return the tree of a script."""
    return _parser().parse(script.encode("utf-8", "replace")).root_node


def walk(root: Node) -> Iterator[Node]:
    """Yield a node and all below it, in the order of the text, however deep they are."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def base(program: str) -> str:
    """Return a program's name without its folder."""
    return program.rpartition("/")[2]


def words_of(command: Node) -> list[Node]:
    """Return a command's name and arguments, without assignments before it and redirections."""
    name = command.child_by_field_name("name")
    found = [name] if name is not None else []
    return found + command.children_by_field_name("argument")


def literal(node: Node) -> str:
    """Return a word as the shell would give it to a program; "" where that depends on a variable."""
    inner = node.named_children[0] if node.type == "command_name" and node.named_children else node
    text = text_of(inner)
    if inner.type == "raw_string":
        return text[1:-1]
    if inner.type == "string":
        return text[1:-1] if all(child.type == "string_content" for child in inner.named_children) else ""
    if inner.type in {"word", "number"}:
        return re.sub(r"\\(.)", r"\1", text)
    return ""


def text_of(node: Node) -> str:
    """Return a node's text."""
    return (node.text or b"").decode("utf-8", "replace")


def _programs(words: list[str]) -> Iterator[str]:
    """Yield the program of a command and, where it only starts another one here, that one."""
    for name, *rest in chain(words):
        if _PROGRAM.fullmatch(name):
            yield name
        if base(name) in {"sh", "bash", "dash"} and (script := _script_of(rest)):
            yield from tools(script)


def _script_of(arguments: list[str]) -> str:
    """Return the script in the arguments of `sh -c`; "" where there is none, or it is not known."""
    for place, word in enumerate(arguments[:-1]):
        if re.fullmatch(r"-[a-z]*c", word):
            return arguments[place + 1]
    return ""


def chain(words: list[str]) -> Iterator[list[str]]:
    """Yield a command's words and, while it only starts another one, that one's: the end of them."""
    while words:
        yield words
        wrapper = base(words[0])
        words = inner(wrapper, words[1:]) if wrapper in WRAPPERS else []


def inner(wrapper: str, arguments: list[str]) -> list[str]:
    """Return the command that a wrapper starts, from its arguments."""
    own = _OWN_FIRST.get(wrapper, 0)
    valued = WRAPPERS[wrapper]
    if wrapper == "command" and arguments[:1] and arguments[0] in {"-v", "-V"}:
        return []
    place = 0
    while place < len(arguments):
        word = arguments[place]
        if word == "--":
            place += 1
            break
        if word in valued:
            place += 2
        elif word.startswith("-") or (wrapper in {"env", "sudo"} and _ASSIGNMENT.match(word)):
            place += 1
        else:
            break
    return arguments[place + own :]


_CONDITIONS: Final = frozenset({"if_statement", "elif_clause", "while_statement", "negated_command"})


def _early_readers(root: Node) -> Iterator[tuple[int, str]]:
    for node in walk(root):
        if node.type != "pipeline" or not _is_condition(node):
            continue
        last = node.named_children[-1]
        while last.type == "redirected_statement" and (body := last.child_by_field_name("body")) is not None:
            last = body
        if last.type == "command" and _stops_early([literal(word) for word in words_of(last)]):
            yield node.start_point[0], text_of(last).split("\n")[0]


def _is_condition(node: Node) -> bool:
    """Return whether what a node gives decides what is run next."""
    parent = node.parent
    while parent is not None:
        if parent.type == "list":
            first = parent.named_children[0]
            if first.id == node.id:
                return True
        elif parent.type in _CONDITIONS:
            condition = parent.child_by_field_name("condition")
            return parent.type == "negated_command" or (condition is not None and condition.id == node.id)
        else:
            return False
        node, parent = parent, parent.parent
    return False


def _stops_early(words: list[str]) -> bool:
    if not words:
        return False
    name, *arguments = words
    short = base(name)
    if short in {"grep", "egrep", "fgrep", "rg", "zgrep"}:
        quick = (
            re.fullmatch(r"-[a-zA-Z]*[qm]\w*|--quiet|--silent|--max-count\S*", word) for word in arguments
        )
        return any(quick)
    return short == "head" or (short == "sed" and any(re.search(r"\dq|[;}/]q", word) for word in arguments))
