"""The policy on the roster: root signs another one, everybody sees that, and exports here and elsewhere use it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.laptops import Fleet, Laptop, carry
from tests.organisation import COST, PASSPHRASES, Organisation, environment_of
from tests.services.totals_people import entered, export, total, women
from vault.errors import IntegrityError, NotAllowed, RollbackError, UsageError
from vault.formats.leaf import encode_leaf, parse_leaf
from vault.formats.release import Release
from vault.model import Kind, Policy, Role
from vault.services.audit import verify_vault
from vault.services.findings import NOTICE
from vault.services.found import found
from vault.services.journal import Draft, write
from vault.services.policy import change_policy, policy_history
from vault.services.roster import fold
from vault.services.totals import export_table, preview_table
from vault.services.vault import Vault

STRICT = {"people": 20, "embargo": 12}


def signed(org: Organisation) -> list[tuple[object, ...]]:
    """The policy entries of the roster, as they stand."""
    leaves = map(parse_leaf, org.vault.store.leaves(org.vault.journal_number(org.vault.roster.origin)))
    return [leaf.extra for leaf in leaves if leaf.kind is Kind.POLICY]


def test_root_signs_a_stricter_policy(org: Organisation) -> None:
    """One entry more on the roster, the values that were not named as before; it holds at once and after opening."""
    before = org.size(org.root)
    change = change_policy(org.vault, org.root, STRICT)
    assert (change.before, change.after) == (Policy(), Policy(people=20, embargo=12))
    assert (change.seq, org.size(org.root)) == (before, before + 1)
    assert org.vault.policy == org.reopen().policy == change.after
    assert signed(org) == [
        (["base", 5], ["parties", 5], ["people", 10], ["percent_base", 50]),
        (["base", 5], ["embargo", 12], ["parties", 5], ["people", 20], ["percent_base", 50]),
    ]


def test_a_rehearsal_signs_nothing(org: Organisation) -> None:
    """It says what the real change would say."""
    heads = org.heads()
    planned = change_policy(org.vault, org.root, STRICT, dry_run=True)
    assert org.heads() == heads
    assert org.vault.policy == Policy()
    assert change_policy(org.vault, org.root, STRICT) == planned


@pytest.mark.parametrize(
    "changes", [{}, {"people": 10}, {"people": 9}, {"people": 14}, {"people": 60}, {"zeal": 1}, {"embargo": 121}]
)
def test_what_is_no_stricter_policy_is_not_signed(org: Organisation, changes: dict[str, int]) -> None:
    """Nothing new, looser, values that do not go together, unknown names: the roster stays as it is."""
    heads = org.heads()
    with pytest.raises(UsageError):
        change_policy(org.vault, org.root, changes)
    assert org.heads() == heads


def test_root_alone_signs(org: Organisation) -> None:
    """Neither a director nor a recorder."""
    for me in (org.director, org.field_1):
        with pytest.raises(NotAllowed):
            change_policy(org.vault, me, STRICT)
    assert org.vault.policy == Policy()


def test_a_slip_can_be_mended_and_everybody_sees_it(org: Organisation) -> None:
    """Looser is refused, unless it is said; then the fold takes it, and the audit has a notice for each change."""
    change_policy(org.vault, org.root, {"people": 500, "percent_base": 500})
    with pytest.raises(UsageError, match="looser"):
        change_policy(org.vault, org.root, {"people": 50})
    with pytest.raises(UsageError, match="less than 10"):
        change_policy(org.vault, org.root, {"people": 9}, loosen=True)
    assert org.audit().verdict == "intact, NOT anchored"
    change_policy(org.vault, org.root, {"people": 50}, loosen=True)
    assert org.reopen().policy == Policy(people=50, percent_base=500)
    report = org.audit()
    assert report.verdict == "intact, NOT anchored"
    roster, size = org.vault.roster.origin, org.size(org.root)
    assert [(item.level, item.code, item.where) for item in report.findings] == [
        (NOTICE, "policy-changed", f"{roster}:{size - 2}"),
        (NOTICE, "policy-changed", f"{roster}:{size - 1}"),
    ]
    assert "people 10 to 500" in report.findings[0].message
    assert "looser" not in report.findings[0].message
    assert report.findings[1].message.endswith("people 500 to 50 (looser)")


def test_a_locked_roster_is_said_in_a_rehearsal_too(hub: Laptop, field: Laptop, fleet: Fleet) -> None:
    """Root's laptop is back from a backup and others have seen more: nothing is signed, and nothing promised."""
    backup = hub.copied("backup")
    fleet.enrol(hub, "field-7", Role.RECORDER)
    carry(hub, "hub-1", field, "field-1")
    carry(field, "field-1", backup, "hub-1")
    for dry_run in (True, False):
        with pytest.raises(RollbackError):
            change_policy(backup.vault, backup.key("root"), STRICT, dry_run=dry_run)
    change_policy(hub.vault, hub.key("root"), STRICT, dry_run=True)


