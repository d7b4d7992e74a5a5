"""Letters that somebody planted: whoever had the armed laptop and its passphrase signs as its owner."""

from __future__ import annotations

import pytest

from tests.laptops import Fleet
from tests.services.travelling import Travelling
from vault.formats import part as parts
from vault.formats.letter import Letter, encode_letter
from vault.model import Kind, Layer, Purpose
from vault.services.grants import member_wrap
from vault.services.journal import Draft, PartDraft, write
from vault.services.letters import part_key
from vault.services.tally_rows import read_rows

TALLY: dict[str, str | int] = {
    "age_group": "18-59",
    "born_in_china": "no",
    "consent_statistics": "yes",
    "minor": "no",
    "sex": "male",
    "trafficked": "no",
    "travelled_with_family": "no",
}


def letter(*, opens: bool = True, kind: str = "intake", **tally: str | int) -> bytes:
    """The case part of a letter by a program of the thief's own."""
    values = {name: value for name, value in {**TALLY, **tally}.items() if value != ""}
    return encode_letter(Letter(pseudonym="amber-heron-07", opens=opens, type=kind, case={}, tally=values))


def planted(world: Travelling, payloads: dict[Layer, bytes]) -> None:
    """A letter with these parts, sealed and signed as any."""
    vault, me, key = world.field.vault, world.armed_ring, bytes(32)
    signer, recovery = vault.signer(me), vault.roster.recoveries[-1]
    to = ((me.member.key_id, me.member.keys.sealing), (recovery.key_id, recovery.key))
    wraps = tuple(member_wrap(vault.vault_id, signer.origin, Purpose.LETTER, *each, key) for each in to)
    items = tuple(
        PartDraft(layer=layer, key=part_key(key, layer), payload=payload, header=lambda _: bytes(16))
        for layer, payload in payloads.items()
    )
    with vault.writing(me):
        drafts = [Draft(kind=Kind.RECORD, parts=items, wraps=wraps)]
        write(vault.store, vault.journal_number(signer.origin), signer, vault.day, drafts)


@pytest.mark.parametrize(
    ("payloads", "recorded"),
    [
        ({Layer.CASE: letter()}, 3),  # the negative control: what could be true cannot be told from what is
        ({Layer.IDENTITY: parts.encode_identity({"name": "x"})}, 2),
        ({Layer.CASE: letter(kind="bogus")}, 2),
        ({Layer.CASE: letter(opens=False)}, 2),
        ({Layer.CASE: letter(sex="bogus")}, 2),
        ({Layer.CASE: letter(sex="")}, 2),
        ({Layer.CASE: letter(notes="in the wrong layer")}, 2),
        ({Layer.CASE: letter(no_variable=5)}, 2),
    ],
)
def test_a_planted_letter_stops_nothing_and_nobody(fleet: Fleet, payloads: dict[Layer, bytes], recorded: int) -> None:
    """What the program would not have sealed is kept and named, the others are recorded, and no total meets a code
    that there is not."""
    world = Travelling(fleet)
    world.arm()
    world.letters()
    planted(world, payloads)
    taken = world.disarm()
    assert (taken.recorded, len(taken.kept)) == (recorded, 3 - recorded)
    rows = read_rows(world.field.vault, fleet.keys["director-1"], [world.field.origin()])
    assert len(rows) == 2 + recorded
