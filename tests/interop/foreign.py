"""Other people's verifiers that are Python packages: run by the Python of .venv-interop, apart from what is ours.

Reads one JSON object: `folder` (a published journal), `vkey` and `witness` (keys that the auditor has; `witness` may be
null), `kept` (the file of a note), `index`, `hashes` (base64) and `leaf` (base64) of a proof whose checkpoint is the
folder's, and `tools`. Writes one: for each tool null where it accepts all that it looks at, else the fault in its own
words. Each does what it can:

    aics-tlog     the README's commands: checkpoint, cosignature, consistency, inclusion; then all tiles and bundles
    tlog-scales   signature, cosignature, root, consistency, the proof, and each entry of some bundles with its proof
    sigstore      signature of the checkpoint, and the proof
    pymerkle      the root over all entries, now and at the kept size, in a tree of its own
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

BUNDLES = (0, 136, 273)
"""Those whose entries tlog-scales proves one by one: it proves each anew, which would take too long for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be checked."""

    folder: Path
    vkey: str
    witness: str | None
    kept: Path
    index: int
    hashes: list[bytes]
    leaf: bytes

    def note(self) -> str:
        """The checkpoint, as text: the tools take nothing else."""
        return (self.folder / "checkpoint").read_bytes().decode()


def aics_tlog(asked: Asked) -> None:
    """aics-tlog's own command line, then its audit of all tiles."""
    import aics_tlog as tool
    from aics_tlog.cli import main

    def command(*words: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = main([*words, "--log-key", asked.vkey])
        if code:
            raise ValueError(f"{words[0]}: {json.loads(out.getvalue()).get('error')}")

    tiles = ("--tiles", str(asked.folder))
    witness = ("--witness-key", asked.witness, "--quorum", "1") if asked.witness else ()
    command("verify-checkpoint", *tiles, *witness)
    command("verify-consistency", *tiles, *witness, "--old-checkpoint", str(asked.kept))
    command("verify-inclusion", *tiles, *witness, "--index", str(asked.index))
    head = tool.parse_checkpoint(tool.parse_note(asked.note()).text)
    tool.audit_tiles(tool.DirectoryTileStore(str(asked.folder)), head.size, head.root)
    if not tool.verify_leaf_inclusion(asked.leaf, asked.index, head.size, asked.hashes, head.root):
        raise ValueError("the proof does not lead to the root")


def tlog_scales(asked: Asked) -> None:
    """tlog-scales' reader and its proofs."""
    from tlog_scales import backend, tiles, tlog
    from tlog_scales.reader import TilesReader
    from tlog_scales.signing import Vkey, VkeySet

    reader = TilesReader(backend.make_backend(str(asked.folder)))
    head = reader.get_checkpoint()
    head.verify(Vkey.from_string(asked.vkey))
    if asked.witness and not VkeySet(Vkey.from_string(asked.witness)).verify(head.signatures, head):
        raise ValueError("no cosignature of the witness")
    if reader.calculate_root_hash() != head.root_hash:
        raise ValueError("the tiles do not lead to the root")
    old = tlog.Checkpoint.from_text(asked.kept.read_bytes().decode())
    old.verify(Vkey.from_string(asked.vkey))
    reader.get_consistency_proof(old.size, head.size).check(old.root_hash, head.root_hash)
    proof = tlog.InclusionProof(asked.index, head.size, asked.hashes)
    proof.check(tiles.leaf_hash(asked.leaf), head.root_hash)
    for bundle in BUNDLES:
        for index in range(bundle * 256, min(bundle * 256 + 256, head.size)):
            leaf = tiles.leaf_hash(reader.get_entry(index))
            reader.get_inclusion_proof(index, head.size).check(leaf, head.root_hash)


def sigstore(asked: Asked) -> None:
    """What sigstore does with the checkpoint and the inclusion proof of a bundle of its own."""
    from sigstore._internal.merkle import verify_merkle_inclusion
    from sigstore._internal.rekor.checkpoint import SignedCheckpoint, verify_checkpoint
    from sigstore._internal.trust import Keyring
    from sigstore_models.common.v1 import PublicKey, PublicKeyDetails

    _, key_id, key = asked.vkey.split("+", 2)
    der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key)[1:]
    head = SignedCheckpoint.from_text(asked.note()).checkpoint
    proof = SimpleNamespace(
        checkpoint=SimpleNamespace(envelope=asked.note()),
        root_hash=bytes.fromhex(head.log_hash),
        log_index=asked.index,
        tree_size=head.log_size,
        hashes=asked.hashes,
    )
    log_id = SimpleNamespace(key_id=bytes.fromhex(key_id) + bytes(28))
    inner = SimpleNamespace(inclusion_proof=proof, log_id=log_id, canonicalized_body=asked.leaf)
    public = PublicKey(raw_bytes=base64.b64encode(der), key_details=PublicKeyDetails.PKIX_ED25519)
    verify_checkpoint(Keyring([public]), SimpleNamespace(_inner=inner))
    verify_merkle_inclusion(SimpleNamespace(_inner=inner))


def pymerkle(asked: Asked) -> None:
    """pymerkle's tree over all entries. It reads neither bundles nor notes: here that is done for it, unchecked."""
    import pymerkle as tool

    tree = tool.InmemoryTree(algorithm="sha256")
    size, root = _stated(asked.note())
    for entry in _entries(asked.folder, size):
        tree.append_entry(entry)
    if tree.get_size() != size or tree.get_state() != root:
        raise ValueError("the entries have another root")
    size, root = _stated(asked.kept.read_bytes().decode())
    if tree.get_state(size) != root:
        raise ValueError("the entries had another root when they were as many as in the kept head")


def _stated(note: str) -> tuple[int, bytes]:
    lines = note.split("\n")
    return int(lines[1]), base64.b64decode(lines[2])


def _entries(folder: Path, size: int) -> Iterator[bytes]:
    for bundle in range(-(-size // 256)):
        width = min(256, size - bundle * 256)
        name = f"{bundle:03}" if width == 256 else f"{bundle:03}.p/{width}"
        raw = (folder / "tile" / "entries" / name).read_bytes()
        while raw:
            end = 2 + int.from_bytes(raw[:2], "big")
            yield raw[2:end]
            raw = raw[end:]


TOOLS: dict[str, Callable[[Asked], None]] = {
    "aics-tlog": aics_tlog,
    "tlog-scales": tlog_scales,
    "sigstore": sigstore,
    "pymerkle": pymerkle,
}


def fault(tool: Callable[[Asked], None], asked: Asked) -> str | None:
    """What a tool has against it, in one line."""
    try:
        tool(asked)
    except Exception as error:  # noqa: BLE001 - whatever stops a verifier is a refusal
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return None


def main() -> None:
    """One JSON object in, one out."""
    logging.disable(logging.CRITICAL)
    told = json.load(sys.stdin)
    asked = Asked(
        folder=Path(told["folder"]),
        vkey=told["vkey"],
        witness=told["witness"],
        kept=Path(told["kept"]),
        index=told["index"],
        hashes=[base64.b64decode(item) for item in told["hashes"]],
        leaf=base64.b64decode(told["leaf"]),
    )
    json.dump({name: fault(TOOLS[name], asked) for name in told["tools"]}, sys.stdout)


if __name__ == "__main__":
    main()
