"""The vector files are what the program makes today, and stored seals belong to the leaves that commit to them."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.primitives import oracle
from tests.vectors import fixed, regenerate, sealed
from vault import labels
from vault.errors import IntegrityError
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.leaf import encode_leaf, wrap_refs
from vault.services.roster import fold

HERE = regenerate.HERE
OURS = (
    *("canonical", "leaf", "origin", "part", "wraps", "keyfile", "share", "request", "delivery", "aead", "hpke"),
    *("hybrid_key", "tiles", "tlog_proof", "tlog_policy", "travel", "letter"),
)
ELSEWHERE = {"hpke/published.json"}
MADE = regenerate.deterministic()


def stored() -> set[str]:
    """Every vector file of these formats."""
    return {path.relative_to(HERE).as_posix() for name in OURS for path in (HERE / name).rglob("*") if path.is_file()}


def test_no_file_is_missing_or_left_over() -> None:
    """Every stored file is made by `regenerate`, drawn by `sealed`, or published by others."""
    assert stored() == set(MADE) | set(sealed.MAKERS) | ELSEWHERE


@pytest.mark.parametrize("name", MADE)
def test_regenerating_changes_nothing(name: str) -> None:
    """A writer that writes other bytes than it used to has changed the format."""
    assert (HERE / name).read_bytes() == MADE[name]


def test_sealed_vectors_have_today_s_fields() -> None:
    """What can be made again of a sealed vector is as stored: all but the sealed bytes themselves."""
    random = {"part", "wrap", "file", "sealed", "wrapped"}
    for name, maker in sealed.MAKERS.items():
        fresh, old = json.loads(maker()), json.loads((HERE / name).read_text())
        assert set(fresh) == set(old)
        for field in fresh:
            assert (fresh[field] == old[field]) != (field in random), f"{name}: {field}"


def test_every_label_derives_as_published() -> None:
    """HKDF over the standard library gives the published key for every label of the table."""
    row = json.loads((HERE / "keyfile" / "derive.json").read_text())
    parent, context = bytes.fromhex(row["parent"]), bytes.fromhex(row["context"])
    table = {name: value.decode() for name, value in vars(labels).items() if isinstance(value, bytes)}
    assert {name: entry["label"] for name, entry in row["labels"].items()} == table
    for entry in row["labels"].values():
        assert oracle.derive(parent, entry["label"].encode(), context).hex() == entry["key"]


def test_identifiers_are_what_the_document_says() -> None:
    """Vault id, key ids, locators, tally id, party token and search tags, computed a second time by hand."""
    row = json.loads((HERE / "keyfile" / "identifiers.json").read_text())

    def named(label: str, *parts: str) -> str:
        return sha256(label.encode() + b"".join(map(bytes.fromhex, parts))).hexdigest()[:32]

    root, field = row["root"], row["field-1"]
    assert named("fieldvault/v1/vault-id", root["signing"], root["sealing"]) == row["vault id"]
    assert named("fieldvault/v1/member-id", field["signing"], field["sealing"]) == row["member ids"]["field-1"]
    assert named("fieldvault/v1/recovery-id", row["recovery"]["sealing"]) == row["recovery"]["id"]
    compartment = bytes.fromhex(row["compartment"]["key"])
    tally = oracle.derive(compartment, b"fieldvault/v1/tally", bytes(8))
    assert tally.hex() == row["tally"]["key"]
    assert oracle.derive(tally, b"fieldvault/v1/tally-id", b"", 16).hex() == row["tally"]["id"]
    assert oracle.derive(compartment, b"fieldvault/v1/tally", bytes(7) + b"\x01").hex() == row["tally period 1"]
    assert oracle.derive(compartment, b"fieldvault/v1/compartment-id", b"", 16).hex() == row["compartment"]["id"]
    locator = oracle.derive(compartment, b"fieldvault/v1/locator")
    for seq, layer, header in row["locators"]:
        salt, masked = bytes.fromhex(header)[:8], int(header[16:], 16)
        pad = hmac.digest(locator, salt + seq.to_bytes(8, "big") + layer.encode(), "sha256")[:8]
        assert masked ^ int.from_bytes(pad, "big") == int(row["case id"][:16], 16)
        assert salt == sha256(f"fieldvault vector: locator salt {seq} {layer}".encode()).digest()[:8]
    search = oracle.derive(bytes.fromhex(row["search"]["identity key"]), b"fieldvault/v1/search")
    assert search.hex() == row["search"]["search key"]
    for word, tag in row["search"]["tags"]:
        assert hmac.digest(search, word.encode(), "sha256")[:8].hex() == tag
    party = oracle.derive(bytes.fromhex(row["party"]["HPKE seed"]), b"fieldvault/v1/party")
    assert hmac.digest(party, row["party"]["label"].encode(), "sha256")[:16].hex() == row["party"]["token"]


def test_the_leaves_commit_to_the_stored_seals() -> None:
    """The example journal's record names the hashes of the stored parts and wraps."""
    leaves = regenerate.journal_leaves()
    for ref in leaves["record"].parts:
        raw = bytes.fromhex(json.loads((HERE / f"part/open-{ref.layer.value}.json").read_text())["part"])
        assert (ref.digest, ref.cell) == (sha256(raw).digest(), len(raw))
    for name in ("record", "grant"):
        for wrap in wrap_refs(leaves[name]):
            raw = bytes.fromhex(json.loads((HERE / f"wraps/open-{wrap.purpose.value}.json").read_text())["wrap"])
            assert wrap.digest == sha256(raw).digest()


