"""`audit cosign`: an auditor's signature under every head that extends what they saw before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.outfile import check_directory, make_directory, new_file
from cli.session import hubs_elsewhere, opened, unlocked
from cli.wording import counted, entries, short

if TYPE_CHECKING:
    from vault import CosignedHead, Cosigning, Handle, Vault

_SAID: Final = {
    "cosigned": "cosigned",
    "own": "written on this laptop: nobody witnesses themselves",
    "empty": "nothing is in it yet",
    "fork": "FORK: it does not extend what was seen here before; not cosigned, locked for review",
    "rollback": "ROLLBACK: more of it was seen here before; not cosigned",
    "restored": "ROLLBACK: it is written on this laptop, and more of it is shown than is here",
    "locked": "locked for review; not cosigned",
    "damaged": "DAMAGED: the entries do not lead to a signed head; not cosigned",
    "invalid": "INVALID: its writer may not write one of the entries; not cosigned",
    "cut off": "not cosigned: root cut its writer off before what is new",
    "incomplete": "not cosigned: what belongs to it is not here; import a bundle",
    "stranger": "not cosigned: its writer is not on the roster that is here",
}
_FAULTS: Final = ("fork", "rollback", "restored", "damaged", "invalid")


@click.command("cosign", cls=Command)
@click.option("--published", multiple=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Look at what was published in DIR, instead of at the journals here. Again for more.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Also write each cosigned checkpoint into DIR, to carry back.")  # fmt: skip
@dry_run_option
@pass_settings
def cosign(settings: Settings, published: tuple[Path, ...], output: Path | None, dry_run: bool) -> int:
    """Cosign the head of every journal that extends all you saw of it before. Takes an auditor's or a hub's key.

    From a published directory the new entries are taken into this vault first: a cosignature says "I hold all of it".
    Whatever contradicts what you saw is refused and kept as evidence, and the others go on. Exit code 22 for a fork, 21
    for a rollback, 20 for damage, 3 when something was left out, or nothing could be cosigned.
    """
    import vault

    if output is not None:
        check_directory(output)
    with opened(settings) as found:
        me = unlocked(settings, found, _role(settings, found))
        report = vault.cosign_journals(found, me, published=published, dry_run=dry_run)
        if not dry_run:
            Written.mark()
        back = next(iter(hubs_elsewhere(found)), None)
    written = list(_write(report, output)) if output is not None else []
    _print(settings, report, back, dry_run=dry_run)
    settings.terminal.result(
        {
            "heads": [_json(head) for head in report.heads],
            "strange": list(report.strange),
            "files": [str(path) for path in written],
            "dry_run": dry_run,
        },
        code=report.code,
    )
    return report.code


def _role(settings: Settings, found: Vault) -> str | None:
    """An auditor's key, if one is here: else the hub's, which is the usual choice."""
    auditors: list[Handle] = [m.handle for m in found.members if m.role == "auditor" and m.handle in found.keys_here]
    return "auditor" if auditors and settings.member is None else None


def _print(settings: Settings, report: Cosigning, back: str | None, *, dry_run: bool) -> None:
    terminal = settings.terminal
    for head in report.heads:
        terminal.data(f"{short(head.origin)}: {_said(head)}")
        if head.evidence is not None:
            terminal.data(f"  evidence: {head.evidence}")
    for name in report.strange:
        terminal.data(f"{name[:16]}...: DAMAGED: this folder shows no journal")
    count = sum(head.answer == "cosigned" for head in report.heads)
    if dry_run:
        terminal.heading(f"{counted(count, 'journal', 'journals')} would be cosigned. Dry run: nothing was written.")
        terminal.again()
        return
    terminal.heading(f"{counted(count, 'journal', 'journals')} cosigned. Saved." if count else "Nothing was cosigned.")
    if any(head.answer in _FAULTS for head in report.heads) or report.strange:
        terminal.talk("Next: keep the evidence, and tell root and headquarters by another way than this directory")
    elif count and back is not None:
        terminal.talk(f"Next: carry it back: {settings.line('bundle create')} --to {back}")


def _said(head: CosignedHead) -> str:
    said = _SAID[head.answer]
    if head.answer == "cosigned":
        said += f" at {entries(head.size)}" + (f", {head.fresh} of them new here" if head.fresh else "")
    return f"{said} ({head.message})" if head.message else said


def _json(head: CosignedHead) -> dict[str, object]:
    return {
        "origin": head.origin,
        "answer": str(head.answer),
        "size": head.size,
        "new": head.fresh,
        "note": head.note.decode() if head.note else None,
        "evidence": str(head.evidence) if head.evidence else None,
        "message": head.message,
    }


def _write(report: Cosigning, output: Path) -> Iterator[Path]:
    """One file a journal and size; a newer cosignature of the same head takes the older one's place."""
    for head in report.heads:
        if head.note is not None:
            make_directory(output)
            path = output / f"{short(head.origin).replace('/', '-')}-{head.size}.note"
            with new_file(path, replace=True) as chunks:
                chunks.append(head.note)
            yield path
