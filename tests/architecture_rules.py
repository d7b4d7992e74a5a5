"""The rules of the house about what may import, call and contain what. Each takes a tree and names every offender.

An offender is one line, "path:line: what is wrong". The tables at the top are the design's (section 8): to move a
library or to open a layer is to change a table here, in the open.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Final

from tests.source_tree import FACADE, Module, SourceTree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

BASE: Final = frozenset({"model", "labels", "errors"})
"""The bottom of the stack: words, labels and errors may be used everywhere in vault."""

LAYERS: Final[Mapping[str, frozenset[str]]] = {
    "services": frozenset({"synthetic", "store", "disclosure", "formats", "primitives", "ports"}) | BASE,
    "synthetic": frozenset({"formats"}) | BASE,
    "store": frozenset({"formats", "model", "errors"}),
    "disclosure": frozenset({"formats", "primitives"}) | BASE,
    "formats": frozenset({"primitives"}) | BASE,
    "primitives": BASE,
    "ports": BASE,
    "model": BASE,
    "labels": BASE,
    "errors": BASE,
}
"""Layer -> the other layers that it may import."""

CLI_MAY_IMPORT: Final = frozenset({FACADE, f"{FACADE}.errors"})

HOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "apsw": ("vault.store",),
    "argon2": ("vault.primitives.passphrase",),
    "click": ("cli",),
    "cryptography": ("vault.primitives",),
    "msgpack": ("vault.formats.canonical",),
    "nacl": ("vault.primitives",),
    "scipy": ("vault.disclosure.guard_program",),
    "segno": ("vault.formats.qr",),
    "shamir_mnemonic": ("vault.primitives.shares",),
    # Of the standard library: what has to stay in one place for a reason of its own.
    "hashlib": ("vault.primitives",),
    "hmac": ("vault.primitives",),
    "json": ("vault.formats", "cli"),
    "tomllib": ("vault.formats",),
}
"""Library -> the only modules or packages that may import it. A third-party library that is not here has no home."""

DECRYPTING: Final = ("vault.primitives.aead", "vault.primitives.hpke")
"""The modules that open what is sealed. Any module that imports one of DECRYPTING_APIS is added to them."""

AUDIT: Final = "vault.services.audit"
OPENS_A_VAULT: Final = frozenset(
    {
        # Looks for a release in a vault that a director or anybody else has opened; it opens nothing sealed itself.
        "vault.services.audit_release",
    }
)
"""Modules beside the audit that are used with an open vault, whose code can decrypt."""

DECRYPTING_APIS: Final = (
    "nacl.public",
    "nacl.secret",
    "nacl.bindings.crypto_aead",
    "nacl.bindings.crypto_box",
    "nacl.bindings.crypto_secretbox",
    "nacl.bindings.crypto_secretstream",
    "cryptography.fernet",
    "cryptography.hazmat.primitives.ciphers",
    "cryptography.hazmat.primitives.hpke",
    "cryptography.hazmat.primitives.keywrap",
)

CLOCK_AND_CHANCE: Final = (
    "time",
    "random",
    "secrets",
    "uuid",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.getrandom",
    "os.urandom",
)
PORTS: Final = "vault.ports"
EXCUSED: Final[Mapping[str, frozenset[str]]] = {
    # Invents people from a seed, the same ones every time; nothing secret comes of it.
    "vault.synthetic": frozenset({"random", "random.Random"}),
    # Says how long a command has run; nothing is decided by it.
    "cli.progress": frozenset({"time", "time.monotonic"}),
    # Ends a search that takes too long, and then figures are refused: time withholds one, and never changes it.
    "vault.disclosure.guard_program": frozenset({"time", "time.monotonic"}),
}
"""Module -> the names of CLOCK_AND_CHANCE that it may use, and no others; the comment gives the reason."""

OUTSIDE_WORLD: Final = (
    *("asyncio", "ftplib", "http", "imaplib", "multiprocessing", "poplib", "pty", "smtplib", "socket", "socketserver"),
    *("ssl", "subprocess", "urllib", "webbrowser", "wsgiref", "xmlrpc"),
    *("os.fork", "os.forkpty", "os.popen", "os.startfile", "os.system"),
    *("click.echo_via_pager", "click.edit", "click.launch"),
)
"""What opens a socket or starts another program, click's conveniences included."""
OUTSIDE_WORLD_FAMILIES: Final = ("os.exec", "os.posix_spawn", "os.spawn")
STAYS_INSIDE: Final[Mapping[str, frozenset[str]]] = {
    # A copy of the audit's own process takes half of the work: no other program, no socket (decision record 0018).
    "vault.services.audit_fork": frozenset({"os.fork"}),
    # A copy of the process tries the namespaces that there is no way back from, and ends (decision record 0042).
    "cli.process": frozenset({"os.fork"}),
}
"""Module -> the names of OUTSIDE_WORLD that it may use, and no others; the comment gives the reason."""

