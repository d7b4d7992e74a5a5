"""Vectors of what is published for auditors: tiles, proofs, policies. Every bad file is a good one with one edit."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from tests.vectors import fixed
from tests.vectors.tagged import dump
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.formats.cosignature import cosign
from vault.formats.note import COSIGNATURE, ED25519, Note, VerifierKey, encode_note, encode_vkey, parse_note
from vault.formats.tiles import TilePath, encode_entries, encode_hashes, encode_path, tiles_of
from vault.formats.tlog_policy import PolicyGroup, PolicyLog, PolicyWitness, TrustPolicy, encode_policy
from vault.formats.tlog_proof import TlogProof, encode_proof
from vault.model import Digest, Origin
from vault.primitives import tree
from vault.primitives.signing import public_key

BIG_ORIGIN = Origin("hq.example/journal/amina")
BIG_SEED = bytes(range(32))
BIG_SIZES = (41_234, 70_000)
ORIGIN = Origin("example.com/behind-the-sofa")
SEED = fixed.secret("a proof's journal")
WITNESS_SEED = fixed.secret("a proof's witness")
WITNESS = "witness.example/w1"
ENTRIES = (b"one", b"two", b"three")


def big_entry(number: int) -> bytes:
    """One entry of the log of 70,000 that foreign tools were run on."""
    return b"entry %d " % number + b"x" * (number % 40)


@cache
def big_leaves() -> tuple[bytes, ...]:
    """Its leaf hashes."""
    return tuple(tree.leaf_hashes(big_entry(number) for number in range(BIG_SIZES[-1])))


def read_node(leaves: tuple[bytes, ...]) -> tree.ReadNode:
    """Perfect subtrees of a list of leaf hashes."""
    return lambda level, index: tree.root_of(leaves[index << level : (index + 1) << level])


def proof_of(index: int, *, extra: bytes | None = None, cosigned: bool = True) -> TlogProof:
    """A proof in the small example log."""
    leaves = tuple(tree.leaf_hashes(ENTRIES))
    head = Checkpoint(origin=ORIGIN, size=len(leaves), root=Digest(tree.root_of(leaves)))
    note = parse_note(sign_checkpoint(head, SEED))
    if cosigned:
        line = cosign(note.text, WITNESS, WITNESS_SEED, 1_767_139_200)
        note = Note(text=note.text, signatures=(*note.signatures, line))
    hashes = tuple(tree.prove_inclusion(read_node(leaves), index, len(leaves)))
    return TlogProof(index=index, hashes=hashes, note=encode_note(note), extra=extra)


def witness_key(name: str, seed_name: str) -> VerifierKey:
    """A cosigner's key."""
    return VerifierKey(name=name, algorithm=COSIGNATURE, public_key=public_key(fixed.secret(seed_name)))


LOG_KEY = VerifierKey(name=ORIGIN, algorithm=ED25519, public_key=public_key(SEED))
WITNESS_KEY = VerifierKey(name=WITNESS, algorithm=COSIGNATURE, public_key=public_key(WITNESS_SEED))
OTHERS = tuple(witness_key(f"witness.example/w{number}", f"a proof's witness {number}") for number in (2, 3))
POLICY = TrustPolicy(
    logs=(PolicyLog(key=LOG_KEY, url="https://log.example/"),),
    witnesses=(
        PolicyWitness(name="w1", key=WITNESS_KEY),
        *(PolicyWitness(name=f"w{number}", key=key) for number, key in enumerate(OTHERS, start=2)),
    ),
    groups=(
        PolicyGroup(name="two", needed=2, members=("w1", "w2", "w3")),
        PolicyGroup(name="everybody", needed=1, members=("two",)),
    ),
    quorum="everybody",
)
PEOPLE_S_POLICY = (
    b"# with what people write\n\n \tquorum none\n" + b"log\t" + encode_vkey(LOG_KEY).encode() + b"  \n  # the end\n"
)


