"""Opening the identity layer of one case: never without a reason, and never before the log says so.

The `reveal` entry is committed first. If that write fails, nothing was opened. The reason is sealed in the entry's case
part; that a reveal took place, by whom and on which claimed day is there for any auditor to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vault.errors import FormatError, InputRefused, IntegrityError, Problem, UsageError
from vault.formats.part import CasePayload, parse_identity
from vault.formats.text import TextRefused, clean
from vault.model import Kind, Layer, Origin, Pseudonym
from vault.services.casework import REVEAL_TYPE, Case, Casework
from vault.services.drafting import case_part
from vault.services.journal import Draft
from vault.services.keyring import Keyring
from vault.services.records import commit, desk_of
from vault.services.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """Who a case is, the entry that says it was looked at, and what else its author should know."""

    pseudonym: Pseudonym
    values: Mapping[str, str | int] = field(repr=False)
    origin: Origin
    seq: int
    warnings: tuple[str, ...] = ()


def reveal(
    vault: Vault,
    me: Keyring,
    pseudonym: str,
    reason: str,
    *,
    dry_run: bool = False,
    damaged: list[int] | None = None,
) -> Revealed:
    """Logs the reason, then opens the identity layer of a case. Raises UsageError without a case or a reason.

    What is shown may be out of date when an entry does not open: the numbers of such entries are appended to `damaged`;
    without one, IntegrityError names them and nothing is shown.
    """
    work = Casework(vault, me)
    case = work.case(pseudonym)
    try:
        text = clean(reason)
    except TextRefused as refusal:
        raise InputRefused(
            "the reason is not accepted", [Problem(line=0, variable="reason", message=refusal.message)]
        ) from None
    if not text:
        raise UsageError("a reveal needs a reason", hint="give --reason TEXT")
    if dry_run:
        return Revealed(pseudonym=case.pseudonym, values={}, origin=work.origin, seq=-1)
    payload = CasePayload(type=REVEAL_TYPE, values={"reason": text})
    draft = Draft(kind=Kind.REVEAL, parts=(case_part(desk_of(work), case.case_id, case.key, payload),))
    written = commit(work, draft)
    values = _identity(work, case)
    work.settle(damaged)
    return Revealed(
        pseudonym=case.pseudonym, values=values, origin=work.origin, seq=written.seq, warnings=written.warnings
    )


def _identity(work: Casework, case: Case) -> dict[str, str | int]:
    key = work.identity_key(case)
    found: dict[str, str | int] = {}
    seqs = work.seqs_by_case().get(case.case_id, [])
    for seq in work.identity_seqs(case, seqs):
        raw = work.store.part(work.journal, seq, Layer.IDENTITY)
        kind, _ = work.leaf_kind(seq)
        try:
            values = parse_identity(work.open_part(seq, kind, Layer.IDENTITY, key, raw))
        except (IntegrityError, FormatError):
            work.damaged.add(seq)
            continue
        for name, value in values.items():
            if value == "":
                found.pop(name, None)
            elif not isinstance(value, bytes):
                found[name] = value
    return found
