"""Founding an organisation: root's key, the vault id, the roster, the codebook, the policy, the recovery shares.

Everything is made in a hidden directory beside the target, proven by a real unlock and by combining the shares, and
only then renamed into place: founding either happened or left nothing.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from vault.disclosure.policies import policy_values, tightened
from vault.errors import IntegrityError, StorageError, UsageError
from vault.formats.codebook import parse_codebook
from vault.formats.keyfile import KeyPayload
from vault.formats.origin import ROOT, origin_of
from vault.model import Kind, Policy, Purpose, Role, VaultId
from vault.ports import Environment, day_number
from vault.primitives import hpke
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.grants import member_wrap
from vault.services.journal import Draft, Signer, begin
from vault.services.layout import DATABASE, VAULT_ID_SETTING
from vault.services.roster import ROSTER_EPOCH, recovery_id_of, vault_id_of
from vault.services.share_files import (
    cards_of,
    check_outside,
    remove_shares,
    share_paths,
    split_seed,
    write_shares,
)
from vault.services.vault import Vault, unlock
from vault.services.words import fingerprint_of
from vault.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """What founding made. `share_files` are plain text: hand each to its custodian and keep no copy."""

    vault_id: VaultId
    fingerprint: str
    share_files: tuple[Path, ...]


def shipped_codebook() -> bytes:
    """The bytes of the codebook that comes with the program."""
    return resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes()


def _check_target(directory: Path, shares_dir: Path) -> None:
    if (directory / DATABASE).exists():
        raise UsageError("there is a vault in this directory already", hint='"fieldvault status" shows it')
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError("the directory for the vault is not empty", hint="name a new or empty directory with -C")
    check_outside(directory, shares_dir)


@contextmanager
def _workshop(directory: Path, environment: Environment) -> Iterator[Path]:
    """A hidden sibling directory of a fresh name, removed whatever happens unless it was renamed away. What a crash
    left of an earlier founding is cleared first: no vault was ever made of it."""
    target = directory.resolve()
    files.make_private_directory(target.parent, parents=True)
    ours = re.compile(rf"\.{re.escape(target.name)}\.founding(?:-[0-9a-f]{{8}})?")
    for stale in target.parent.iterdir():
        if ours.fullmatch(stale.name):
            shutil.rmtree(stale, ignore_errors=True)
    workshop = target.with_name(f".{target.name}.founding-{environment.random.token(4).hex()}")
    try:
        files.make_private_directory(workshop)
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def found(
    directory: Path,
    *,
    org: str,
    passphrase: str,
    threshold: int,
    shares: int,
    shares_dir: Path,
    cards: Path | None = None,
    codebook: bytes | None = None,
    policy: Policy | None = None,
    environment: Environment | None = None,
    cost: KdfCost | None = None,
    dry_run: bool = False,
) -> Founded:
    """Founds an organisation in `directory`, with root's key sealed under `passphrase` and the recovery key split into
    `shares` files in `shares_dir`, any `threshold` of which restore it; with `cards`, also as a page to print.

    Raises UsageError for a request that does not fit (a policy weaker than any may be, too), StorageError when the disk
    refuses; then nothing is left behind.
    """
    environment = environment or Environment.system()
    _check_target(directory, shares_dir)
    if cards is not None:
        check_outside(directory, cards.parent)
    keyring.check_passphrase(passphrase)
    raw_codebook = codebook if codebook is not None else shipped_codebook()
    parse_codebook(raw_codebook)
    policy = tightened(Policy(), asdict(policy or Policy()), loosen=True)  # there is none before it to loosen
    payload = keyring.new_payload(environment, org, Role.ROOT, export=environment.random.token(32))
    recovery_seed = environment.random.token(hpke.SEED)
    words = split_seed(recovery_seed, threshold, shares)
    vault_id = vault_id_of(keyring.public_keys(payload))
    if dry_run:
        return Founded(vault_id=vault_id, fingerprint=fingerprint_of(vault_id), share_files=())
    entries = _entries(payload, vault_id, hpke.public_key(recovery_seed), policy, sha256(raw_codebook))
    with _workshop(directory, environment) as workshop:
        files.make_private_directory(workshop / "keys")
        sealed = keyring.seal_keyfile(environment, vault_id, ROOT, payload, passphrase, cost)
        keyring.write_keyfile(workshop, ROOT, sealed, replace=False)
        _write_database(workshop, environment, payload, vault_id, raw_codebook, entries)
        with Vault.open(workshop, environment) as made:
            unlock(made, ROOT, passphrase)
        share_files = share_paths(shares_dir, vault_id, shares)
        write_shares(cards_of(vault_id, words, threshold, environment.clock.today()), share_files, cards)
        ours = (workshop / DATABASE).stat().st_ino
        try:
            _move_into_place(workshop, directory)
        except BaseException:
            # Once our vault stands in its place its shares must stay: they are the only ones there will be.
            if not _stands(directory, ours):
                remove_shares([*share_files, *([cards] if cards is not None else [])])
            raise
    files.sync_directory(directory.resolve().parent)
    if not keyring.key_path(directory, ROOT).is_file():
        raise IntegrityError(
            "another founding in the same place disturbed this one; remove the directory and found anew"
        )
    return Founded(vault_id=vault_id, fingerprint=fingerprint_of(vault_id), share_files=share_files)


def _entries(
    payload: KeyPayload, vault_id: VaultId, recovery: bytes, policy: Policy, codebook: bytes
) -> tuple[Draft, ...]:
    """The first entries of the roster: who founded, under which policy, with which codebook."""
    public = keyring.public_keys(payload)
    origin = origin_of(vault_id, ROOT, ROSTER_EPOCH)
    wrap = member_wrap(vault_id, origin, Purpose.EXPORT, recovery_id_of(recovery), recovery, payload.export)
    return (
        Draft(kind=Kind.FOUND, extra=(public.signing, public.sealing, recovery), wraps=(wrap,)),
        Draft(kind=Kind.POLICY, extra=tuple(map(list, policy_values(policy)))),
        Draft(kind=Kind.CODEBOOK, extra=(codebook,)),
    )


def _write_database(
    workshop: Path,
    environment: Environment,
    payload: KeyPayload,
    vault_id: VaultId,
    raw_codebook: bytes,
    entries: tuple[Draft, ...],
) -> None:
    signer = Signer(
        vault_id=vault_id,
        origin=origin_of(vault_id, ROOT, ROSTER_EPOCH),
        seed=payload.signing_seed,
        public_key=keyring.public_keys(payload).signing,
    )
    with Store.create(workshop / DATABASE) as store, store.transaction():
        store.add_setting(VAULT_ID_SETTING, vault_id.encode())
        store.add_codebook(sha256(raw_codebook), raw_codebook)
        begin(store, signer, day_number(environment.clock.today()), entries)


def _stands(directory: Path, inode: int) -> bool:
    try:
        return (directory / DATABASE).stat().st_ino == inode
    except OSError:
        return False


def _move_into_place(workshop: Path, directory: Path) -> None:
    try:
        if directory.exists():
            directory.rmdir()
        workshop.rename(directory)
    except OSError as error:
        raise StorageError(f"the vault cannot be moved into its place ({error.strerror})") from None
