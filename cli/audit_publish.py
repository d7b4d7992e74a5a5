"""`audit publish DIR` and `audit prove ENTRY`: what auditors check with tools of their own. Neither takes a key."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.failures import Written
from cli.options import Command, Settings, dry_run_option, pass_settings
from cli.outfile import OutputPath, new_file
from cli.progress import Progress
from cli.session import awaited, readable
from cli.wording import counted, entries, short
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault import Publication

NO_QUORUM = "none"
LEAF = ".leaf"


@click.command("publish", cls=Command)
@click.argument("directory", metavar="DIR", type=OutputPath())
@dry_run_option
@pass_settings
def publish(settings: Settings, directory: Path, *, dry_run: bool) -> int:
    """Publish every journal to DIR, for auditors with other people's tools. Needs no key.

    DIR gets each journal as C2SP tlog-tiles, the keys, the roster, a policy and a README with the commands of other
    tools. Nothing in it is sealed or secret. Publishing again only adds files; when DIR knows more than this vault
    (21) or another history (22), nothing is written. The vault is audited first: 20 on a finding.
    """
    import vault

    terminal = settings.terminal
    with awaited(settings), Progress(terminal) as progress:
        done = vault.publish(settings.directory, directory, dry_run=dry_run, progress=progress, processes=2)
    if not dry_run:
        Written.mark()
    for item in done.journals:
        seen = f", cosigned up to {item.cosigned:,}" if item.cosigned else ""
        terminal.data(f"{short(item.origin)}: {entries(item.size)}, {item.new:,} of them new{seen}")
    if done.quorum == NO_QUORUM:
        terminal.warn("nobody but their writers has cosigned these journals: what is published is NOT anchored")
    files = counted(done.files, "new tile or bundle", "new tiles and bundles")
    if dry_run:
        terminal.rehearsed("", nothing=f"nothing was written; {files} would be")
    else:
        terminal.talk(f"Published {counted(len(done.journals), 'journal', 'journals')} in {directory}: {files}. Saved.")
        terminal.talk(f"Next: fieldvault audit verify --published {directory}; its README names other tools")
    terminal.result(_publication(done, directory))
    return 0


def _publication(done: Publication, directory: Path) -> dict[str, object]:
    return {
        "directory": str(directory),
        "dry_run": done.dry_run,
        "files": done.files,
        "quorum": done.quorum,
        "journals": [
            {
                "origin": item.origin,
                "directory": item.directory,
                "size": item.size,
                "new": item.new,
                "cosigned": item.cosigned,
            }
            for item in done.journals
        ],
    }


@click.command("prove", cls=Command)
@click.argument("entry", metavar="ENTRY")
@click.option("-o", "--output", type=OutputPath(), metavar="FILE", help="Write the proof there, not to stdout.")
@click.option("--with-leaf", is_flag=True, help="Also write the entry's own bytes, to FILE.leaf.")
@click.option("--bare", is_flag=True, help="Leave the entry's bytes out of the proof, as other tools write it.")
@pass_settings
def prove(settings: Settings, entry: str, *, output: Path | None, with_leaf: bool, bare: bool) -> int:
    """Write a proof (C2SP tlog-proof) that ENTRY stands in its journal. Needs no key.

    ENTRY is HANDLE/EPOCH:NUMBER, such as field-1/1:17, ORIGIN:NUMBER, or a number with --as HANDLE. Whoever has the
    proof and a policy can check it: fieldvault audit verify --proof FILE --policy POLICY.
    """
    import vault

    if with_leaf and output is None:
        raise UsageError("--with-leaf writes a second file beside the proof: name the proof's with -o FILE")
    with awaited(settings):
        made = vault.prove(settings.directory, readable(entry, "ENTRY"), member=settings.member, bare=bare)
    terminal = settings.terminal
    leaf = None
    if output is not None:
        if output.is_dir():
            raise UsageError(f"{output} is a directory; --output names a file")
        leaf = output.with_name(output.name + LEAF) if with_leaf else None
        with ExitStack() as stack:
            if leaf is not None:
                stack.enter_context(new_file(leaf, replace=settings.yes)).append(made.leaf)
            stack.enter_context(new_file(output, replace=settings.yes)).append(made.proof)
        Written.mark()
    elif not terminal.as_json:
        terminal.raw(made.proof)
    by = f"cosigned by {', '.join(made.cosigned)}" if made.cosigned else "which nobody but its writer has signed"
    terminal.talk(f"Proved: entry {made.seq:,} of {short(made.origin)}, at {entries(made.size)}, {by}.")
    beside = f" --entry {leaf or 'ENTRY'}" if bare else ""
    terminal.talk(f"Next: fieldvault audit verify --proof {output or 'FILE'} --policy POLICY{beside}")
    terminal.result(
        {
            "origin": made.origin,
            "seq": made.seq,
            "size": made.size,
            "cosigned": list(made.cosigned),
            "proof": made.proof.decode(),
            "file": None if output is None else str(output),
            "leaf": None if leaf is None else str(leaf),
        }
    )
    return 0
