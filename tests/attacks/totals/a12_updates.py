"""A12, one person more or less (notes, sections 2.3 and 4), and A16, input of the wrong kind (the ACRO bug, 2.1).

Both take an exporter as a black box. A12: export, insert or delete one person of a year that has been printed, export
everything again; pass: not one figure differs. An exporter without a memory cannot pass; the product is wrapped with
its ledger. A16: the same people with years and codes of other types and spellings; pass: the same figures or a refusal,
and nothing at all for nobody and for one person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tests.attacks.totals.caseload import CasePerson
from tests.attacks.totals.exporters import Exporter
from vault.disclosure.facts import Fact


def updated(
    exporter: Callable[[Sequence[CasePerson], int], Sequence[Fact]],
    people: Sequence[CasePerson],
    who: CasePerson,
    year: int,
) -> int:
    """How many figures change when this person is taken out (or, where they are not among the people, put in)."""
    before = exporter(people, year)
    changed = [one for one in people if one.token != who.token]
    if len(changed) == len(people):
        changed.append(who)
    return len(set(before) ^ set(exporter(changed, year)))


def _codes(change: Callable[[str], Any]) -> Callable[[CasePerson], CasePerson]:
    return lambda one: replace(one, codes={name: change(code) for name, code in one.codes.items()})


def _year(kind: Callable[[int], Any]) -> Callable[[CasePerson], CasePerson]:
    return lambda one: replace(one, year=kind(one.year))


ENCODINGS: Final[Mapping[str, Callable[[CasePerson], CasePerson]]] = {
    "year as text": _year(str),
    "year as a fraction": _year(float),
    "codes in capitals": _codes(str.upper),
    "codes with a space": _codes(lambda code: f"{code} " if code else code),
    "codes as bytes": _codes(str.encode),
    "yes and no as truth values": _codes(lambda code: {"yes": True, "no": False}.get(code, code)),
    "codes as numbers": _codes(lambda code: sum(code.encode())),
    "a missing code as not a number": _codes(lambda code: code or float("nan")),
    "a missing code as None": _codes(lambda code: code or None),
    "a code nobody knows": _codes(lambda code: "other" if code == "unknown" else code),
}


def misled(
    exporter: Exporter, people: Sequence[CasePerson], year: int, refusal: type[Exception] = ValueError
) -> tuple[str, ...]:
    """The encodings that change what is printed without a refusal, and "nobody" or "one person" if anything is."""
    expected = set(exporter(people, year))
    found = []
    for name, change in ENCODINGS.items():
        try:
            if set(exporter([change(one) for one in people], year)) != expected:
                found.append(name)
        except refusal:
            continue
    for name, few in {"nobody": people[:0], "one person": people[:1]}.items():
        try:
            if exporter(few, year):
                found.append(name)
        except refusal:
            continue
    return tuple(found)
