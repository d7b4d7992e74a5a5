"""The façade: what programs may call, loaded when it is first used."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vault
from tests.organisation import COST, PASSPHRASES, THRESHOLD, Organisation, environment_of
from vault.errors import NoVault, VaultError

ROOT = Path(__file__).resolve().parents[1]
PROMISED = (
    *("found", "open_vault", "unlock", "add_member", "open_case", "record", "amend", "close_case", "list_cases"),
    *("show_case", "find_cases", "reveal", "import_file", "verify_vault", "shipped_tables", "export_table"),
    *("encode_release", "run_demo", "parse_codebook", "generate_passphrase", "Environment"),
)
HEAVY = ("apsw", "nacl", "cryptography", "argon2", "msgpack", "shamir_mnemonic", "tomllib", "hashlib", "json")


def _homes() -> dict[str, str]:
    """Name -> home, as the lazy table has it."""
    return {name: home for home, names in vault._HOMES.items() for name in names}


def test_every_name_is_there_and_is_its_homes_own() -> None:
    """Each name of `__all__` loads, from the module that the table names."""
    assert sorted(_homes()) == vault.__all__
    for name, home in _homes().items():
        assert getattr(vault, name) is getattr(sys.modules[home], name)
    assert set(PROMISED) <= set(vault.__all__)


def test_type_checkers_see_the_same_names_from_the_same_homes() -> None:
    """The imports under TYPE_CHECKING and the lazy table say the same."""
    syntax = ast.parse((ROOT / "vault" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in syntax.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == _homes()


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = vault.no_such_thing
    assert not hasattr(vault, "Store"), "negative control: what is inside is not offered"


def test_importing_the_facade_loads_nothing_heavy() -> None:
    """`import vault` loads no cryptography and no database, so that help answers at once; using it does."""
    code = (
        "import sys, json; before = set(sys.modules); import vault; first = set(sys.modules) - before\n"
        "vault.open_vault; print(json.dumps([sorted(first), sorted(set(sys.modules) - before)]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, timeout=60)
    light, used = json.loads(ran.stdout)
    assert not {name.partition(".")[0] for name in light} & (set(HEAVY) - {"json"})
    assert [name for name in light if name.startswith("vault")] == ["vault"]
    assert {"apsw", "nacl"} <= set(used), "negative control"


def test_the_example_of_the_docstring_works(org: Organisation) -> None:
    """What the façade's first lines show is what happens."""
    with vault.open_vault(org.directory) as north:
        me = vault.unlock(north, "field-1", PASSPHRASES["field-1"])
        saved = vault.open_case(north, me, {"sex": "female", "birth_date": "1990"})
        assert saved.pseudonym.count("-") == 2
    assert vault.verify_vault(org.directory).verdict == "intact, NOT anchored"


def test_an_organisation_through_the_facade_alone(tmp_path: Path) -> None:
    """Found, enrol, record, export, verify, with the real clock and randomness."""
    home = tmp_path / "vault"
    founded = vault.found(
        home,
        org="Org",
        passphrase="zq passphrase",
        threshold=THRESHOLD,
        shares=3,
        shares_dir=tmp_path / "shares",
        codebook=None,
        environment=vault.Environment.system(),
        cost=COST,
    )
    assert len(founded.share_files) == 3
    with vault.open_vault(home, vault.Environment.system()) as opened:
        root = vault.unlock(opened, "root", "zq passphrase")
        for handle, role in (("field-1", vault.Role.RECORDER), ("director-1", vault.Role.DIRECTOR)):
            vault.add_member(opened, root, handle=handle, role=role, passphrase="zq passphrase 2", cost=COST)
        assert opened.keys_here == ("root", "field-1", "director-1")
        me = vault.unlock(opened, "field-1", "zq passphrase 2")
        name = vault.record(opened, me, "intake", None, {"name": "Kim"}).pseudonym
        assert vault.find_cases(opened, me, "kim") == vault.list_cases(opened, me)
        assert vault.reveal(opened, me, name, "why").values == {"name": "Kim"}
        director = vault.unlock(opened, "director-1", "zq passphrase 2")
        release = vault.export_table(opened, director, "all_years")
        assert vault.encode_release(release, "json")
        assert [status.witnessed for status in opened.journals()] == [0, 0, 0]
    assert vault.verify_vault(home).findings == ()


@pytest.mark.parametrize("make", [False, True])
def test_where_there_is_no_vault_it_says_so(tmp_path: Path, make: bool) -> None:
    """A missing or an empty directory: exit code 10, from opening and from verifying, and nothing appears."""
    home = tmp_path / "none"
    if make:
        home.mkdir()
    for attempt in (vault.open_vault, vault.verify_vault):
        with pytest.raises(NoVault) as caught:
            attempt(home)
        assert caught.value.code == 10
    assert home.exists() == make
    assert not make or list(home.iterdir()) == []


@pytest.mark.parametrize("raw", [b"", b"SQLite format 3\x00" + bytes(84), b"not a database at all" * 300])
def test_a_file_that_is_no_vault_is_said_to_be_none(tmp_path: Path, raw: bytes) -> None:
    """Exit code 13 or 20 from opening; a finding from verifying; the file is left as it is."""
    (tmp_path / "vault.db").write_bytes(raw)
    with pytest.raises(VaultError) as caught:
        vault.open_vault(tmp_path)
    assert caught.value.code in (13, 20)
    assert vault.verify_vault(tmp_path).verdict == "finding"


@pytest.mark.usefixtures("quick_passphrases")
def test_the_demo_tells_the_whole_story(tmp_path: Path) -> None:
    """Every step is told, the tampering is found, and what is left opens and verifies; with the passphrases, where they
    are kept, each in a file that only its owner may read."""
    story = vault.run_demo(tmp_path / "demo", environment_of("demo"), progress=lambda *_: None, keep_passphrases=True)
    told = list(story)
    text = "\n".join(line for step in told for line in (step.title, *step.lines))
    assert len(told) == 7
    for expected in ("1,300", "intact, NOT anchored", "withheld", "FINDING"):
        assert expected in text
    with vault.open_vault(tmp_path / "demo" / "vault") as opened:
        assert len(opened.members) == 6
        kept = {path.name: path for path in (tmp_path / "demo" / "passphrases").iterdir()}
        assert set(kept) == {str(member.handle) for member in opened.members}
        assert os.name != "posix" or {path.stat().st_mode & 0o777 for path in kept.values()} == {0o600}
        passphrase = kept["director-1"].read_text(encoding="utf-8").rstrip("\n")
        assert vault.unlock(opened, "director-1", passphrase).handle == "director-1"
    assert vault.verify_vault(tmp_path / "demo" / "tampered").verdict == "finding"
