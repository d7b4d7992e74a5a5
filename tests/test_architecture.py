"""The layers hold, and every rule that says so can fail.

The rules stand in `tests/architecture_rules.py`. First each is asked about our own source; then about a tree that is
wrong on purpose, where it has to name the offender, and about its innocent twin, which it has to let pass.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests import architecture_rules as rules
from tests.source_tree import SourceTree, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]

RULES = [
    rules.upward_imports,
    rules.homeless_libraries,
    rules.hidden_imports,
    rules.talking,
    rules.clocks_and_chance,
    rules.outside_world,
    rules.audit_decrypts,
    rules.store_decrypts,
    rules.import_cycles,
    rules.long_files,
    rules.undocumented,
]


@cache
def own(*packages: str) -> SourceTree:
    """Our own source, parsed once."""
    return read_tree(ROOT, *packages)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_every_rule(rule: Callable[[SourceTree], list[str]]) -> None:
    """Neither vault nor cli has an offender."""
    offences = rule(own("vault", "cli"))
    assert not offences, "\n".join(["", *offences])


def test_no_file_of_ours_is_too_long() -> None:
    """Tests and benchmarks are files to be read, too."""
    assert rules.long_files(own("vault", "cli", "tests", "benchmarks")) == []


def test_importing_the_audit_loads_no_decryption() -> None:
    """What the closure says holds in a running interpreter as well: façade, packages and all."""
    source = "import sys, vault.services.audit; sys.stdout.write(chr(10).join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "vault.services.audit" in loaded
    assert loaded & rules.decrypting_modules(own("vault")) == set()


def test_the_decrypting_modules_are_found_in_the_source() -> None:
    """Both closures have something to avoid: the modules that they are about exist."""
    assert set(rules.DECRYPTING) <= rules.decrypting_modules(own("vault"))


class Case(NamedTuple):
    """A made-up tree, and what the rule has to say about it: the start of each offence, in any order."""

    rule: Callable[[SourceTree], list[str]]
    files: dict[str, str]
    offences: list[str]


AUDIT = "vault/services/audit.py"
AEAD = {"vault/primitives/aead.py": "", "vault/primitives/__init__.py": ""}

CASES = {
    # Layers -------------------------------------------------------------------------------------------------------
    "upward import": Case(
        rules.upward_imports,
        {"vault/formats/leaf.py": "import vault.store.rows\n", "vault/store/rows.py": ""},
        ["vault/formats/leaf.py:1: formats imports vault.store.rows"],
    ),
    "upward import inside a function": Case(
        rules.upward_imports,
        {"vault/model.py": "def f():\n    from vault import ports\n", "vault/__init__.py": "", "vault/ports.py": ""},
        ["vault/model.py:2: model imports vault.ports"],
    ),
    "upward import for types": Case(
        rules.upward_imports,
        {
            "vault/primitives/tree.py": "import typing\nif typing.TYPE_CHECKING:\n    from vault.formats import leaf\n",
            "vault/formats/leaf.py": "",
        },
        ["vault/primitives/tree.py:3: primitives imports vault.formats.leaf"],
    ),
    "relative upward import": Case(
        rules.upward_imports,
        {"vault/store/rows.py": "from ..services.audit import verify\n", AUDIT: ""},
        ["vault/store/rows.py:1: store imports vault.services.audit"],
    ),
    "relative import of a sibling": Case(
        rules.upward_imports,
        {"vault/store/rows.py": "from .pages import Page\nfrom . import pages\n", "vault/store/pages.py": ""},
        [],
    ),
    "a service imports the façade": Case(
        rules.upward_imports,
        {"vault/__init__.py": "", AUDIT: "from vault import open_vault\n"},
        ["vault/services/audit.py:1: services imports vault"],
    ),
    "a service imports a module through the façade's name": Case(
        rules.upward_imports,
        {"vault/__init__.py": "", "vault/errors.py": "", AUDIT: "from vault import errors\n"},
        [],
    ),
    "the store imports the primitives": Case(
        rules.upward_imports,
        {"vault/store/rows.py": "from vault.primitives import tree\n", "vault/primitives/tree.py": ""},
        ["vault/store/rows.py:1: store imports vault.primitives.tree"],
    ),
    "the façade imports the command line": Case(
        rules.upward_imports,
        {"vault/__init__.py": "import cli.main\n", "cli/main.py": ""},
        ["vault/__init__.py:1: the façade imports cli.main"],
    ),
    "cli imports a service": Case(
        rules.upward_imports,
        {"cli/main.py": "import vault.services.audit\n", AUDIT: ""},
        ["cli/main.py:1: cli reaches past the façade, to vault.services.audit"],
    ),
    "cli reaches through the façade": Case(
        rules.upward_imports,
        {"cli/main.py": "import vault as v\n\nv.model.Role\n", "vault/__init__.py": "", "vault/model.py": ""},
        ["cli/main.py:3: cli reaches past the façade, to vault.model"],
    ),
    "cli uses the façade and the errors": Case(
        rules.upward_imports,
        {
            "cli/main.py": "import vault\nfrom vault.errors import VaultError\nfrom cli import out\nvault.found()\n",
            "cli/out.py": "",
            "vault/__init__.py": "",
            "vault/errors.py": "",
        },
        [],
    ),
    "a module outside the layers": Case(
        rules.upward_imports, {"vault/utils.py": ""}, ["vault/utils.py:1: vault.utils belongs to no layer"]
    ),
    # Homes of libraries -------------------------------------------------------------------------------------------
    "a library away from home": Case(
        rules.homeless_libraries,
        {"vault/formats/leaf.py": "def f():\n    from msgpack import packb\n"},
        ["vault/formats/leaf.py:2: msgpack lives in vault.formats.canonical"],
    ),
    "a library without a home": Case(
        rules.homeless_libraries, {"cli/main.py": "import rich.table\n"}, ["cli/main.py:1: rich has no home"]
    ),
    "a hash outside the primitives": Case(
        rules.homeless_libraries,
        {AUDIT: "from hashlib import sha256\n"},
        ["vault/services/audit.py:1: hashlib lives in vault.primitives"],
    ),
    "libraries at home": Case(
        rules.homeless_libraries,
        {
            "vault/store/db.py": "import apsw.ext\n",
            "cli/main.py": "import click, json\n",
            "vault/model.py": "import re",
        },
        [],
    ),
    # Imports by a string ------------------------------------------------------------------------------------------
    "an import by a string": Case(
        rules.hidden_imports,
        {AUDIT: "from importlib import import_module\nimport_module('vault.primitives.aead')\n"},
        [f"{AUDIT}:1: uses importlib.import_module", f"{AUDIT}:2: uses importlib.import_module"],
    ),
    "the import function itself": Case(
        rules.hidden_imports, {AUDIT: "__import__('os')\n"}, [f"{AUDIT}:1: __import__ hides what it runs"]
    ),
    "cli names a service in a string": Case(
        rules.hidden_imports,
        {"cli/main.py": "LAZY = {'verify': 'vault.services.audit', 'file': 'vault.db'}\n", AUDIT: ""},
        ["cli/main.py:1: cli names the module vault.services.audit"],
    ),
    "the façade is lazy": Case(
        rules.hidden_imports,
        {"vault/__init__.py": "import importlib\nimportlib.import_module('vault.model')\n", "vault/model.py": ""},
        [],
    ),
    # Talking ------------------------------------------------------------------------------------------------------
    "a print in the core": Case(
        rules.talking,
        {"vault/store/db.py": "import logging\ndef f():\n    print('x')\n", "cli/main.py": "print('fine')\n"},
        ["vault/store/db.py:3: print outside cli", "vault/store/db.py:1: uses logging"],
    ),
    # Clock and randomness -----------------------------------------------------------------------------------------
    "clocks under other names": Case(
        rules.clocks_and_chance,
        {
            "vault/services/a.py": "import datetime as t\nfrom datetime import date as d\nt.datetime.now()\nd.today\n",
            "vault/services/b.py": "from time import time\n",
            "cli/main.py": "def f():\n    import os\n    return os.urandom(8)\n",
        },
        [
            "vault/services/a.py:3: uses datetime.datetime.now",
            "vault/services/a.py:4: uses datetime.date.today",
            "vault/services/b.py:1: uses time.time",
            "cli/main.py:3: uses os.urandom",
        ],
    ),
    "injected clocks, ports and dates": Case(
        rules.clocks_and_chance,
        {
            "vault/ports.py": "import secrets, time\nsecrets.token_bytes(8)\n",
            "vault/services/a.py": "from datetime import date\ndef f(clock):\n    clock.today() > date(2020, 1, 1)\n",
        },
        [],
    ),
    "the synthetic people are seeded": Case(
        rules.clocks_and_chance,
        {
            "vault/synthetic.py": "import random\nrandom.Random(7)\nrandom.random()\n",
            "vault/services/other.py": "from random import Random\n",
        },
        ["vault/synthetic.py:3: uses random.random", "vault/services/other.py:1: uses random.Random"],
    ),
    # The outside world --------------------------------------------------------------------------------------------
    "sockets and programs": Case(
        rules.outside_world,
        {
            "vault/store/db.py": "def f():\n    import socket\n",
            "cli/main.py": "import os, click\nfrom urllib.parse import quote\nos.execv('a', [])\nclick.edit()\n",
        },
        [
            "vault/store/db.py:2: uses socket",
            "cli/main.py:2: uses urllib.parse.quote",
            "cli/main.py:3: uses os.execv",
            "cli/main.py:4: uses click.edit",
        ],
    ),
    # Closures -----------------------------------------------------------------------------------------------------
    "the audit decrypts by way of a format": Case(
        rules.audit_decrypts,
        {AUDIT: "from vault.formats import part\n", "vault/formats/part.py": "import vault.primitives.aead\n", **AEAD},
        [f"{AUDIT}:1: reaches decryption: vault.services.audit -> vault.formats.part -> vault.primitives.aead"],
    ),
    "the audit decrypts by way of a package": Case(
        rules.audit_decrypts,
        {AUDIT: "from vault.primitives.tree import root\n", "vault/primitives/tree.py": "", **AEAD}
        | {"vault/primitives/__init__.py": "from .aead import open_sealed\n"},
        [f"{AUDIT}:1: reaches decryption: vault.services.audit -> vault.primitives -> vault.primitives.aead"],
    ),
    "the audit decrypts by way of an eager façade": Case(
        rules.audit_decrypts,
        {AUDIT: "", "vault/__init__.py": "from vault.primitives import aead\n", **AEAD},
        [f"{AUDIT}:1: reaches decryption: vault.services.audit -> vault -> vault.primitives.aead"],
    ),
    "the audit beside a lazy façade": Case(
        rules.audit_decrypts,
        {AUDIT: "", "vault/__init__.py": "def f():\n    from vault.primitives import aead\n", **AEAD},
        [],
    ),
    "the audit decrypts with a library": Case(
        rules.audit_decrypts,
        {
            AUDIT: "from vault.primitives import stream\n",
            "vault/primitives/stream.py": "from nacl.bindings import crypto_secretstream_xchacha20poly1305_pull\n",
        },
        [f"{AUDIT}:1: reaches decryption: vault.services.audit -> vault.primitives.stream"],
    ),
    "a module beside the audit decrypts": Case(
        rules.audit_decrypts,
        {
            AUDIT: "",
            "vault/services/audit_heads.py": "from vault.primitives import aead\n",
            "vault/services/audit_release.py": "from vault.primitives import aead\n",
            **AEAD,
        },
        ["vault/services/audit_heads.py:1: reaches decryption: vault.services.audit_heads -> vault.primitives.aead"],
    ),
    "no audit to check": Case(
        rules.audit_decrypts, {"vault/model.py": ""}, ["vault.services.audit is missing, so that nothing was checked"]
    ),
    "the store decrypts": Case(
        rules.store_decrypts,
        {
            "vault/store/rows.py": "from vault.formats.wraps import Wrap\n",
            "vault/formats/wraps.py": "def f():\n    from ..primitives.hpke import unwrap\n",
            "vault/primitives/hpke.py": "",
        },
        ["vault/store/rows.py:1: reaches decryption: vault.store.rows -> vault.formats.wraps -> vault.primitives.hpke"],
    ),
    # Cycles, length, docstrings -----------------------------------------------------------------------------------
    "an import cycle": Case(
        rules.import_cycles,
        {
            "vault/formats/a.py": "from . import b\n",
            "vault/formats/b.py": "def f():\n    import vault.formats.c\n",
            "vault/formats/c.py": "from vault.formats.a import x\nfrom vault.formats import d\n",
            "vault/formats/d.py": "",
        },
        ["vault/formats/a.py:1: import cycle vault.formats.a -> vault.formats.b -> vault.formats.c -> vault.formats.a"],
    ),
    "a long file": Case(
        rules.long_files,
        {"vault/model.py": "x = 1\n" * 401, "vault/labels.py": "x = 1\n" * 400},
        ["vault/model.py:401: 401 lines, and 400 are the most"],
    ),
    "missing docstrings": Case(
        rules.undocumented,
        {
            "vault/model.py": "class A:\n    'Doc.'\n    def f(self): ...\n    def _g(self): ...\ndef h(): ...\n",
            "vault/labels.py": "'Doc.'\ndef _private():\n    def inner(): ...\n",
        },
        [
            "vault/model.py:1: module vault.model has no docstring",
            "vault/model.py:3: f has no docstring",
            "vault/model.py:5: h has no docstring",
        ],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_rule_names_the_offender(case: Case, tmp_path: Path) -> None:
    """A planted breach is named with its file and line, and what is allowed is left alone."""
    for name, text in case.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert sorted(case.rule(read_tree(tmp_path, "vault", "cli"))) == sorted(case.offences)


def test_every_rule_has_a_negative_control() -> None:
    """A rule that was never seen to fail proves nothing."""
    seen_to_fail = {case.rule for case in CASES.values() if case.offences}
    assert [rule.__name__ for rule in RULES if rule not in seen_to_fail] == []
