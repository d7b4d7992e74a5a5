"""Keys: what a key file gives back to the right passphrase, and to nothing else."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path

import pytest

from tests.organisation import HANDLES, PASSPHRASES, Organisation, environment_of, flipped
from vault.errors import FormatError, NotAllowed, UsageError, WrongPassphrase
from vault.formats import canonical
from vault.formats.keyfile import PAYLOAD, KeyPayload, encode_payload, parse_keyfile, parse_payload
from vault.formats.part import HEADER
from vault.model import CaseId, Handle, KeyId, Member, PublicKeys, Role, VaultId
from vault.primitives import passphrase as stretching
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import KdfCost
from vault.services import keyring
from vault.services.keyring import (
    LOCATOR_ID,
    LOCATOR_SALT,
    Compartment,
    mask_locator,
    new_payload,
    open_keyfile,
    seal_keyfile,
    tally_id,
    unmask_locator,
)
from vault.services.vault import unlock

VAULT = VaultId("0123456789abcdef" * 2)
FIELD = Handle("field-7")
TEXT = "zq the right passphrase"


@pytest.fixture
def not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase function must not be reached."""

    def tried(*args: object) -> bytes:
        raise AssertionError("the passphrase was tried")

    monkeypatch.setattr(stretching, "stretch", tried)


def _key(org: Organisation, handle: str = "field-1") -> Path:
    return org.directory / "keys" / f"{handle}.key"


def _rewritten(raw: bytes, place: int, value: canonical.Value) -> bytes:
    """A key file with one field replaced and its closing hash made right again."""
    fields = canonical.parse(raw)
    assert isinstance(fields, list)
    fields[place] = value
    return canonical.encode([*fields[:6], sha256(canonical.encode(fields[:6]))])


@pytest.mark.parametrize("handle", HANDLES)
def test_every_member_unlocks_with_their_own_passphrase(org: Organisation, handle: str) -> None:
    """A real unlock gives the keys that stand on the roster."""
    me = unlock(org.vault, handle, PASSPHRASES[handle])
    assert me == org.keys[handle]
    assert (
        keyring.public_keys(KeyPayload(organisation="", signing_seed=me.signing_seed, sealing_seed=me.sealing_seed))
        == org.vault.roster.member(handle).keys
    )


@pytest.mark.parametrize(
    "wrong",
    [PASSPHRASES["field-2"], PASSPHRASES["field-1"] + " ", PASSPHRASES["field-1"].upper(), "", "x" * 5000, "\udcff"],
)
def test_a_wrong_passphrase_is_a_wrong_passphrase(org: Organisation, wrong: str) -> None:
    """Exit code 12, and the message repeats neither passphrase."""
    with pytest.raises(WrongPassphrase) as caught:
        unlock(org.vault, "field-1", wrong)
    assert caught.value.code == 12
    assert "zq" not in str(caught.value).lower()


def test_the_same_hangul_typed_on_two_keyboards_unlocks(org: Organisation) -> None:
    """Passphrases are NFKC: composed, decomposed and full-width spellings are one."""
    decomposed = unicodedata.normalize("NFD", PASSPHRASES["field-1"])
    assert decomposed != PASSPHRASES["field-1"], "negative control"
    assert unlock(org.vault, "field-1", decomposed) == org.field_1
    assert unlock(org.vault, "field-1", PASSPHRASES["field-1"].replace("zq", "ｚｑ")) == org.field_1


@pytest.mark.usefixtures("not_tried")
def test_damage_is_never_taken_for_a_wrong_passphrase(org: Organisation) -> None:
    """Any single changed byte of a key file is a FormatError (exit code 13), before the passphrase is tried."""
    path = _key(org)
    whole = path.read_bytes()
    for place in range(len(whole)):
        with pytest.raises(FormatError) as caught:
            open_keyfile(flipped(whole, place), org.vault.vault_id, Handle("field-1"), PASSPHRASES["field-1"])
        assert caught.value.code == 13
    path.write_bytes(flipped(whole, 700))
    with pytest.raises(FormatError):
        unlock(org.vault, "field-1", PASSPHRASES["field-1"])


