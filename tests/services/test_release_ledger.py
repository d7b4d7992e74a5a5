"""The release ledger: what was printed is read back, by every director, or no figure leaves."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from tests.laptops import Fleet, Laptop, carry
from tests.organisation import Organisation, flipped, rows_of
from tests.services.totals_people import entered, export, total, women
from vault.errors import InputRefused, IntegrityError, NotAllowed, RollbackError, UsageError
from vault.formats.leaf import parse_leaf
from vault.formats.release import Release
from vault.model import Layer, Role
from vault.services import audit_release, totals
from vault.services.audit import verify_vault
from vault.services.audit_release import verify_releases
from vault.services.importing import import_file
from vault.services.publishing import enter_published
from vault.services.records import open_case
from vault.services.release_files import FORMATS, encode_release
from vault.services.release_ledger import open_export_keys, read_ledger
from vault.services.revoking import revoke
from vault.services.tables import shipped_table
from vault.services.totals import export_table, preview_table


def test_asked_again_the_records_are_not_even_opened(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same state: no audit, no row, no guard, the same bytes, no second entry. Something new: all of them."""
    org.bring_in(org.field_1, *women(30))
    first = export(org)

    def must_not(*_: object, **__: object) -> object:
        raise AssertionError("the records were opened")

    with monkeypatch.context() as patch:
        for name in ("verify_vault", "read_rows", "guard_answer"):
            patch.setattr(totals, name, must_not)
        assert export(org) == first
        assert len(entered(org)) == 1
        org.bring_in(org.field_1, *women(1))
        with pytest.raises(AssertionError, match="opened"):
            export(org)


def test_a_year_that_has_ended_since_is_looked_at(org: Organisation) -> None:
    """Nothing new was recorded, but the running year is over: its people are counted now."""
    lines = [*women(30)]
    for line in lines:
        if line["type"] == "outcome":
            line["date"] = str(org.vault.environment.clock.today())
    org.bring_in(org.field_1, *lines)
    assert export(org).empty
    org.clock.day = date(org.vault.environment.clock.today().year + 1, 1, 3)
    assert total(export(org)) == 30


def test_every_director_reads_what_any_of_them_printed(org: Organisation) -> None:
    """A second director goes on where the first one stopped: the same figures, and no block twice."""
    org.bring_in(org.field_1, *women(30))
    first = export(org)
    org.enrol("director-2", Role.DIRECTOR)
    org.case(org.field_1)
    org.case(org.field_2)
    second = export_table(org.vault, org.keys["director-2"], "all_years")
    assert second.cells == first.cells
    keys = open_export_keys(org.vault, org.director)
    ledger = read_ledger(org.vault, keys, shipped_table("all_years").subject)
    assert [block.slots for block in ledger.blocks("")] == [("2019",)]
    assert ledger.entries == 2


def test_no_other_role_reads_the_ledger(org: Organisation) -> None:
    """A recorder, a hub and root have no export key."""
    for me in (org.field_1, org.root):
        with pytest.raises(NotAllowed):
            open_export_keys(org.vault, me)


def _cut(org: Organisation) -> None:
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM part WHERE journal=?", _number(org))


def _flip(org: Organisation) -> None:
    with rows_of(org.directory) as rows:
        (raw,) = rows.run("SELECT bytes FROM part WHERE journal=?", _number(org))[0]
        rows.run("UPDATE part SET bytes=? WHERE journal=?", flipped(raw), _number(org))


def _number(org: Organisation) -> int:
    return NUMBERS[org.directory]


NUMBERS: dict[Path, int] = {}


@pytest.mark.parametrize("damage", [_cut, _flip], ids=["erased", "changed"])
def test_a_ledger_that_cannot_be_read_prints_nothing(org: Organisation, damage: Callable[[Organisation], None]) -> None:
    """A lost or changed entry: no figure leaves without knowing what it said."""
    org.bring_in(org.field_1, *women(30))
    export(org)
    NUMBERS[org.directory] = org.vault.journal_number(org.vault.signer(org.director).origin)
    org.close()
    damage(org)
    org.reopen()
    with pytest.raises(IntegrityError):
        export(org)


