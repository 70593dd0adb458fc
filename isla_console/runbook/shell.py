"""Shell scripts, as far as they can be read without running them: programs, variables, quotes."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"&&|\|\||[;|&\n]|\$\(|\(|\)|`")
_DUPLICATED = re.compile(r"\d*[<>]&[\d-]?|&>")
"""Redirections such as 2>&1: their & parts no commands."""
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"")
_SHELL_WORDS = """
! : . [ [[ { } alias bg break case cd command continue declare do done echo elif else esac eval exec exit
export false fg fi for function getopts hash if in jobs kill let local printf pwd read readonly return set
shift source test then time times trap true type ulimit umask unalias unset until wait while
"""
_BUILT_IN = frozenset(_SHELL_WORDS.split())
_BEFORE_A_COMMAND = frozenset({"!", "then", "do", "else", "if", "while", "time"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\}|([A-Za-z_][A-Za-z0-9_]*))")
_EVALUATES = re.compile(r"(?:^|[\s;&|(])(?:eval|source|\.|xargs|(?:ba|z|da|k)?sh\s+-\w*c)\s")


def tools(script: str) -> tuple[str, ...]:
    """Return the programs that a script starts, in order, each once."""
    found: dict[str, None] = {}
    for part in _SEPARATORS.split(_DUPLICATED.sub(" ", _QUOTED.sub("''", script.replace("\\\n", " ")))):
        for word in part.split():
            if _ASSIGNMENT.match(word) or word in _BEFORE_A_COMMAND:
                continue
            if word not in _BUILT_IN and re.fullmatch(r"[A-Za-z0-9_./+-]+", word):
                found[word] = None
            break
    return tuple(found)


def names(script: str) -> tuple[str, ...]:
    """Return the variables that a script uses as `$NAME` or `${NAME...}`, in order, each once."""
    return tuple(dict.fromkeys(braced or bare for braced, bare in _NAME.findall(script)))


def evaluates(script: str) -> bool:
    """Return whether a script has the shell read a text again: `eval`, `sh -c`, `xargs` and the like."""
    return _EVALUATES.search(script) is not None


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