@pytest.mark.usefixtures("not_tried")
def test_a_key_file_cut_short_or_longer_is_damaged(org: Organisation) -> None:
    """Every length but the right one is a FormatError; an over-long one is refused unread."""
    path = _key(org)
    whole = path.read_bytes()
    for raw in (b"", whole[:1], whole[:-1], whole + b"\x00", whole + whole):
        path.write_bytes(raw)
        with pytest.raises(FormatError):
            unlock(org.vault, "field-1", PASSPHRASES["field-1"])
    path.write_bytes(bytes(17 * 1024))
    with pytest.raises(UsageError, match="larger"):
        unlock(org.vault, "field-1", PASSPHRASES["field-1"])


@pytest.mark.usefixtures("not_tried")
@pytest.mark.parametrize(
    "phc",
    [
        b"$argon2id$v=19$m=65536,t=2147483648,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=65536,t=17,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=65536,t=2,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=4294967295,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=1048577,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=65535,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=65536,t=3,p=9$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=65536,t=3,p=0$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=065536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAB",
        b"$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA==",
        b"$argon2i$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$argon2id$v=16$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        b"$scrypt$ln=17,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        b"",
    ],
)
def test_a_hostile_cost_is_refused_before_the_call(org: Organisation, phc: bytes) -> None:
    """A key file whose hash is right and whose cost is outside the bounds: refused at once, never computed."""
    path = _key(org)
    path.write_bytes(_rewritten(path.read_bytes(), 4, phc))
    started = time.perf_counter()
    with pytest.raises(FormatError):
        unlock(org.vault, "field-1", PASSPHRASES["field-1"])
    assert time.perf_counter() - started < 1


def test_another_cost_inside_the_bounds_is_authenticated(org: Organisation) -> None:
    """Public fields are associated data: a cheaper or dearer cost written over the real one opens nothing."""
    path = _key(org)
    raw = path.read_bytes()
    phc = parse_keyfile(raw).phc
    path.write_bytes(_rewritten(raw, 4, phc.replace(b"t=3", b"t=4")))
    with pytest.raises(WrongPassphrase):
        unlock(org.vault, "field-1", PASSPHRASES["field-1"])
    path.write_bytes(_rewritten(raw, 4, phc))
    assert unlock(org.vault, "field-1", PASSPHRASES["field-1"]) == org.field_1, "negative control"


@pytest.mark.usefixtures("quick_passphrases")
def test_a_sealed_payload_that_was_changed_does_not_open(org: Organisation) -> None:
    """Even with its closing hash made right again."""
    payload = new_payload(environment_of("x"), "Org", Role.RECORDER)
    raw = seal_keyfile(environment_of("x"), VAULT, FIELD, payload, TEXT, KdfCost())
    assert open_keyfile(raw, VAULT, FIELD, TEXT) == payload, "negative control"
    changed = _rewritten(raw, 5, flipped(parse_keyfile(raw).sealed))
    with pytest.raises(WrongPassphrase):
        open_keyfile(changed, VAULT, FIELD, TEXT)


@pytest.mark.usefixtures("not_tried")
def test_a_key_file_of_another_vault_or_member_is_refused(org: Organisation) -> None:
    """The frame names whose it is; another's is not even tried."""
    raw = _key(org).read_bytes()
    for vault_id, handle in ((VAULT, Handle("field-1")), (org.vault.vault_id, Handle("field-2"))):
        with pytest.raises(WrongPassphrase):
            open_keyfile(raw, vault_id, handle, PASSPHRASES["field-1"])


@pytest.mark.usefixtures("quick_passphrases")
def test_keys_that_are_not_the_rosters_are_refused(org: Organisation) -> None:
    """A key file made by somebody else for this vault, this handle and a passphrase they know: not on the roster."""
    forged = new_payload(environment_of("forger"), "Org", Role.RECORDER)
    raw = seal_keyfile(environment_of("forger"), org.vault.vault_id, Handle("field-1"), forged, TEXT, KdfCost())
    _key(org).write_bytes(raw)
    with pytest.raises(WrongPassphrase, match="roster"):
        unlock(org.vault, "field-1", TEXT)


