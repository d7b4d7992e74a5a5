"""The whole story on made-up people, in one directory: found, record, verify, export, tamper, find out.

It is the same code that real work runs; only the people are synthetic, the passphrases are drawn and forgotten (or
written beside the vault, for whoever wants to go on with it), and the key files cost the least that is allowed, so that
six of them do not take a minute.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vault.errors import IntegrityError, VaultError
from vault.formats.jsonl import encode_line
from vault.formats.release import Labels, Release
from vault.model import Handle, Layer, Role
from vault.ports import Environment
from vault.primitives.passphrase import KdfCost
from vault.services.audit import verify_vault
from vault.services.cases import list_cases, show_case
from vault.services.files import make_private_directory, write_private
from vault.services.found import found
from vault.services.importing import import_file
from vault.services.keyring import Keyring
from vault.services.layout import DATABASE
from vault.services.members import add_member
from vault.services.progress import Progress
from vault.services.totals import export_table
from vault.services.vault import Vault, unlock
from vault.services.words import generate_passphrase
from vault.synthetic import PUBLISHED, people

SEED = 2020
PASSPHRASES = "passphrases"
"""The folder beside the vault that has them, where they are kept."""
MEMBERS = (
    (Handle("hub-1"), Role.HUB),
    (Handle("field-1"), Role.RECORDER),
    (Handle("field-2"), Role.RECORDER),
    (Handle("director-1"), Role.DIRECTOR),
    (Handle("auditor-1"), Role.AUDITOR),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One paragraph of the story."""

    title: str
    lines: tuple[str, ...]


def run_demo(
    directory: Path, environment: Environment, *, progress: Progress, keep_passphrases: bool = False
) -> Iterator[Step]:
    """Plays the story in `directory`, one step at a time. Leaves `vault/`, `tampered/`, `shares/` and the import files
    there, and with `keep_passphrases` the passphrase of each member in a private file: nobody is harmed by it, since
    the people are made up."""
    clock = environment.clock
    passphrases = {handle: generate_passphrase(environment.random) for handle in ("root", *(h for h, _ in MEMBERS))}
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if keep_passphrases:
        make_private_directory(directory / PASSPHRASES)
        for handle, passphrase in passphrases.items():
            write_private(directory / PASSPHRASES / handle, f"{passphrase}\n".encode())
    home = directory / "vault"
    yield _found(directory, home, passphrases, environment)
    with Vault.open(home, environment) as vault:
        keys = {handle: unlock(vault, handle, passphrases[handle]) for handle in ("field-1", "field-2", "director-1")}
        started = clock.seconds()
        counts = _record(vault, directory, keys, progress)
        yield _recorded(counts, clock.seconds() - started)
        yield _compartments(vault, keys)
        started = clock.seconds()
        report = verify_vault(home, progress=progress)
        yield Step(
            title="An auditor verifies everything, with no key at all",
            lines=(
                f"{report.leaves:,} entries, {report.checkpoints} signed checkpoints, {report.parts:,} sealed parts.",
                f"It took {clock.seconds() - started:.1f} s.",
                f"Verdict: {report.verdict} (no other laptop has seen these journals yet).",
            ),
        )
        yield _totals(export_table(vault, keys["director-1"], "all_years"))
        yield _small_year(export_table(vault, keys["director-1"], "year_2020"))
        part = vault.store.part(vault.journal_number(vault.signer(keys["field-1"]).origin), 100, Layer.CASE)
    yield _tamper(home, directory / "tampered", part or b"")


def _found(directory: Path, home: Path, passphrases: dict[str, str], environment: Environment) -> Step:
    cost = KdfCost()
    founded = found(
        home,
        org="Demonstration",
        passphrase=passphrases["root"],
        threshold=2,
        shares=3,
        shares_dir=directory / "shares",
        environment=environment,
        cost=cost,
    )
    with Vault.open(home, environment) as vault:
        root = unlock(vault, "root", passphrases["root"])
        for handle, role in MEMBERS:
            add_member(vault, root, handle=handle, role=role, passphrase=passphrases[handle], cost=cost)
    return Step(
        title="An organisation is founded",
        lines=(
            "Root signed a roster: a hub, two recorders, a director, an auditor. Each has a key of their own.",
            "The recovery key is split into 3 paper shares; any 2 restore it.",
            f"Vault {founded.vault_id[:8]}...: {' '.join(founded.fingerprint.split()[:4])} ...",
        ),
    )


