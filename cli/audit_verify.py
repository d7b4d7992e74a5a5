"""`audit verify`: check everything on this laptop without any key, and say what the verdict rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import audit_published
from cli.audit_findings import NOTICE, anchor_lines, evidence_lines, fault_lines, faults, places
from cli.audit_levels import level_lines, levels_json
from cli.options import Command, Settings, pass_settings
from cli.progress import Progress
from cli.session import awaited, opened
from cli.wording import entries, short
from vault.errors import ForkError, IntegrityError, RollbackError, StorageError, UsageError

if TYPE_CHECKING:
    from vault import AuditReport, Finding, HeadChecked, Released

FINDING = "finding"
"""The one verdict that is not good."""
_HEAD_CODES = {"holds": 0, "not looked at": 0, "rollback": RollbackError.code, "fork": ForkError.code}
NOT_HERE = "not-here"
"""The code of a member of whom nothing has come: usual on a recorder's laptop, and one notice each."""


@click.command("verify", cls=Command)
@click.option("--release", "releases", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Also: is FILE what a director released? JSON, or another form beside its JSON.")  # fmt: skip
@click.option("--head", "heads", multiple=True, metavar="HEAD",
              help='Also: does a head that you kept hold? A paper head ("field-7/1 212 kdmf ..."), or a FILE with a '
              "signed checkpoint.")  # fmt: skip
@click.option("--copy", "copies", multiple=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Also: does this vault agree with another vault's directory, or with a published one?")  # fmt: skip
@click.option("--evidence", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="On a finding: write what openssl and sha256sum can confirm into DIR.")  # fmt: skip
@click.option("--published", type=click.Path(path_type=Path), metavar="DIR",
              help="Check a directory that somebody published, not the vault.")  # fmt: skip
@click.option("--proof", type=click.Path(path_type=Path), metavar="FILE",
              help="Check a proof of one entry, not the vault; takes --policy.")  # fmt: skip
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE",
              help="Your own policy (C2SP tlog-policy): whom to believe, for --published and --proof.")  # fmt: skip
@click.option("--entry", type=click.Path(path_type=Path), metavar="FILE",
              help="The entry's bytes, for a --proof that does not carry them.")  # fmt: skip
@pass_settings
def verify(
    settings: Settings,
    releases: tuple[Path, ...],
    heads: tuple[str, ...],
    copies: tuple[Path, ...],
    evidence: Path | None,
    published: Path | None,
    proof: Path | None,
    policy: Path | None,
    entry: Path | None,
) -> int:
    """Verify every leaf, tree node, checkpoint, part and member. Needs no key.

    The verdict names its anchor: without a checkpoint that somebody else has seen, it says "intact, NOT anchored",
    since a whole vault could have been rolled back unnoticed. It is said up to that checkpoint: what came later is "not
    anchored yet". Exit code 20 on a finding, or when the quorum of your --policy has cosigned no head of a journal that
    it names; 21 when a head that you gave is beyond what is here, 22 when the journal does not begin with it.
    """
    import vault

    if published is not None and not (releases or copies or proof or entry):
        return audit_published.verify_published(settings, published, policy, heads, evidence)
    if proof is not None and not (releases or heads or copies or evidence or published):
        return audit_published.verify_proof(settings, proof, policy, entry)
    if published or proof or policy or entry:
        takes = "--published DIR takes --policy, --head and --evidence, --proof FILE takes --policy and --entry"
        given = {"--release": releases, "--copy": copies, "--evidence": evidence, "--head": heads, "--entry": entry}
        unfit = _unfit(given, "--published" if published else "--proof") if published or proof else ""
        raise UsageError(f"{takes}; no more{unfit}")
    if evidence is not None:
        vault.check_evidence_place(evidence)
    with awaited(settings), Progress(settings.terminal) as progress:
        report = vault.verify_vault(
            settings.directory,
            progress=progress,
            processes=2,
            heads=heads,
            copies=copies,
            today=vault.Environment.system().clock.today(),
        )
    code = _code(report)
    released: tuple[Released, ...] = ()
    if releases and not code:
        with opened(settings) as found:
            released = vault.verify_releases(found, releases)
    kept = _keep_evidence(settings, report, evidence)
    _print(settings, report, kept, evidence)
    _print_released(settings, released)
    settings.terminal.result(_json(report, kept, released), code=code)
    return code


def _unfit(given: Mapping[str, object], what: str) -> str:
    """Which of the options that were given does not go with `what`."""
    fitting = {"--published": ("--head", "--evidence"), "--proof": ("--entry",)}[what]
    names = [name for name, value in given.items() if value and name not in fitting]
    return f" (not {', '.join(names)})" if names else ""


def _code(report: AuditReport) -> int:
    """20 for a finding; 21 and 22 for a head or a copy from outside that shows a rollback or a fork."""
    codes = [IntegrityError.code if report.verdict == FINDING else 0]
    codes += [_HEAD_CODES[item.verdict] for item in report.heads]
    codes += [ForkError.code for item in report.findings if (item.level, item.code) == ("cross-copies", "fork")]
    return max(codes)


def _keep_evidence(settings: Settings, report: AuditReport, target: Path | None) -> tuple[Path, ...]:
    """Writes what was asked for; and forks and rollbacks always, beside the database, as an import does."""
    import vault

    if report.verdict != FINDING:
        return ()
    kept: tuple[Path, ...] = ()
    try:
        kept = vault.keep_contradictions(settings.directory, report)
    except StorageError as error:
        settings.terminal.warn(f"{error.message}: the evidence is not kept beside the database")
    return (*kept, *vault.write_findings(settings.directory, report, target)) if target is not None else kept


def _print(settings: Settings, report: AuditReport, kept: Sequence[Path], evidence: Path | None) -> None:
    """Faults first, then notes, the verdict last: the last line is the one that is read."""
    terminal = settings.terminal
    for line in fault_lines(report):
        terminal.data(_named(report, line))
    for item in report.heads:
        terminal.data(f"head:   {_head(item)}")
    for line in _notes(report):
        terminal.data(_named(report, f"note: {line}"))
    for line in level_lines(report):
        terminal.data(line)
    terminal.data(
        f"{report.leaves:,} leaves, {report.journals:,} journals, {report.checkpoints:,} checkpoints, "
        f"{report.parts:,} parts checked; no key was used."
    )
    for line in evidence_lines(report, kept, evidence):
        terminal.data(line)
    terminal.data(f"vault:  {report.vault_id or 'not readable'}")
    some = any(item.by for item in report.anchored)
    for line in anchor_lines([str(item) for item in report.anchored] if some else [], _without_anchor(report)):
        terminal.data(line)
    if report.verdict == FINDING:
        terminal.heading(places(report))
        terminal.talk(f"Next: {_following(settings, faults(report))}")
    else:
        terminal.heading(report.verdict)


def _print_released(settings: Settings, released: Sequence[Released]) -> None:
    """Files that are what a director released, and what they were counted from."""
    for item in released:
        line = f"{item.path.name}: as it was released: table {item.table}, entry {item.seq} of {short(item.origin)}"
        settings.terminal.data(line)
        for origin, size in item.counted:
            state = "a state that is not here" if size is None else entries(size)
            settings.terminal.data(f"  counted from {short(origin)}: {state}")


def _json(report: AuditReport, kept: Sequence[Path], released: Sequence[Released]) -> dict[str, object]:
    """All of it as an answer's object."""
    return {
        "verdict": report.verdict,
        "vault_id": report.vault_id,
        "anchor": report.anchor,
        "anchored": [
            {
                "origin": item.origin,
                "size": item.size,
                "anchored": item.anchored,
                "not_anchored": item.after,
                "by": item.by,
            }
            for item in report.anchored
        ],
        "leaves": report.leaves,
        "journals": report.journals,
        "checkpoints": report.checkpoints,
        "parts": report.parts,
        "findings": [
            {"level": f.level, "code": f.code, "where": f.where, "message": f.message} for f in report.findings
        ],
        "kinds": [{"level": kind.level, "code": kind.code, "count": kind.count} for kind in report.kinds],
        "heads": [_head_json(item) for item in report.heads],
        "levels": levels_json(report),
        "evidence": [str(path) for path in kept],
        "released": [
            {"file": item.path.name, "table": item.table, "origin": item.origin, "seq": item.seq} for item in released
        ],
    }


def _head(checked: HeadChecked) -> str:
    """What became of a head that was given."""
    name = f"{short(checked.head.origin)} at {entries(checked.head.size)}"
    said = {
        "holds": f"holds: the first {checked.head.size:,} of {entries(checked.held)} here are those of then",
        "rollback": f"ROLLBACK: only {entries(checked.held)} are here",
        "fork": "FORK: the entries here are not those of then",
        "not looked at": "not looked at: see the findings",
    }
    return f"{name} ({checked.head.kept}): {said[checked.verdict]}"


def _head_json(checked: HeadChecked) -> dict[str, object]:
    return {
        "origin": checked.head.origin,
        "size": checked.head.size,
        "kept": checked.head.kept,
        "held": checked.held,
        "verdict": str(checked.verdict),
    }


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
