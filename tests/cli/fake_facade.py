"""A stand-in for the façade: it remembers what it was asked to do and answers from memory, without one key.

Run as a script, it is `fieldvault` over the stand-in, for tests that need a process of its own (a terminal, a code
page). `FAKE_VAULT_FAILS` names an exception that saving then raises, with a canary as its text; `FAKE_VAULT_BUSY`
says how often another process is writing first.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from tests.cli import fake_bundles, fake_custody, fake_enrolment, fake_erasing, fake_handing, fake_travel
from vault import errors
from vault.formats.codebook import parse_codebook
from vault.model import Handle, KeyId, Member, Origin, Policy, PublicKeys, Role
from vault.services.tables import check_table

CANARY = "canary-홍길동-4711"
PASSPHRASE = "correct horse battery"
WORDS = "academic acid acne acquire acrobat activity actress adapt"
VAULT_ID = "00112233445566778899aabbccddeeff"
ORIGIN = Origin(f"fieldvault/{VAULT_ID}/field-1/1")

STAY = SimpleNamespace(
    pseudonym="amber-heron-41",
    origin=ORIGIN, seq=3, name="3", type="shelter", day="2020-02-03", amended_by=(), version="3", letter="",
    conflicts=(), values={"check_in": "2020-02-03", "check_out": "2020-02-05", "nights": 2, "country": "CN"},
)  # fmt: skip


def member(handle: str, role: Role) -> Member:
    """A member with keys of zeros."""
    keys = PublicKeys(signing=bytes(32), sealing=bytes(1216))
    return Member(handle=Handle(handle), role=role, keys=keys, key_id=KeyId(handle.encode().ljust(16, b"\0")))


class Me(str):
    """The unlocked keys of a member: its handle, and what the roster says of it."""

    __slots__ = ()

    @property
    def handle(self) -> str:
        """The handle."""
        return str(self)

    @property
    def armed(self) -> bool:
        """Not for travel."""
        return False

    @property
    def member(self) -> Member:
        """The member; whoever is not called so is a recorder."""
        roles = {"root": Role.ROOT, "hub-1": Role.HUB, "hq-1": Role.DIRECTOR}
        return member(self, roles.get(self, Role.RECORDER))


@dataclass
class FakeVault:
    """An open vault with root, one recorder, one director; `calls` is what was done to it."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    members: tuple[Member, ...] = (
        member("root", Role.ROOT),
        member("field-1", Role.RECORDER),
        member("hq-1", Role.DIRECTOR),
    )
    keys_here: tuple[Handle, ...] = (Handle("root"), Handle("field-1"), Handle("hq-1"))
    vault_id: str = VAULT_ID
    failing: BaseException | None = None
    busy: int = 0
    cases: tuple[SimpleNamespace, ...] = (
        SimpleNamespace(pseudonym="amber-heron-41", status="in_transit", entries=2, passed_to="", conflict=False),
    )
    entries: tuple[SimpleNamespace, ...] = ()
    findings: tuple[SimpleNamespace, ...] = ()
    entry: SimpleNamespace = field(default_factory=lambda: STAY)
    journals_here: tuple[SimpleNamespace, ...] = (fake_bundles.journal(ORIGIN),)
    day: int = fake_bundles.TODAY
    arrived: SimpleNamespace = field(default_factory=fake_bundles.arrived)
    renewals_here: tuple[SimpleNamespace, ...] = ()
    forgettable_here: tuple[str, ...] = ()
    waits: SimpleNamespace = field(default_factory=fake_bundles.waits)

    checked: tuple[object, ...] = ()
    quotes: tuple[object, ...] = ()

    def __post_init__(self) -> None:
        raw = resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes()
        self.codebook = parse_codebook(raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def refuse_armed(self, handle: Handle) -> None:
        """Nothing here is armed."""

    def epochs_without_key(self, me: object) -> tuple[str, ...]:
        """None: the key file is the newest."""
        return ()

    def journals(self) -> tuple[SimpleNamespace, ...]:
        """What is here: one journal, unless a test has it otherwise."""
        return self.journals_here

    def called(self, name: str, what: object = None) -> None:
        """Remember, or fail as asked."""
        if self.failing is not None:
            raise self.failing
        if self.busy:
            self.busy -= 1
            raise errors.VaultLocked("another process is writing")
        self.calls.append((name, what))

    def saved(self, name: str, what: object, *, dry_run: bool) -> SimpleNamespace:
        """The answer to every write."""
        self.called(name, what)
        return SimpleNamespace(
            pseudonym="amber-heron-41", origin=ORIGIN, seq=-1 if dry_run else 7, warnings=("consent was not asked",)
        )


def functions(vault: FakeVault) -> Mapping[str, object]:
    """Every name of the façade that cli calls, over this vault."""
    handed = {**fake_enrolment.functions(vault, member, PASSPHRASE), **fake_handing.functions(vault)}
    handed |= fake_travel.functions(vault)
    more = {**fake_custody.functions(vault), **fake_bundles.functions(vault), **fake_erasing.functions(vault)}
    return {**_writes(vault), **_reads(vault), **handed, **more}


def _writes(vault: FakeVault) -> Mapping[str, object]:

    def unlock(_: FakeVault, handle: str, passphrase: str, *, armed: bool = False) -> Me:
        if passphrase != PASSPHRASE:
            raise errors.WrongPassphrase(f'the passphrase does not open the key "{handle}"')
        vault.calls.append(("unlock", handle))
        return Me(handle)

    def found(directory: Path, **how: object) -> SimpleNamespace:
        vault.called("found", how | {"directory": directory})
        return SimpleNamespace(vault_id=VAULT_ID, share_files=(Path("share-1.txt"),), fingerprint="ab:cd")

    def add_member(_: FakeVault, root: str, *, handle: str, role: Role, **how: object) -> Member:
        vault.called("add_member", how | {"handle": handle, "role": role, "root": root})
        return member(handle, role)

    def change_policy(
        _: FakeVault, root: str, changes: Mapping[str, int], *, loosen: bool = False, dry_run: bool = False
    ) -> SimpleNamespace:
        vault.called("change_policy", (root, dict(changes), loosen, dry_run))
        after = Policy(**changes)
        return SimpleNamespace(before=Policy(), after=after, changed="people 10 to 20", origin=ORIGIN, seq=9)

    def open_case(_: FakeVault, me: str, answers: Mapping[str, object], *, dry_run: bool) -> SimpleNamespace:
        return vault.saved("open_case", dict(answers), dry_run=dry_run)

    def record(
        _: FakeVault, me: str, kind: str, case: str | None, answers: Mapping[str, object], *, dry_run: bool
    ) -> SimpleNamespace:
        return vault.saved("record", (kind, case, dict(answers)), dry_run=dry_run)

    def amend(_: FakeVault, me: str, entry: str, changes: Mapping[str, object], *, dry_run: bool) -> SimpleNamespace:
        return vault.saved("amend", (entry, dict(changes)), dry_run=dry_run)

    def close_case(_: FakeVault, me: str, case: str, *, dry_run: bool) -> SimpleNamespace:
        return vault.saved("close_case", case, dry_run=dry_run)

    def reveal(
        _: FakeVault, me: str, case: str, reason: str, *, dry_run: bool, damaged: list[int | str]
    ) -> SimpleNamespace:
        vault.called("reveal", reason)
        values = {"name": "김\u202e철수"}
        return SimpleNamespace(pseudonym=case, values=values, others={}, origin=ORIGIN, seq=8, warnings=(), closed=())

    def import_file(
        _: FakeVault, me: str, path: Path, *, progress: Callable[..., None], doubt: object, dry_run: bool
    ) -> object:
        for done in range(101):
            progress("import", done, 100)
        vault.called("import_file", path)
        return SimpleNamespace(cases={"a": "amber-heron-41"}, entries=3, warnings=())

    return {
        "unlock": unlock,
        "found": found,
        "add_member": add_member,
        "change_policy": change_policy,
        "open_case": open_case,
        "record": record,
        "amend": amend,
        "close_case": close_case,
        "reveal": reveal,
        "import_file": import_file,
    }


def _reads(vault: FakeVault) -> Mapping[str, object]:
    def find_cases(_: FakeVault, me: str, query: str, *, damaged: list[int | str]) -> tuple[SimpleNamespace, ...]:
        vault.called("find_cases", query)
        return vault.cases

    def show_case(_: FakeVault, me: str, case: str, *, damaged: list[int | str]) -> SimpleNamespace:
        return SimpleNamespace(pseudonym=case, status="in_transit", entries=vault.entries, passed_to="")

    def verify_vault(
        directory: Path, *, progress: Callable[..., None], processes: int, **_given: object
    ) -> SimpleNamespace:
        faults = any(finding.level != "notice" for finding in vault.findings)
        verdict = "finding" if faults else "intact, NOT anchored"
        counts = {"leaves": 7, "journals": 1, "checkpoints": 7, "parts": 12}
        none = dict.fromkeys(("heads", "copies", "levels", "freshness", "contradictions", "anchored"), ())
        counted = Counter((finding.level, finding.code) for finding in vault.findings)
        kinds = tuple(SimpleNamespace(level=of, code=code, count=count) for (of, code), count in counted.items())
        return SimpleNamespace(
            verdict=verdict, vault_id="0" * 32, anchor=None, findings=vault.findings, kinds=kinds, **counts, **none
        )

    def preview_table(_: FakeVault, me: str, name: str, **_how: object) -> SimpleNamespace:
        vault.called("preview_table", (me, name))
        return SimpleNamespace(printed=1, withheld=1, closing=(), waiting=(), disclosed=(), judged=True)

    def export_table(_: FakeVault, me: str, name: str, **_how: object) -> SimpleNamespace:
        vault.called("export_table", (me, name))
        return SimpleNamespace(cells=(SimpleNamespace(value=880), SimpleNamespace(value=None)))

    def encode_release(release: object, form: str) -> bytes:
        return b'{"table":"all_years","cells":[]}\n' if form == "json" else f"as {form} 여\n".encode()

    def policy_history(_: FakeVault) -> tuple[SimpleNamespace, ...]:
        vault.called("policy_history")
        first = SimpleNamespace(policy=Policy(), origin=ORIGIN, seq=1, day="2026-03-14", changed="")
        later = SimpleNamespace(policy=Policy(people=20), origin=ORIGIN, seq=9, day="2026-04-01", changed="people 10")
        return first, later

    title = {"en": "All", "ko": "모두"}
    table = SimpleNamespace(name="all_years", title=title, unit="persons", period="all", subject="", rows=())
    clock = SimpleNamespace(seconds=lambda: 0.0, today=lambda: None)
    environment = SimpleNamespace(system=lambda: SimpleNamespace(clock=clock, random=None))
    return {
        "Environment": environment,
        "Role": Role,
        "list_cases": lambda *_, **__: vault.cases,
        "find_cases": find_cases,
        "show_case": show_case,
        "show_entry": lambda *_: vault.entry,
        "verify_vault": verify_vault,
        "keep_contradictions": lambda *_: (),
        "shipped_tables": lambda: (table,),
        "read_draft_file": lambda _: (),
        "check_draft": lambda *_: vault.checked,
        "quote_sheet": lambda *_: vault.quotes,
        "check_table": check_table,
        "policy_history": policy_history,
        "preview_table": preview_table,
        "export_table": export_table,
        "encode_release": encode_release,
        "generate_passphrase": lambda _: WORDS,
        "parse_codebook": parse_codebook,
        "open_vault": lambda *_: vault,
        "run_demo": lambda *_, **__: [SimpleNamespace(title="Found", lines=("one",))],
    }


def main() -> None:
    """`fieldvault` over the stand-in; every call that it takes is told on stderr at the end, for the test to read."""
    import vault as facade
    from cli.main import main as fieldvault

    vault = FakeVault()
    failing = os.environ.get("FAKE_VAULT_FAILS")
    if failing:
        vault.failing = getattr(errors, failing)(CANARY) if hasattr(errors, failing) else ValueError(CANARY)
    vault.busy = int(os.environ.get("FAKE_VAULT_BUSY", "0"))
    vault.entries = (
        SimpleNamespace(
            origin=ORIGIN, seq=3, name="3", type="journey", day="2020-02-03", amended_by=(5,), version="5",
            conflicts=(),
            letter="",
            values={"event": "departure", "origin": "연길 ไทย \U0001f600", "notes": "one\ntwo\u202e\x1b[2J"},
        ),
    )  # fmt: skip
    for name, value in functions(vault).items():
        setattr(facade, name, value)
    try:
        fieldvault()
    finally:
        sys.stderr.write(f"CALLS {vault.calls!a}\n")


if __name__ == "__main__":
    main()
