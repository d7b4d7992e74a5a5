"""`audit verify --published DIR` and `audit verify --proof FILE`: what somebody published or proved, with no vault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.audit_findings import NOTICE, anchor_lines, evidence_lines, fault_lines, places
from cli.options import Settings
from cli.progress import Progress
from cli.wording import counted, entries, short
from vault.errors import ForkError, IntegrityError, RollbackError, UsageError

if TYPE_CHECKING:
    from vault import ProofChecked, PublishedReport

FINDING = "finding"
ANCHORED = "intact, anchored"
UNMET = "the quorum of your policy is not met"
_HEAD_CODES = {"holds": 0, "not looked at": 0, "rollback": RollbackError.code, "fork": ForkError.code}
_HEAD_SAYS = {
    "holds": "holds: the journal begins with it",
    "rollback": "ROLLBACK: fewer entries are here",
    "fork": "FORK: the entries here are not those of then",
    "not looked at": "not looked at: see the findings",
}


def verify_published(
    settings: Settings, directory: Path, policy: Path | None, heads: Sequence[str], evidence: Path | None = None
) -> int:
    """Check a published directory and say what the verdict rests on."""
    import vault

    if evidence is not None:
        vault.check_evidence_place(evidence)
    with Progress(settings.terminal) as progress:
        report = vault.verify_published(directory, policy=policy, heads=heads, progress=progress, processes=2)
    code = IntegrityError.code if report.verdict == FINDING else 0
    forked = any((item.level, item.code) == ("cross-copies", "fork") for item in report.findings)
    unmet = IntegrityError.code if report.unmet else 0
    code = max([code, unmet, ForkError.code if forked else 0, *(_HEAD_CODES[item.verdict] for item in report.heads)])
    kept: tuple[Path, ...] = ()
    if evidence is not None and report.verdict == FINDING:
        kept = vault.write_published_findings(directory, report, evidence, policy=policy)
    _print(settings, report, kept, evidence)
    settings.terminal.result(_json(report) | {"evidence": [str(path) for path in kept]}, code=code)
    return code


def _print(settings: Settings, report: PublishedReport, kept: Sequence[Path], evidence: Path | None) -> None:
    """Faults first, then notes, the verdict last: the last line is the one that is read."""
    terminal = settings.terminal
    own = f"fieldvault/{report.vault_id}/"
    for line in fault_lines(report):
        terminal.data(line.replace(own, ""))
    for item in report.findings:
        if item.level == NOTICE:
            terminal.data(f"note: {item.where}: {item.message}".replace(own, ""))
    for checked in report.heads:
        name = f"{short(checked.head.origin)} at {entries(checked.head.size)} ({checked.head.kept})"
        terminal.data(f"head:   {name}: {_HEAD_SAYS[checked.verdict]}")
    terminal.data(
        f"{report.leaves:,} leaves, {counted(len(report.journals), 'journal', 'journals')}, {report.files:,} files "
        "checked; no key was used."
    )
    for level in report.levels:
        terminal.data(
            f"{level.name + ':':<14}{level.status}{',' if level.status == 'not looked at' else ':'} {level.message}"
        )
    for line in evidence_lines(report, kept, evidence):
        terminal.data(line)
    terminal.data(f"vault:  {report.vault_id or 'not readable'}")
    if report.own_policy:
        terminal.data(f"trust:  the policy that you gave (quorum: {report.quorum})")
    else:
        terminal.data("trust:  the directory's own policy; give yours with --policy FILE")
    anchors = [item.anchor for item in report.journals if item.anchor]
    for line in anchor_lines(anchors, _without_anchor(report)):
        terminal.data(line)
    bare = [short(item.origin) for item in report.journals if item.size and not item.anchored]
    if report.verdict == FINDING:
        terminal.heading(places(report))
        terminal.talk("Next: keep this directory exactly as it is, copy it, and tell the hub and root")
    else:
        if anchors and bare:
            terminal.data(f"not anchored: {', '.join(bare)}")
        terminal.heading(_verdict(report))
        if report.unmet:
            terminal.talk("Next: have these journals cosigned and published again, or ask for less in your policy")
        else:
            terminal.talk("Next: keep a copy of each journal's checkpoint; give them with --head FILE the next time")


def _verdict(report: PublishedReport) -> str:
    """The last line: the verdict, and for how much of what is here it is said."""
    if report.unmet:
        return f"{report.verdict}: {UNMET}"
    covered = sum(item.anchored for item in report.journals)
    if report.verdict != ANCHORED and covered and all(item.anchored for item in report.journals if item.size):
        return f"{report.verdict}: others have seen more than is shown, or are not heard; see the notes"
    if report.verdict == ANCHORED and covered < report.leaves:
        return f"{report.verdict}: {covered:,} of {entries(report.leaves)}; the others came later"
    return report.verdict


def _without_anchor(report: PublishedReport) -> str:
    if report.verdict == FINDING:
        return "none: nothing is anchored while something does not hold"
    if not report.own_policy:
        return "none: the directory vouches for itself; a policy or a head of your own would be one"
    return "none: the quorum of your policy has cosigned nothing here"


def _json(report: PublishedReport) -> dict[str, object]:
    return {
        "verdict": report.verdict,
        "vault_id": report.vault_id,
        "trust": "own policy" if report.own_policy else "directory",
        "quorum": report.quorum,
        "quorum_unmet": list(report.unmet),
        "anchor": "; ".join(item.anchor for item in report.journals if item.anchor) or None,
        "leaves": report.leaves,
        "files": report.files,
        "journals": [
            {
                "origin": item.origin,
                "size": item.size,
                "root": item.root.hex(),
                "cosigned": [handle for handle, _ in item.cosigned],
                "anchored": item.anchored,
                "not_anchored": item.after,
                "by": item.by,
            }
            for item in report.journals
        ],
        "heads": [
            {
                "origin": item.head.origin,
                "size": item.head.size,
                "kept": item.head.kept,
                "held": item.held,
                "verdict": str(item.verdict),
            }
            for item in report.heads
        ],
        "levels": {
            item.name: {"status": str(item.status), "message": item.message, "findings": item.findings}
            for item in report.levels
        },
        "findings": [
            {"level": item.level, "code": item.code, "where": item.where, "message": item.message}
            for item in report.findings
        ],
        "kinds": [{"level": kind.level, "code": kind.code, "count": kind.count} for kind in report.kinds],
    }


def verify_proof(settings: Settings, proof: Path, policy: Path | None, entry: Path | None) -> int:
    """Check a proof with nothing but a policy, and say what it proves."""
    import vault

    if policy is None:
        raise UsageError("a proof is checked against a policy", hint="name yours with --policy FILE")
    found = vault.verify_proof_file(proof, policy, entry)
    _print_proof(settings, found)
    settings.terminal.result(
        {
            "origin": found.origin,
            "seq": found.seq,
            "size": found.size,
            "root": found.root.hex(),
            "quorum": found.quorum,
            "cosigned": [name for name, _ in found.cosigned],
            "included": found.leaf is not None,
            "kind": found.kind,
            "leaf": None if found.leaf is None else found.leaf.hex(),
        }
    )
    return 0


def _print_proof(settings: Settings, found: ProofChecked) -> None:
    terminal = settings.terminal
    where = f"number {found.seq:,} of {short(found.origin) or found.origin}"
    by = ", ".join(name for name, _ in found.cosigned)
    terminal.data(f"head:   {entries(found.size)} of {found.origin}, signed by its writer")
    terminal.data(
        f"quorum: {f'cosigned by {by}' if by else 'none is asked for: only its writer vouches for this head'}"
    )
    said = "" if found.kind is None or found.leaf is None else f" ({found.kind} entry, {len(found.leaf)} bytes)"
    terminal.data(f"entry:  these bytes{said} stood as {where} when it had {entries(found.size)}")
    terminal.data("not said: what its sealed parts contain, whether its clock was right, what was written later")
    terminal.heading("the proof holds")
    terminal.talk("Next: keep the proof and the policy together; both are checked without a vault")
