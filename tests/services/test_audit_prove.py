"""Proofs: one file and a policy say that an entry stood there; whatever is wrong is refused for its own reason."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, record
from tests.organisation import flipped as flipped_bit, rows_of
from tests.services.publishing import again, show, two_laptops
from tests.vectors import published as vectors
from vault.errors import FormatError, IntegrityError, NoVault, SignatureInvalid, UsageError, VaultError
from vault.formats.leaf import parse_leaf
from vault.formats.note import Note, VerifierKey, encode_note, parse_note
from vault.formats.tlog_policy import PolicyLog, PolicyWitness, TrustPolicy, parse_policy
from vault.formats.tlog_proof import TlogProof, encode_proof, parse_proof
from vault.services.audit_prove import prove, verify_proof, verify_proof_file


@pytest.fixture
def pair(fleet: Fleet, tmp_path: Path) -> tuple[Laptop, TrustPolicy]:
    """The field laptop, five of whose entries headquarters has cosigned, and the policy that it publishes."""
    _, laptop = two_laptops(fleet)
    record(laptop, "field-1", 3)
    policy = parse_policy((show(laptop, tmp_path / "published").path / "policy").read_bytes())
    return laptop, policy


def test_a_cosigned_entry_is_proved_to_whoever_has_the_policy(pair: tuple[Laptop, TrustPolicy]) -> None:
    """Entry 3, at the five entries that the hub saw, although there are more by now."""
    laptop, policy = pair
    made = prove(laptop.directory, "field-1/1:3")
    assert (made.seq, made.size, made.cosigned) == (3, 5, ("hub-1",))
    found = verify_proof(made.proof, policy)
    assert (found.origin, found.seq, found.size) == (laptop.origin("field-1"), 3, 5)
    assert [name for name, _ in found.cosigned] == ["hub-1"]
    assert found.leaf == made.leaf == History.of(laptop, "field-1").leaves[3]
    assert (found.kind, found.day) == (parse_leaf(made.leaf).kind, parse_leaf(made.leaf).day)


def test_an_entry_that_nobody_has_seen_is_proved_at_the_newest_head(pair: tuple[Laptop, TrustPolicy]) -> None:
    """Its writer vouches for it; a policy with a quorum does not take that."""
    laptop, policy = pair
    size = laptop.size("field-1")
    made = prove(laptop.directory, f"field-1/1:{size - 1}")
    assert (made.size, made.cosigned) == (size, ())
    with pytest.raises(SignatureInvalid, match="not cosigned by the policy's quorum"):
        verify_proof(made.proof, policy)
    assert verify_proof(made.proof, replace(policy, quorum="none")).cosigned == ()


@pytest.mark.parametrize("entry", range(5))
def test_every_entry_has_a_proof(pair: tuple[Laptop, TrustPolicy], entry: int) -> None:
    """The first, the last, and those between; by every name that an entry has."""
    laptop, policy = pair
    made = prove(laptop.directory, f"field-1/1:{entry}")
    assert verify_proof(made.proof, policy).seq == entry
    assert prove(laptop.directory, f"{laptop.origin('field-1')}:{entry}") == made
    assert prove(laptop.directory, str(entry), member="field-1") == made


@pytest.mark.parametrize(
    "entry", ["", "3", "field-1/1", "field-1/1:", "field-1/1:-1", "field-1/1:03", "field-1/1:99", "field-9/1:0", "x:1",
              "field-1/2:0", "field-1/1:\u0661", "fieldvault/field-1/1:0"],
)  # fmt: skip
def test_what_names_no_entry_is_refused(pair: tuple[Laptop, TrustPolicy], entry: str) -> None:
    """And nothing of what was typed is repeated."""
    with pytest.raises(UsageError) as caught:
        prove(pair[0].directory, entry)
    assert not entry or entry not in caught.value.message + caught.value.hint


def test_without_a_vault_there_is_nothing_to_prove(tmp_path: Path) -> None:
    """The exit code says so."""
    with pytest.raises(NoVault):
        prove(tmp_path, "field-1/1:0")


def test_a_changed_vault_gives_no_proof(pair: tuple[Laptop, TrustPolicy]) -> None:
    """What does not lead to the signed root is not proved."""
    laptop, _ = pair
    laptop.close()
    with rows_of(laptop.directory) as rows:
        number = rows.run("SELECT id FROM journal WHERE origin LIKE '%field-1/1'")[0][0]
        rows.run("UPDATE node SET hash = zeroblob(32) WHERE journal = ? AND level = 1 AND idx = 0", number)
    with pytest.raises(IntegrityError):
        prove(laptop.directory, "field-1/1:3")
    laptop.reopen()


def test_a_bare_proof_needs_the_entry(pair: tuple[Laptop, TrustPolicy]) -> None:
    """Without it a genuine head is all that can be said; with it the entry is proved, with another it is not."""
    laptop, policy = pair
    made = prove(laptop.directory, "field-1/1:3", bare=True)
    assert parse_proof(made.proof).extra is None
    assert verify_proof(made.proof, policy).leaf is None
    assert verify_proof(made.proof, policy, made.leaf).leaf == made.leaf
    other = prove(laptop.directory, "field-1/1:2").leaf
    with pytest.raises(IntegrityError, match="does not hold the bytes of entry 3"):
        verify_proof(made.proof, policy, other)
    short = parse_proof(made.proof)
    with pytest.raises(IntegrityError, match="length"):
        verify_proof(encode_proof(replace(short, hashes=short.hashes[1:])), policy)


def test_the_entry_that_is_given_and_the_one_in_the_proof_must_be_one(pair: tuple[Laptop, TrustPolicy]) -> None:
    """Two entries for one place are one too many."""
    laptop, policy = pair
    made = prove(laptop.directory, "field-1/1:3")
    assert verify_proof(made.proof, policy, made.leaf).seq == 3
    with pytest.raises(IntegrityError, match="does not hold the bytes of entry 3, which the proof carries"):
        verify_proof(made.proof, policy, made.leaf + b"x")


def test_each_thing_changed_in_a_proof_is_noticed(pair: tuple[Laptop, TrustPolicy]) -> None:
    """The entry, the number, a hash, a hash more, the head's size, its root, its signature, its cosignature."""
    laptop, policy = pair
    good = parse_proof(prove(laptop.directory, "field-1/1:3").proof)
    assert good.extra is not None
    flipped = bytes([good.hashes[0][0] ^ 1]) + good.hashes[0][1:]
    note = parse_note(good.note)
    bad_line = replace(note.signatures[1], blob=flipped_bit(note.signatures[1].blob))
    changes: list[bytes] = [
        encode_proof(replace(good, extra=good.extra[:-1] + bytes([good.extra[-1] ^ 1]))),
        encode_proof(replace(good, index=2)),
        encode_proof(replace(good, hashes=(flipped, *good.hashes[1:]))),
        encode_proof(replace(good, hashes=(*good.hashes, good.hashes[0]))),
        encode_proof(good).replace(b"\n5\n", b"\n6\n"),
        encode_proof(good).replace(b64encode(good.checkpoint.root), b64encode(bytes(32))),
        encode_proof(replace(good, note=encode_note(Note(text=note.text, signatures=note.signatures[1:])))),
        encode_proof(replace(good, note=encode_note(Note(text=note.text, signatures=note.signatures[:1])))),
        encode_proof(replace(good, note=encode_note(Note(text=note.text, signatures=(note.signatures[0], bad_line))))),
    ]
    assert verify_proof(encode_proof(good), policy).seq == 3, "negative control"
    for raw in changes:
        assert raw != encode_proof(good)
        with pytest.raises(VaultError) as caught:
            verify_proof(raw, policy)
        assert caught.value.code in (13, 20)


