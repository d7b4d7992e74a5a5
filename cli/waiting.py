"""What a recorder is told after an import: what waits for them, one line each, with the command that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.options import Settings
from cli.wording import counted

if TYPE_CHECKING:
    from vault import Arrived, Keyring, Vault, WaitingOffer, Waits

_CHANGED = {
    "accepted": "{other} accepted your {kind} {name}{of}",
    "rejected": "{other} declined your {kind} {name}{of}",
    "revoked": "{other} took the {kind} {name}{of} back",
    "ended": "{other} ended the {kind} {name}{of}",
}


def waiting_for(found: Vault, me: Keyring, arrived: Arrived) -> Waits | None:
    """What waits now. None when it cannot be told: the import is saved all the same, and `audit verify` names why."""
    import vault
    from vault.errors import VaultError

    try:
        return vault.what_waits(found, me, [(item.origin, item.before, item.after) for item in arrived.journals])
    except VaultError:
        return None


def tell_waiting(settings: Settings, waits: Waits | None) -> None:
    """One line for each thing that waits."""
    for line in _lines(settings, waits) if waits is not None else ():
        settings.terminal.talk(line)


def _lines(settings: Settings, waits: Waits) -> Iterator[str]:
    handed = Counter(offer.other for offer in waits.offers if offer.restored)
    for other, cases in sorted(handed.items()):
        yield f"custodians hand you {counted(cases, 'case')} of {other}: {settings.line('recovery accept')}"
    for offer in waits.offers:
        if offer.restored:
            continue
        does = "offers you" if offer.kind == "transfer" else "asks you to help with"
        what = offer.pseudonym or "a case that cannot be read"
        yield f"{offer.other} {does} {what} ({offer.name}): {settings.line(f'{offer.kind} list')}"
    for offer in waits.changed:
        of = f" of {offer.pseudonym}" if offer.pseudonym else ""
        told = _CHANGED[str(offer.state)].format(other=offer.other, kind=offer.kind, name=offer.name, of=of)
        yield f"{told}: {settings.line(f'{offer.kind} list')}"
    for name in waits.conflicts:
        yield f"{name}: amendments of one record contradict each other: {settings.line(f'case show {name}')}"


def as_json(waits: Waits | None) -> dict[str, object]:
    """The same for programs; nothing where nothing waits."""
    if waits is None or not (waits.offers or waits.changed or waits.conflicts):
        return {}
    return {
        "waits": {
            "offers": [_offer(offer) for offer in waits.offers],
            "changed": [_offer(offer) for offer in waits.changed],
            "conflicts": list(waits.conflicts),
        }
    }


def _offer(offer: WaitingOffer) -> dict[str, object]:
    return {
        "offer": offer.name,
        "kind": str(offer.kind),
        "state": str(offer.state),
        "other": offer.other,
        "pseudonym": offer.pseudonym,
        "restored": offer.restored,
    }
