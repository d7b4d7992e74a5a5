"""Totals: from the tally parts that a director may open to one protected table that leaves.

Fail closed, in this order: the whole vault is audited first; every recorder's journal must be here, that of one who was
cut off as far as root attested, and open to this director, or the count would be silently short; the table is
protected; the release is entered in the director's journal; only then are its bytes handed out. An error anywhere means
no output.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources

from vault import labels
from vault.disclosure.protect import protect
from vault.disclosure.rounding import Coin
from vault.errors import IntegrityError, NotAllowed, UsageError
from vault.formats.leaf import parse_fields
from vault.formats.origin import ROOT, parse_origin
from vault.formats.release import Release
from vault.formats.release_csv import encode_csv
from vault.formats.release_html import encode_html
from vault.formats.release_json import encode_json
from vault.formats.release_markdown import encode_markdown
from vault.formats.table import Table, parse_table
from vault.formats.wraps import member_context
from vault.model import Kind, Origin, Purpose, Role
from vault.primitives import hpke, tree
from vault.primitives.hashing import hmac_sha256, sha256
from vault.services.audit import FOUND_SOMETHING, verify_vault
from vault.services.entry_rules import limit_of
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.remembered import frontier_at
from vault.services.tally_rows import read_rows
from vault.services.vault import JournalStatus, Vault, require_role

SHIPPED = ("all_years", "year_2020")
_ENCODERS = {"json": encode_json, "csv": encode_csv, "md": encode_markdown, "html": encode_html}


def shipped_tables() -> tuple[Table, ...]:
    """The tables that come with the program."""
    folder = resources.files("vault").joinpath("tables")
    return tuple(parse_table(folder.joinpath(f"{name}.toml").read_bytes()) for name in SHIPPED)


def encode_release(release: Release, format: str) -> bytes:  # noqa: A002  # the word of the command line
    """A release's bytes as "json", "csv", "md" or "html". The same release gives the same bytes."""
    encoder = _ENCODERS.get(format)
    if encoder is None:
        raise UsageError(f"there is no such format; there are: {', '.join(_ENCODERS)}")
    return encoder(release)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How many figures an export would print and withhold. Never which, nor any value: that would be a release."""

    printed: int
    withheld: int


def preview_table(vault: Vault, me: Keyring, name: str) -> Preview:
    """What `export_table` would do, in two numbers; nothing is entered. Raises what `export_table` raises."""
    table = _table(me, name)
    with vault.writing(me, announced=False):  # nobody writes meanwhile, and neither do we
        cells = _protected(vault, me, table).cells
    printed = sum(cell.value is not None for cell in cells)
    return Preview(printed=printed, withheld=len(cells) - printed)


def export_table(vault: Vault, me: Keyring, name: str) -> Release:
    """Protects one table and enters it in the director's journal; a release that stands there already is not entered
    again. Raises NotAllowed, UsageError, IntegrityError (the audit found something), DisclosureRefused,
    StorageError."""
    # Inside one transaction: nobody writes between what was audited, what is counted and what is entered.
    with vault.writing(me):
        return _entered(vault, me, _protected(vault, me, _table(me, name)))


def _table(me: Keyring, name: str) -> Table:
    require_role(me, Role.DIRECTOR)
    table = next((table for table in shipped_tables() if table.name == name), None)
    if table is None:
        raise UsageError("there is no table of that name", hint='"fieldvault tables" lists them')
    return table


def _protected(vault: Vault, me: Keyring, table: Table) -> Release:
    if verify_vault(vault.directory).verdict == FOUND_SOMETHING:
        raise IntegrityError(
            "the audit of this vault finds something wrong; no figure leaves it", hint='run "fieldvault audit verify"'
        )
    journals = [status for status in vault.journals() if _role(vault, status.origin) is Role.RECORDER]
    _require_everybody(vault, journals)
    rows = read_rows(vault, me, [status.origin for status in journals])
    checkpoints = [_counted_from(vault, status) for status in sorted(journals, key=_by_origin)]
    export_key = _export_key(vault, me)
    release = protect(table, rows, vault.policy, coin_of(export_key), checkpoints)
    salt = hmac_sha256(export_key, labels.RELEASE_SALT + encode_json(release))
    return replace(release, salt=salt.hex())


def _require_everybody(vault: Vault, journals: Sequence[JournalStatus]) -> None:
    """Raises NotAllowed while a recorder's journal has not come to this laptop, or of one who was cut off less than
    root attested: the count would be silently short."""
    here = {parse_origin(status.origin).handle for status in journals}
    absent = [member.handle for member in vault.roster.active(Role.RECORDER) if member.handle not in here]
    if absent:
        raise NotAllowed(
            f"nothing of these recorders has come to this laptop yet, and their people would be missing: "
            f"{', '.join(absent)}",
            hint="import a bundle from each of them or from the hub; whoever will never send one, root revokes",
        )
    held = {status.origin: status.size for status in journals}
    revoked = (member for member in vault.roster.members if member.role is Role.RECORDER)
    attested = ((origin, size) for member in revoked for origin, size in member.revoked_at or ())
    short = [f"{origin} ({held.get(origin, 0)} of {size})" for origin, size in attested if held.get(origin, 0) < size]
    if short:
        raise NotAllowed(
            f"less has come to this laptop of these revoked recorders than root attested, and their people would be "
            f"missing: {', '.join(short)}",
            hint='import a bundle from the hub, made with "bundle create --full"',
        )


def _counted_from(vault: Vault, status: JournalStatus) -> str:
    """Up to where a journal was counted, and the root there: what stands behind its writer's end is left out."""
    limit = limit_of(vault.roster.member(parse_origin(status.origin).handle), status.origin)
    size, root = status.size, status.root
    if limit is not None and limit < size:
        size, root = limit, tree.fold(frontier_at(vault.store, vault.journal_number(status.origin), limit))
    return f"{status.origin} {size} {b64encode(root).decode()}"