def test_an_entry_that_stands_where_it_does_not_belong_is_noticed() -> None:
    """A writer can put anything at any number; ours says its number itself."""
    proof = vectors.proof_of(1, extra=b"two")
    policy = TrustPolicy(
        logs=(PolicyLog(key=vectors.LOG_KEY),),
        witnesses=(PolicyWitness(name="w", key=vectors.WITNESS_KEY),),
        quorum="w",
    )
    found = verify_proof(encode_proof(proof), policy)
    assert (found.leaf, found.kind) == (b"two", None), "somebody else's log has entries of its own"


def test_a_wrong_number_in_an_entry_is_a_finding(field: Laptop) -> None:
    """The tree holds it, its writer signed it, and it is still not entry 1."""
    true = History.of(field, "field-1")
    false = History(true.origin, true.seed, [true.leaves[0], true.leaves[0]])
    proof = TlogProof(index=1, hashes=tuple(false.frontier(1)), note=false.note(), extra=true.leaves[0])
    key = field.key("field-1").member.keys.signing
    vkey = VerifierKey(name=true.origin, algorithm=1, public_key=key)
    with pytest.raises(IntegrityError, match="says that it is number 0"):
        verify_proof(encode_proof(proof), TrustPolicy(logs=(PolicyLog(key=vkey),)))


