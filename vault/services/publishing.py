"""Numbers that were public before there was a vault: a director enters them, and the guard takes them as known.

Once entered they stay: what was published cannot be taken back. They are true or false of the world, not of the vault;
where they contradict what the vault counts, the guard refuses to print, because a reader would notice too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vault import labels
from vault.disclosure.known_rows import known_row
from vault.errors import InputRefused, Problem
from vault.formats.ledger_entry import LedgerEntry, Published, encode_ledger_entry
from vault.formats.published_file import MOST_BYTES, PublishedFact, parse_published
from vault.formats.table_values import PERSONS, Table
from vault.model import Role
from vault.primitives.hashing import hmac_sha256
from vault.services.files import read_limited
from vault.services.journal import write
from vault.services.keyring import Keyring
from vault.services.release_ledger import drafts_of, open_export_keys, read_ledger
from vault.services.tables import shipped_tables
from vault.services.vault import Vault, require_role


def enter_published(vault: Vault, me: Keyring, path: Path) -> int:
    """Enters the facts of a file into the ledger; returns how many were new.

    Raises NotAllowed, InputRefused (unknown tables, variables or codes: nothing is entered then) and StorageError.
    """
    require_role(me, Role.DIRECTOR)
    facts = parse_published(read_limited(path, MOST_BYTES))
    tables = {table.name: table for table in shipped_tables()}
    _check(facts, tables)
    keys = open_export_keys(vault, me)
    new = 0
    with vault.writing(me):
        for subject in sorted({tables[fact.table].subject for fact in facts}):
            ledger = read_ledger(vault, keys, subject)
            found = [_published(fact) for fact in facts if tables[fact.table].subject == subject]
            fresh = tuple(item for item in dict.fromkeys(found) if item not in ledger.published)
            if not fresh:
                continue
            new += len(fresh)
            named = {name for item in fresh for name, _ in item.where}
            rows = [row for table in tables.values() if table.subject == subject for row in table.rows]
            new_rows = {row.variable: known_row(row) for row in rows if row.variable in named - ledger.rows.keys()}
            entry = LedgerEntry(
                subject=subject,
                number=ledger.entries,
                until=ledger.until,
                published=fresh,
                rows=tuple(new_rows.values()),
            )
            digest = hmac_sha256(keys.export, labels.LEDGER + encode_ledger_entry(entry))
            signer = vault.signer(me)
            number = vault.journal_number(signer.origin)
            write(vault.store, number, signer, vault.day, drafts_of(keys, [entry], digest))
    return new


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
