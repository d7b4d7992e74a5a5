"""Releases: entered in the director's journal before their bytes leave, and never from a damaged vault."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace

import pytest

from tests.organisation import Organisation, flipped, rows_of
from tests.services.totals_people import FORMATS, entered, export, women
from vault.errors import IntegrityError
from vault.model import Role
from vault.primitives.hashing import sha256
from vault.services.release_files import encode_release
from vault.services.totals import coin_of, export_table, preview_table


def test_a_release_is_entered_before_its_bytes_leave_and_only_once(org: Organisation) -> None:
    """The digest of the JSON form stands in the director's journal; the same state adds nothing."""
    org.bring_in(org.field_1, *women(30))
    first = export(org)
    bare = replace(first, digest=None)
    assert entered(org) == [sha256(encode_release(bare, "json"))]
    org.reopen()
    second = export(org)
    assert [encode_release(second, name) for name in FORMATS] == [encode_release(first, name) for name in FORMATS]
    assert len(entered(org)) == 1
    org.bring_in(org.field_1, *women(5))
    assert encode_release(export(org), "json") != encode_release(first, "json")
    assert len(entered(org)) == 2
    assert org.audit().findings == ()


@pytest.mark.parametrize(
    "form",
    [
        *("json", "md", "html"),
        "csv",
    ],
)
def test_every_file_carries_the_digest_under_which_it_was_entered(org: Organisation, form: str) -> None:
    """Whoever holds a file can find its entry in the director's journal."""
    org.bring_in(org.field_1, *women(30))
    release = export(org)
    assert release.digest == entered(org)[0].hex()
    assert str(release.digest) in encode_release(release, form).decode()


def test_a_rehearsed_export_is_not_entered(org: Organisation) -> None:
    """A preview says what would close at which rung, never how many people, and the director's journal stays empty."""
    org.bring_in(org.field_1, *women(30))
    preview = preview_table(org.vault, org.director, "all_years")
    assert preview.printed >= 1
    assert preview.closing == (("", "2019", ("",)),)
    assert ("sex", "2019") in preview.waiting
    assert not re.search(r"30|\b[0-9]{1,2}\b", repr((preview.closing, preview.waiting)))
    assert entered(org) == []


def test_a_release_names_policy_and_checkpoints(org: Organisation) -> None:
    """Every file carries what it was protected under and which journal states it was counted from."""
    org.bring_in(org.field_1, *women(30))
    release = export(org)
    heads = org.heads()
    counted = dict(line.split(" ") for line in release.checkpoints)
    recorders = [org.vault.signer(me).origin for me in (org.field_1, org.field_2)]
    assert counted == {origin: b64encode(heads[origin][1]).decode() for origin in recorders}
    shown = json.loads(encode_release(release, "json"))
    assert shown["checkpoints"] == list(release.checkpoints)
    assert shown["policy"]["people"] == org.vault.policy.people
    for name in FORMATS:
        assert recorders[0] in encode_release(release, name).decode()


TAMPERED = {
    "a tally part": (
        "UPDATE part SET bytes=? WHERE layer='tally' AND seq=1",
        "SELECT bytes FROM part WHERE layer='tally'",
    ),
    "a case part": (
        "UPDATE part SET bytes=? WHERE layer='case' AND seq=1",
        "SELECT bytes FROM part WHERE layer='case'",
    ),
    "a tally part gone": ("DELETE FROM part WHERE layer='tally' AND seq=2 AND ? NOTNULL", ""),
    "a leaf of a recorder": (
        "UPDATE leaf SET bytes=? WHERE journal=4 AND seq=1",
        "SELECT bytes FROM leaf WHERE journal=4",
    ),
    "a checkpoint": ("UPDATE checkpoint SET note=? WHERE journal=4 AND size=1", "SELECT note FROM checkpoint"),
    "a node": ("UPDATE node SET hash=? WHERE journal=4 AND level=1 AND idx=0", "SELECT hash FROM node WHERE journal=4"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_no_figure_leaves_a_vault_in_which_something_is_wrong(org: Organisation, what: str) -> None:
    """One changed or missing row anywhere: exit code 20, and no release is entered."""
    org.bring_in(org.field_1, *women(30))
    update, query = TAMPERED[what]
    org.close()
    with rows_of(org.directory) as rows:
        rows.run(update, flipped(rows.run(query)[0][0]) if query else b"x")
    org.reopen()
    before = org.heads()
    with pytest.raises(IntegrityError) as caught:
        export(org)
    assert caught.value.code == 20
    assert org.heads() == before


def test_the_coin_is_keyed_and_depends_on_the_people_alone() -> None:
    """Another export key, or one token more, gives another coin; the same give the same; it is a 64-bit number."""
    tokens = [bytes([n]) * 16 for n in range(12)]
    coin = coin_of(b"k" * 32)
    assert coin(tokens) == coin_of(b"k" * 32)(tokens)
    assert len({coin(tokens), coin(tokens[:-1]), coin_of(b"l" * 32)(tokens)}) == 3
    assert all(0 <= coin(tokens[:count]) < 2**64 for count in range(12))


def test_two_directors_print_the_same_numbers(org: Organisation) -> None:
    """The rounding key is the organisation's: what one prints the other prints."""
    late = org.enrol("director-2", Role.DIRECTOR)
    org.bring_in(org.field_1, *women(33))
    first, second = (export_table(org.vault, me, "all_years") for me in (org.director, late))
    assert encode_release(first, "json") == encode_release(second, "json")
