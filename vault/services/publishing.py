"""Numbers that were public before there was a vault: a director enters them, and the guard takes them as known.

Once entered they stay: what was published cannot be taken back. They are true or false of the world, not of the vault;
where they contradict what the vault counts, the guard refuses to print, because a reader would notice too. Those that
contradict each other, or what was printed, are refused here: entered, they would stop every further export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from vault import labels
from vault.disclosure.contradictions import larger_than_whole, without_world
from vault.disclosure.facts import Fact
from vault.disclosure.known_rows import known_row, whole_table
from vault.disclosure.ledger import Ledger
from vault.disclosure.planner import make_plan
from vault.disclosure.releasing import period_of
from vault.disclosure.watch import question_of
from vault.errors import InputRefused, Problem
from vault.formats.ledger_entry import LedgerEntry, Published, encode_ledger_entry
from vault.formats.published_file import MOST_BYTES, PublishedFact, parse_published
from vault.formats.table_values import PERSONS, Table
from vault.model import Policy, Role
from vault.primitives.hashing import hmac_sha256
from vault.services.files import read_limited
from vault.services.journal import write
from vault.services.keyring import Keyring
from vault.services.release_ledger import ExportKeys, drafts_of, fold_ledger, open_export_keys, read_entries
from vault.services.tables import shipped_tables
from vault.services.vault import Vault, require_role


def enter_published(vault: Vault, me: Keyring, path: Path, *, dry_run: bool = False) -> int:
    """Enters the facts of a file into the ledger; returns how many were new. `dry_run` checks them and enters none.

    Raises NotAllowed, InputRefused (unknown tables, variables or codes, numbers that cannot all be true beside what
    readers have: nothing is entered then) and StorageError.
    """
    require_role(me, Role.DIRECTOR)
    facts = parse_published(read_limited(path, MOST_BYTES))
    tables = {table.name: table for table in shipped_tables()}
    _check(facts, tables)
    keys = open_export_keys(vault, me)
    with vault.writing(me, announced=not dry_run):  # nobody writes between what was compared and what is entered
        entries = read_entries(vault, keys)
        found = [
            _Subject(fold_ledger(entries, subject), facts, tables)
            for subject in sorted({tables[fact.table].subject for fact in facts})
        ]
        if problems := [problem for one in found for problem in one.problems(vault.policy)]:
            raise InputRefused(
                f"the file has {len(problems)} number{'s' if len(problems) != 1 else ''} that cannot be true beside "
                "others; nothing was entered",
                problems,
            )
        for one in found if not dry_run else ():
            if one.fresh:
                _write(vault, me, keys, one.entry())
    return sum(len(one.fresh) for one in found)


def _write(vault: Vault, me: Keyring, keys: ExportKeys, entry: LedgerEntry) -> None:
    digest = hmac_sha256(keys.export, labels.LEDGER + encode_ledger_entry(entry))
    signer = vault.signer(me)
    number = vault.journal_number(signer.origin)
    write(vault.store, number, signer, vault.day, drafts_of(keys, [entry], digest))


class _Subject:
    """The facts of one subject that are new, by their paths in the file, and the ledger that they would join."""

    def __init__(self, ledger: Ledger, facts: Sequence[PublishedFact], tables: Mapping[str, Table]) -> None:
        self.ledger = ledger
        self.tables = [table for table in tables.values() if table.subject == ledger.subject]
        self.fresh: dict[Published, str] = {}
        for at, fact in enumerate(facts):
            item = _published(fact)
            if tables[fact.table].subject == ledger.subject and item not in ledger.published:
                self.fresh.setdefault(item, f"facts[{at}]")

    def entry(self) -> LedgerEntry:
        """What is added to the ledger."""
        named = {name for item in self.fresh for name, _ in item.where}
        rows = [row for table in self.tables for row in table.rows]
        new_rows = {row.variable: known_row(row) for row in rows if row.variable in named - self.ledger.rows.keys()}
        return LedgerEntry(
            subject=self.ledger.subject,
            number=self.ledger.entries,
            until=self.ledger.until,
            published=tuple(self.fresh),
            rows=tuple(new_rows.values()),
        )

    def problems(self, policy: Policy) -> list[Problem]:
        """What cannot be true: one line for each entry of the file."""
        if not self.fresh:
            return []
        known, paths = self.ledger.facts(), list(self.fresh.values())
        after = deepcopy(self.ledger)
        after.take(self.entry())
        new = after.facts_published()[len(self.ledger.published) :]
        names = [*(f"{_words(fact)}, which readers have already" for fact in known), *paths]
        facts = (*known, *new)
        found = {
            max(part, whole): f"contradicts {names[min(part, whole)]}: {_against(facts, part, whole)}"
            for part, whole in larger_than_whole(facts, len(known))
        }
        if found:
            return [_problem(names[at], message) for at, message in sorted(found.items())]
        message = "cannot be true together with the others named here and with what readers have already"
        return [_problem(paths[at], message) for at in self._without_world(after, policy, len(new))]

    def _without_world(self, after: Ledger, policy: Policy, new: int) -> list[int]:
        """The same of all statements at once, for the variables that are in question."""
        rows = {row.variable: row for table in self.tables for row in table.rows}
        beside = tuple(dict.fromkeys(item for table in self.tables for item in table.impossible))
        table = whole_table(replace(self.tables[0], rows=tuple(rows.values()), impossible=beside), after)
        plan = make_plan(table, after, (), policy, lambda _: 0, 0)  # of nobody: it prints nothing, and has the rows
        question = question_of(after, plan, (), policy)
        return without_world(question.variables, question.slots, question.known[:-new], question.known[-new:])


def _problem(path: str, message: str) -> Problem:
    return Problem(line=0, variable=path, message=message)


def _against(facts: Sequence[Fact], part: int, whole: int) -> str:
    """What the later of the two says against the earlier one."""
    one, other = facts[part], facts[whole]
    if (one.slots, set(one.where)) == (other.slots, set(other.where)):
        return "another number of the same people"
    return "a whole that is smaller than its part" if part < whole else "a part that is larger than its whole"


def _words(fact: Fact) -> str:
    """A number that readers have: `sex=female, 2019: 14`."""
    pairs = ((condition.variables[0], sorted(code for (code,) in condition.codes)) for condition in fact.where)
    where = [f"{name}={'+'.join(codes)}" for name, codes in pairs]
    value = str(fact.low) if fact.low == fact.high else f"{fact.low} to {fact.high}"
    return f"{' and '.join(where) or 'total'}, {period_of(tuple(sorted(fact.slots)))}: {value}"


def _published(fact: PublishedFact) -> Published:
    slots = tuple(str(year) for year in range(fact.first, fact.last + 1))
    return Published(slots=slots, where=fact.where, value=fact.value)


def _check(facts: Sequence[PublishedFact], tables: dict[str, Table]) -> None:
    problems = []
    for at, fact in enumerate(facts):
        table = tables.get(fact.table)
        if table is None:
            problems.append(Problem(line=0, variable=f"facts[{at}].table", message="there is no table of that name"))
            continue
        if table.unit != PERSONS:
            message = "the table counts no people; only numbers of people are taken as known"
            problems.append(Problem(line=0, variable=f"facts[{at}].table", message=message))
            continue
        known = {row.variable: row.codes for row in table.rows}
        for name, codes in fact.where:
            if name not in known:
                message = f"the table has no variable of that name; it has {', '.join(known)}"
                problems.append(Problem(line=0, variable=f"facts[{at}].where.{name}", message=message))
            elif not known[name].issuperset(codes):
                message = f"the codes are {', '.join(sorted(known[name]))}"
                problems.append(Problem(line=0, variable=f"facts[{at}].where.{name}", message=message))
    if problems:
        raise InputRefused(f"the file has {len(problems)} mistake{'s' if len(problems) != 1 else ''}", problems)