def _by_origin(status: JournalStatus) -> str:
    return status.origin


def _role(vault: Vault, origin: Origin) -> Role:
    return vault.roster.member(parse_origin(origin).handle).role


def coin_of(export_key: bytes) -> Coin:
    """The keyed coin of rounding: 64 bits of HMAC-SHA256 under the export key, over the sorted tokens.

    Tokens have one length (16 bytes), so their concatenation is unambiguous.
    """

    def coin(tokens: Sequence[bytes]) -> int:
        return int.from_bytes(hmac_sha256(export_key, labels.ROUNDING + b"".join(tokens))[:8], "big")

    return coin


def _export_key(vault: Vault, me: Keyring) -> bytes:
    """The organisation's rounding key, which root wrapped to this director on enrolment."""
    number = vault.journal_number(vault.roster.origin)
    for seq, raw in vault.store.wraps_for(number, me.member.key_id, Purpose.EXPORT):
        context = member_context(vault.vault_id, vault.roster.origin, seq, Purpose.EXPORT, me.member.key_id)
        return hpke.unwrap(me.sealing_seed, raw, context)
    raise NotAllowed(f'"{me.handle}" was given no export key', hint=f'"{ROOT}" enrols directors with "member add"')


def _entered(vault: Vault, me: Keyring, release: Release) -> Release:
    """The release with its digest, under which it now stands in the director's journal. One that stands there already
    is not entered again."""
    digest = sha256(encode_json(release))
    signer = vault.signer(me)
    number = vault.journal_number(signer.origin)
    entered = (parse_fields(raw) for raw in vault.store.leaves(number))
    if not any(fields[2] == Kind.RELEASE and fields[5] == [digest] for fields in entered):
        write(vault.store, number, signer, vault.day, [Draft(kind=Kind.RELEASE, extra=(digest,))])
    return replace(release, digest=digest.hex())