def test_the_history_names_every_entry(org: Organisation) -> None:
    """The founding's policy first, and what each later one changed."""
    assert [(item.policy, item.seq, item.changed) for item in policy_history(org.vault)] == [(Policy(), 1, "")]
    change_policy(org.vault, org.root, STRICT)
    history = policy_history(org.vault)
    assert history[-1].policy == org.vault.policy
    assert (history[-1].seq, history[-1].day) == (org.size(org.root) - 1, "2026-03-14")
    assert history[-1].changed == "people 10 to 20; embargo 0 to 12"


def test_an_organisation_may_be_founded_with_a_stricter_policy(org: Organisation) -> None:
    """It is the first that root signs, and nothing was changed."""
    where = org.home / "strict"
    found(
        where,
        org="strict",
        passphrase=PASSPHRASES["root"],
        threshold=2,
        shares=3,
        shares_dir=org.home / "strict-shares",
        policy=Policy(people=20, embargo=12, coarser=1),
        environment=environment_of("strict"),
        cost=COST,
    )
    with Vault.open(where) as vault:
        assert vault.policy == Policy(people=20, embargo=12, coarser=1)
    assert not [item for item in verify_vault(where).findings if item.code == "policy-changed"]


def test_an_organisation_is_not_founded_with_a_policy_that_prints_nothing(org: Organisation) -> None:
    """A threshold that would give its count away is refused before anything is written."""
    with pytest.raises(UsageError):
        found(
            org.home / "faulty",
            org="faulty",
            passphrase=PASSPHRASES["root"],
            threshold=2,
            shares=3,
            shares_dir=org.home / "faulty-shares",
            policy=Policy(people=14),
            environment=environment_of("faulty"),
            cost=COST,
        )
    assert not (org.home / "faulty").exists()


