"""The document suffices: a reader written from docs/format.md opens what the library wrote, and no more."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from tests.formats.second_reader import SecondReader, open_seal, verify_head
from tests.primitives import oracle
from vault.errors import FormatError
from vault.formats.codebook import parse_codebook
from vault.formats.part import join, pad
from vault.model import Role
from vault.ports import Environment
from vault.primitives.passphrase import KdfCost
from vault.services import keyring
from vault.services.cases import show_case
from vault.services.found import found, shipped_codebook
from vault.services.importing import import_file
from vault.services.members import add_member
from vault.services.records import amend, open_case, record
from vault.services.reveal import reveal
from vault.services.vault import Vault, unlock

PASSPHRASE = "a passphrase for tests \ud55c"
CHEAP = KdfCost(lanes=2)
ALLOWED = {"msgpack", "nacl", "cryptography", "argon2", "hashlib", "sqlite3"}


def make_vault(folder: Path, codebook: bytes | None = None) -> Path:
    """A vault with root, a director and two recorders."""
    home = folder / "vault"
    found(
        home,
        org="Test",
        passphrase=PASSPHRASE,
        threshold=2,
        shares=3,
        shares_dir=folder / "shares",
        codebook=codebook,
        environment=Environment.system(),
        cost=CHEAP,
    )
    with Vault.open(home) as vault:
        root = unlock(vault, "root", PASSPHRASE)
        for handle, role in (("field-1", Role.RECORDER), ("field-2", Role.RECORDER), ("director-1", Role.DIRECTOR)):
            add_member(vault, root, handle=handle, role=role, passphrase=PASSPHRASE, cost=CHEAP)
    return home


class Written:
    """A vault with one case of three records, an amendment and a reveal, and what the library says of it."""

    def __init__(self, folder: Path) -> None:
        self.home = make_vault(folder)
        with Vault.open(self.home) as vault:
            me = unlock(vault, "field-1", PASSPHRASE)
            intake = {"name": "\ud55c \ubc00\ub77d", "sex": "female", "birth_date": "1990-03", "language": "ko"}
            self.pseudonym = open_case(vault, me, intake | {"consent_statistics": "yes"}).pseudonym
            journey = {"event": "arrival", "date": "2020-03-14", "country": "TH", "notes": "before"}
            leg = record(vault, me, "journey", self.pseudonym, journey)
            record(vault, me, "outcome", self.pseudonym, {"status": "reached_freedom", "date": "2020-04"})
            amend(vault, me, str(leg.seq), {"notes": "after"})
            reveal(vault, me, self.pseudonym, "a test")
            other = unlock(vault, "field-2", PASSPHRASE)
            self.foreign = open_case(vault, other, {"sex": "male", "consent_statistics": "yes"}).pseudonym
            self.view = show_case(vault, me, self.pseudonym)
            self.sizes = {status.origin: status.size for status in vault.journals()}
            self.journal = vault.signer(me).origin


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """One vault for all tests here: Argon2 takes its time."""
    return Written(tmp_path_factory.mktemp("second"))


def test_the_second_reader_is_independent() -> None:
    """It imports nothing of ours, and no library but those that it names."""
    tree = ast.parse((Path(__file__).parent / "second_reader.py").read_text())
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= ALLOWED | set(sys.stdlib_module_names)
    assert "vault" not in names


def test_it_reads_the_case_that_the_library_wrote(written: Written) -> None:
    """Pseudonym, records, types and amended values are those that the library shows."""
    cases = SecondReader(written.home).cases("field-1", PASSPHRASE)
    assert list(cases) == [written.pseudonym]
    records = cases[written.pseudonym]
    assert [(seq, kind) for seq, (kind, _) in records.items()] == [
        (entry.seq, entry.type) for entry in written.view.entries
    ]
    for entry in written.view.entries:
        for name, value in records[entry.seq][1].items():
            assert entry.values[name] == value
    assert [values["notes"] for kind, values in records.values() if kind == "journey"] == ["after"]


def test_it_verifies_every_journal(written: Written) -> None:
    """Roster, members' journals and all their checkpoints, to the sizes that the library states."""
    reader = SecondReader(written.home)
    sizes = {origin: reader.verify(origin, reader.members[origin.split("/")[2]][1]) for origin in reader.journals}
    assert sizes == written.sizes
    assert sizes[written.journal] == 7


