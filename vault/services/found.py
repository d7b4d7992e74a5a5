"""Founding an organisation: root's key, the vault id, the roster, the codebook, the policy, the recovery shares.

Everything is made in a hidden directory beside the target, proven by a real unlock and by combining the shares, and
only then renamed into place: founding either happened or left nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path

from vault.errors import IntegrityError, StorageError, UsageError
from vault.formats.codebook import parse_codebook
from vault.formats.origin import ROOT, origin_of
from vault.formats.share import ShareCard, encode_share
from vault.model import Kind, Policy, Purpose, Role, VaultId
from vault.ports import Environment
from vault.primitives import hpke
from vault.primitives import shares as slip39
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import KdfCost
from vault.services import files, keyring
from vault.services.grants import member_wrap
from vault.services.journal import Draft, Signer, begin
from vault.services.roster import ROSTER_EPOCH, recovery_id_of, vault_id_of
from vault.services.vault import DATABASE, DAY_ZERO, VAULT_ID_SETTING, Vault, unlock
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
    inside, outside = shares_dir.resolve(), directory.resolve()
    if inside == outside or outside in inside.parents:
        raise UsageError(
            "the recovery shares must not lie inside the vault", hint="name a stick or another folder with --shares-dir"
        )


def _share_paths(shares_dir: Path, vault_id: VaultId, count: int) -> tuple[Path, ...]:
    return tuple(shares_dir / f"share-{number}-of-{count}-{vault_id[:8]}.txt" for number in range(1, count + 1))


@contextmanager
def _workshop(directory: Path) -> Iterator[Path]:
    """A hidden sibling directory, removed whatever happens unless it was renamed away."""
    files.make_private_directory(directory.resolve().parent, parents=True)
    workshop = directory.resolve().with_name(f".{directory.resolve().name}.founding")
    shutil.rmtree(workshop, ignore_errors=True)
    files.make_private_directory(workshop)
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _policy_extra(policy: Policy) -> tuple[list[object], ...]:
    return tuple([name, getattr(policy, name)] for name in sorted(field.name for field in fields(policy)))


def found(
    directory: Path,
    *,
    org: str,
    passphrase: str,
    threshold: int,
    shares: int,
    shares_dir: Path,
    codebook: bytes | None = None,
    policy: Policy | None = None,
    environment: Environment | None = None,
    cost: KdfCost | None = None,
    dry_run: bool = False,
) -> Founded:
    """Founds an organisation in `directory`, with root's key sealed under `passphrase` and the recovery key split into
    `shares` files in `shares_dir`, any `threshold` of which restore it.

    Raises UsageError for a request that does not fit, StorageError when the disk refuses; then nothing is left behind.
    """
    environment = environment or Environment.system()
    _check_target(directory, shares_dir)
    keyring.check_passphrase(passphrase)
    raw_codebook = codebook if codebook is not None else shipped_codebook()
    parse_codebook(raw_codebook)
    payload = keyring.new_payload(environment, org, Role.ROOT, export=environment.random.token(32))
    public = keyring.public_keys(payload)
    vault_id = vault_id_of(public)
    recovery_seed = environment.random.token(hpke.SEED)
    cards = slip39.split(recovery_seed, threshold=threshold, shares=shares)
    if slip39.combine(cards[:threshold]) != recovery_seed or slip39.combine(cards[-threshold:]) != recovery_seed:
        raise IntegrityError("the recovery shares do not combine; nothing was written")
    if dry_run:
        return Founded(vault_id=vault_id, fingerprint=fingerprint_of(vault_id), share_files=())
    recovery = hpke.public_key(recovery_seed)
    origin = origin_of(vault_id, ROOT, ROSTER_EPOCH)
    recovery_id = recovery_id_of(recovery)
    entries = (
        Draft(
            kind=Kind.FOUND,
            extra=(public.signing, public.sealing, recovery),
            wraps=(member_wrap(vault_id, origin, Purpose.EXPORT, recovery_id, recovery, payload.export),),
        ),
        Draft(kind=Kind.POLICY, extra=_policy_extra(policy or Policy())),
        Draft(kind=Kind.CODEBOOK, extra=(sha256(raw_codebook),)),
    )
    with _workshop(directory) as workshop:
        files.make_private_directory(workshop / "keys")
        sealed = keyring.seal_keyfile(environment, vault_id, ROOT, payload, passphrase, cost)
        keyring.write_keyfile(workshop, ROOT, sealed, replace=False)
        with Store.create(workshop / DATABASE) as store, store.transaction():
            store.add_setting(VAULT_ID_SETTING, vault_id.encode())
            store.add_codebook(sha256(raw_codebook), raw_codebook)
            signer = Signer(vault_id=vault_id, origin=origin, seed=payload.signing_seed, public_key=public.signing)
            day = max(0, environment.clock.today().toordinal() - DAY_ZERO)
            begin(store, signer, day, entries)
        with Vault.open(workshop, environment) as made:
            unlock(made, ROOT, passphrase)
        share_files = _write_shares(shares_dir, vault_id, cards, threshold, environment)
        _move_into_place(workshop, directory, share_files)
    return Founded(vault_id=vault_id, fingerprint=fingerprint_of(vault_id), share_files=share_files)


def _write_shares(
    shares_dir: Path, vault_id: VaultId, cards: tuple[str, ...], threshold: int, environment: Environment
) -> tuple[Path, ...]:
    files.make_private_directory(shares_dir, parents=True)
    paths = _share_paths(shares_dir, vault_id, len(cards))
    written: list[Path] = []
    try:
        for number, (path, words) in enumerate(zip(paths, cards, strict=True), start=1):
            card = ShareCard(
                vault_id=vault_id,
                number=number,
                count=len(cards),
                threshold=threshold,
                made=environment.clock.today().isoformat(),
                words=words,
            )
            files.write_private(path, encode_share(card))
            written.append(path)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return paths


def _move_into_place(workshop: Path, directory: Path, share_files: tuple[Path, ...]) -> None:
    try:
        if directory.exists():
            directory.rmdir()
        workshop.rename(directory)
    except OSError as error:
        for path in share_files:
            path.unlink(missing_ok=True)
        raise StorageError(f"the vault cannot be moved into its place ({error.strerror})") from None
    files.sync_directory(directory.resolve().parent)