def test_the_ledger_names_nobody(org: Organisation) -> None:
    """Neither a counting token nor a pseudonym is in what the director's journal seals or shows."""
    imported = org.bring_in(org.field_1, *women(30))
    export(org)
    tokens = {bytes(case.token) for case in org.work(org.field_1).cases.values()}
    number = org.vault.journal_number(org.vault.signer(org.director).origin)
    raw = b"".join(bytes(item) for _, item in org.vault.store.parts(number, Layer.TALLY))
    raw += b"".join(org.vault.store.leaves(number))
    ledger = read_ledger(org.vault, open_export_keys(org.vault, org.director), shipped_table("all_years").subject)
    names = {token for members in ledger.members.values() for token, _ in members}
    assert len(names) == 30
    assert not any(token[:8] in names or token in raw for token in tokens)
    assert not any(name.encode() in raw for name in imported.cases.values())


def test_a_revoked_directors_journal_must_be_here_as_far_as_root_attested(org: Organisation) -> None:
    """Cut off at a size that has not come to this laptop: what they printed is not known, so nothing is printed."""
    org.bring_in(org.field_1, *women(30))
    org.enrol("director-2", Role.DIRECTOR)
    for me in (org.field_1, org.field_2):
        org.case(me)
    keys = org.keys["director-2"]
    origin = org.vault.signer(org.director).origin
    revoke(org.vault, org.root, "director-1")
    assert total(export_table(org.vault, keys, "all_years")) == 30, "negative control: it is here as attested"
    with pytest.MonkeyPatch.context() as patch:
        here = tuple(status for status in org.vault.journals() if status.origin != origin)
        patch.setattr(type(org.vault), "journals", lambda _: here)
        with pytest.raises(RollbackError, match="root attested"):
            read_ledger(org.vault, open_export_keys(org.vault, keys), shipped_table("all_years").subject)


# -- numbers that were published before --------------------------------------------------------------------------------


def facts(tmp_path: Path, text: str) -> Path:
    """A file of facts."""
    path = tmp_path / "facts.toml"
    path.write_text(text, encoding="utf-8")
    return path


ONE = '[[facts]]\ntable = "all_years"\nyears = [2019, 2019]\nvalue = 2\nwhere = { minor = ["yes"] }\n'


def test_published_numbers_are_entered_once_and_named(org: Organisation, tmp_path: Path) -> None:
    """Two minors of 2019 were in the newspaper: the preview says so, and a second file changes nothing."""
    org.bring_in(org.field_1, *women(30), *_minors(2))
    assert enter_published(org.vault, org.director, facts(tmp_path, ONE)) == 1
    assert enter_published(org.vault, org.director, facts(tmp_path, ONE)) == 0
    assert len(entered(org)) == 1
    preview = preview_table(org.vault, org.director, "all_years")
    assert ("minor=yes", "2019") in preview.disclosed
    assert total(export(org)) in (30, 35)


def _minors(count: int) -> list[dict[str, object]]:
    lines = [dict(line) for line in women(count)]
    for line in lines:
        line["case"] = f"minor {line['case']}"
        if line["type"] == "intake":
            line["age_group"], line["party"] = "12-17", line["case"]
    return lines


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (ONE.replace("all_years", "no_table"), "facts[0].table"),
        (ONE.replace("minor", "colour"), "facts[0].where.colour"),
        (ONE.replace('"yes"', '"perhaps"'), "facts[0].where.minor"),
        (ONE.replace("value = 2", "value = -2"), "facts[0].value"),
        (ONE.replace("[2019, 2019]", "[2020, 2019]"), "facts[0].years"),
        (ONE + "more = 1\n", "facts[0]"),
        ("", "facts"),
    ],
)
def test_a_wrong_fact_is_named_and_none_is_entered(org: Organisation, tmp_path: Path, text: str, where: str) -> None:
    """By its path in the file; the right ones beside it wait, too."""
    path = facts(tmp_path, text + ("" if text in ("", ONE) else ONE))
    with pytest.raises(InputRefused) as caught:
        enter_published(org.vault, org.director, path)
    assert where in {problem.variable for problem in caught.value.problems}
    assert entered(org) == []


# -- a published file --------------------------------------------------------------------------------------------------


def saved(release: Release, folder: Path) -> dict[str, Path]:
    """The release in all its forms."""
    paths = {name: folder / f"totals.{name}" for name in FORMATS}
    for name, path in paths.items():
        path.write_bytes(encode_release(release, name))
    return paths