def test_it_opens_the_tally_as_a_director(written: Written) -> None:
    """The tally layer holds codes, the counting token, and no word of the other layers."""
    rows = SecondReader(written.home).tally("director-1", PASSPHRASE, written.journal)
    assert [row[1] for row in rows] == ["intake", "journey", "outcome", "journey"]
    assert len({row[0] for row in rows}) == 1
    assert rows[0][3]["age_group"] == "18-59"
    assert rows[1][3]["period"] == "2020-Q1"
    assert rows[3][2] == [entry.seq for entry in written.view.entries][1]
    assert "notes" not in rows[1][3]


def test_a_changed_leaf_is_noticed(written: Written) -> None:
    """Negative control: the second reader checks what it claims to check."""
    reader = SecondReader(written.home)
    leaves = reader.leaves(written.journal)
    key = reader.members["field-1"][1]
    note = reader.rows("SELECT note FROM checkpoint WHERE journal = ? ORDER BY size DESC LIMIT 1", 2)[0][0]
    origin = next(name for name, number in reader.journals.items() if number == 2)
    assert origin == written.journal
    assert verify_head(note, origin, key, leaves) == len(leaves)
    with pytest.raises(AssertionError):
        verify_head(note, origin, key, [leaves[0][:-1] + b"\0", *leaves[1:]])
    with pytest.raises(InvalidSignature):
        verify_head(note.replace(b"\n7\n", b"\n6\n"), origin, key, leaves)
    with pytest.raises(AssertionError, match="another key"):
        reader.unlock("field-1", PASSPHRASE + "x")


def test_one_recorder_does_not_open_the_other_s_case(written: Written) -> None:
    """With the very same passphrase, each key file opens its own compartment only."""
    reader = SecondReader(written.home)
    assert list(reader.cases("field-2", PASSPHRASE)) == [written.foreign]
    _, compartments = reader.unlock("field-2", PASSPHRASE)
    for raw, seq in reader.rows("SELECT bytes, seq FROM wrap WHERE journal = ? AND purpose = 'case'", 2):
        assert seq > 0
        with pytest.raises(AssertionError, match="another key"):
            open_seal(compartments[1], raw, b"")


def is_sealed_for_everybody(raw: bytes) -> bool:
    """Whether a part's key commitment is that of the empty key."""
    return oracle.derive(b"", oracle.AEAD_LABEL, raw[49:73], 64)[32:] == raw[17:49]


def seals_for_everybody(home: Path) -> list[tuple[int, int, str]]:
    """The parts that open under the empty key, which anybody has."""
    reader = SecondReader(home)
    rows = reader.rows("SELECT journal, seq, layer, bytes FROM part")
    return [(number, seq, layer) for number, seq, layer, raw in rows if is_sealed_for_everybody(raw)]


def test_no_part_is_sealed_under_a_key_that_everybody_has(written: Written) -> None:
    """Nothing that the shipped codebook writes opens without a key."""
    assert seals_for_everybody(written.home) == []


def test_such_a_part_would_be_found() -> None:
    """Negative control: a part that was sealed under the empty key, as a part once was, is seen as one."""
    assert is_sealed_for_everybody(join(bytes(16), oracle.seal(b"", bytes(24), pad(b"x"), b"aad")))
    assert not is_sealed_for_everybody(join(bytes(16), oracle.seal(bytes(31), bytes(24), pad(b"x"), b"aad")))