FORGED = {
    "below the floor": (["base", 5], ["parties", 5], ["people", 9], ["percent_base", 50]),
    "an unknown name": (["base", 5], ["parties", 5], ["people", 10], ["percent_base", 50], ["zeal", 1]),
    "a name less": (["base", 5], ["parties", 5], ["people", 10]),
    "huge": (["base", 5], ["parties", 5], ["people", 2**53 - 1], ["percent_base", 50]),
    "an embargo of centuries": (["base", 5], ["embargo", 9999], ["parties", 5], ["people", 10], ["percent_base", 50]),
    "a zero that is not written": (["base", 5], ["coarser", 0], ["parties", 5], ["people", 10], ["percent_base", 50]),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_policy_that_no_careful_root_would_sign_is_a_finding(org: Organisation, what: str) -> None:
    """With root's true signature: the audit names the roster's entry, and the vault does not open."""
    number, seq = org.vault.journal_number(org.vault.roster.origin), org.size(org.root)
    with org.vault.store.transaction():
        draft = Draft(kind=Kind.POLICY, extra=FORGED[what])
        write(org.vault.store, number, org.vault.signer(org.root), org.vault.day, [draft])
    report = org.audit()
    assert report.verdict == "finding"
    assert [item.message for item in report.findings if f"roster entry {seq} holds a policy" in item.message]
    with pytest.raises(IntegrityError, match=f"roster entry {seq} "):
        org.reopen()


def test_a_yes_is_no_number_of_people(org: Organisation) -> None:
    """True is an integer to Python, and none to the format: such a leaf cannot be written, and does not fold."""
    leaves = list(org.vault.store.leaves(org.vault.journal_number(org.vault.roster.origin)))
    policy = parse_leaf(leaves[1])
    extra = (["base", 5], ["embargo", True], ["parties", 5], ["people", 10], ["percent_base", 50])
    forged = encode_leaf(replace(policy, extra=extra))
    with pytest.raises(Exception, match="policy is not of the format"):
        fold([leaves[0], forged, *leaves[2:]])
    control = encode_leaf(replace(policy, extra=(["base", 5], ["embargo", 1], *extra[2:])))
    assert fold([leaves[0], control, *leaves[2:]]).policy.embargo == 1


# -- exports ---------------------------------------------------------------------------------------------------------


def test_an_export_uses_the_policy_in_force(org: Organisation) -> None:
    """At 40 people a block closes; 12 months after its end only, if root says so."""
    org.bring_in(org.field_1, *women(40))
    change_policy(org.vault, org.root, {"embargo": 75})
    assert total(export(org)) is None, "2019 ended 74 months ago"
    org.clock.day = org.clock.day.replace(month=4, day=1)
    assert total(export(org)) is not None


def test_a_director_may_tighten_for_one_export(org: Organisation) -> None:
    """Too few at the stricter value: withheld, and said so; the next export without it prints."""
    org.bring_in(org.field_1, *women(12))
    strict = export_table(org.vault, org.director, "all_years", tighter={"people": 20})
    assert (total(strict), strict.policy.people) == (None, 20)
    again = export_table(org.vault, org.director, "all_years", tighter={"people": 20})
    assert again == strict
    assert len(entered(org)) == 1
    assert preview_table(org.vault, org.director, "all_years", tighter={"people": 20}).printed == 0
    assert preview_table(org.vault, org.director, "all_years").printed >= 1
    plain = export(org)
    assert (total(plain) is not None, plain.policy.people) == (True, 10)
    late = export_table(org.vault, org.director, "all_years", tighter={"people": 20})
    assert (late.cells, late.policy.people) == (plain.cells, 10), "what was printed of 12 people claims no 20"


def dated(day: str, count: int, **given: str) -> list[dict[str, object]]:
    """People who reached freedom on another day than the women do."""
    return [{**line, "date": day} if "date" in line else line for line in women(count, **given)]


def years(release: Release) -> list[str]:
    """The periods of the printed totals."""
    return [cell.period for cell in release.cells if not cell.labels]


def test_a_stricter_export_does_not_hide_what_the_policy_in_force_lets_close(org: Organisation) -> None:
    """What stands in the journal already looks the same to both; the plain export looks again."""
    org.bring_in(org.field_1, *women(40))
    export_table(org.vault, org.director, "by_year", tighter={"people": 20})
    org.bring_in(org.field_1, *dated("2020-03-04", 12))
    strict = export_table(org.vault, org.director, "by_year", tighter={"people": 20})
    assert (years(strict), strict.policy.people) == (["2019"], 20)
    plain = export(org, "by_year")
    assert (years(plain), plain.policy.people) == (["2019", "2020"], 10)
    again = export(org, "by_year")
    assert again == plain
    assert len(entered(org)) == 3


def test_a_stricter_export_has_not_looked_for_the_others(org: Organisation) -> None:
    """A year later a stricter export closes the total and finds too few men; the plain one prints the men, although
    the totals that stand there already are its own."""
    org.bring_in(org.field_1, *women(40))
    assert years(export(org, "by_year")) == ["2019"]
    for lines in (dated("2026-02-03", 33), dated("2026-02-03", 12, sex="male")):
        org.bring_in(org.field_1, *lines)
    org.clock.day = org.clock.day.replace(year=2027)
    strict = export_table(org.vault, org.director, "by_year", tighter={"people": 20})
    assert years(strict) == ["2019", "2020-2026"], "the years in which nobody came lie inside the block"

    def men(release: Release) -> list[int]:
        return [cell.value for cell in release.cells if dict(cell.labels).get("sex") == "male+unknown" and cell.value]

    assert men(strict) == []
    assert men(export(org, "by_year")) in ([10], [15])


def test_a_loosened_policy_looks_again(org: Organisation) -> None:
    """Everything shown was printed at 20, so the release would read the same at 10; 12 people more may be printed."""
    change_policy(org.vault, org.root, {"people": 20})
    org.bring_in(org.field_1, *women(40))
    export(org, "by_year")
    org.bring_in(org.field_1, *dated("2020-03-04", 12))
    assert years(export(org, "by_year")) == ["2019"]
    change_policy(org.vault, org.root, {"people": 10}, loosen=True)
    assert years(export(org, "by_year")) == ["2019", "2020"]


@pytest.mark.parametrize(
    "tighter",
    [{"people": 9}, {"people": 14}, {"people": 21}, {"parties": 6}, {"embargo": -1}, {"zeal": 1}, {"people": True}],
)
def test_a_director_may_not_loosen(org: Organisation, tighter: dict[str, int]) -> None:
    """Nothing is entered, whatever is asked for: neither less than is in force, nor thresholds between the steps."""
    org.bring_in(org.field_1, *women(40))
    for ask in (export_table, preview_table):
        with pytest.raises(UsageError):
            ask(org.vault, org.director, "all_years", tighter=tighter)
    assert entered(org) == []


def test_the_policy_in_force_is_the_director_s_least(org: Organisation) -> None:
    """What root tightened, no export goes back on."""
    change_policy(org.vault, org.root, {"people": 20})
    with pytest.raises(UsageError, match="people: that is looser"):
        export_table(org.vault, org.director, "all_years", tighter={"people": 15})


def test_a_new_policy_holds_on_another_laptop_once_a_bundle_has_come(fleet: Fleet) -> None:
    """Root signs at headquarters; the director's laptop goes by the old one until it has imported the roster."""
    headquarters, office = fleet.laptop("hq", "root", "hub-1"), fleet.laptop("office", "director-1")
    change_policy(headquarters.vault, headquarters.key("root"), STRICT)
    assert office.vault.policy == Policy()
    carry(headquarters, "hub-1", office, "director-1")
    assert office.vault.policy == Policy(people=20, embargo=12)
    with pytest.raises(UsageError, match="people: that is looser"):
        export_table(office.vault, office.key(), "all_years", tighter={"people": 15})
    notices = [item for item in verify_vault(office.directory).findings if item.code == "policy-changed"]
    assert [item.level for item in notices] == [NOTICE]
