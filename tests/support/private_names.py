"""Find the private names of Textual and Rich that a file of ours uses, from its syntax tree.

A private name is one that begins with a single underscore. Two questions are answered exactly, and so without
false alarms:

- `self._name`, `cls._name`, `super()._name`, and what a class body defines: the class is looked up in its
  imported module, and the name is foreign when a base class from Textual or Rich has it, as an attribute of
  the class or one that its methods set. That we define it too does not help: then we override it.
- `thing._name` of any other object (and what looks like a name for `getattr`): the name is foreign when
  nothing in the same file defines it. The private parts of an object are for the file that defines them, so
  no file of ours has another use for such a name.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOREIGN = ("textual", "rich")


@dataclass(frozen=True)
class Found:
    """A private name of Textual or Rich in a file of ours."""

    path: Path
    line: int
    name: str
    owner: str
    """The foreign module or class; "" where only the name is known."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name}" + (f" of {self.owner}" if self.owner else "")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def found_in(path: Path, root: Path) -> list[Found]:
    """Every private name of Textual and Rich in a file of the package below `root`."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    return [
        Found(path.relative_to(root), line, name, owner)
        for line, name, owner in (*_imports(tree), *_of_bases(tree, module), *_of_others(tree))
    ]


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Private modules, and private names of public ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            parts = module.split(".")
            private = next((n for n, part in enumerate(parts) if n and is_private(part)), 0)
            if parts[0] in FOREIGN and private:
                yield node.lineno, parts[private], ".".join(parts[:private])


def _of_bases(tree: ast.Module, module: str) -> Iterator[tuple[int, str, str]]:
    """What our classes use, override or hide of their foreign bases."""
    for node, qualname in _classes(tree, ""):
        if not node.bases:
            continue
        owned: object = importlib.import_module(module)
        for part in qualname.split("."):
            owned = getattr(owned, part)
        assert isinstance(owned, type)
        owners = private_names(owned)
        for line, name in (*_defined(node), *_of_self(node)):
            if name in owners:
                yield line, name, owners[name]


def _classes(tree: ast.AST, above: str) -> Iterator[tuple[ast.ClassDef, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield node, above + node.name
            yield from _classes(node, f"{above}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not any(isinstance(inner, ast.ClassDef) for inner in ast.walk(node)), (
                f"{node.name} defines a class, which cannot be looked up: define it in the module"
            )


def _defined(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    """Private names that a class body defines."""
    for statement in node.body:
        for name in _bound(statement):
            if is_private(name):
                yield statement.lineno, name


def _bound(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=targets):
            return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return []


def _of_self(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Private names after `self.`, `cls.` and `super().` in a class, but not in the classes inside it."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ClassDef):
            continue
        if isinstance(inner, ast.Attribute) and is_private(inner.attr) and _is_self(inner.value):
            yield inner.lineno, inner.attr
        yield from _of_self(inner)


def _is_self(value: ast.expr) -> bool:
    match value:
        case ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super")):
            return True
    return False


def _of_others(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Private names of other objects, `getattr` included, that nothing in this file defines."""
    ours = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.Module)
        for statement in node.body
        for name in _bound(statement)
    } | {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value)
    }
    has_getattr = any(isinstance(node, ast.Name) and node.id == "getattr" for node in ast.walk(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=name) if not _is_self(value):
                pass
            case ast.Constant(value=str(name)) if has_getattr and name.isidentifier():
                pass
            case _:
                continue
        if is_private(name) and name not in ours:
            yield node.lineno, name, ""


def private_names(owned: type) -> dict[str, str]:
    """The private names that a class has from Textual and Rich, each with the class that it comes from."""
    names: dict[str, str] = {}
    for base in reversed(owned.__mro__):
        if base.__module__.partition(".")[0] in FOREIGN:
            names |= dict.fromkeys(own_private_names(base), f"{base.__module__}.{base.__qualname__}")
    return names


def own_private_names(base: type) -> frozenset[str]:
    """The private names that a class itself brings."""
    # The mangled names of `__name`, and what `abc` keeps, are nobody's to use.
    return frozenset(
        name for name in own_names(base) if is_private(name) and "__" not in name and name[:5] != "_abc_"
    )


@cache
def own_names(base: type) -> frozenset[str]:
    """The names that a class itself brings: what its body defines and what its methods set."""
    names = set(vars(base))
    for node, qualname in _classes_of(base.__module__):
        if qualname == base.__qualname__:
            names.update(name for statement in node.body for name in _bound(statement))
            names.update(
                inner.attr
                for inner in ast.walk(node)
                if isinstance(inner, ast.Attribute)
                and isinstance(inner.ctx, ast.Store)
                and _is_self(inner.value)
            )
    return frozenset(names)


@cache
def _classes_of(module: str) -> tuple[tuple[ast.ClassDef, str], ...]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    found: list[tuple[ast.ClassDef, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.append((node, node.name))
            found += [
                (inner, f"{node.name}.{inner.name}") for inner in node.body if isinstance(inner, ast.ClassDef)
            ]
    return tuple(found)
