"""People and exports for the tests of totals and of releases."""

from __future__ import annotations

from collections.abc import Iterator

from tests.organisation import Organisation
from vault.formats.leaf import parse_leaf
from vault.formats.release import Release
from vault.formats.table_values import Table
from vault.model import Kind
from vault.services.totals import export_table

FORMATS = ("json", "csv", "md", "html")


def women(count: int, **given: str) -> Iterator[dict[str, object]]:
    """Women who reached freedom in 2019, each a party of their own, minors none, everything answered."""
    for number in range(count):
        label = f"p{number}"
        yield {
            "case": label,
            "type": "intake",
            "sex": "female",
            "age_group": "18-59",
            "party": label,
            "travelled_with_family": "no",
            "trafficked": "no",
            "consent_statistics": "yes",
            **given,
        }
        yield {"case": label, "type": "outcome", "status": "reached_freedom", "date": "2019-05-06"}


def total(release: Release) -> int | None:
    """The printed total."""
    return release.cell(()).value


def export(org: Organisation, name: str | Table = "all_years") -> Release:
    """One release by the organisation's director."""
    return export_table(org.vault, org.director, name)


def entered(org: Organisation) -> list[bytes]:
    """The digests that stand in the director's journal."""
    number = org.vault.journal_number(org.vault.signer(org.director).origin)
    leaves = [parse_leaf(raw) for raw in org.vault.store.leaves(number)]
    assert all(leaf.kind is Kind.RELEASE for leaf in leaves)
    return [leaf.extra[0] for leaf in leaves]
