"""Members whose programs do not keep to the rules, for attacks on transfers: what they write is signed all the same."""

from __future__ import annotations

from collections.abc import Sequence

from tests.organisation import Organisation
from vault.formats.delivery import Delivery
from vault.formats.leaf import GrantAct, encode_act
from vault.formats.wraps import CaseWrap, encode_case_wrap
from vault.model import Act, Kind, Member, Purpose
from vault.services.casework import Casework
from vault.services.grants import member_wrap
from vault.services.journal import Draft, WrapDraft
from vault.services.keyring import Keyring
from vault.services.parcels import content_of, delivery_wraps, gather, key_wraps
from vault.services.received import Received
from vault.services.records import append, desk_of


class Forger:
    """A member who writes what they like into their own journal, signed with their own key."""

    def __init__(self, org: Organisation, me: Keyring) -> None:
        self.org, self.me = org, me
        self.work = Casework(org.vault, me)

    def write(self, act: GrantAct, wraps: Sequence[WrapDraft]) -> str:
        """One act; its name as an offer."""
        with self.org.vault.writing(self.me):
            draft = Draft(kind=Kind.GRANT, wraps=tuple(wraps), extra=(encode_act(act),))
            seq = append(self.work, [draft]).seq
        return f"{self.me.handle}/1:{seq}"

    def keys(self, pseudonym: str, to: Member, purpose: Purpose | None = None) -> tuple[WrapDraft, ...]:
        """The wraps of a case's keys, as an honest offer has them; or only one."""
        wraps = key_wraps(self.work, self.work.case(pseudonym), to, identity=True)
        return tuple(wrap for wrap in wraps if purpose in (None, wrap.purpose))

    def key(self, wrap: CaseWrap, to: Member, purpose: Purpose = Purpose.CASE) -> WrapDraft:
        """Any payload as the wrap of a key."""
        vault_id = self.org.vault.vault_id
        return member_wrap(vault_id, self.work.origin, purpose, to.key_id, to.keys.sealing, encode_case_wrap(wrap))

    def content(self, pseudonym: str) -> Delivery:
        """What an honest offer delivers."""
        case = self.work.case(pseudonym)
        received = Received(self.org.vault, self.me)
        return content_of(case, gather(self.work, received, case, identity=True), "note")

    def delivery(self, content: Delivery, to: Member) -> tuple[WrapDraft, ...]:
        """A delivery, and the copy."""
        return delivery_wraps(self.work, desk_of(self.work), content, to)

    def moved(self, raw: bytes, purpose: Purpose, to: Member) -> WrapDraft:
        """Bytes that were made for another place."""
        return WrapDraft(purpose=purpose, recipient=to.key_id, seal=lambda _: raw)

    def case_wrap(self, pseudonym: str) -> CaseWrap:
        """The payload of an honest case wrap."""
        case = self.work.case(pseudonym)
        return CaseWrap(
            case_id=case.case_id,
            key=case.key,
            token=case.token,
            pseudonym=case.pseudonym,
            earlier=self.work.case_segments(case),
        )


TRANSFER = GrantAct(act=Act.TRANSFER)


def answer_to(org: Organisation, offer: str, act: Act) -> GrantAct:
    """An act that names an offer of field-1's."""
    return GrantAct(act=act, origin=org.vault.signer(org.field_1).origin, seq=int(offer.split(":")[1]))
