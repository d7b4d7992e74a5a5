"""`erase`: a case is planned, approved by a second member, and then deleted; a tombstone stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.holding import hold, hold_told, holds, holds_json, lift
from cli.options import Command, DefaultGroup, Settings, dry_run_option, pass_settings
from cli.outfile import OutputPath, new_file
from cli.session import confirmed, hubs_elsewhere, opened, unlocked
from cli.wording import counted, entries, short
from vault.errors import InputNeeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault import Approval, Copy, Erased, ErasurePlan, PlannedErasure

REASONS = ("withdrawn", "retention", "mistake", "duplicate", "order", "other")
"""`vault.model.Why`, which a test compares: help must not load the library."""


@click.command("erase", cls=Command)
@click.argument("case", metavar="[CASE]", required=False)
@click.option("--plan", "planning", is_flag=True, help="Show what would go, and write the plan with -o. The default.")
@click.option(
    "--run", "run_file", type=click.Path(path_type=Path), metavar="PLANFILE", help="Erase what this plan says."
)
@click.option("--status", is_flag=True, help="List your erasures, or that of CASE, and the copies that are left.")
@click.option("--reason", type=click.Choice(REASONS), help="Why. It stands in the tombstone, for every auditor.")
@click.option("--drop-tally", is_flag=True, help="Delete the tally rows too: no total counts the person any more.")
@click.option("--approval", "approvals", type=click.Path(path_type=Path), metavar="FILE", multiple=True,
              help="An approval of the plan; give it once for each.")  # fmt: skip
@click.option(
    "--alone", is_flag=True, help="Without an approval: only where root's policy lets you, or nobody could give it."
)
@click.option("-o", "output", type=OutputPath(), metavar="FILE", help="Where the plan, or the certificate, is written.")
@dry_run_option
@pass_settings
def erase_case(
    settings: Settings,
    case: str | None,
    planning: bool,
    run_file: Path | None,
    status: bool,
    reason: str | None,
    drop_tally: bool,
    approvals: tuple[Path, ...],
    alone: bool,
    output: Path | None,
    dry_run: bool,
) -> None:
    """Erase a case of yours: its sealed entries and its keys are deleted, a tombstone says who, when and why.

    First plan it: fieldvault erase CASE --reason withdrawn -o PLANFILE. A second member approves the plan, here or on
    their own laptop: fieldvault erase approve PLANFILE -o FILE. Then: fieldvault erase CASE --run PLANFILE --approval
    FILE -o CERTIFICATE. Others delete their copies when they import your next bundle; --status says who has. The tally
    rows and figures that were printed stay. Backups and old sticks are yours to destroy. While headquarters holds what
    you wrote (erase holds), nothing is erased.
    """
    if status + planning + (run_file is not None) > 1:
        raise UsageError("--plan, --run and --status are three different things; give one of them")
    if status:
        _status(settings, case)
        return
    if case is None:
        raise InputNeeded("the case's pseudonym is needed")
    if run_file is not None:
        if reason is not None or drop_tally:
            raise UsageError("reason and layers stand in the plan, which was approved as it is")
        _run(settings, case, run_file, approvals, alone, output, dry_run)
        return
    if approvals or alone:
        raise UsageError("--approval and --alone belong to --run")
    if reason is None:
        raise InputNeeded("--reason is needed", hint=f"one of: {', '.join(REASONS)}")
    _plan(settings, case, reason, drop_tally, output, dry_run)


def _plan(settings: Settings, case: str, reason: str, drop_tally: bool, output: Path | None, dry_run: bool) -> None:
    import vault

    with opened(settings) as found:
        me = unlocked(settings, found, "recorder")
        planned = vault.plan_erasure(found, me, case, vault.Why(reason), drop_tally=drop_tally)
    written = None if dry_run else output
    if written is not None:
        with new_file(written, replace=settings.yes) as chunks:
            chunks.append(vault.plan_file(planned.plan))
    terminal = settings.terminal
    for line in _told(planned):
        terminal.data(line)
    terminal.talk("Nothing was erased.")
    file = written or "PLANFILE"
    if written is None:
        terminal.talk(f"Next: {settings.line(f'erase {planned.pseudonym} --reason {reason} -o PLANFILE')}")
    else:
        anybody = planned.able and not planned.alone
        asked = ", ".join(planned.needed) or (f"one of {', '.join(planned.able)}" if anybody else "nobody")
        terminal.talk(f"Must approve it: {asked}. They type: fieldvault erase approve {file} -o FILE")
        approval = "--approval FILE" if anybody or planned.needed else "--alone"
        terminal.talk(f"Next: {settings.line(f'erase {planned.pseudonym} --run {file} {approval}')}")
    terminal.result(
        {
            "plan": planned.plan.digest.hex(),
            "pseudonym": planned.pseudonym,
            "file": None if written is None else str(written),
            "origin": planned.plan.origin,
            "entries": list(planned.plan.seqs),
            "earlier": [
                {"origin": deed.target, "entries": list(deed.seqs)}
                for deed in planned.plan.deeds
                if deed.target != planned.plan.origin
            ],
            "tombstones": len(planned.plan.deeds),
            "layers": [str(layer) for layer in planned.plan.warrant.layers],
            "needed": list(planned.needed),
            "able": list(planned.able),
            "alone": planned.alone,
            "copies": _copies(planned.copies),
            "of_others": planned.of_others,
            "dry_run": dry_run,
        }
    )


def _told(planned: PlannedErasure) -> list[str]:
    """What would go, line by line."""
    name = ", ".join(short(origin) for origin in dict.fromkeys(deed.target for deed in planned.plan.deeds))
    kinds = ", ".join(f"{kind}: {number}" for kind, number in planned.kinds)
    dropped = "tally" in planned.plan.warrant.layers
    lines = [
        f"plan {planned.plan.digest.hex()[:16]}: {planned.pseudonym}, reason {planned.plan.warrant.why}",
        f"goes: identity and case layers and keys of {entries(planned.plan.entries)} of {name} ({kinds})",
        "goes: the tally rows; totals no longer count the person"
        if dropped
        else "stays: the tally rows, which name nobody; figures that were printed",
    ]
    lines += [f"copies: {_copy_told(copy)}" for copy in planned.copies]
    if planned.of_others:
        lines.append(f"not yours to erase: {entries(planned.of_others)} that others wrote; copies of them here go")
    if planned.damaged:
        lines.append(f"cannot be opened, and stays: entry {', '.join(map(str, planned.damaged))}")
    return lines


def _copy_told(copy: Copy) -> str:
    state = "gone" if copy.gone else "holds some" if copy.holds else "not known to hold any yet"
    return f"{copy.handle} ({copy.role}): {state}"


def _copies(copies: Sequence[Copy]) -> list[dict[str, object]]:
    return [{"handle": item.handle, "role": str(item.role), "holds": item.holds, "gone": item.gone} for item in copies]


def _run(
    settings: Settings,
    case: str,
    run_file: Path,
    approvals: tuple[Path, ...],
    alone: bool,
    output: Path | None,
    dry_run: bool,
) -> None:
    import vault

    with opened(settings) as found:
        plan: ErasurePlan = vault.read_plan_file(run_file)
        signed: list[Approval] = [vault.read_approval_file(path) for path in approvals]
        me = unlocked(settings, found, "recorder")
        # What will not do is said before the yes.
        vault.run_erasure(found, me, case, plan, signed, alone=alone, dry_run=True)
        if dry_run:
            settings.terminal.rehearsed(f"It would erase {entries(plan.entries)}.")
            settings.terminal.result({"dry_run": True, "entries": plan.entries, "plan": plan.digest.hex()})
            return
        confirmed(
            settings,
            f"Erase {entries(plan.entries)} of {case} for good?",
            otherwise="what is erased does not come back: that needs a yes",
        )
        if output is None:
            done = vault.run_erasure(found, me, case, plan, signed, alone=alone)
        else:
            with new_file(output, replace=settings.yes) as chunks:
                done = vault.run_erasure(found, me, case, plan, signed, alone=alone)
                chunks.append(vault.certificate(done).encode())
        hubs = hubs_elsewhere(found)
    _tell_erased(settings, done, hubs, output)


def _tell_erased(settings: Settings, done: Erased, hubs: Sequence[str], output: Path | None) -> None:
    terminal = settings.terminal
    Written.mark()
    for warning in done.warnings:
        terminal.warn(warning)
    terminal.data(done.name)
    again = "It had been erased before; the files are clean now." if done.before else "Saved."
    terminal.talk(f"Erased: {entries(done.entries)}, by entry {done.name}. {again}")
    left = [copy.handle for copy in done.copies if not copy.gone]
    if left:
        terminal.talk(f"Copies may be left with: {', '.join(left)}. Old sticks and backups are yours to destroy.")
    terminal.talk(f"Next: {settings.line(f'bundle create --to {hubs[0]}' if hubs else 'erase --status')}")
    terminal.result(
        {
            "tombstone": done.name,
            "tombstones": [{"origin": place.origin, "seq": place.seq} for place in done.tombstones],
            "origin": done.tombstone.origin,
            "seq": done.tombstone.seq,
            "plan": done.digest.hex(),
            "entries": done.entries,
            "deleted": done.deleted,
            "approved_by": list(done.approvers),
            "alone": done.alone,
            "copies": _copies(done.copies),
            "before": done.before,
            "certificate": None if output is None else str(output),
            "warnings": list(done.warnings),
        }
    )


def _status(settings: Settings, which: str | None) -> None:
    import vault

    with opened(settings) as found:
        lines = vault.erasure_status(found, unlocked(settings, found, "recorder"), which)
        standing = vault.list_holds(found)
    terminal = settings.terminal
    for held in standing:
        terminal.data(hold_told(held))
    for line in lines:
        by = ", ".join(line.approvers) or ("nobody, as the policy allows" if line.alone else "nobody")
        why = line.why or "no reason given"
        terminal.data(f"{line.name}  {line.date}  {entries(line.entries)}, {why}, approved by {by}")
        for copy in line.copies:
            terminal.data(f"  {_copy_told(copy)}")
    left = sum(not copy.gone for line in lines for copy in line.copies)
    terminal.talk(
        f"{counted(left, 'copy has', 'copies have')} not acknowledged. Sticks and backups cannot be listed here."
        if lines
        else "Nothing was erased by this member."
    )
    terminal.result(
        {
            "erasures": [
                {
                    "tombstone": line.name,
                    "day": line.date,
                    "entries": line.entries,
                    "reason": line.why,
                    "approved_by": list(line.approvers),
                    "alone": line.alone,
                    "copies": _copies(line.copies),
                }
                for line in lines
            ],
            "holds": holds_json(standing),
        }
    )


@click.command("approve", cls=Command)
@click.argument("plan_path", type=click.Path(path_type=Path), metavar="PLANFILE")
@click.option("-o", "output", type=OutputPath(), metavar="FILE", required=True, help="Where the approval is written.")
@dry_run_option
@pass_settings
def approve(settings: Settings, plan_path: Path, output: Path, dry_run: bool) -> None:
    """Approve an erasure that somebody else planned: a hub, a recorder or a director may, on any laptop.

    The plan names entries by their numbers, and no person. Ask its writer which case it is, and compare the plan's
    first digits with those on their screen.
    """
    import vault

    with opened(settings) as found:
        plan = vault.read_plan_file(plan_path)
        me = unlocked(settings, found, None)
        settings.terminal.data(
            f"plan {plan.digest.hex()[:16]}: {entries(plan.entries)} of {short(plan.origin)}, reason "
            f"{plan.warrant.why}; {'with' if 'tally' in plan.warrant.layers else 'without'} the tally rows"
        )
        approval = vault.approve_erasure(found, me, plan)
    if dry_run:
        settings.terminal.rehearsed("")
        settings.terminal.result({"dry_run": True, "plan": plan.digest.hex()})
        return
    confirmed(settings, "Approve that they are erased for good?", otherwise="an approval needs a yes")
    with new_file(output, replace=settings.yes) as chunks:
        chunks.append(vault.approval_file(approval))
    settings.terminal.data(str(output))
    settings.terminal.talk(f"Next: give it to {short(plan.origin).split('/')[0]}, who erases with --approval")
    settings.terminal.result({"plan": plan.digest.hex(), "approved_by": approval.handle, "file": str(output)})


erase = DefaultGroup(
    name="erase",
    help=erase_case.help,
    default=erase_case,
    commands={"approve": approve, "hold": hold, "holds": holds, "lift": lift},
)