def test_a_revoked_member_is_not_let_in(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the right passphrase, and told so only then."""
    member = org.vault.roster.member("field-1")
    revoked = Member(handle=member.handle, role=member.role, keys=member.keys, key_id=member.key_id, revoked_at=())
    monkeypatch.setattr(type(org.vault.roster), "member", lambda *_: revoked)
    with pytest.raises(NotAllowed, match="revoked"):
        unlock(org.vault, "field-1", PASSPHRASES["field-1"])
    with pytest.raises(WrongPassphrase):
        unlock(org.vault, "field-1", "not the right one")


def test_an_unknown_member_is_a_usage_error(org: Organisation) -> None:
    """Nobody of that name is on the roster."""
    for handle in ("field-9", "", "../root", "root.key"):
        with pytest.raises(UsageError):
            unlock(org.vault, handle, TEXT)


# -- what is derived ---------------------------------------------------------------------------------------------------


def test_everything_derived_from_a_compartment_key_differs() -> None:
    """Tally keys of two periods, the locator key, the public ids: all different, none is the key itself."""
    one, two = (Compartment(epoch=1, key=bytes([n]) * 32) for n in (1, 2))
    derived = [
        item
        for compartment in (one, two)
        for item in (
            compartment.key,
            compartment.tally_key(),
            compartment.tally_key(1),
            compartment.locator_key(),
            compartment.key_id,
            tally_id(compartment.tally_key()),
        )
    ]
    assert len(set(derived)) == len(derived)


def test_a_masked_locator_comes_back_in_its_own_place_only() -> None:
    """Half of the case id comes back; another number, layer, salt or key gives something else."""
    key, salt, case_id = b"k" * 32, b"s" * LOCATOR_SALT, CaseId(bytes(range(16)))
    masked = mask_locator(key, salt, 7, "case", case_id)
    half = case_id[:LOCATOR_ID]
    assert len(masked) == HEADER
    assert half not in masked
    assert unmask_locator(key, 7, "case", masked) == half
    others = [
        unmask_locator(b"l" * 32, 7, "case", masked),
        unmask_locator(key, 8, "case", masked),
        unmask_locator(key, 7, "identity", masked),
        unmask_locator(key, 7, "case", flipped(masked, 0)),
    ]
    assert half not in others


def test_one_place_written_twice_shows_no_difference_of_ids() -> None:
    """A laptop restored from a backup writes the same number again: with other salts the pads differ, so the two
    headers do not give away the XOR of two case ids."""
    key, one, two = b"k" * 32, CaseId(b"\x01" * 16), CaseId(b"\x02" * 16)
    first, second = (mask_locator(key, salt, 7, "case", case) for salt, case in ((b"a" * 8, one), (b"b" * 8, two)))
    assert int.from_bytes(first[8:], "big") ^ int.from_bytes(second[8:], "big") != int.from_bytes(b"\x03" * 8, "big")


def test_party_tokens_are_the_recorders_own(org: Organisation) -> None:
    """One label gives one token to one recorder, another to another, and another label another."""
    one, two = org.field_1.party_token, org.field_2.party_token
    assert one("night train") == one("night train")
    assert len({one("night train"), two("night train"), one("day train")}) == 3
    assert len(one("night train")) == 16


def test_only_recorders_have_a_compartment() -> None:
    """Fresh secrets: all different, and a compartment for a recorder alone."""
    for role in Role:
        payload = new_payload(environment_of(role.value), "Org", role)
        assert bool(payload.compartments) == (role is Role.RECORDER)
        assert payload.signing_seed != payload.sealing_seed
        assert parse_payload(encode_payload(payload)) == payload
        assert len(encode_payload(payload)) == PAYLOAD


def test_nothing_secret_shows_in_repr(org: Organisation) -> None:
    """A keyring's and a payload's repr hold no secret, whatever holds them."""
    me = org.field_1
    payload = new_payload(environment_of("x"), "Zq Organisation", Role.RECORDER, export=b"e" * 32)
    shown = repr(me) + repr(payload) + repr(me.compartment) + repr([me])
    secrets = (me.signing_seed, me.sealing_seed, me.compartment.key, payload.signing_seed, payload.sealing_seed)
    for secret in (*secrets, payload.compartments[0][1], b"e" * 32):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
    assert "Zq" not in shown
    assert "field-1" in shown, "negative control: the handle does show"


def test_a_member_is_shown_by_public_keys_only() -> None:
    """`Member` holds nothing secret."""
    names = set(Member.__dataclass_fields__)
    assert names == {"handle", "role", "keys", "key_id", "revoked_at"}
    keys = PublicKeys(signing=b"s" * 32, sealing=b"h" * 1216)
    assert not Member(handle=FIELD, role=Role.HUB, keys=keys, key_id=KeyId(b"i" * 16)).revoked