MOST_LINES: Final = 400


def upward_imports(tree: SourceTree) -> list[str]:
    """Imports point downward only, and the command line sees the façade and the errors alone."""
    found = []
    for module in tree.modules.values():
        if module.name == FACADE:
            found += [
                _offence(module, line, f"the façade imports {target}")
                for target, line in tree.edges(module).items()
                if not _within(target, [FACADE])
            ]
        elif module.layer == "cli":
            reached = dict(tree.edges(module)) | {tree.owner(name): line for name, line in module.references()}
            found += [
                _offence(module, line, f"cli reaches past the façade, to {target}")
                for target, line in reached.items()
                if target and not _within(target, ["cli"]) and target not in CLI_MAY_IMPORT
            ]
        elif module.layer not in LAYERS:
            found.append(_offence(module, 1, f"{module.name} belongs to no layer"))
        else:
            allowed = LAYERS[module.layer] | {module.layer}
            found += [
                _offence(module, line, f"{module.layer} imports {target}")
                for target, line in tree.edges(module).items()
                if tree.modules[target].layer not in allowed
            ]
    return found


def homeless_libraries(tree: SourceTree) -> list[str]:
    """Each third-party library, and some of the standard one, is imported in its one home only."""
    found = []
    for module in tree.modules.values():
        for entry in module.imports:
            library = entry.target.partition(".")[0]
            if library in HOMES:
                if not _within(module.name, HOMES[library]):
                    found.append(_offence(module, entry.line, f"{library} lives in {', '.join(HOMES[library])}"))
            elif library not in sys.stdlib_module_names and library not in {"vault", "cli"}:
                found.append(_offence(module, entry.line, f"{library} has no home"))
    return found


def hidden_imports(tree: SourceTree) -> list[str]:
    """Nothing imports by a string, where the other rules cannot see it, except the façade and cli's own commands."""
    found = []
    for module in tree.modules.values():
        if module.layer == "cli":
            found += [
                _offence(module, node.lineno, f"cli names the module {node.value}")
                for node in ast.walk(module.syntax)
                if isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and _within(node.value, [FACADE])
                and node.value in tree.modules.keys() - CLI_MAY_IMPORT
            ]
        elif module.name != FACADE:
            found += _uses(module, ["importlib.import_module", "importlib.util", "importlib.machinery", "runpy"])
        found += [
            _offence(module, call.lineno, f"{name} hides what it runs")
            for call, name in _plain_calls(module)
            if name in {"__import__", "eval", "exec"}
        ]
    return found


def talking(tree: SourceTree) -> list[str]:
    """Outside cli nothing prints, logs or writes to the terminal."""
    found = []
    for module in tree.modules.values():
        if module.layer != "cli":
            found += [
                _offence(module, call.lineno, f"{name} outside cli")
                for call, name in _plain_calls(module)
                if name in {"print", "input"}
            ]
            found += _uses(module, ["logging", "sys.stdout", "sys.stderr", "sys.stdin"])
    return found


def clocks_and_chance(tree: SourceTree) -> list[str]:
    """Only `vault.ports` reads the clock or draws at random; EXCUSED names the exceptions."""
    found = []
    for module in tree.modules.values():
        if module.name != PORTS:
            found += _uses(module, CLOCK_AND_CHANCE, except_for=EXCUSED.get(module.name, ()))
    return found


