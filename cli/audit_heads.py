"""`audit heads`: what this laptop remembers of each journal, and the paper heads to write down, scan or print."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import Command, Settings, pass_settings
from cli.outfile import OutputPath, check_directory, make_directory, new_file
from cli.session import awaited
from cli.wording import entries, short

if TYPE_CHECKING:
    from vault import RememberedHead, RememberedHeads


@click.command("heads", cls=Command)
@click.option("--qr", is_flag=True, help="Print each paper head as a QR code too, for a phone or a second laptop.")
@click.option("--html", type=OutputPath(), metavar="FILE", help="Write a page with letters and QR codes, to print.")
@click.option("--svg", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write one QR code a journal into DIR.")  # fmt: skip
@pass_settings
def heads(settings: Settings, qr: bool, html: Path | None, svg: Path | None) -> int:
    """Show what this laptop remembers of each journal, and its paper head.

    Write the paper heads in a notebook: entries, and 16 bytes of the root as letters. Years later
    `audit verify --head "..."` says whether the journal still begins with what you wrote down. Needs no key.
    """
    import vault

    if svg is not None:
        check_directory(svg)
    with awaited(settings):
        found = vault.remembered_heads(settings.directory)
    drawn = {head.origin: vault.draw_head(head.paper) for head in found.heads if head.paper and (qr or svg)}
    written = list(_write(settings, found, html, svg, {origin: item.svg for origin, item in drawn.items()}))
    for head in found.heads:
        _print(settings, head)
        if qr and head.origin in drawn:
            for line in drawn[head.origin].lines:
                settings.terminal.data(line)
        settings.terminal.data()
    for path in written:
        settings.terminal.talk(f"Wrote {path}.")
    if found.heads:
        settings.terminal.talk('Next: write these down. Later: fieldvault audit verify --head "..."')
    settings.terminal.result(
        {
            "vault_id": found.vault_id,
            "heads": [_json(head) for head in found.heads],
            "files": [str(path) for path in written],
        }
    )
    return 0


def _print(settings: Settings, head: RememberedHead) -> None:
    terminal = settings.terminal
    said = entries(head.size)
    if not head.held:
        said += ", heard of only: they are not here"
    elif head.heard > head.size:
        said += f" are here, and others have seen {head.heard}"
    terminal.heading(f"{short(head.origin)}: {said}")
    terminal.data(f"  root:       {b64encode(head.root).decode()}")
    for item in head.cosigned:
        reach = f"up to {item.size:,} of {head.size:,}, on {item.date.isoformat()}"
        terminal.data(f"  cosigned:   by {item.handle} {reach}")
    terminal.data(f"  quorum:     {_quorum(head)}")
    if head.paper:
        terminal.data(f"  paper head: {_paper(head)}")


def _quorum(head: RememberedHead) -> str:
    if not head.quorum:
        return "none: nobody else has cosigned this journal"
    return f"up to {head.quorum:,} of {entries(head.size)}"


def _paper(head: RememberedHead) -> str:
    import vault

    return vault.encode_paper_head(head.paper) if head.paper else ""


def _json(head: RememberedHead) -> dict[str, object]:
    return {
        "origin": head.origin,
        "size": head.size,
        "root": b64encode(head.root).decode(),
        "held": head.held,
        "heard": head.heard,
        "quorum": head.quorum,
        "cosigned": [{"by": item.handle, "size": item.size, "day": item.date.isoformat()} for item in head.cosigned],
        "paper_head": _paper(head) or None,
    }


def _write(
    settings: Settings, found: RememberedHeads, html: Path | None, svg: Path | None, codes: dict[str, str]
) -> Iterator[Path]:
    """Writes what is to be printed; yields each path."""
    if html is not None:
        page = found.page()
        with new_file(html, replace=settings.yes) as chunks:
            chunks.append(page.encode())
        yield html
    if svg is not None:
        make_directory(svg)
        for origin, code in codes.items():
            path = svg / f"{short(origin).replace('/', '-')}.svg"
            with new_file(path, replace=settings.yes) as chunks:
                chunks.append(code.encode())
            yield path
