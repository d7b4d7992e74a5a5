"""Writes the vector files anew: `python -m tests.vectors.regenerate [--sealed]` from the root of the project.

A test compares what this makes with what is stored. With `--sealed` the files with fresh randomness are drawn anew
too, and the leaves and heads that commit to them follow.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.vectors import defects, deliveries, fixed, published, requests, sealed, travels
from tests.vectors.tagged import dump, tag
from vault import labels
from vault.formats import canonical, keyfile, part, share
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.formats.hold import Hold, Lift, encode_hold, signed_to_lift
from vault.formats.leaf import Leaf, PartRef, encode_leaf
from vault.formats.part import CELLS
from vault.formats.warrant import WITH_TALLY, WITHOUT_TALLY, Approval, Deed, ErasurePlan, History, Warrant
from vault.model import Digest, Ground, Handle, Kind, Layer, Origin, Place, Why
from vault.primitives import hpke, kdf, passphrase, signing, tree
from vault.primitives.hashing import hmac_sha256
from vault.services.drafting import search_key_of, search_tag
from vault.services.keyring import mask_locator
from vault.services.roster import member_id

HERE = Path(__file__).parent
WORDS = (
    "academic acid acne acquire acrobat activity actress adapt adequate adjust admit adorn adult "
    "advance advocate afraid again agency agree aide aircraft airline airport ajar alarm album alcohol alien alive "
    "alpha already alto aluminum"
)
SHARE = share.ShareCard(vault_id=fixed.VAULT_ID, number=2, count=3, threshold=2, made="2026-11-22", words=WORDS)


def canonical_good() -> dict[str, Any]:
    """Values of every shape, at every border of the encoding."""
    integers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 - 1]
    deep: Any = []
    for _ in range(7):
        deep = [deep]
    return {
        "constants": [None, False, True],
        "integers": integers,
        "texts": ["", "a", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "\ud55c\uae00", "\U0001f426", "\ufeff"],
        "bytes": [b"", b"\0", bytes(255), bytes(256)],
        "arrays": [[], [1], [0] * 15, [0] * 16, [[], [[]]], deep],
        "maps": [
            {},
            {"": 0},
            {"a": 1, "b": 2},
            {f"{number:02}": number for number in range(16)},
            {"Z": 1, "a": 2, "\u00e9": 3, "\ufffd": 4, "\U00010000": 5},
            {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}},
        ],
        "example": [[1, "case", b"\x0a\x0b"]],
    }


def _opened(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / name).read_text(encoding="ascii"))
    return found


def _ref(layer: Layer) -> PartRef:
    raw = bytes.fromhex(_opened(f"part/open-{layer.value}.json")["part"])
    return PartRef(layer=layer, digest=Digest(sha256(raw).digest()), cell=len(raw))


def _wrap_ref(purpose: str, recipient: bytes) -> list[Any]:
    raw = bytes.fromhex(_opened(f"wraps/open-{purpose}.json")["wrap"])
    return [purpose, recipient, sha256(raw).digest()]


def journal_leaves() -> dict[str, Leaf]:
    """The example journal of field-1, by the name of its vector."""
    amendment = bytes.fromhex(_opened("part/open-amendment.json")["part"])
    refs = (_ref(Layer.IDENTITY), _ref(Layer.CASE), _ref(Layer.TALLY))
    ours = bytes(fixed.COMPARTMENT_ID)
    grant = (_wrap_ref("compartment", fixed.RECOVERY_ID), _wrap_ref("tally", fixed.DIRECTOR_ID))
    amended = PartRef(layer=Layer.CASE, digest=Digest(sha256(amendment).digest()), cell=len(amendment))
    head = sign_checkpoint(_roster_head(), fixed.secret("root signing seed"))
    return {
        "grant": Leaf(seq=0, kind=Kind.GRANT, day=fixed.DAY, extra=grant),
        "record": Leaf(
            seq=1,
            kind=Kind.RECORD,
            day=fixed.DAY,
            parts=refs,
            extra=(_wrap_ref("case", ours), _wrap_ref("identity", ours)),
        ),
        "amend": Leaf(seq=2, kind=Kind.AMEND, day=fixed.DAY + 1, parts=(amended,)),
        "reveal": Leaf(seq=3, kind=Kind.REVEAL, day=fixed.DAY + 1, parts=(_ref(Layer.CASE),)),
        "erase": Leaf(seq=4, kind=Kind.ERASE, day=fixed.DAY + 2, extra=([fixed.JOURNAL, 1], [fixed.JOURNAL, 2])),
        "head-seen": Leaf(seq=5, kind=Kind.HEAD_SEEN, day=fixed.DAY + 2, extra=(head,)),
        "epoch-close": Leaf(seq=6, kind=Kind.EPOCH_CLOSE, day=fixed.DAY + 2),
        "recovery": Leaf(seq=0, kind=Kind.RECOVERY, day=fixed.DAY + 3, extra=(b"",)),
        "release": Leaf(
            seq=0, kind=Kind.RELEASE, day=fixed.DAY, parts=(_ref(Layer.TALLY),), extra=(fixed.secret("a digest"),)
        ),
    }


def act_leaves() -> dict[str, Leaf]:
    """Every act of a grant, and a second recovery key, by the name of its vector: each as if it stood alone."""
    case, identity = _wrap_ref("case", fixed.FIELD_ID), _wrap_ref("identity", fixed.FIELD_ID)
    acts: dict[str, tuple[list[object], ...]] = {
        "transfer": (["transfer"], case, identity),
        "referral": (["referral"], case),
        "accept": (["accept", fixed.JOURNAL, 7], case, identity),
        "reject": (["reject", fixed.JOURNAL, 7], case),
        "revoke-offer": (["revoke", fixed.JOURNAL, 7],),
        "end": (["end", fixed.JOURNAL, 7],),
        "end-with-keys": (["end", fixed.JOURNAL, 7], case),
        "supplement": (["supplement", fixed.JOURNAL, 7], case),
        "restore": (["restore", fixed.JOURNAL, 7], case, identity),
        "renew": (
            ["renew", fixed.JOURNAL, 7],
            _wrap_ref("compartment", fixed.RECOVERY_ID),
            _wrap_ref("tally", fixed.RECOVERY_ID),
        ),
    }
    made = {name: Leaf(seq=8, kind=Kind.GRANT, day=fixed.DAY, extra=extra) for name, extra in acts.items()}
    again: tuple[object, ...] = (
        fixed.ROOT.signing,
        fixed.ROOT.sealing,
        hpke.public_key(fixed.secret("second recovery HPKE seed")),
        [],
    )
    return made | {"found-again": Leaf(seq=8, kind=Kind.FOUND, day=fixed.DAY, extra=again)}


def erased_leaves() -> dict[str, Leaf]:
    """Erasures with a warrant: approved by the director, who signs what stands in it; and approved by nobody."""
    origin, seed = Origin(fixed.JOURNAL), fixed.secret("director-1 signing seed")
    warrant = Warrant(why=Why.WITHDRAWN, tag=fixed.secret("a tag")[:16], layers=WITHOUT_TALLY)
    plan = ErasurePlan(origin=origin, warrant=warrant, deeds=(Deed(target=origin, seqs=(1, 4)),))
    alone = replace(plan, warrant=replace(warrant, why=Why.RETENTION, layers=WITH_TALLY))
    history = History(size=5, root=Digest(fixed.secret("a root")))
    earlier = replace(
        plan, origin=Origin(origin.removesuffix("1") + "2"), deeds=(Deed(target=origin, seqs=(1, 4), history=history),)
    )
    extras = {
        "erase-approved": plan.entry_extra(0, (_approved(plan, seed),)),
        "erase-alone": alone.entry_extra(),
        "erase-earlier": earlier.entry_extra(0, (_approved(earlier, seed),)),
        "erase-by-policy": alone.entry_extra(0, (), 1),
    }
    return {name: Leaf(seq=9, kind=Kind.ERASE, day=fixed.DAY, extra=extra) for name, extra in extras.items()}


def _approved(plan: ErasurePlan, seed: bytes) -> Approval:
    signatures = tuple(signing.sign(seed, text) for text in plan.signed)
    return Approval(digest=plan.digest, handle=Handle("director-1"), signatures=signatures)


def hold_leaves() -> dict[str, Leaf]:
    """A hold, and the lift of one to which the director agreed."""
    place, handle = Place(Origin(fixed.JOURNAL.replace("field-1", "hub-1")), 8), Handle("field-1")
    signature = signing.sign(fixed.secret("director-1 signing seed"), signed_to_lift(Handle("hub-1"), place, handle))
    lifted = Lift(place=place, handle=handle, agreed=((Handle("director-1"), signature),))
    items: dict[str, Hold | Lift] = {"hold": Hold(handle=handle, why=Ground.ORDER), "lift": lifted}
    return {
        name: Leaf(seq=8, kind=Kind.GRANT, day=fixed.DAY, extra=(encode_hold(item),)) for name, item in items.items()
    }


def roster_leaves() -> dict[str, Leaf]:
    """The example roster, by the name of its vector, in order."""
    found: tuple[object, ...] = (fixed.ROOT.signing, fixed.ROOT.sealing, fixed.RECOVERY, [])
    members = [(handle, role.value, keys.signing, keys.sealing) for handle, role, keys in fixed.MEMBERS]
    enrolments: tuple[list[Any], ...] = ([], [_wrap_ref("export", fixed.DIRECTOR_ID)])
    policy = (["base", 5], ["parties", 5], ["people", 10], ["percent_base", 50])
    return {
        "found": Leaf(seq=0, kind=Kind.FOUND, day=fixed.DAY, extra=found),
        "policy": Leaf(seq=1, kind=Kind.POLICY, day=fixed.DAY, extra=policy),
        "codebook": Leaf(seq=2, kind=Kind.CODEBOOK, day=fixed.DAY, extra=(fixed.CODEBOOK,)),
        "enrol-field-1": Leaf(seq=3, kind=Kind.ENROL, day=fixed.DAY, extra=(*members[0], enrolments[0])),
        "enrol-director-1": Leaf(seq=4, kind=Kind.ENROL, day=fixed.DAY, extra=(*members[1], enrolments[1])),
        "revoke": Leaf(seq=5, kind=Kind.REVOKE, day=fixed.DAY, extra=("field-1", [[fixed.JOURNAL, 7]])),
    }


def _head(origin: str, leaves: list[Leaf]) -> Checkpoint:
    root = tree.root_of([tree.leaf_hash(encode_leaf(leaf)) for leaf in leaves])
    journal = fixed.ROSTER if origin == fixed.ROSTER else fixed.JOURNAL
    return Checkpoint(origin=journal, size=len(leaves), root=Digest(root))


def _roster_head() -> Checkpoint:
    return _head(fixed.ROSTER, list(roster_leaves().values()))


def leaf_vectors() -> dict[str, bytes]:
    """Every kind of leaf, and the signed heads over the two example journals."""
    made = {}
    values = (["base", 10], ["coarser", 1], ["embargo", 12], ["parties", 8], ["people", 20], ["percent_base", 100])
    strict = {"policy-strict": Leaf(seq=6, kind=Kind.POLICY, day=fixed.DAY, extra=values)}
    for name, leaf in {
        **journal_leaves(),
        **roster_leaves(),
        **act_leaves(),
        **erased_leaves(),
        **hold_leaves(),
        **strict,
    }.items():
        raw = encode_leaf(leaf)
        fields = tag(canonical.parse(raw))
        made[f"leaf/good/{name}.json"] = dump(
            {"fields": fields, "leaf": raw.hex(), "leaf hash": tree.leaf_hash(raw).hex()}
        )
    journal = [leaf for name, leaf in journal_leaves().items() if name not in ("recovery", "release")]
    made["leaf/journal.note"] = sign_checkpoint(_head(fixed.JOURNAL, journal), fixed.secret("field-1 signing seed"))
    made["leaf/roster.note"] = sign_checkpoint(_roster_head(), fixed.secret("root signing seed"))
    for name, defect in defects.LEAF.items():
        made[f"leaf/bad/{name}.hex"] = defect.bad.hex().encode() + b"\n"
    return made


def identifiers() -> dict[str, bytes]:
    """Every derived id and key of the example organisation, and every label's derivation of one key."""
    table = {name: value for name, value in sorted(vars(labels).items()) if isinstance(value, bytes)}
    parent, context = fixed.secret("a parent key"), b"a context"
    locator = fixed.COMPARTMENT.locator_key()
    ids = {
        "vault id": str(fixed.VAULT_ID),
        "origins": [fixed.ROSTER, fixed.JOURNAL],
        "root": {"signing": fixed.ROOT.signing.hex(), "sealing": fixed.ROOT.sealing.hex()},
        "field-1": {"signing": fixed.FIELD.signing.hex(), "sealing": fixed.FIELD.sealing.hex()},
        "director-1": {"signing": fixed.DIRECTOR.signing.hex(), "sealing": fixed.DIRECTOR.sealing.hex()},
        "member ids": {
            "root": member_id(fixed.ROOT).hex(),
            "field-1": fixed.FIELD_ID.hex(),
            "director-1": fixed.DIRECTOR_ID.hex(),
        },
        "recovery": {"sealing": fixed.RECOVERY.hex(), "id": fixed.RECOVERY_ID.hex()},
        "compartment": {"key": fixed.COMPARTMENT.key.hex(), "id": fixed.COMPARTMENT_ID.hex()},
        "tally": {"period": 0, "key": fixed.TALLY_KEY.hex(), "id": fixed.TALLY_ID.hex()},
        "tally period 1": fixed.COMPARTMENT.tally_key(1).hex(),
        "locator key": locator.hex(),
        "case id": fixed.CASE_ID.hex(),
        "locators": [
            [seq, layer, mask_locator(locator, fixed.locator_salt(seq, layer), seq, layer, fixed.CASE_ID).hex()]
            for seq, layer in ((1, "identity"), (1, "case"), (2, "case"), (2**40, "case"))
        ],
        "search": {
            "identity key": fixed.IDENTITY_KEY.hex(),
            "search key": search_key_of(fixed.IDENTITY_KEY).hex(),
            "tags": [[word, search_tag(search_key_of(fixed.IDENTITY_KEY), word).hex()] for word in ("h", "\ud55c")],
        },
        "party": {
            "HPKE seed": fixed.secret("field-1 HPKE seed").hex(),
            "label": "P1",
            "token": hmac_sha256(kdf.derive(fixed.secret("field-1 HPKE seed"), labels.PARTY), b"P1")[:16].hex(),
        },
    }
    derived = {
        name: {"label": label.decode(), "key": kdf.derive(parent, label, context).hex()}
        for name, label in table.items()
    }
    return {
        "keyfile/identifiers.json": dump(ids),
        "keyfile/derive.json": dump({"parent": parent.hex(), "context": context.hex(), "labels": derived}),
    }


