"""`audit verify`: check everything on this laptop without any key, and say what the verdict rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import Group, Settings, pass_settings
from cli.progress import Progress
from cli.session import awaited, opened
from vault.errors import IntegrityError

if TYPE_CHECKING:
    from vault import AuditReport, Finding, Released

FINDING = "finding"
"""The one verdict that is not good."""
NOTICE = "notice"
"""The level of what is worth knowing and no fault."""
NOT_HERE = "not-here"
"""The code of a member of whom nothing has come: usual on a recorder's laptop, and one notice each."""


@click.group(cls=Group)
def audit() -> None:
    """Check every journal on this laptop, without any key."""


@audit.command("verify")
@click.option("--release", "releases", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Also: is FILE what a director released? JSON, or another form beside its JSON.")  # fmt: skip
@pass_settings
def verify(settings: Settings, releases: tuple[Path, ...]) -> int:
    """Verify every leaf, tree node, checkpoint, part and member. Needs no key.

    The verdict names its anchor: without a checkpoint that somebody else has seen, it says "intact, NOT anchored",
    since a whole vault could have been rolled back unnoticed. Exit code 20 on a finding.
    """
    import vault

    with awaited(settings), Progress(settings.terminal) as progress:
        report = vault.verify_vault(settings.directory, progress=progress, processes=2)
    code = IntegrityError.code if report.verdict == FINDING else 0
    released: tuple[Released, ...] = ()
    if releases and not code:
        with opened(settings) as found:
            released = vault.verify_releases(found, releases)
    _print(settings, report)
    for item in released:
        name = "/".join(item.origin.split("/")[2:])
        settings.terminal.data(f"{item.path.name}: as it was released: table {item.table}, entry {item.seq} of {name}")
    settings.terminal.result(
        {
            "verdict": report.verdict,
            "vault_id": report.vault_id,
            "anchor": report.anchor,
            "leaves": report.leaves,
            "journals": report.journals,
            "checkpoints": report.checkpoints,
            "parts": report.parts,
            "findings": [
                {"level": f.level, "code": f.code, "where": f.where, "message": f.message} for f in report.findings
            ],
            "released": [
                {"file": item.path.name, "table": item.table, "origin": item.origin, "seq": item.seq}
                for item in released
            ],
        },
        code=code,
    )
    return code


def _print(settings: Settings, report: AuditReport) -> None:
    """Faults first, then notes, the verdict last: the last line is the one that is read."""
    terminal = settings.terminal
    faults = [finding for finding in report.findings if finding.level != NOTICE]
    for finding in faults:
        terminal.data(_named(report, f"{finding.level}  {finding.code}  {finding.where}: {finding.message}"))
    for line in _notes(report):
        terminal.data(_named(report, f"note: {line}"))
    terminal.data(
        f"{report.leaves:,} leaves, {report.journals:,} journals, {report.checkpoints:,} checkpoints, "
        f"{report.parts:,} parts checked; no key was used."
    )
    terminal.data(f"vault:  {report.vault_id}")
    terminal.data(f"anchor: {report.anchor or _without_anchor(report)}")
    if report.verdict == FINDING:
        count = len(faults)
        terminal.heading(f"FINDING: {count} {'place does' if count == 1 else 'places do'} not hold.")
        terminal.talk(f"Next: {_following(settings, faults)}")
    else:
        terminal.heading(report.verdict)


def _named(report: AuditReport, line: str) -> str:
    """A line with journals of this vault by their short names: `field-1/1`."""
    return line.replace(f"fieldvault/{report.vault_id}/", "")


def _notes(report: AuditReport) -> Iterator[str]:
    """What is worth knowing. Members of whom nothing has come are many and usual: they share a line."""
    absent = [finding for finding in report.findings if (finding.level, finding.code) == (NOTICE, NOT_HERE)]
    if len(absent) > 1:
        yield f"nothing of {len(absent)} members has come to this laptop yet"
    for finding in report.findings:
        if finding in absent and len(absent) == 1:
            yield finding.message
        elif finding.level == NOTICE and finding not in absent:
            yield f"{finding.where}: {finding.message}"


def _without_anchor(report: AuditReport) -> str:
    if report.verdict == FINDING:
        return "none: nothing is anchored while something does not hold"
    return "none: nobody else has seen all of these journals yet"


def _following(settings: Settings, faults: Sequence[Finding]) -> str:
    """What to do about a finding: nothing is repaired by hand. A restored laptop is the one case with a way on."""
    if all(finding.code in ("rollback", "journal-gone") for finding in faults):
        restored = "if this laptop was restored from a backup"
        return f"{restored}: {settings.line('status', acting=False)}; if not, copy this directory and tell root"
    return "keep this directory exactly as it is, copy it, and tell the hub and root"