ALIAS = '[types.journey.variables.alias]\nlayer = "identity"\ntype = "text"\nlabel = { en = "Alias" }\n\n'


def with_alias() -> bytes:
    """The shipped codebook with an identity variable in a type that opens no case."""
    text = shipped_codebook().decode()
    place = text.index("[types.journey.variables")
    raw = (text[:place] + ALIAS + text[place:]).encode()
    assert "alias" in [variable.name for variable in parse_codebook(raw).types["journey"].variables]
    return raw


def test_nor_with_a_codebook_that_has_identity_in_other_types(tmp_path: Path) -> None:
    """`init --codebook` may put an identity variable into any type: it is sealed under its case's identity key, like
    every other, in records, amendments and imports; two cases stay apart, and `reveal` shows each its own."""
    home = make_vault(tmp_path, with_alias())
    lines = tmp_path / "lines.jsonl"
    lines.write_text(
        '{"case": "P1", "type": "intake", "sex": "male"}\n'
        '{"case": "P1", "type": "journey", "event": "arrival", "alias": "imported"}\n'
    )
    with Vault.open(home) as vault:
        me = unlock(vault, "field-1", PASSPHRASE)
        names = [open_case(vault, me, {"sex": "female"}).pseudonym for _ in range(2)]
        made = [record(vault, me, "journey", name, {"event": "arrival", "alias": f"alias of {name}"}) for name in names]
        plain = record(vault, me, "journey", names[1], {"event": "arrival"})
        amend(vault, me, str(made[1].seq), {"alias": "a later alias"})
        names.append(import_file(vault, me, lines).cases["P1"])
        origin = vault.signer(me).origin
    assert seals_for_everybody(home) == []
    with Vault.open(home) as vault:
        me = unlock(vault, "field-1", PASSPHRASE)
        shown = [reveal(vault, me, name, "a test").values["alias"] for name in names]
    assert shown == [f"alias of {names[0]}", "a later alias", "imported"]
    keys = SecondReader(home).identity_keys("field-1", PASSPHRASE)
    assert list(keys) == names
    reader = SecondReader(home)
    for seq, key, value in (
        (made[0].seq, keys[names[0]], f"alias of {names[0]}"),
        (made[1].seq, keys[names[1]], f"alias of {names[1]}"),
        (plain.seq + 1, keys[names[1]], "a later alias"),
    ):
        assert reader.open_part(origin, seq, "identity", key) == [{"alias": value}]
    with pytest.raises(AssertionError, match="another key"):
        reader.open_part(origin, made[0].seq, "identity", keys[names[1]])
    sql = "SELECT count(*) FROM part WHERE layer = 'identity' AND seq = ? AND journal = ?"
    assert reader.rows(sql, plain.seq, reader.journals[origin]) == [(0,)], "no value, no part"


def test_root_signs_no_sealing_key_that_nothing_can_be_wrapped_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One such director would stop every recorder's next write. A key is checked before root signs it, since whoever
    only folds the roster, as the auditor does, has no HPKE to check it with."""
    home = make_vault(tmp_path)
    made = keyring.public_keys
    with Vault.open(home) as vault:
        root = unlock(vault, "root", PASSPHRASE)
        before = vault.journals()
        broken = bytes(1184) + bytes(32)
        with monkeypatch.context() as patch:
            patch.setattr(keyring, "public_keys", lambda payload: replace(made(payload), sealing=broken))
            for handle, role in (("field-3", Role.RECORDER), ("director-2", Role.DIRECTOR)):
                with pytest.raises(FormatError, match="sealing key"):
                    add_member(vault, root, handle=handle, role=role, passphrase=PASSPHRASE, cost=CHEAP)
        assert vault.journals() == before
        add_member(vault, root, handle="field-3", role=Role.RECORDER, passphrase=PASSPHRASE, cost=CHEAP)
        assert len(vault.journals()) == len(before) + 1, "control: with its own keys the same handle is enrolled"