def test_a_published_file_is_found_in_the_journal(org: Organisation, tmp_path: Path) -> None:
    """The JSON by itself, every other form beside it; the entry is named."""
    org.bring_in(org.field_1, *women(30))
    paths = saved(export(org), tmp_path)
    for name, path in paths.items():
        found = verify_releases(org.vault, [paths["json"], path] if name != "json" else [path])
        assert {(item.table, item.seq) for item in found} == {("all_years", 0)}
    (alone,) = verify_releases(org.vault, [paths["json"]])
    leaf = parse_leaf(next(iter(org.vault.store.leaves(org.vault.journal_number(alone.origin)))))
    assert leaf.extra[0].hex() == json.loads(paths["json"].read_text(encoding="utf-8"))["release"]


def test_a_changed_file_is_not_what_was_released(org: Organisation, tmp_path: Path) -> None:
    """One figure changed, in JSON or in HTML; a release of another vault; a form without its JSON."""
    org.bring_in(org.field_1, *women(30))
    paths = saved(export(org), tmp_path)
    good = paths["json"].read_bytes()
    changed = tmp_path / "changed.json"
    changed.write_bytes(good.replace(b'"value": 30', b'"value": 35'))
    with pytest.raises(IntegrityError, match="not what was released"):
        verify_releases(org.vault, [changed])
    html = tmp_path / "changed.html"
    html.write_bytes(paths["html"].read_bytes().replace(b">30<", b">35<"))
    assert html.read_bytes() != paths["html"].read_bytes()
    with pytest.raises(IntegrityError, match="not a form"):
        verify_releases(org.vault, [paths["json"], html])
    with pytest.raises(UsageError, match="JSON"):
        verify_releases(org.vault, [paths["html"]])


def test_an_auditor_finds_how_much_was_counted(org: Organisation, tmp_path: Path) -> None:
    """A release names roots without sizes; whoever has the journals finds the sizes, also of an older state, and is
    told which state is not here."""
    org.bring_in(org.field_1, *women(30))
    paths = saved(export(org), tmp_path)
    org.bring_in(org.field_1, *women(3))
    (released,) = verify_releases(org.vault, [paths["json"]])
    assert dict(released.counted) == {
        org.vault.signer(org.field_1).origin: 61,
        org.vault.signer(org.field_2).origin: 1,
    }
    empty = b64encode(sha256(b"").digest()).decode()
    assert audit_release._counted(org.vault, f"{org.vault.signer(org.field_1).origin} {empty}")[1] == 0
    assert audit_release._counted(org.vault, f"{org.vault.signer(org.field_1).origin} {'A' * 43}=")[1] is None
    assert audit_release._counted(org.vault, f"fieldvault/{'0' * 32}/field-1/1 {empty}")[1] is None


def test_a_release_that_nobody_entered_is_not_found(org: Organisation, tmp_path: Path) -> None:
    """A file whose digest fits and stands in no journal."""
    org.bring_in(org.field_1, *women(30))
    paths = saved(export(org), tmp_path)
    other = tmp_path / "other.json"
    preview = totals._Export(org.vault, org.director, shipped_table("by_year"), {})
    release = preview._salted(preview.protected().release)
    digest = preview._digest(release).hex()
    other.write_bytes(encode_release(replace(release, digest=digest), "json"))
    with pytest.raises(IntegrityError, match="no director's journal"):
        verify_releases(org.vault, [other])
    assert verify_releases(org.vault, [paths["json"]])


# -- several laptops ---------------------------------------------------------------------------------------------------


def test_the_ledger_goes_from_director_to_director(fleet: Fleet, hub: Laptop) -> None:
    """Printed on one laptop and carried to another: the director there reads the same figures. Audits are content."""
    field, second = (fleet.laptop(name, name) for name in ("field-1", "field-2"))
    lines = [json.dumps(line) for line in women(30)]
    path = fleet.stick / "people.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    import_file(field.vault, field.key("field-1"), path)
    director = fleet.laptop("director", "director-1")
    fleet.enrol(hub, "director-2", Role.DIRECTOR)
    recorders = ((field, "field-1"), (second, "field-2"))
    for laptop, handle in (*recorders, (director, "director-1")):
        carry(hub, "hub-1", laptop, handle)
    for laptop, handle in recorders:
        open_case(laptop.vault, laptop.key(handle), {})
        carry(laptop, handle, hub, "hub-1")
    carry(hub, "hub-1", director, "director-1")
    first = export_table(director.vault, director.key("director-1"), "all_years")
    assert total(first) == 30
    carry(director, "director-1", hub, "hub-1")
    again = export_table(hub.vault, fleet.keys["director-2"], "all_years")
    assert again.cells == first.cells
    for laptop in (hub, director):
        assert verify_vault(laptop.directory).findings == ()
