"""`audit verify`: check everything on this laptop without any key, and say what the verdict rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import Group, Settings, pass_settings
from cli.progress import Progress
from vault.errors import IntegrityError

if TYPE_CHECKING:
    from vault import AuditReport

FINDING = "finding"
"""The one verdict that is not good."""


@click.group(cls=Group)
def audit() -> None:
    """Check every journal on this laptop, without any key."""


@audit.command("verify")
@pass_settings
def verify(settings: Settings) -> int:
    """Verify every leaf, tree node, checkpoint, part and member. Needs no key.

    The verdict names its anchor: without a checkpoint that somebody else has seen, it says "intact, NOT anchored",
    since a whole vault could have been rolled back unnoticed. Exit code 20 on a finding.
    """
    import vault

    with Progress(settings.terminal) as progress:
        report = vault.verify_vault(settings.directory, progress=progress)
    code = IntegrityError.code if report.verdict == FINDING else 0
    _print(settings, report)
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
        },
        code=code,
    )
    return code


def _print(settings: Settings, report: AuditReport) -> None:
    """Findings first, the verdict last: the last line is the one that is read."""
    terminal = settings.terminal
    for finding in report.findings:
        terminal.data(f"{finding.level}  {finding.code}  {finding.where}: {finding.message}")
    terminal.data(
        f"{report.leaves:,} leaves, {report.journals:,} journals, {report.checkpoints:,} checkpoints, "
        f"{report.parts:,} parts checked; no key was used."
    )
    terminal.data(f"vault:  {report.vault_id}")
    terminal.data(f"anchor: {report.anchor or 'none: nobody else has seen these journals yet'}")
    if report.verdict == FINDING:
        count = len(report.findings)
        terminal.heading(f"FINDING: {count} {'place does' if count == 1 else 'places do'} not hold.")
        terminal.talk("Next: keep this directory exactly as it is, copy it, and tell the hub and root")
    else:
        terminal.heading(report.verdict)