def test_only_journals_of_the_policy_are_believed(pair: tuple[Laptop, TrustPolicy]) -> None:
    """Another key under the journal's name, or no key of that name: nobody vouches."""
    laptop, policy = pair
    made = prove(laptop.directory, "field-1/1:3")
    others = tuple(log for log in policy.logs if log.key.name != made.origin)
    with pytest.raises(SignatureInvalid, match="does not name"):
        verify_proof(made.proof, replace(policy, logs=others))
    forged = PolicyLog(key=replace(vectors.LOG_KEY, name=made.origin))
    with pytest.raises(SignatureInvalid):
        verify_proof(made.proof, replace(policy, logs=(*others, forged)))


def test_nobody_is_a_witness_of_their_own_journal(pair: tuple[Laptop, TrustPolicy]) -> None:
    """A cosignature with the writer's own key is not counted."""
    from vault.formats.cosignature import cosign
    from vault.services.witness import cosigner_key

    laptop, policy = pair
    me = laptop.key("field-1")
    bare = parse_proof(prove(laptop.directory, "field-1/1:3").proof)
    note = parse_note(bare.note)
    name = f"fieldvault/{laptop.vault.vault_id}/field-1"
    line = cosign(note.text, name, me.signing_seed, 1_767_139_200)
    own = encode_note(Note(text=note.text, signatures=(note.signatures[0], line)))
    witness = PolicyWitness(name="me", key=cosigner_key(laptop.vault.vault_id, me.member))
    rules = replace(policy, witnesses=(*policy.witnesses, witness), quorum="me")
    with pytest.raises(SignatureInvalid, match="quorum"):
        verify_proof(encode_proof(replace(bare, note=own)), rules)


def test_files_are_read_with_a_limit(pair: tuple[Laptop, TrustPolicy], tmp_path: Path) -> None:
    """From files the same; one that is none of ours is refused."""
    laptop, _ = pair
    made = prove(laptop.directory, "field-1/1:3", bare=True)
    proof, leaf, policy = tmp_path / "p.tlog-proof", tmp_path / "leaf", tmp_path / "published" / "policy"
    proof.write_bytes(made.proof)
    leaf.write_bytes(made.leaf)
    assert verify_proof_file(proof, policy, leaf).leaf == made.leaf
    with pytest.raises(UsageError, match="does not carry its entry") as refused:
        verify_proof_file(proof, policy)
    assert "--entry" in refused.value.hint
    with pytest.raises(FormatError):
        verify_proof_file(leaf, policy)
    with pytest.raises(FormatError):
        verify_proof_file(proof, proof)
    with pytest.raises(UsageError):
        verify_proof_file(tmp_path / "nothing", policy)
    assert again(laptop, tmp_path / "published").files == 0