def part_vectors() -> dict[str, bytes]:
    """Cells and payload padding."""
    borders = {border + step for border in CELLS for step in (-1, 0, 1)}
    lengths = sorted({*borders, 89, 20_000, 32_768, 32_769, 100_000, 1_000_000, part.MOST_BYTES})
    payload = b"\xc0"
    return {
        "part/cells.json": dump([[length, part.cell_for(length)] for length in lengths]),
        "part/padding.json": dump({"payload": payload.hex(), "padded": part.pad(payload).hex()}),
    }


KEY_FILE_DEFECTS: dict[str, Callable[[bytes], bytes]] = {
    "trailing-byte": lambda raw: raw + b"\0",
    "truncated": lambda raw: raw[:-1],
    "empty": lambda raw: raw[:0],
    "magic-other": lambda raw: raw.replace(b"fieldvault key", b"fieldvault kez"),
    "hash-changed": lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
    "hash-missing": lambda raw: b"\x96" + raw[1:-34],
    "sealed-bit-flipped": lambda raw: raw[:-100] + bytes([raw[-100] ^ 1]) + raw[-99:],
    "cost-lowered": lambda raw: raw.replace(b"t=3", b"t=1"),
    "vault-id-changed": lambda raw: raw.replace(fixed.VAULT_ID.encode(), b"0" * 32),
    "handle-changed": lambda raw: raw.replace(b"field-1", b"field-2"),
}
SHARE_DEFECTS: dict[str, tuple[str, str]] = {
    "title-other": ("recovery share", "recovery card"),
    "vault-id-short": (f"vault {fixed.VAULT_ID}", f"vault {fixed.VAULT_ID[1:]}"),
    "number-0": ("share 2 of", "share 0 of"),
    "number-leading-zero": ("share 2 of", "share 02 of"),
    "number-above-the-count": ("share 2 of", "share 7 of"),
    "threshold-above-the-count": ("any 2 restore", "any 4 restore"),
    "threshold-1": ("any 2 restore", "any 1 restore"),
    "count-17": ("of 3,", "of 17,"),
    "date-without-a-day": ("2026-11-22", "2026-11"),
    "date-13th-month": ("2026-11-22", "2026-13-22"),
    "date-30th-of-february": ("2026-11-22", "2026-02-30"),
    "blank-line-missing": ("\n\n", "\n"),
    "word-capital": ("academic", "Academic"),
    "word-missing": (" 2 acid      ", ""),
    "last-line-missing": ("33 aluminum\n", ""),
    "words-34": ("33 aluminum\n", "33 aluminum  34 always\n"),
    "words-renumbered": (" 2 acid", " 3 acid"),
    "word-of-nine-letters": ("academic ", "academics"),
    "space-at-a-line-end": ("acquire\n", "acquire \n"),
    "carriage-returns": ("\n", "\r\n"),
    "tab-for-space": (" 1 academic", "\t1 academic"),
    "final-newline-missing": ("aluminum\n", "aluminum"),
    "line-after": ("aluminum\n", "aluminum\n\n"),
}


