"""Two recorders who hand cases to each other, on one laptop or on two, for the tests of transfers and referrals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.organisation import Opened, Organisation, Template, Thief, rows_of
from vault.errors import FormatError, OpenFailed
from vault.formats.delivery import parse_delivery, split
from vault.formats.leaf import grant_act, parse_leaf
from vault.formats.wraps import case_context, member_context, parse_case_wrap
from vault.model import Act, KeyId, Layer, Origin, Place, Purpose
from vault.primitives import aead, hpke
from vault.services.arriving import import_bundle
from vault.services.bundling import create_bundle
from vault.services.cases import show_case
from vault.services.keyring import Keyring
from vault.services.offer_list import OfferLine, list_offers
from vault.services.supplements import write_supplements

NAME = "Han Mirae"
INTAKE = {"name": NAME, "sex": "female", "age_group": "18-59", "consent_statistics": "yes", "language": "ko"}


def opened_case(org: Organisation, me: Keyring, **more: object) -> str:
    """A case with an intake (a name in it) and a journey; its pseudonym."""
    pseudonym = org.case(me, **{**INTAKE, **more})
    org.add(me, "journey", pseudonym, event="departure", notes="over the river", date="2020-01-02")
    return pseudonym


def offers(org: Organisation, me: Keyring) -> dict[str, OfferLine]:
    """A member's offers by name."""
    return {line.name: line for line in list_offers(org.vault, me, unsound=[])}


def notes(org: Organisation, me: Keyring, pseudonym: str) -> list[str]:
    """The notes of a case's records, as one member sees them."""
    shown = show_case(org.vault, me, pseudonym)
    return [str(entry.values.get("notes", "")) for entry in shown.entries if entry.type != "intake"]


def supplement(org: Organisation, me: Keyring) -> int:
    """What a bundle's maker does first."""
    return write_supplements(org.vault, me)


def acts(org: Organisation, me: Keyring) -> list[Act | None]:
    """The acts in a member's journal, in order."""
    number = org.vault.journal_number(org.vault.signer(me).origin)
    found = (grant_act(parse_leaf(raw)) for raw in org.vault.store.leaves(number))
    return [act.act for act in found if act is not None]


class Laptops:
    """The same organisation on two laptops: field-1 works on `one`, field-2 on `two`, and bundles go between them."""

    def __init__(self, template: Template, parent: Path) -> None:
        self.one, self.two = (self._laptop(template, parent, name) for name in ("field-1", "field-2"))
        self.bundles = 0

    @staticmethod
    def _laptop(template: Template, parent: Path, handle: str) -> Organisation:
        home = parent / handle
        home.mkdir()
        org = Organisation(template, home, f"laptop of {handle}")
        for path in (org.directory / "keys").iterdir():
            if path.stem != handle:
                path.unlink()
        return org

    def close(self) -> None:
        """Closes both."""
        self.one.close()
        self.two.close()

    def to_two(self) -> None:
        """A bundle of field-1's for field-2."""
        self._send(self.one, self.one.field_1, self.two, self.two.field_2)

    def to_one(self) -> None:
        """And the other way."""
        self._send(self.two, self.two.field_2, self.one, self.one.field_1)

    def _send(self, source: Organisation, giver: Keyring, target: Organisation, taker: Keyring) -> None:
        self.bundles += 1
        path = source.home / f"bundle-{self.bundles}.fvb"
        supplement(source, giver)
        create_bundle(source.vault, giver, [taker.handle], path)
        import_bundle(target.vault, taker, path)


@contextmanager
def two_laptops(template: Template, parent: Path) -> Iterator[Laptops]:
    """Two laptops, closed in the end."""
    laptops = Laptops(template, parent)
    try:
        yield laptops
    finally:
        laptops.close()


def replaced_wrap(org: Organisation, place: Place, purpose: Purpose, recipient: KeyId, raw: bytes | None) -> None:
    """Somebody with the disk changes a wrap, or takes it away."""
    org.close()
    where = "journal = (SELECT id FROM journal WHERE origin = ?) AND seq = ? AND purpose = ? AND recipient = ?"
    with rows_of(org.directory) as rows:
        values = (place.origin, place.seq, purpose.value, recipient)
        if raw is None:
            rows.run(f"DELETE FROM wrap WHERE {where}", *values)  # noqa: S608  # a constant
        else:
            rows.run(f"UPDATE wrap SET bytes = ? WHERE {where}", raw, *values)  # noqa: S608
    org.reopen()


class HandingThief(Thief):
    """A thief who also knows deliveries: opens them, takes the keys in them, and tries the parts that they hold."""

    def _open_wrap(self, origin: Origin, seq: int, purpose: Purpose, recipient: KeyId, raw: bytes) -> bytes | None:
        member = member_context(self.vault_id, origin, seq, purpose, recipient)
        compartment = case_context(self.vault_id, origin, seq, purpose, recipient)
        for key in tuple(self.keys):
            payload = self._opened(purpose, key, raw, member, compartment)
            if payload is not None:
                return payload
        return None

    def _opened(self, purpose: Purpose, key: bytes, raw: bytes, member: bytes, compartment: bytes) -> bytes | None:
        try:
            if purpose is Purpose.DELIVERY:
                return self._opened_delivery(key, raw, member, compartment)
            try:
                payload = aead.open_sealed(key, raw, compartment)
            except OpenFailed:
                payload = hpke.unwrap(key, raw, member)
        except (OpenFailed, FormatError):
            return None
        try:
            wrap = parse_case_wrap(payload)
        except FormatError:
            return payload
        self._take(*(segment.key for segment in wrap.earlier))
        return wrap.key

    def _opened_delivery(self, key: bytes, raw: bytes, member: bytes, compartment: bytes) -> bytes:
        try:
            content = aead.open_sealed(key, raw, compartment)
        except OpenFailed:
            wrapped, sealed = split(raw)
            inner = hpke.unwrap(key, wrapped, member)
            self._take(inner)
            content = aead.open_sealed(inner, sealed, member)
        for part in parse_delivery(content).parts:
            if part.raw:
                self.parts.append((part.place.origin, part.place.seq, part.layer, part.raw))
        return content


def opened_parts(directory: Path, *keyrings: Keyring) -> dict[tuple[Origin, int, Layer], bytes]:
    """Every part that a thief with these keyrings opens, in the database or in deliveries."""
    found: list[Opened] = HandingThief(directory, keyrings).opened()
    return {(item.origin, item.seq, Layer(item.name)): item.payload for item in found if item.what == "part"}


def layers_at(opened: Mapping[tuple[Origin, int, Layer], bytes], place: Place) -> set[Layer]:
    """The layers of one entry that were opened."""
    return {layer for origin, seq, layer in opened if (origin, seq) == place}