def _tile_vectors() -> dict[str, bytes]:
    paths = [
        TilePath(level=level, index=index, width=width)
        for level, index, width in (
            (0, 0, 256),
            (0, 273, 112),
            (1, 999, 1),
            (2, 1000, 255),
            (63, 1_234_067, 256),
            (None, 0, 1),
            (None, 1_000_000, 256),
        )
    ]
    rows = [
        {"level": path.level, "index": path.index, "width": path.width, "path": encode_path(path)} for path in paths
    ]
    leaves, key = big_leaves(), VerifierKey(name=BIG_ORIGIN, algorithm=ED25519, public_key=public_key(BIG_SEED))
    sizes = [
        {
            "size": size,
            "root": b64encode(tree.root_of(leaves[:size])).decode(),
            "tiles": [list(row) for row in tiles_of(size)],
        }
        for size in BIG_SIZES
    ]
    made = {
        "tiles/paths.json": dump(rows),
        "tiles/big-log.json": dump({"vkey": encode_vkey(key), "entry": "entry <n> + x * (n % 40)", "sizes": sizes}),
        "tiles/good/entries-3.bundle": encode_entries(ENTRIES),
        "tiles/good/entries-longest.sha256": sha256(encode_entries([b"x" * 65_535])).hexdigest().encode() + b"\n",
        "tiles/good/hashes-3.tile": encode_hashes(tree.leaf_hashes(ENTRIES)),
    }
    return made | {f"tiles/bad/{name}.txt": text.encode() for name, text in BAD_PATHS.items()}


BAD_PATHS = {
    "level-64": "tile/64/000",
    "level-leading-zero": "tile/01/000",
    "level-missing": "tile/000",
    "level-sumdb": "tile/8/0/000",
    "level-data": "tile/data/000",
    "index-two-digits": "tile/0/67",
    "index-four-digits": "tile/0/1234",
    "index-group-without-x": "tile/0/001/067",
    "index-last-group-with-x": "tile/0/x001/x067",
    "index-group-of-zeros-in-front": "tile/0/x000/067",
    "index-arabic-digits": "tile/0/\u0660\u0660\u0661",
    "index-beyond-2-to-53": "tile/0/x009/x007/x199/x254/x740/992",
    "width-0": "tile/0/000.p/0",
    "width-256": "tile/0/000.p/256",
    "width-leading-zero": "tile/0/000.p/01",
    "width-missing": "tile/0/000.p/",
    "slash-in-front": "/tile/0/000",
    "slash-behind": "tile/0/000/",
    "newline-behind": "tile/0/000\n",
    "parent": "tile/0/../000",
    "capital": "Tile/0/000",
}
PROOF_DEFECTS: dict[str, tuple[bytes, bytes]] = {
    "header-version-2": (b"proof@v1\n", b"proof@v2\n"),
    "header-missing": (b"c2sp.org/tlog-proof@v1\n", b""),
    "extra-empty": (b"extra dHdv\n", b"extra \n"),
    "extra-twice": (b"extra dHdv\n", b"extra dHdv\nextra dHdv\n"),
    "extra-behind-the-index": (b"extra dHdv\nindex 1\n", b"index 1\nextra dHdv\n"),
    "extra-base64-without-padding": (b"extra dHdv\n", b"extra dHdvIQ\n"),
    "index-missing": (b"index 1\n", b""),
    "index-leading-zero": (b"index 1\n", b"index 01\n"),
    "index-plus-sign": (b"index 1\n", b"index +1\n"),
    "index-space-behind": (b"index 1\n", b"index 1 \n"),
    "index-hexadecimal": (b"index 1\n", b"index 0x1\n"),
    "index-arabic-digit": (b"index 1\n", b"index \xd9\xa1\n"),
    "index-twice": (b"index 1\n", b"index 1\nindex 1\n"),
    "index-of-the-size": (b"index 1\n", b"index 3\n"),
    "blank-line-missing": (b"\n\nexample.com", b"\nexample.com"),
    "blank-line-twice": (b"\n\nexample.com", b"\n\n\nexample.com"),
    "carriage-returns": (b"\n", b"\r\n"),
    "checkpoint-size-leading-zero": (b"\n3\n", b"\n03\n"),
    "checkpoint-with-an-extension-line": (b"\n3\n", b"\n3\nmore\n"),
    "checkpoint-origin-changed-to-two-lines": (b"\nexample.com/", b"\nexample\n.com/"),
}
POLICY_DEFECTS: dict[str, tuple[bytes, bytes]] = {
    "quorum-missing": (b"quorum everybody\n", b""),
    "quorum-twice": (b"quorum everybody\n", b"quorum everybody\nquorum everybody\n"),
    "quorum-twice-with-none": (b"quorum everybody\n", b"quorum everybody\nquorum none\n"),
    "quorum-undefined": (b"quorum everybody\n", b"quorum nobody\n"),
    "quorum-with-a-url": (b"quorum everybody\n", b"quorum everybody https://log.example/\n"),
    "quorum-with-an-inline-comment": (b"quorum everybody\n", b"quorum everybody # all of them\n"),
    "last-newline-missing": (b"quorum everybody\n", b"quorum everybody"),
    "carriage-returns": (b"\n", b"\r\n"),
    "vertical-tab": (b"quorum everybody", b"quorum\x0beverybody"),
    "no-break-space": (b"quorum everybody", b"quorum\xc2\xa0everybody"),
    "keyword-unknown": (b"quorum everybody\n", b"quorum everybody\nmirror m\n"),
    "keyword-capital": (b"log ", b"Log "),
    "group-threshold-0": (b"group two 2 ", b"group two 0 "),
    "group-threshold-4-of-3": (b"group two 2 ", b"group two 4 "),
    "group-threshold-leading-zero": (b"group two 2 ", b"group two 02 "),
    "group-threshold-word": (b"group two 2 ", b"group two most "),
    "group-without-members": (b" w1 w2 w3\n", b"\n"),
    "group-member-twice": (b" w1 w2 w3\n", b" w1 w2 w2\n"),
    "group-member-undefined": (b" w1 w2 w3\n", b" w1 w2 w4\n"),
    "group-member-none": (b" w1 w2 w3\n", b" w1 w2 none\n"),
    "group-member-of-two-groups": (b"all two\n", b"any two w1\n"),
    "group-of-itself": (b"group two 2 w1", b"group two 2 two"),
    "group-named-like-a-witness": (b"group two 2", b"group w1 2"),
    "group-named-none": (b"group two 2", b"group none 2"),
    "log-with-three-fields": (b"https://log.example/", b"https://log.example/ more"),
    "log-key-id-of-another-key": (b"sofa+9", b"sofa+8"),
    "log-without-a-key": (encode_vkey(LOG_KEY).encode() + b" ", b""),
    "log-with-a-witness-key": (encode_vkey(LOG_KEY).encode(), encode_vkey(WITNESS_KEY).encode()),
    "log-twice": (b"https://log.example/\n", b"https://log.example/\nlog " + encode_vkey(LOG_KEY).encode() + b"\n"),
    "log-key-under-two-names": (
        b"https://log.example/\n",
        b"https://log.example/\nlog %s\n"
        % encode_vkey(VerifierKey(name="x.example", algorithm=ED25519, public_key=LOG_KEY.public_key)).encode(),
    ),
    "witness-with-a-log-key": (encode_vkey(WITNESS_KEY).encode(), encode_vkey(LOG_KEY).encode()),
    "witness-name-twice": (b"witness w2 ", b"witness w1 "),
    "witness-named-none": (b"witness w2 ", b"witness none "),
    "witness-without-a-name": (b"witness w2 ", b"witness "),
    "witness-key-twice": (encode_vkey(OTHERS[0]).encode(), encode_vkey(WITNESS_KEY).encode()),
}