def card_and_file_vectors() -> dict[str, bytes]:
    """The share card, the PHC string, and key files with one defect."""
    card = share.encode_share(SHARE)
    raw = bytes.fromhex(_opened("keyfile/open.json")["file"])
    made = {
        "share/card.txt": card,
        "keyfile/phc.txt": passphrase.encode_phc(sealed.SALT, sealed.COST) + b"\n",
        "keyfile/aad.hex": keyfile.encode_aad(
            fixed.VAULT_ID, Handle("field-1"), passphrase.encode_phc(sealed.SALT, sealed.COST)
        )
        .hex()
        .encode()
        + b"\n",
    }
    for name, change in KEY_FILE_DEFECTS.items():
        made[f"keyfile/bad/{name}.hex"] = change(raw).hex().encode() + b"\n"
    for name, (good, bad) in SHARE_DEFECTS.items():
        made[f"share/bad/{name}.txt"] = card.replace(good.encode(), bad.encode())
    made["share/bad/no-words.txt"] = card[: card.index(b"\n\n") + 2] + b" 1\n"
    return made


def deterministic() -> dict[str, bytes]:
    """Every file that can be made again, by its path below this folder."""
    made = {}
    for name, values in canonical_good().items():
        rows = [{"value": tag(value), "bytes": canonical.encode(value).hex()} for value in values]
        made[f"canonical/good/{name}.json"] = dump(rows)
    for name, defect in defects.CANONICAL.items():
        made[f"canonical/bad/{name}.hex"] = defect.bad.hex().encode() + b"\n"
    for name, text in defects.ORIGINS.items():
        made[f"origin/bad/{name}.txt"] = text.encode()
    for handle, epoch in (("field-1", 1), ("f", 999_999_999), ("a" * 32, 2), ("root", 1), ("a--b", 1)):
        text = f"fieldvault/{fixed.VAULT_ID}/{handle}/{epoch}"
        parts = {"vault id": fixed.VAULT_ID, "handle": handle, "epoch": epoch, "origin": text}
        made[f"origin/good/{handle}-{epoch}.json"] = dump(parts)
    made["hybrid_key/good.hex"] = fixed.RECOVERY.hex().encode() + b"\n"
    for name, key in defects.HYBRID_KEYS.items():
        made[f"hybrid_key/bad/{name}.hex"] = key.hex().encode() + b"\n"
    seed = fixed.secret("recovery HPKE seed")
    made["hpke/seed.json"] = dump({"seed": seed.hex(), "public key": hpke.public_key(seed).hex()})
    return (
        made
        | leaf_vectors()
        | identifiers()
        | part_vectors()
        | card_and_file_vectors()
        | requests.vectors()
        | deliveries.vectors()
        | published.vectors()
        | travels.vectors()
    )


def main(arguments: list[str]) -> None:
    """Writes the files."""
    made: dict[str, bytes] = {}
    if "--sealed" in arguments:
        for name, maker in sealed.MAKERS.items():
            (HERE / name).write_bytes(maker())
    made = deterministic()
    for name, raw in made.items():
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_bytes(raw)


if __name__ == "__main__":
    main(sys.argv[1:])