def _record(vault: Vault, directory: Path, keys: dict[str, Keyring], progress: Progress) -> tuple[int, int]:
    lines = list(people(SEED))
    labels = list(dict.fromkeys(line["case"] for line in lines))
    first = set(labels[: len(labels) // 2])
    entries = 0
    for handle, mine in (("field-1", True), ("field-2", False)):
        path = directory / f"{handle}.jsonl"
        path.write_bytes(b"".join(encode_line(line) for line in lines if (line["case"] in first) is mine))
        entries += import_file(vault, keys[handle], path, progress=progress).entries
    return len(labels), entries


def _recorded(counts: tuple[int, int], seconds: float) -> Step:
    return Step(
        title="Two recorders record 1,300 made-up people",
        lines=(
            f"{counts[0]:,} people, {counts[1]:,} records sealed and saved in {seconds:.1f} s.",
            "Names, cases and tallies are sealed apart; the database holds no word of them.",
        ),
    )


def _compartments(vault: Vault, keys: dict[str, Keyring]) -> Step:
    one, two = keys["field-1"], keys["field-2"]
    pseudonym = list_cases(vault, one)[0].pseudonym
    refusals = []
    for handle, me in (("field-2", two), ("director-1", keys["director-1"])):
        try:
            show_case(vault, me, pseudonym)
        except VaultError as error:
            refusals.append(f"{handle}: {error.message}.")
        else:
            raise IntegrityError(f"{handle} opened a case that is not theirs")
    return Step(
        title=f"{pseudonym} is a case of field-1, and opens to nobody else",
        lines=tuple(refusals),
    )


def _line(release: Release, labels: Labels, what: str, published: int) -> str:
    value = release.cell(labels).value
    return f"{what:<36}{'withheld' if value is None else f'{value:,}':>9}   the report says {published:,}"


def _totals(release: Release) -> Step:
    share = release.percentage((("trafficked", "yes"),))
    return Step(
        title="A director exports totals: all years taken together",
        lines=(
            _line(release, (), "reached freedom", PUBLISHED["reached_freedom"]),
            _line(release, (("sex", "female"),), "women", PUBLISHED["women"]),
            _line(release, (("sex", "male"),), "men", PUBLISHED["men"]),
            _line(release, (("minor", "yes"),), "minors", PUBLISHED["minors"]),
            _line(release, (("travelled_with_family", "yes"),), "travelled with family", 472),
            _line(release, (("reunited_with_family", "yes"),), "reunited with family", 409),
            f"{'trafficked, of women who answered':<36}{share.text if share else 'withheld':>9}   the report says 52 %",
        ),
    )


def _small_year(release: Release) -> Step:
    total = release.cell(()).value
    withheld = sum(1 for cell in release.cells if cell.value is None)
    return Step(
        title="The same for 2020, when few came: small counts could point at a person",
        lines=(
            f"reached freedom in 2020: {'withheld' if total is None else total}.",
            f"The other {withheld} figures are withheld.",
        ),
    )


def _tamper(home: Path, copy: Path, part: bytes) -> Step:
    shutil.copytree(home, copy)
    database = copy / DATABASE
    raw = bytearray(database.read_bytes())
    place = raw.find(part[100:160]) if part else -1
    if place < 0:
        raise IntegrityError("the demo cannot find the part that it wants to change")
    raw[place] ^= 1
    database.write_bytes(bytes(raw))
    report = verify_vault(copy)
    if not report.findings:
        raise IntegrityError("the audit did not notice the changed bit")
    finding = report.findings[0]
    return Step(
        title="Somebody changes one bit in a copy of the database",
        lines=(f"Audit: {report.verdict.upper()} at {finding.where}", f"{finding.message}."),
    )