def outside_world(tree: SourceTree) -> list[str]:
    """Nothing opens a socket or starts another program."""
    return [
        offence
        for module in tree.modules.values()
        for offence in _uses(
            module, OUTSIDE_WORLD, families=OUTSIDE_WORLD_FAMILIES, except_for=STAYS_INSIDE.get(module.name, ())
        )
    ]


def decrypting_modules(tree: SourceTree) -> set[str]:
    """The modules that open what is sealed: DECRYPTING, and who imports a DECRYPTING_APIS."""
    return {
        module.name
        for module in tree.modules.values()
        if _within(module.name, DECRYPTING) or any(entry.target.startswith(DECRYPTING_APIS) for entry in module.imports)
    }


def audit_decrypts(tree: SourceTree) -> list[str]:
    """Nothing that the auditor's code reaches can decrypt: the audit itself, and every module named after it."""
    beside = [
        name
        for name in tree.modules
        if name.startswith(f"{AUDIT}_") and name not in OPENS_A_VAULT and not _within(name, [AUDIT])
    ]
    return [*_reaches(tree, AUDIT), *(offence for name in beside for offence in _reaches(tree, name))]


def store_decrypts(tree: SourceTree) -> list[str]:
    """The store never reaches what could open the ciphertext that it keeps."""
    return _reaches(tree, "vault.store")


def import_cycles(tree: SourceTree) -> list[str]:
    """No module imports itself by way of others; imports for types and inside functions count."""
    found: list[str] = []
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            cycle = [*trail[trail.index(name) :], name]
            found.append(_offence(tree.modules[name], 1, "import cycle " + " -> ".join(cycle)))
        elif name not in done:
            for target in tree.edges(tree.modules[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in tree.modules:
        visit(name, ())
    return found


def long_files(tree: SourceTree) -> list[str]:
    """No file is longer than MOST_LINES lines."""
    return [
        _offence(module, MOST_LINES + 1, f"{lines} lines, and {MOST_LINES} are the most")
        for module in tree.modules.values()
        if (lines := len(module.text.splitlines())) > MOST_LINES
    ]


def undocumented(tree: SourceTree) -> list[str]:
    """Every public module, class and function says what it is for."""
    found = []
    for module in tree.modules.values():
        if any(part.startswith("_") and part != "__main__" for part in module.name.split(".")):
            continue
        if not ast.get_docstring(module.syntax):
            found.append(_offence(module, 1, f"module {module.name} has no docstring"))
        found += [
            _offence(module, node.lineno, f"{node.name} has no docstring")
            for node in _public(module.syntax)
            if not ast.get_docstring(node)
        ]
    return found


def _offence(module: Module, line: int, what: str) -> str:
    return f"{module.path}:{line}: {what}"


def _within(name: str, homes: Collection[str]) -> bool:
    """Whether `name` is one of `homes` or lies inside one."""
    return any(name == home or name.startswith(home + ".") for home in homes)


def _uses(
    module: Module, names: Collection[str], *, families: Collection[str] = (), except_for: Collection[str] = ()
) -> list[str]:
    """Each line that imports or reaches one of `names`, something inside one, or a name that a family begins."""
    used = [(entry.target, entry.line) for entry in module.imports] + list(module.references())
    return [
        _offence(module, line, f"uses {name}")
        for name, line in sorted(set(used), key=lambda use: (use[1], use[0]))
        if (_within(name, names) or name.startswith(tuple(families))) and name not in except_for
    ]


def _plain_calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Calls of a bare name: `print(...)`, not `form.print(...)`."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, node.func.id


def _reaches(tree: SourceTree, start: str) -> list[str]:
    """The way, module by module, from `start` and all that lies inside it to each decrypting module that it reaches."""
    starts = [name for name in tree.modules if _within(name, [start])]
    if not starts:
        return [f"{start} is missing, so that nothing was checked"]
    found = []
    for origin in starts:
        reached = tree.closure(origin)
        for target in sorted(decrypting_modules(tree) & reached.keys()):
            way = [target]
            while reached[way[-1]]:
                way.append(reached[way[-1]])
            found.append(_offence(tree.modules[origin], 1, "reaches decryption: " + " -> ".join(reversed(way))))
    return found


def _public(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public classes and functions, and those of public classes; overloads and setters are documented by their twin."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in child.decorator_list}
            if not decorators & {"overload", "setter"}:
                yield child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)
