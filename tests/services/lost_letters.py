"""A recorder who adds letters and never comes back, for tests; and whoever plants letters with their armed laptop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.organisation import Organisation
from tests.services.travelling import STEP
from vault.formats.keyfile import ArmedPayload
from vault.formats.letter import Letter, encode_letter
from vault.model import KeyId, Kind, Layer, Purpose
from vault.services.grants import member_wrap
from vault.services.journal import Draft, PartDraft, write
from vault.services.keyring import Keyring, armed_keyring
from vault.services.letters import part_key
from vault.services.records import record
from vault.services.restoring import Restored
from vault.services.tally_rows import read_rows
from vault.services.vault import Vault

KEY = bytes(range(32))
"""The letter key that a forger chose."""
INTAKE: dict[str, str | int] = {
    "age_group": "18-59",
    "born_in_china": "no",
    "consent_statistics": "yes",
    "minor": "no",
    "sex": "male",
    "trafficked": "no",
    "travelled_with_family": "no",
}


def armed(org: Organisation, handle: str = "field-1") -> Keyring:
    """What a member's passphrase gives on an armed laptop."""
    payload = ArmedPayload(signing_seed=org.keys[handle].signing_seed, travel_seed=bytes(32))
    return armed_keyring(org.keys[handle].member, payload)


def journey(org: Organisation, case: str, **more: object) -> int:
    """A journey as a letter; its number."""
    return record(org.vault, armed(org), "journey", case, {**STEP, **more}).seq


def letter(name: str, *, opens: bool = True, kind: str = "intake", **tally: str | int) -> dict[Layer, bytes]:
    """The parts of a letter by a program of a forger's own. One that opens a case, or is an intake, has an intake's
    codes, but for those that are given as ""."""
    codes = INTAKE if opens or kind == "intake" else {}
    values = {key: value for key, value in {**codes, **tally}.items() if value != ""}
    return {Layer.CASE: encode_letter(Letter(pseudonym=name, opens=opens, type=kind, case={}, tally=values))}


def planted(
    org: Organisation,
    payloads: Mapping[Layer, bytes],
    *,
    by: str = "field-1",
    key: bytes = KEY,
    to_recovery: bytes | None = None,
) -> int:
    """A letter with these parts by whoever has a member's signing key; its number. `to_recovery` is what is wrapped to
    the recovery key, if it is another key than the parts'."""
    return planted_by(org.vault, armed(org, by), payloads, key=key, to_recovery=to_recovery)


def planted_by(
    vault: Vault, me: Keyring, *payloads: Mapping[Layer, bytes], key: bytes = KEY, to_recovery: bytes | None = None
) -> int:
    """As `planted`: letters, each with its parts, sealed and signed as any, in one commit; the number of the first."""
    signer, recovery = vault.signer(me), vault.roster.recoveries[-1]
    to = (
        (me.member.key_id, me.member.keys.sealing, key),
        (recovery.key_id, recovery.key, key if to_recovery is None else to_recovery),
    )
    wraps = tuple(member_wrap(vault.vault_id, signer.origin, Purpose.LETTER, *each) for each in to)
    drafts = [Draft(kind=Kind.RECORD, parts=_sealed(each, key), wraps=wraps) for each in payloads]
    return _written(vault, me, drafts)


def _sealed(payloads: Mapping[Layer, bytes], key: bytes) -> tuple[PartDraft, ...]:
    return tuple(
        PartDraft(layer=layer, key=part_key(key, layer), payload=payload, header=lambda _: bytes(16))
        for layer, payload in payloads.items()
    )


def written(org: Organisation, *drafts: Draft, by: str = "field-1") -> int:
    """Entries that whoever has the signing key adds; the number of the first."""
    return _written(org.vault, armed(org, by), drafts)


def _written(vault: Vault, me: Keyring, drafts: Sequence[Draft]) -> int:
    signer = vault.signer(me)
    with vault.writing(me):
        return write(vault.store, vault.journal_number(signer.origin), signer, vault.day, drafts)


def recovery_id(org: Organisation) -> KeyId:
    """The name of the recovery key in force."""
    return org.vault.roster.recovery_id


KNOWN = {"event": "transit", "country": "CN", "period": "2026-Q1"}
"""The codes of a journey, as they are kept."""


def rows(org: Organisation, *handles: str) -> list[tuple[bytes, str]]:
    """What a director counts: the token and the type of each row."""
    origins = [org.vault.signer(org.keys[handle]).origin for handle in handles or ("field-1", "field-2")]
    return [(bytes(row.token), row.type) for row in read_rows(org.vault, org.director, origins)]


def left(done: Restored) -> dict[str, int]:
    """Why letters stay sealed."""
    assert done.letters == sum(count for _, count in done.letters_left)
    return dict(done.letters_left)
