# ruff: noqa: ANN401  # what is packed here is wrong on purpose, in every type
"""Bytes with one defect each, beside what they would be without it. The name of each is the name of its vector file.

Rows M1 to M13 are the ways in which msgpack libraries are known to be kinder than a canonical format may be.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack

from tests.vectors import fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """`bad` must be refused, `good` is the same without the defect; `row` names the class of the attack."""

    bad: bytes
    good: bytes
    row: str = ""


def _hex(row: str, bad: str, good: str) -> Defect:
    return Defect(bad=bytes.fromhex(bad), good=bytes.fromhex(good), row=row)


CANONICAL: dict[str, Defect] = {
    "array-claims-4294967295-items": _hex("M1", "dd ffffffff 01", "91 01"),
    "map-claims-4294967295-pairs": _hex("M1", "df ffffffff a161 01", "81 a161 01"),
    "bytes-claim-4294967295": _hex("M1", "c6 ffffffff 01", "c401 01"),
    "text-claims-4294967295": _hex("M1", "db ffffffff 61", "a1 61"),
    "nested-9-deep": _hex("M2", "91" * 8 + "90", "91" * 7 + "90"),
    "nested-9-deep-in-maps": _hex("M2", "81a161" * 8 + "80", "81a161" * 7 + "80"),
    "nested-600-deep": _hex("M2", "91" * 600 + "90", "91" * 7 + "90"),
    "nested-2000-deep": _hex("M3", "91" * 2000 + "90", "91" * 7 + "90"),
    "map-key-twice": _hex("M4", "82 a161 01 a161 02", "82 a161 01 a162 02"),
    "map-key-integer": _hex("M5", "81 01 02", "81 a131 02"),
    "map-key-true": _hex("M5", "81 c3 02", "81 a131 02"),
    "map-keys-1-and-true": _hex("M5", "82 01 a161 c3 a162", "82 a131 a161 a132 a162"),
    "map-key-bytes": _hex("M5", "81 c40161 02", "81 a161 02"),
    "map-key-nil": _hex("M5", "81 c0 02", "81 a0 02"),
    "integer-1-as-uint8": _hex("M6", "cc01", "01"),
    "integer-1-as-uint16": _hex("M6", "cd0001", "01"),
    "integer-1-as-uint32": _hex("M6", "ce00000001", "01"),
    "integer-1-as-uint64": _hex("M6", "cf0000000000000001", "01"),
    "integer-1-as-int8": _hex("M6", "d001", "01"),
    "integer-1-as-int16": _hex("M6", "d10001", "01"),
    "integer-1-as-int32": _hex("M6", "d200000001", "01"),
    "integer-1-as-int64": _hex("M6", "d30000000000000001", "01"),
    "integer-255-as-uint16": _hex("M6", "cd00ff", "ccff"),
    "integer-65535-as-uint32": _hex("M6", "ce0000ffff", "cdffff"),
    "text-a-as-str8": _hex("M6", "d90161", "a161"),
    "text-a-as-str16": _hex("M6", "da000161", "a161"),
    "text-a-as-str32": _hex("M6", "db0000000161", "a161"),
    "bytes-as-bin16": _hex("M6", "c5000161", "c40161"),
    "bytes-as-bin32": _hex("M6", "c60000000161", "c40161"),
    "array-of-1-as-array16": _hex("M6", "dc000101", "9101"),
    "array-of-1-as-array32": _hex("M6", "dd0000000101", "9101"),
    "map-of-1-as-map16": _hex("M6", "de0001a16101", "81a16101"),
    "map-of-1-as-map32": _hex("M6", "df00000001a16101", "81a16101"),
    "float32": _hex("M6", "ca3f800000", "01"),
    "float64": _hex("M6", "cb3ff0000000000000", "01"),
    "map-keys-unsorted": _hex("M7", "82 a162 01 a161 02", "82 a161 02 a162 01"),
    "map-keys-in-utf16-order": _hex("M7", "82 a4f0908080 01 a3efbfbd 02", "82 a3efbfbd 02 a4f0908080 01"),
    "map-keys-unsorted-inside": _hex("M7", "91 82 a162 01 a161 02", "91 82 a161 02 a162 01"),
    "text-stray-byte": _hex("M8", "a1ff", "a161"),
    "text-overlong": _hex("M8", "a2c080", "a161"),
    "text-surrogate": _hex("M8", "a3eda080", "a3ed9fbf"),
    "text-cut-off": _hex("M8", "a2ed95", "a3ed959c"),
    "text-above-10ffff": _hex("M8", "a4f4908080", "a4f48fbfbf"),
    "map-key-stray-byte": _hex("M8", "81 a1ff 01", "81 a161 01"),
    "text-nul": _hex("M9", "a3610062", "a3612062"),
    "map-key-nul": _hex("M9", "81 a3610062 01", "81 a3612062 01"),
    "float-nan": _hex("M9", "cb7ff8000000000000", "00"),
    "float-minus-zero": _hex("M9", "cb8000000000000000", "00"),
    "float-infinity": _hex("M9", "cb7ff0000000000000", "00"),
    "float-minus-infinity": _hex("M9", "cbfff0000000000000", "00"),
    "integer-2-to-53": _hex("M9", "cf0020000000000000", "cf001fffffffffffff"),
    "integer-2-to-64-less-1": _hex("M9", "cfffffffffffffffff", "cf001fffffffffffff"),
    "integer-minus-1": _hex("M9", "ff", "01"),
    "integer-minus-2-to-63": _hex("M9", "d38000000000000000", "00"),
    "ext-type-5": _hex("M10", "d40500", "c40100"),
    "ext-empty": _hex("M10", "c70005", "c400"),
    "ext-timestamp-32": _hex("M10", "d6ff00000000", "00"),
    "ext-timestamp-64": _hex("M10", "d7ff0000000000000000", "00"),
    "ext-timestamp-96-year-100000000000": _hex("M10", "c70cff00000000 2bd5e9e0d6a0e400", "00"),
    "trailing-byte": _hex("M11", "9101 00", "9101"),
    "trailing-value": _hex("M11", "01 01", "01"),
    "truncated-array": _hex("M11", "9201", "920101"),
    "truncated-text": _hex("M11", "a261", "a26161"),
    "truncated-integer": _hex("M11", "cd01", "cd0101"),
    "reserved-c1": _hex("M11", "c1", "c0"),
    "empty": _hex("M11", "", "c0"),
}


def pack(value: Any) -> bytes:
    """What msgpack makes of a value, canonical or not."""
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


HASH = fixed.secret("a digest")
WRAP: list[Any] = ["case", bytes(fixed.COMPARTMENT_ID), HASH]
PARTS: list[Any] = [["identity", HASH, 256], ["case", HASH, 512], ["tally", HASH, 256]]
LEAVES: dict[str, list[Any]] = {
    "record": [1, 1, "record", fixed.DAY, PARTS, [WRAP]],
    "amend": [1, 2, "amend", fixed.DAY, PARTS[1:], []],
    "grant": [1, 0, "grant", fixed.DAY, [], [WRAP]],
    "erase": [1, 3, "erase", fixed.DAY, [], [[fixed.JOURNAL, 1]]],
    "head-seen": [1, 4, "head-seen", fixed.DAY, [], [b"a signed note"]],
    "epoch-close": [1, 5, "epoch-close", fixed.DAY, [], []],
    "release": [1, 0, "release", fixed.DAY, [["tally", HASH, 256]], [HASH]],
    "found": [1, 0, "found", fixed.DAY, [], [fixed.ROOT.signing, fixed.ROOT.sealing, fixed.RECOVERY, [WRAP]]],
    "enrol": [1, 3, "enrol", fixed.DAY, [], ["field-1", "recorder", fixed.FIELD.signing, fixed.FIELD.sealing, []]],
    "revoke": [1, 5, "revoke", fixed.DAY, [], ["field-1", [[fixed.JOURNAL, 4]]]],
    "policy": [1, 1, "policy", fixed.DAY, [], [["base", 5], ["people", 10]]],
    "codebook": [1, 2, "codebook", fixed.DAY, [], [HASH]],
}
OFFER: list[Any] = [fixed.JOURNAL, 7]
ACTS: dict[str, list[Any]] = {
    "transfer": [1, 7, "grant", fixed.DAY, [], [["transfer"], WRAP]],
    "accept": [1, 8, "grant", fixed.DAY, [], [["accept", *OFFER], WRAP]],
    "revoke": [1, 9, "grant", fixed.DAY, [], [["revoke", *OFFER]]],
    "end": [1, 9, "grant", fixed.DAY, [], [["end", *OFFER]]],
    "restore": [1, 9, "grant", fixed.DAY, [], [["restore", *OFFER], WRAP]],
    "renew": [1, 9, "grant", fixed.DAY, [], [["renew", *OFFER], WRAP]],
}
WARRANT: list[Any] = ["withdrawn", bytes(range(16)), ["identity", "case"], [["director-1", bytes(64)]]]
HISTORY: list[Any] = ["history", 5, HASH]
HUB = fixed.JOURNAL.replace("field-1", "hub-1")
WARRANTED: dict[str, list[Any]] = {
    "warranted": [1, 9, "erase", fixed.DAY, [], [WARRANT, [fixed.JOURNAL, 1], [fixed.JOURNAL, 4]]],
    "earlier": [1, 9, "erase", fixed.DAY, [], [[*WARRANT, [HISTORY]], [fixed.JOURNAL, 1], [fixed.JOURNAL, 4]]],
    "by policy": [1, 9, "erase", fixed.DAY, [], [[*WARRANT[:3], [], [["alone", 1]]], [fixed.JOURNAL, 1]]],
    "hold": [1, 8, "grant", fixed.DAY, [], [["hold", "field-1", "order"]]],
    "lift": [1, 8, "grant", fixed.DAY, [], [["lift", HUB, 7, "field-1", [["director-1", bytes(64)]]]]],
}


def _leaf(row: str, kind: str, change: Callable[[Any], object]) -> Defect:
    good = {**LEAVES, **WARRANTED}.get(kind) or ACTS[kind.removeprefix("act ")]
    value = copy.deepcopy(good)
    instead = change(value)
    return Defect(bad=pack(value if instead is None else instead), good=pack(good), row=row)


def _put(*path: int, to: object) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return change


def _add(*path: int, item: object = 0) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for step in path:
            value = value[step]
        value.append(item)

    return change


LEAF: dict[str, Defect] = {
    "version-true": _leaf("M12", "record", _put(0, to=True)),
    "version-0": _leaf("M13", "record", _put(0, to=0)),
    "version-2": _leaf("M13", "record", _put(0, to=2)),
    "seq-true": _leaf("M12", "record", _put(1, to=True)),
    "seq-minus-1": _leaf("M9", "record", _put(1, to=-1)),
    "seq-2-to-53": _leaf("M9", "record", _put(1, to=2**53)),
    "seq-float": _leaf("M9", "record", _put(1, to=1.0)),
    "day-minus-1": _leaf("M9", "record", _put(3, to=-1)),
    "day-nan": _leaf("M9", "record", _put(3, to=float("nan"))),
    "erase-seq-2-to-53": _leaf("M9", "erase", _put(5, 0, 1, to=2**53)),
    "policy-value-minus-1": _leaf("M9", "policy", _put(5, 0, 1, to=-1)),
    "revoke-size-float": _leaf("M9", "revoke", _put(5, 1, 0, 1, to=4.0)),
    "seq-text": _leaf("M12", "record", _put(1, to="1")),
    "seq-nil": _leaf("M12", "record", _put(1, to=None)),
    "kind-bytes": _leaf("M12", "record", _put(2, to=b"record")),
    "kind-unknown": _leaf("M13", "record", _put(2, to="records")),
    "kind-capital": _leaf("M13", "record", _put(2, to="Record")),
    "day-text": _leaf("M12", "record", _put(3, to="2026-11-22")),
    "day-false": _leaf("M12", "record", _put(3, to=False)),
    "field-added": _leaf("M13", "record", _add()),
    "field-missing": _leaf("M13", "record", list.pop),
    "map-for-array": _leaf("M13", "record", lambda leaf: {str(i): item for i, item in enumerate(leaf)}),
    "parts-nil": _leaf("M12", "record", _put(4, to=None)),
    "parts-missing": _leaf("M13", "record", _put(4, to=[])),
    "parts-on-a-grant": _leaf("M13", "grant", _put(4, to=PARTS)),
    "part-added-field": _leaf("M13", "record", _add(4, 0)),
    "part-layer-unknown": _leaf("M13", "record", _put(4, 0, 0, to="names")),
    "part-layer-bytes": _leaf("M12", "record", _put(4, 0, 0, to=b"identity")),
    "part-layer-twice": _leaf("M13", "record", _put(4, 1, 0, to="identity")),
    "part-layers-in-another-order": _leaf("M13", "record", lambda leaf: leaf[4].reverse()),
    "part-hash-31-bytes": _leaf("M13", "record", _put(4, 0, 1, to=HASH[1:])),
    "part-hash-33-bytes": _leaf("M13", "record", _put(4, 0, 1, to=HASH + b"\0")),
    "part-hash-text": _leaf("M12", "record", _put(4, 0, 1, to=HASH.hex()[:32])),
    "part-cell-0": _leaf("M13", "record", _put(4, 0, 2, to=0)),
    "part-cell-257": _leaf("M13", "record", _put(4, 0, 2, to=257)),
    "part-cell-above-1-mib": _leaf("M13", "record", _put(4, 0, 2, to=2**21)),
    "part-cell-text": _leaf("M12", "record", _put(4, 0, 2, to="256")),
    "extra-nil": _leaf("M12", "record", _put(5, to=None)),
    "extra-on-an-amend": _leaf("M13", "amend", _put(5, to=[WRAP])),
    "extra-on-an-epoch-close": _leaf("M13", "epoch-close", _put(5, to=[WRAP])),
    "wrap-purpose-unknown": _leaf("M13", "grant", _put(5, 0, 0, to="cases")),
    "wrap-recipient-15-bytes": _leaf("M13", "grant", _put(5, 0, 1, to=bytes(15))),
    "wrap-hash-text": _leaf("M12", "grant", _put(5, 0, 2, to="0" * 32)),
    "wrap-added-field": _leaf("M13", "grant", _add(5, 0)),
    "grant-of-nothing": _leaf("M13", "grant", _put(5, to=[])),
    "act-unknown": _leaf("M13", "act accept", _put(5, 0, 0, to="take")),
    "act-capital": _leaf("M13", "act accept", _put(5, 0, 0, to="Accept")),
    "act-bytes": _leaf("M12", "act transfer", _put(5, 0, 0, to=b"transfer")),
    "act-text": _leaf("M12", "act transfer", _put(5, 0, to="transfer")),
    "act-empty": _leaf("M13", "act transfer", _put(5, 0, to=[])),
    "act-behind-a-wrap": _leaf("M13", "act transfer", lambda leaf: leaf[5].reverse()),
    "act-twice": _leaf("M13", "act transfer", _add(5, item=["referral"])),
    "act-offer-names-an-entry": _leaf("M13", "act transfer", _put(5, 0, to=["transfer", *OFFER])),
    "act-answer-names-no-entry": _leaf("M13", "act accept", _put(5, 0, to=["accept"])),
    "act-origin-malformed": _leaf("M13", "act accept", _put(5, 0, 1, to=fixed.JOURNAL + "0x")),
    "act-origin-bytes": _leaf("M12", "act accept", _put(5, 0, 1, to=fixed.JOURNAL.encode())),
    "act-seq-true": _leaf("M12", "act accept", _put(5, 0, 2, to=True)),
    "act-seq-minus-1": _leaf("M9", "act accept", _put(5, 0, 2, to=-1)),
    "act-seq-2-to-53": _leaf("M9", "act accept", _put(5, 0, 2, to=2**53)),
    "act-added-field": _leaf("M13", "act accept", _add(5, 0)),
    "act-transfer-of-nothing": _leaf("M13", "act transfer", lambda leaf: leaf[5].pop() and None),
    "act-accept-without-wraps": _leaf("M13", "act accept", lambda leaf: leaf[5].pop() and None),
    "act-revoke-with-a-wrap": _leaf("M13", "act revoke", _add(5, item=WRAP)),
    "act-end-with-a-short-wrap": _leaf("M13", "act end", _add(5, item=WRAP[:2])),
    "act-restore-names-no-journal": _leaf("M13", "act restore", _put(5, 0, to=["restore"])),
    "act-renew-names-no-journal": _leaf("M13", "act renew", _put(5, 0, to=["renew"])),
    "act-renew-size-true": _leaf("M12", "act renew", _put(5, 0, 2, to=True)),
    "act-renew-without-wraps": _leaf("M13", "act renew", lambda leaf: leaf[5].pop() and None),
    "act-restore-size-minus-1": _leaf("M9", "act restore", _put(5, 0, 2, to=-1)),
    "act-restore-without-wraps": _leaf("M13", "act restore", lambda leaf: leaf[5].pop() and None),
    "act-on-a-record": _leaf("M13", "record", _put(5, to=[["transfer"], WRAP])),
    "erase-of-nothing": _leaf("M13", "erase", _put(5, to=[])),
    "erase-origin-malformed": _leaf("M13", "erase", _put(5, 0, 0, to=fixed.JOURNAL + "0x")),
    "erase-seq-true": _leaf("M12", "erase", _put(5, 0, 1, to=True)),
    "warrant-why-unknown": _leaf("M13", "warranted", _put(5, 0, 0, to="because")),
    "warrant-why-capital": _leaf("M13", "warranted", _put(5, 0, 0, to="Withdrawn")),
    "warrant-why-bytes": _leaf("M12", "warranted", _put(5, 0, 0, to=b"withdrawn")),
    "warrant-tag-15-bytes": _leaf("M13", "warranted", _put(5, 0, 1, to=bytes(15))),
    "warrant-tag-text": _leaf("M12", "warranted", _put(5, 0, 1, to="0" * 16)),
    "warrant-layers-none": _leaf("M13", "warranted", _put(5, 0, 2, to=[])),
    "warrant-layers-tally-alone": _leaf("M13", "warranted", _put(5, 0, 2, to=["tally"])),
    "warrant-layers-in-another-order": _leaf("M13", "warranted", lambda leaf: leaf[5][0][2].reverse()),
    "warrant-layers-bytes": _leaf("M12", "warranted", _put(5, 0, 2, 0, to=b"identity")),
    "warrant-approvals-nil": _leaf("M12", "warranted", _put(5, 0, 3, to=None)),
    "warrant-approvals-twice": _leaf("M13", "warranted", _add(5, 0, 3, item=["director-1", bytes(64)])),
    "warrant-approvals-in-another-order": _leaf("M13", "warranted", _add(5, 0, 3, item=["aa", bytes(64)])),
    "warrant-handle-capital": _leaf("M13", "warranted", _put(5, 0, 3, 0, 0, to="Director-1")),
    "warrant-signature-63-bytes": _leaf("M13", "warranted", _put(5, 0, 3, 0, 1, to=bytes(63))),
    "warrant-added-field": _leaf("M13", "warranted", _add(5, 0)),
    "warrant-alone": _leaf("M13", "warranted", _put(5, to=[WARRANT])),
    "warrant-behind-an-entry": _leaf("M13", "warranted", lambda leaf: leaf[5].reverse()),
    "warrant-twice": _leaf("M13", "warranted", _add(5, item=WARRANT)),
    "warrant-entries-in-another-order": _leaf("M13", "warranted", lambda leaf: leaf[5].append(leaf[5].pop(1))),
    "warrant-entry-twice": _leaf("M13", "warranted", _add(5, item=[fixed.JOURNAL, 4])),
    "warrant-on-a-record": _leaf("M13", "record", _put(5, to=[WARRANT, WRAP])),
    "terms-empty": _leaf("M13", "earlier", _put(5, 0, 4, to=[])),
    "terms-nil": _leaf("M12", "earlier", _put(5, 0, 4, to=None)),
    "terms-unknown": _leaf("M13", "earlier", _put(5, 0, 4, 0, 0, to="future")),
    "terms-name-bytes": _leaf("M12", "earlier", _put(5, 0, 4, 0, 0, to=b"history")),
    "terms-in-another-order": _leaf("M13", "by policy", _add(5, 0, 4, item=HISTORY)),
    "terms-twice": _leaf("M13", "earlier", _add(5, 0, 4, item=HISTORY)),
    "history-root-31-bytes": _leaf("M13", "earlier", _put(5, 0, 4, 0, 2, to=HASH[1:])),
    "history-of-nothing": _leaf("M13", "earlier", _put(5, 0, 4, 0, 1, to=0)),
    "history-size-true": _leaf("M12", "earlier", _put(5, 0, 4, 0, 1, to=True)),
    "history-too-short": _leaf("M13", "earlier", _put(5, 0, 4, 0, 1, to=4)),
    "history-of-two-journals": _leaf("M13", "earlier", _put(5, 2, 0, to=fixed.JOURNAL.removesuffix("1") + "2")),
    "alone-with-an-approval": _leaf("M13", "by policy", _put(5, 0, 3, to=[["director-1", bytes(64)]])),
    "alone-seq-text": _leaf("M12", "by policy", _put(5, 0, 4, 0, 1, to="1")),
    "alone-seq-minus-1": _leaf("M9", "by policy", _put(5, 0, 4, 0, 1, to=-1)),
    "hold-ground-unknown": _leaf("M13", "hold", _put(5, 0, 2, to="because")),
    "hold-handle-capital": _leaf("M13", "hold", _put(5, 0, 1, to="Field-1")),
    "hold-without-ground": _leaf("M13", "hold", lambda leaf: leaf[5][0].pop() and None),
    "hold-with-a-wrap": _leaf("M13", "hold", _add(5, item=WRAP)),
    "hold-twice": _leaf("M13", "hold", _add(5, item=["hold", "field-1", "order"])),
    "hold-on-a-record": _leaf("M13", "record", _put(5, to=[["hold", "field-1", "order"]])),
    "lift-origin-malformed": _leaf("M13", "lift", _put(5, 0, 1, to=HUB + "0x")),
    "lift-seq-true": _leaf("M12", "lift", _put(5, 0, 2, to=True)),
    "lift-without-a-handle": _leaf("M13", "lift", lambda leaf: leaf[5][0].pop(3) and None),
    "lift-signature-63-bytes": _leaf("M13", "lift", _put(5, 0, 4, 0, 1, to=bytes(63))),
    "lift-agreed-twice": _leaf("M13", "lift", _add(5, 0, 4, item=["director-1", bytes(64)])),
    "lift-agreed-in-another-order": _leaf("M13", "lift", _add(5, 0, 4, item=["aa", bytes(64)])),
    "head-seen-text": _leaf("M12", "head-seen", _put(5, 0, to="a signed note")),
    "head-seen-two": _leaf("M13", "head-seen", _add(5, item=b"another")),
    "release-without-part": _leaf("M13", "release", _put(4, to=[])),
    "release-case-part": _leaf("M13", "release", _put(4, 0, 0, to="case")),
    "release-digest-31-bytes": _leaf("M13", "release", _put(5, 0, to=HASH[1:])),
    "found-recovery-key-short": _leaf("M13", "found", _put(5, 2, to=fixed.RECOVERY[1:])),
    "found-wraps-missing": _leaf("M13", "found", lambda leaf: leaf[5].pop() and None),
    "enrol-role-unknown": _leaf("M13", "enrol", _put(5, 1, to="admin")),
    "enrol-handle-capital": _leaf("M13", "enrol", _put(5, 0, to="Field-1")),
    "enrol-handle-ends-in-hyphen": _leaf("M13", "enrol", _put(5, 0, to="field-")),
    "enrol-key-33-bytes": _leaf("M13", "enrol", _put(5, 2, to=fixed.FIELD.signing + b"\0")),
    "revoke-size-text": _leaf("M12", "revoke", _put(5, 1, 0, 1, to="4")),
    "policy-empty": _leaf("M13", "policy", _put(5, to=[])),
    "policy-unsorted": _leaf("M13", "policy", lambda leaf: leaf[5].reverse()),
    "policy-name-twice": _leaf("M13", "policy", _put(5, 1, 0, to="base")),
    "policy-value-true": _leaf("M12", "policy", _put(5, 0, 1, to=True)),
    "codebook-digest-33-bytes": _leaf("M13", "codebook", _put(5, 0, to=HASH + b"\0")),
}

_FIELD_PRIME = 2**255 - 19
_ORDER_EIGHT = 325606250916557431795983626356110631294008115727848805560023387167927233504


def _with_curve(number: int) -> bytes:
    """The recovery key with another X25519 half."""
    return fixed.RECOVERY[:1184] + number.to_bytes(32, "little")


HYBRID_KEYS: dict[str, bytes] = {
    "empty": b"",
    "byte-missing": fixed.RECOVERY[:-1],
    "byte-after": fixed.RECOVERY + b"\0",
    "first-coefficient-3329": (3329 | fixed.RECOVERY[1] >> 4 << 12).to_bytes(2, "little") + fixed.RECOVERY[2:],
    "last-coefficient-4095": fixed.RECOVERY[:1150] + b"\xff\xff" + fixed.RECOVERY[1152:],
    "point-0": _with_curve(0),
    "point-1": _with_curve(1),
    "point-of-order-eight": _with_curve(_ORDER_EIGHT),
    "point-of-order-eight-other": _with_curve(
        39382357235489614581723060781553021112529911719440698176882885853963445705823
    ),
    "point-p-minus-1": _with_curve(_FIELD_PRIME - 1),
    "point-p": _with_curve(_FIELD_PRIME),
    "point-p-plus-1": _with_curve(_FIELD_PRIME + 1),
    "point-0-high-bit": _with_curve(2**255),
}

ORIGIN = fixed.JOURNAL
ORIGINS: dict[str, str] = {
    "prefix-other": ORIGIN.replace("fieldvault", "fieldVault"),
    "vault-id-31-digits": ORIGIN.replace(fixed.VAULT_ID, fixed.VAULT_ID[1:]),
    "vault-id-33-digits": ORIGIN.replace(fixed.VAULT_ID, fixed.VAULT_ID + "0"),
    "vault-id-capitals": ORIGIN.replace(fixed.VAULT_ID, fixed.VAULT_ID.upper()),
    "vault-id-fullwidth-digit": ORIGIN.replace(fixed.VAULT_ID, fixed.VAULT_ID[1:] + "\uff11"),
    "handle-empty": ORIGIN.replace("field-1", ""),
    "handle-capital": ORIGIN.replace("field-1", "Field-1"),
    "handle-digit-first": ORIGIN.replace("field-1", "1-field"),
    "handle-hyphen-last": ORIGIN.replace("field-1", "field-"),
    "handle-33-characters": ORIGIN.replace("field-1", "f" * 33),
    "handle-space": ORIGIN.replace("field-1", "field 1"),
    "handle-plus": ORIGIN.replace("field-1", "field+1"),
    "handle-cyrillic": ORIGIN.replace("field-1", "fi\u0435ld-1"),
    "handle-slash": ORIGIN.replace("field-1", "field/1"),
    "epoch-0": ORIGIN[:-1] + "0",
    "epoch-leading-zero": ORIGIN[:-1] + "01",
    "epoch-plus": ORIGIN[:-1] + "+1",
    "epoch-arabic-digit": ORIGIN[:-1] + "\u0661",
    "epoch-missing": ORIGIN[:-2],
    "epoch-10-digits": ORIGIN[:-1] + "1234567890",
    "newline-after": ORIGIN + "\n",
    "slash-after": ORIGIN + "/",
    "space-before": " " + ORIGIN,
    "empty": "",
}
