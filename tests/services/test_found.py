"""Founding: it happened, or it left nothing."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.organisation import COST, ORGANISATION, SHARES, THRESHOLD, TODAY, Organisation, Template, environment_of
from vault.errors import InputRefused, StorageError, UsageError, VaultError
from vault.formats.share import parse_share
from vault.model import Policy, Role
from vault.primitives import hpke, shares as slip39
from vault.primitives.hashing import sha256
from vault.services import files, found as founding, keyring, share_files
from vault.services.audit import verify_vault
from vault.services.found import Founded, found, shipped_codebook
from vault.services.vault import Vault
from vault.services.words import fingerprint_of
from vault.store.store import Store

PASSPHRASE = "zq a founder's passphrase"


def _found(home: Path, **changes: Any) -> Founded:  # noqa: ANN401
    given: dict[str, Any] = {
        "org": ORGANISATION,
        "passphrase": PASSPHRASE,
        "threshold": THRESHOLD,
        "shares": SHARES,
        "shares_dir": home / "shares",
        "environment": environment_of("founding"),
        "cost": COST,
    }
    directory = changes.pop("directory", home / "vault")
    return found(directory, **{**given, **changes})


def _files(home: Path) -> list[str]:
    """Every file below, and every directory that is not an empty one left for shares."""
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() or path.name != "shares")


def test_a_founded_vault_opens_unlocks_and_verifies(template: Template) -> None:
    """The template of all these tests: root unlocks, the audit finds nothing, the roster says what was founded."""
    report = verify_vault(template.directory)
    assert (report.verdict, report.anchor, report.findings) == ("intact, NOT anchored", None, ())
    with Vault.open(template.directory, environment_of("look")) as vault:
        assert vault.policy == Policy()
        assert next(member.handle for member in vault.members) == "root"
        assert vault.members[0].role is Role.ROOT
        assert vault.codebook.digest == sha256(shipped_codebook())
        assert vault.roster.recovery == hpke.public_key(
            slip39.combine([parse_share(path.read_bytes()).words for path in sorted(template.shares_dir.iterdir())][:2])
        )


def test_the_files_are_their_owners_alone(template: Template) -> None:
    """Directories are 0700 and files 0600: nobody else on the machine reads a vault or a share."""
    for path in (*template.directory.rglob("*"), *template.shares_dir.iterdir(), template.directory):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path.name
    assert sorted(path.name for path in template.directory.iterdir()) == ["keys", "vault.db"]


def test_share_cards_name_vault_number_and_day(template: Template) -> None:
    """Each card parses, carries its number of how many, the quorum and the founding day; the words differ."""
    cards = [parse_share(path.read_bytes()) for path in sorted(template.shares_dir.iterdir())]
    assert [(card.number, card.count, card.threshold) for card in cards] == [(n, SHARES, THRESHOLD) for n in (1, 2, 3)]
    assert {card.made for card in cards} == {TODAY.isoformat()}
    assert len({card.words for card in cards}) == SHARES


def test_the_organisations_name_is_in_roots_keyring_only(org: Organisation) -> None:
    """Whoever unlocks a key file reads the organisation's name; nothing else knows it."""
    assert {me.organisation for me in org.keys.values()} == {ORGANISATION}


def test_a_fingerprint_is_twelve_words_that_follow_from_the_vault_id(tmp_path: Path) -> None:
    """The same id gives the same words, and one digit more gives others."""
    made = _found(tmp_path)
    assert made.fingerprint == fingerprint_of(made.vault_id)
    assert len(made.fingerprint.split()) == 12
    other = ("0" if made.vault_id[0] != "0" else "1") + made.vault_id[1:]
    assert fingerprint_of(type(made.vault_id)(other)) != made.fingerprint


def test_an_empty_directory_that_exists_may_become_a_vault(tmp_path: Path) -> None:
    """`mkdir` first, `init` then: a usual way to begin."""
    (tmp_path / "vault").mkdir()
    _found(tmp_path)
    assert (tmp_path / "vault" / "vault.db").is_file()


def test_another_codebook_and_policy_are_signed(tmp_path: Path) -> None:
    """What root chose stands on the roster."""
    codebook = shipped_codebook() + b"\n# ours\n"
    _found(tmp_path, codebook=codebook, policy=Policy(people=20))
    with Vault.open(tmp_path / "vault", environment_of("look")) as vault:
        assert vault.codebook.digest == sha256(codebook)
        assert vault.policy.people == 20


def _occupied(home: Path) -> dict[str, Any]:
    (home / "vault").mkdir()
    (home / "vault" / "mine.txt").write_text("mine")
    return {}


def _inside_by_link(home: Path) -> dict[str, Any]:
    (home / "vault").mkdir()
    (home / "link").symlink_to(home / "vault")
    return {"shares_dir": home / "link" / "shares"}


