"""Transfers and referrals of the stand-in for the façade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Protocol

OFFER = "field-2/1:7"
LINE = SimpleNamespace(
    name=OFFER, kind="transfer", state="rejected", giver="field-2", taker="field-1", pseudonym="amber-heron-41",
    identity=True, day="2020-02-03", answered="2020-02-05", entries=2, note="be kind\u202e", items=("school", "papers"),
    reason="too far", told=("it crossed",),
)  # fmt: skip


class Remembers(Protocol):
    """What is told what it was asked to do."""

    def called(self, name: str, what: object = None) -> None:
        """Remember."""
        ...


def functions(vault: Remembers) -> Mapping[str, object]:
    """Every name of the façade that cli calls to hand a case on."""

    def writer(name: str) -> Callable[..., SimpleNamespace]:
        def write(_: object, me: str, *what: Any, dry_run: bool, **more: Any) -> SimpleNamespace:  # noqa: ANN401
            vault.called(name, (what, more) if more else what)
            return SimpleNamespace(
                act=name, offer="" if dry_run and name.startswith("offer") else OFFER, pseudonym="amber-heron-41",
                other="field-2", origin="o", seq=-1 if dry_run else 7, entries=2, note="be kind", items=("school",),
                kind=more.get("kind", "transfer"), identity=False, warnings=("it may cross",),
            )  # fmt: skip

        return write

    def list_offers(_: object, me: str, *, unsound: list[str]) -> tuple[SimpleNamespace, ...]:
        vault.called("list_offers", me)
        return (LINE,)

    names = ("offer_transfer", "offer_referral", "accept_offer", "reject_offer", "revoke_offer", "end_referral")
    return {"list_offers": list_offers, **{name: writer(name) for name in names}}
