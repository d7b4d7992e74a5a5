"""The project's source as the layer rules see it: modules, and every name that they import.

Read with `ast`, never by importing: imports inside functions, under `TYPE_CHECKING` and relative ones all count, and a
tree that is wrong on purpose can be judged without being run.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FACADE = "vault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported thing: `target` is its dotted name, written out in full.

    `bound` is the name that the import gives to the file and `meaning` what that name stands for: `import a.b` imports
    a.b, but binds a. `eager` is False inside functions and under `TYPE_CHECKING`: importing the file does not run it.
    """

    target: str
    bound: str
    meaning: str
    line: int
    eager: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file; `path` is relative to the root of the tree."""

    name: str
    path: str
    text: str
    syntax: ast.Module
    is_package: bool
    imports: tuple[Import, ...] = field(repr=False)

    @property
    def layer(self) -> str:
        """The first name below `vault` ("formats", "errors"), or "cli", or "" for the façade itself."""
        head, _, rest = self.name.partition(".")
        return rest.partition(".")[0] if head == FACADE else head

    def aliases(self) -> Mapping[str, str]:
        """Local name -> what it stands for, dotted and in full."""
        return {entry.bound: entry.meaning for entry in self.imports}

    def references(self) -> Iterator[tuple[str, int]]:
        """Every imported thing that the code reaches through a name: `dt.datetime.now` -> "datetime.datetime.now"."""
        names = self.aliases()
        for node in ast.walk(self.syntax):
            if isinstance(node, ast.Attribute | ast.Name):
                dotted = _dotted(node)
                head, dot, rest = dotted.partition(".")
                if head in names:
                    yield names[head] + dot + rest, node.lineno


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTree:
    """All modules of some packages under one root."""

    modules: Mapping[str, Module]

    def edges(self, module: Module, *, eager_only: bool = False) -> dict[str, int]:
        """The tree's own modules that `module` imports, each with its line; `from p import x` is p.x if that is one."""
        found: dict[str, int] = {}
        for entry in module.imports:
            if entry.eager or not eager_only:
                owner = self.owner(entry.target)
                if owner and owner != module.name:
                    found.setdefault(owner, entry.line)
        return found

    def owner(self, target: str) -> str:
        """The module in which an imported name lies: the longest prefix that is a module here, "" if it is foreign."""
        while target and target not in self.modules:
            target = target.rpartition(".")[0]
        return target

    def closure(self, start: str) -> dict[str, str]:
        """Every module that `start` reaches, with the module that led there.

        Importing `a.b.c` runs `a` and `a.b` too, so packages count. The façade names the services lazily, and must: of
        it only what an import of it really runs is followed.
        """
        reached = {start: ""}
        waiting = [start]
        while waiting:
            module = self.modules[waiting.pop()]
            targets = list(self.edges(module, eager_only=module.name == FACADE))
            for target in targets + [parent for name in [*targets, module.name] for parent in _parents(name)]:
                if target in self.modules and target not in reached:
                    reached[target] = module.name
                    waiting.append(target)
        return reached


def read_tree(root: Path, *packages: str) -> SourceTree:
    """Parse every .py file of `packages` under `root`; SyntaxError names a file that does not parse."""
    modules: dict[str, Module] = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            relative = path.relative_to(root)
            parts = relative.with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            text = path.read_text(encoding="utf-8")
            syntax = ast.parse(text, filename=relative.as_posix())
            modules[name] = Module(
                name=name,
                path=relative.as_posix(),
                text=text,
                syntax=syntax,
                is_package=is_package,
                imports=tuple(_imports(syntax, name if is_package else name.rpartition(".")[0])),
            )
    return SourceTree(modules=modules)


def _imports(node: ast.AST, package: str, *, eager: bool = True) -> Iterator[Import]:
    """Every import below `node`; `package` is what a leading dot stands for."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                bound, meaning = (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
                yield Import(target=alias.name, bound=bound, meaning=meaning, line=child.lineno, eager=eager)
        elif isinstance(child, ast.ImportFrom):
            base = ".".join(package.split(".")[: 1 - child.level or None]) if child.level else ""
            source = ".".join(filter(None, (base, child.module)))
            for alias in child.names:
                target, bound = f"{source}.{alias.name}", alias.asname or alias.name
                yield Import(target=target, bound=bound, meaning=target, line=child.lineno, eager=eager)
        elif isinstance(child, ast.If) and _dotted(child.test).rpartition(".")[2] == "TYPE_CHECKING":
            for part in child.body:
                yield from _imports(ast.Module(body=[part], type_ignores=[]), package, eager=False)
            for part in child.orelse:
                yield from _imports(ast.Module(body=[part], type_ignores=[]), package, eager=eager)
        else:
            deferred = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, package, eager=eager and not deferred)


def _dotted(node: ast.AST) -> str:
    """`a.b.c` as it is written; "" for anything that is not a chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