def test_the_example_roster_folds() -> None:
    """Root's example leaves fold to the example organisation, and both example heads verify."""
    roster = fold(encode_leaf(leaf) for leaf in regenerate.roster_leaves().values())
    assert roster.vault_id == fixed.VAULT_ID
    assert [member.handle for member in roster.members] == ["root", "field-1", "director-1"]
    assert roster.member("field-1").revoked_at == ((fixed.JOURNAL, 7),)
    assert roster.codebooks == (fixed.CODEBOOK,)
    head = verify_checkpoint((HERE / "leaf/journal.note").read_bytes(), fixed.JOURNAL, fixed.FIELD.signing)
    assert head.size == 7
    assert verify_checkpoint((HERE / "leaf/roster.note").read_bytes(), fixed.ROSTER, fixed.ROOT.signing).size == 6


def test_the_readme_names_every_folder() -> None:
    """Whoever writes a second implementation finds what each folder holds."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    for path in HERE.iterdir():
        if path.is_dir() and path.name != "__pycache__":
            assert re.search(rf"`{path.name}/`", text), path.name


def test_secrets_are_what_they_say() -> None:
    """Every secret of the vectors follows from its name, so that none was ever anybody's."""
    assert fixed.secret("case key") == sha256(b"fieldvault vector: case key").digest()
    for path in (HERE / "part").glob("open-*.json"):
        row = json.loads(Path(path).read_text())
        named = fixed.TALLY_KEY if row["key name"] == "tally key" else fixed.secret(row["key name"])
        assert row["key"] == named.hex()


def test_a_revocation_names_each_journal_once() -> None:
    """Two sizes for one journal have two readings: the strict fold refuses them."""
    leaves = dict(regenerate.roster_leaves())
    twice = ("field-1", [[fixed.JOURNAL, 7], [fixed.JOURNAL, 9]])
    leaves["revoke"] = replace(leaves["revoke"], extra=twice)
    with pytest.raises(IntegrityError, match="two sizes"):
        fold(encode_leaf(leaf) for leaf in leaves.values())


def test_a_second_codebook_counts_and_the_first_is_remembered() -> None:
    """The last digest is the codebook in force; the earlier ones stay known, as their entries were made under them."""
    leaves = list(regenerate.roster_leaves().values())
    leaves.append(replace(leaves[2], seq=len(leaves), extra=(fixed.secret("a second codebook"),)))
    roster = fold(encode_leaf(leaf) for leaf in leaves)
    assert roster.codebooks == (fixed.CODEBOOK, fixed.secret("a second codebook"))
    assert roster.codebook == roster.codebooks[-1]