REFUSED: dict[str, Callable[[Path], dict[str, Any]]] = {
    "shares inside the vault": lambda home: {"shares_dir": home / "vault" / "shares"},
    "shares in the vault itself": lambda home: {"shares_dir": home / "vault"},
    "shares inside by dots": lambda home: {"shares_dir": home / "elsewhere" / ".." / "vault" / "shares"},
    "shares inside by a link": _inside_by_link,
    "directory not empty": _occupied,
    "quorum of one": lambda _: {"threshold": 1},
    "quorum above the shares": lambda _: {"threshold": 4},
    "too many shares": lambda _: {"shares": 17},
    "short passphrase": lambda _: {"passphrase": "too short"},
    "long passphrase": lambda _: {"passphrase": "x" * 1025},
    "passphrase with a line end": lambda _: {"passphrase": "a passphrase\nof two lines"},
    "name too long": lambda _: {"org": "x" * 401},
    "codebook that is none": lambda _: {"codebook": b"format = 1\n"},
}


@pytest.mark.parametrize("why", REFUSED)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_founding_that_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path, why: str, dry_run: bool) -> None:
    """Each refusal is a usage error, for a rehearsal too, and the disk is as it was."""
    changes = REFUSED[why](tmp_path)
    before = _files(tmp_path)
    with pytest.raises(UsageError) as caught:
        _found(tmp_path, **changes, dry_run=dry_run)
    assert caught.value.code == 2
    assert isinstance(caught.value, InputRefused) == (why == "codebook that is none")
    assert _files(tmp_path) == before


def test_a_name_with_half_a_character_is_refused(tmp_path: Path) -> None:
    """A lone surrogate, as an undecodable argument gives it, is a usage error like any other bad name."""
    with pytest.raises(VaultError):
        _found(tmp_path, org="North \udcff")


def test_a_second_founding_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """There is a vault here already: not one byte of it changes, and no share is written."""
    _found(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="already"):
        _found(tmp_path, shares_dir=tmp_path / "more", environment=environment_of("another"))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_shares_are_never_written_over(tmp_path: Path) -> None:
    """A share file of that name on the stick stays as it is, and the founding leaves nothing."""
    made = _found(tmp_path, directory=tmp_path / "first")
    share = made.share_files[1]
    for path in (made.share_files[0], made.share_files[2]):
        path.unlink()
    (tmp_path / "first" / "vault.db").unlink()
    with pytest.raises(UsageError, match="exists already"):
        _found(tmp_path)
    assert [path.name for path in (tmp_path / "shares").iterdir()] == [share.name]
    assert not (tmp_path / "vault").exists()


def test_a_rehearsal_writes_nothing(tmp_path: Path) -> None:
    """`dry_run` checks everything and touches nothing."""
    made = _found(tmp_path, dry_run=True)
    assert made.share_files == ()
    assert list(tmp_path.iterdir()) == []


STEPS: dict[str, tuple[object, str]] = {
    "making a directory": (files, "make_private_directory"),
    "sealing the key file": (keyring, "seal_keyfile"),
    "writing the key file": (keyring, "write_keyfile"),
    "making the database": (Store, "create"),
    "storing the vault id": (Store, "add_setting"),
    "storing the codebook": (Store, "add_codebook"),
    "the founding entries": (founding, "begin"),
    "appending": (Store, "append"),
    "opening what was made": (Vault, "open"),
    "proving it by an unlock": (founding, "unlock"),
    "the first private file": (files, "write_private"),
    "writing a share": (share_files, "encode_share"),
    "moving it into place": (Path, "rename"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [OSError(28, "injected"), KeyboardInterrupt()])
@pytest.mark.usefixtures("quick_passphrases")
def test_an_interrupted_founding_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    """A disk error or Ctrl-C at any step: no vault, no key, no share; the same founding goes through afterwards."""
    owner, name = STEPS[step]

    def fail(*args: object, **kwargs: object) -> object:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        with pytest.raises((VaultError, OSError, KeyboardInterrupt)):
            _found(tmp_path)
    assert _files(tmp_path) == []
    _found(tmp_path)
    assert verify_vault(tmp_path / "vault").findings == ()


@pytest.mark.parametrize("number", range(1, SHARES + 1))
@pytest.mark.usefixtures("quick_passphrases")
def test_a_stick_that_fails_at_any_share_leaves_no_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The disk refuses the n-th share: those before it are removed, and the vault with them."""
    real, written = files.write_private, []

    def fail_at(path: Path, data: bytes, *, replace: bool = False) -> None:
        if path.name.startswith("share-"):
            written.append(path)
            if len(written) == number:
                raise StorageError("injected")
        real(path, data, replace=replace)

    monkeypatch.setattr(files, "write_private", fail_at)
    with pytest.raises(StorageError):
        _found(tmp_path)
    assert len(written) == number, "negative control: it came that far"
    assert _files(tmp_path) == []


def test_a_founding_that_crashed_does_not_stand_in_the_way(tmp_path: Path) -> None:
    """Power loss leaves a hidden workshop beside the vault's place; the next founding clears it away."""
    stale = tmp_path / ".vault.founding" / "keys"
    stale.mkdir(parents=True)
    (stale / "root.key").write_bytes(b"half a key")
    _found(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shares", "vault"]
