"""Erasures of the stand-in for the façade."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from tests.cli.fake_handing import Remembers
from vault.formats.warrant import WITHOUT_TALLY, Approval, Deed, ErasurePlan, Warrant
from vault.model import Digest, Ground, Handle, Kind, Origin, Place, Why

ORIGIN = Origin("fieldvault/00112233445566778899aabbccddeeff/field-1/1")
PLAN = ErasurePlan(
    origin=ORIGIN,
    warrant=Warrant(why=Why.WITHDRAWN, tag=bytes(16), layers=WITHOUT_TALLY),
    deeds=(Deed(target=ORIGIN, seqs=(3, 4, 9)),),
)
COPIES = (SimpleNamespace(handle="hub-1", role="hub", holds=True, gone=False),)


def functions(vault: Remembers) -> Mapping[str, object]:
    """Every name of the façade that cli calls to erase a case."""

    def plan_erasure(_: object, me: str, case: str, why: Why, *, drop_tally: bool) -> SimpleNamespace:
        vault.called("plan_erasure", (case, why, drop_tally))
        return SimpleNamespace(
            plan=PLAN, pseudonym=case, kinds=((Kind.RECORD, 3),), needed=(), able=("hub-1",), copies=COPIES,
            of_others=1, damaged=(7,), alone=False,
        )  # fmt: skip

    def approve_erasure(_: object, me: str, plan: ErasurePlan) -> Approval:
        vault.called("approve_erasure", plan.digest)
        return Approval(digest=Digest(plan.digest), handle=Handle(me), signatures=(bytes(64),))

    def run_erasure(_: object, me: str, case: str, plan: ErasurePlan, *more: Any, **how: Any) -> SimpleNamespace:  # noqa: ANN401
        vault.called("run_erasure", (case, how))
        return SimpleNamespace(
            name="field-1/1:12", tombstone=Place(ORIGIN, 12), digest=plan.digest, entries=3, deleted=8,
            approvers=("hub-1",), copies=COPIES, before=False, warnings=(), day=20_000, why=Why.WITHDRAWN,
            layers=WITHOUT_TALLY, tombstones=(Place(ORIGIN, 12),), alone=False, of_others=1,
        )  # fmt: skip

    def hold(_: object, me: str, handle: str, why: Ground, *, dry_run: bool = False) -> SimpleNamespace:
        vault.called("hold", (handle, why, dry_run))
        return SimpleNamespace(name="hub-1/1:7", handle=handle)

    def lift(_: object, me: str, name: str, given: object, *, dry_run: bool = False) -> SimpleNamespace:
        vault.called("lift", (name, given, dry_run))
        return SimpleNamespace(name="hub-1/1:9", handle="field-1")

    return {
        "hold": hold,
        "lift": lift,
        "list_holds": lambda _: (),
        "read_agreement_file": lambda _: None,
        "plan_erasure": plan_erasure,
        "approve_erasure": approve_erasure,
        "run_erasure": run_erasure,
        "plan_file": lambda _: b"plan",
        "approval_file": lambda _: b"approval",
        "certificate": lambda _: "certificate",
        "read_plan_file": lambda _: PLAN,
        "read_approval_file": lambda _: None,
        "erasure_status": lambda *_: (),
    }
