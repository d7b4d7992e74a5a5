"""`transfer` and `referral`: a case passes to another recorder, or another recorder helps with it. Nobody needs to be
online: the other side learns of it with the next bundle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cli.choosing import chosen_case
from cli.failures import Written
from cli.options import Command, Group, Settings, dry_run_option, pass_settings
from cli.phrases import phrase
from cli.protection import key_files
from cli.session import ask, opened, readable, unlocked
from vault.errors import InputNeeded, IntegrityError

if TYPE_CHECKING:
    from vault import Handed, Keyring, OfferLine, Vault

NOTE = click.option("--note", metavar="TEXT", default="", help="A note to whom it is offered; it travels sealed.")
OPEN = click.option("--open", "items", metavar="TEXT", multiple=True,
                    help="Something still to be done; give it once for each.")  # fmt: skip
REASON = click.option("--reason", metavar="TEXT", help="Why not; it travels sealed.")
OFFER = click.argument("offer", metavar="OFFER")
TO = click.option("--to", metavar="HANDLE", required=True, help="The recorder to whom it is offered.")


@click.group(cls=Group)
def transfer() -> None:
    """Pass a case to another recorder: it is theirs when they accept.

    OFFER is HANDLE/EPOCH:SEQ as `transfer list` shows it, or the case's pseudonym.
    """


@click.group(cls=Group)
def referral() -> None:
    """Ask another recorder to help with a case that stays yours.

    OFFER is HANDLE/EPOCH:SEQ as `referral list` shows it, or the case's pseudonym.
    """


@transfer.command("offer")
@click.argument("pseudonym", metavar="CASE")
@TO
@NOTE
@OPEN
@dry_run_option
@pass_settings
def offer_transfer(
    settings: Settings, pseudonym: str, to: str, note: str, items: tuple[str, ...], dry_run: bool
) -> None:
    """Offer CASE with all that belongs to it. It stays yours until it is accepted; then you keep what you wrote."""
    import vault

    said, todo = readable(note, "--note"), [readable(item, "--open") for item in items]

    def offer(found: Vault, me: Keyring) -> Handed:
        case = _case(settings, found, me, pseudonym)
        return vault.offer_transfer(found, me, case, to, note=said, items=todo, dry_run=dry_run)

    _finish(settings, _acting(settings, offer), dry_run=dry_run, theirs="accept")


@referral.command("offer")
@click.argument("pseudonym", metavar="CASE")
@TO
@click.option("--identity", is_flag=True, help="They may know who it is. Otherwise names stay closed to them.")
@NOTE
@OPEN
@dry_run_option
@pass_settings
def offer_referral(
    settings: Settings, pseudonym: str, to: str, identity: bool, note: str, items: tuple[str, ...], dry_run: bool
) -> None:
    """Ask for help with CASE. It stays yours; both read what either writes, until the referral ends."""
    import vault

    said, todo = readable(note, "--note"), [readable(item, "--open") for item in items]

    def offer(found: Vault, me: Keyring) -> Handed:
        case = _case(settings, found, me, pseudonym)
        return vault.offer_referral(found, me, case, to, identity=identity, note=said, items=todo, dry_run=dry_run)

    _finish(settings, _acting(settings, offer), dry_run=dry_run, theirs="accept")


_ACCEPT = {
    "transfer": "Accept OFFER: the case is yours then. Its records can be read at once; names only by `reveal`.",
    "referral": "Accept OFFER: you help with a case that stays its owner's. Its records can be read at once; names only"
    " by `reveal`, and only if the owner said so.",
}


def _accept(settings: Settings, kind: str, offer: str, dry_run: bool) -> None:
    import vault

    act = vault.Act(kind)
    handed = _acting(settings, lambda found, me: vault.accept_offer(found, me, offer, kind=act, dry_run=dry_run))
    if handed.note:
        settings.terminal.data(f"note: {handed.note}")
    for item in handed.items:
        settings.terminal.data(f"to do: {item}")
    settings.terminal.talk(_accepted(handed, dry_run))
    _finish(settings, handed, dry_run=dry_run, following=f"case show {handed.pseudonym}", show_case=True)


def _accepted(handed: Handed, dry_run: bool) -> str:
    """Whose the case is once the offer is accepted, and whether its names came along."""
    be = "would be" if dry_run else "is"
    names = f"Names {'are open' if handed.identity else 'stay closed'} to you{', by reveal' * handed.identity}."
    if handed.kind == "transfer":
        return f"The case {be} yours; {handed.other} keeps what they wrote. {names}"
    return f"The case {be} shared with you, and stays {handed.other}'s. {names}"


def _reject(settings: Settings, kind: str, offer: str, reason: str | None, dry_run: bool) -> None:
    """Decline OFFER, and say why: the reason travels to its giver, sealed."""
    import vault

    if reason is None and not settings.interactive:
        raise InputNeeded("--reason is needed")
    while reason is None:
        reason = ask(settings, phrase(settings.language, "decline")).strip() or None
    said = readable(reason, "--reason")
    act = vault.Act(kind)
    handed = _acting(settings, lambda found, me: vault.reject_offer(found, me, offer, said, kind=act, dry_run=dry_run))
    _finish(settings, handed, dry_run=dry_run)


def _list(settings: Settings, kind: str) -> int:
    import vault

    unsound: list[str] = []
    with opened(settings) as found:
        me = unlocked(settings, found, "recorder")
        lines = [line for line in vault.list_offers(found, me, unsound=unsound) if line.kind == kind]
    if lines:
        settings.terminal.table(("offer", "state", "from", "to", "case", "day"), [_row(line) for line in lines])
    else:
        settings.terminal.talk(f"No {kind} here. Next: {settings.line(f'{kind} offer')} CASE --to HANDLE")
    for line in lines:
        _details(settings, line)
    if unsound:
        settings.terminal.warn(
            f"not what their writers signed, and not read: {', '.join(unsound)};"
            f" look with: {settings.line('audit verify', acting=False)}"
        )
    code = IntegrityError.code if unsound else 0
    more = {"unsound": unsound} if unsound else {}
    settings.terminal.result({"offers": [_as_json(line) for line in lines], **more}, code=code)
    return code


def _row(line: OfferLine) -> tuple[str, ...]:
    return line.name, line.state, line.giver, line.taker, line.pseudonym or "?", line.day


def _details(settings: Settings, line: OfferLine) -> None:
    """What does not fit the table: texts, and what both sides should know."""
    said = [("note", line.note), *(("to do", item) for item in line.items), ("reason", line.reason)]
    for name, text in said:
        if text:
            settings.terminal.data(f"{line.name}  {name}: {text}")
    for text in line.told:
        settings.terminal.warn(f"{line.name}: {text}")


def _as_json(line: OfferLine) -> dict[str, object]:
    return {
        "offer": line.name,
        "kind": line.kind,
        "state": line.state,
        "from": line.giver,
        "to": line.taker,
        "pseudonym": line.pseudonym,
        "identity": line.identity,
        "day": line.day,
        "answered": line.answered,
        "entries": line.entries,
        "note": line.note,
        "items": list(line.items),
        "reason": line.reason,
        "told": list(line.told),
    }


@transfer.command("revoke")
@OFFER
@dry_run_option
@pass_settings
def revoke(settings: Settings, offer: str, dry_run: bool) -> None:
    """Take OFFER back before it is accepted. If it was accepted meanwhile elsewhere, the acceptance counts."""
    import vault

    act = vault.Act.TRANSFER
    handed = _acting(settings, lambda found, me: vault.revoke_offer(found, me, offer, kind=act, dry_run=dry_run))
    _finish(settings, handed, dry_run=dry_run)


@referral.command("end")
@OFFER
@dry_run_option
@pass_settings
def end(settings: Settings, offer: str, dry_run: bool) -> None:
    """End the referral OFFER, from either side. What its owner writes from here on is closed to the helper."""
    import vault

    handed = _acting(settings, lambda found, me: vault.end_referral(found, me, offer, dry_run=dry_run))
    _finish(settings, handed, dry_run=dry_run)


def _add_shared(group: Group, kind: str) -> None:
    """`accept`, `reject` and `list`, which both groups have."""

    @group.command("accept", cls=Command, help=_ACCEPT[kind])
    @OFFER
    @dry_run_option
    @pass_settings
    def accept(settings: Settings, offer: str, dry_run: bool) -> None:
        _accept(settings, kind, offer, dry_run)

    @group.command("reject", cls=Command, help=_reject.__doc__)
    @OFFER
    @REASON
    @dry_run_option
    @pass_settings
    def reject(settings: Settings, offer: str, reason: str | None, dry_run: bool) -> None:
        _reject(settings, kind, offer, reason, dry_run)

    @group.command("list", cls=Command, help=f"List the {kind}s that you offered and were offered, and their state.")
    @pass_settings
    def list_(settings: Settings) -> int:
        return _list(settings, kind)


for _group, _kind in ((transfer, "transfer"), (referral, "referral")):
    _add_shared(_group, _kind)


def _case(settings: Settings, found: Vault, me: Keyring, pseudonym: str) -> str:
    """The case that is meant: at a terminal a slip may be repaired."""
    if not settings.interactive:
        return pseudonym
    return str(chosen_case(settings, found, me, pseudonym).pseudonym)


def _acting(settings: Settings, act: Callable[[Vault, Keyring], Handed]) -> Handed:
    """One act of the recorder who works here."""
    with opened(settings) as found:
        return act(found, unlocked(settings, found, "recorder"))


def _following(settings: Settings, handed: Handed, theirs: str) -> str:
    """What the other types, where they work on this laptop too; else what makes the bundle that brings it to them."""
    if not key_files(settings.directory, [handed.other])[0].is_file():
        return settings.line(f"bundle create --to {handed.other}")
    what = f"{theirs} {handed.offer}" if theirs == "accept" else theirs
    return settings.line(f"{handed.kind} {what} --as {handed.other}", acting=False)


def _finish(
    settings: Settings,
    handed: Handed,
    *,
    dry_run: bool,
    following: str = "",
    theirs: str = "list",
    show_case: bool = False,
) -> None:
    """Tell what was sealed and what comes next: `following`, or what brings it to the other, who then types `theirs`.
    The offer's name, or the case's, is the result."""
    terminal = settings.terminal
    for warning in handed.warnings:
        terminal.warn(warning)
    result = {
        "act": handed.act,
        "offer": handed.offer,
        "pseudonym": handed.pseudonym,
        "other": handed.other,
        "kind": str(handed.kind),
        "identity": handed.identity,
        "entries": handed.entries,
        "note": handed.note,
        "items": list(handed.items),
        "warnings": list(handed.warnings),
    }
    if dry_run:
        terminal.talk(phrase(settings.language, "dry"))
        terminal.again()
        terminal.result({"dry_run": True, **result})
        return
    Written.mark()
    terminal.data(str(handed.pseudonym if show_case else handed.offer))
    terminal.talk(phrase(settings.language, "saved", seq=handed.seq, case=handed.pseudonym))
    terminal.talk(f"Next: {settings.line(following) if following else _following(settings, handed, theirs)}")
    terminal.result({**result, "origin": handed.origin, "seq": handed.seq})