def edited(raw: bytes, edits: tuple[bytes, bytes]) -> bytes:
    """`raw` with one thing in place of another, which must stand there."""
    good, bad = edits
    if good not in raw:
        raise AssertionError(good)
    return raw.replace(good, bad)


def good_proof() -> bytes:
    """The proof that each bad one is an edit of."""
    return encode_proof(proof_of(1, extra=b"two"))


def vectors() -> dict[str, bytes]:
    """Every file of the three folders, by its path below this one."""
    proof, policy = good_proof(), encode_policy(POLICY)
    made = _tile_vectors()
    for index in range(3):
        made[f"tlog_proof/good/index-{index}.tlog-proof"] = encode_proof(proof_of(index))
    made["tlog_proof/good/with-extra.tlog-proof"] = proof
    made["tlog_proof/good/not-cosigned.tlog-proof"] = encode_proof(proof_of(2, cosigned=False))
    for name, edits in PROOF_DEFECTS.items():
        made[f"tlog_proof/bad/{name}.tlog-proof"] = edited(proof, edits)
    first = proof_of(1).hashes[0]
    line = b64encode(first) + b"\n"
    made["tlog_proof/bad/hash-31-bytes.tlog-proof"] = edited(proof, (line, b64encode(first[:31]) + b"\n"))
    made["tlog_proof/bad/hash-33-bytes.tlog-proof"] = edited(proof, (line, b64encode(first + b"\0") + b"\n"))
    unused = re.sub(rb".=\n$", lambda found: bytes([found[0][0] + 1]) + b"=\n", line)
    made["tlog_proof/bad/hash-unused-bits.tlog-proof"] = edited(proof, (line, unused))
    made["tlog_proof/bad/hashes-64.tlog-proof"] = edited(proof, (line, line * 63))
    made["tlog_policy/good/groups.policy"] = policy
    made["tlog_policy/good/quorum-none.policy"] = encode_policy(TrustPolicy())
    made["tlog_policy/good/as-people-write.policy"] = PEOPLE_S_POLICY
    for name, edits in POLICY_DEFECTS.items():
        made[f"tlog_policy/bad/{name}.policy"] = edited(policy, edits)
    return made
