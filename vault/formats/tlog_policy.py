"""Whom an auditor believes: logs, witnesses, and how many of them it takes (C2SP tlog-policy).

    # Whom we believe. This file is yours: read it, and change it.
    log example.com/behind-the-sofa+920f920b+AU4KwM62S0ro2iP/om59kuqHEW3SVJCkr3nPoQO5/KTY
    witness w1 witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN
    witness w2 mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O
    group both all w1 w2
    quorum both

A checkpoint is believed when one of the logs signed it, under its origin, and the quorum cosigned it. Lines:

    log <vkey> [<url>]                          a journal's key (signature type 0x01)
    witness <name> <vkey> [<url>]               a cosigner's key (type 0x04); its name is for the lines below
    group <name> all|any|<k> <member>...        has seen a checkpoint when all, one or k of its members have
    quorum <name>|none                          exactly once

Fields are separated by spaces and tabs, `#` begins a comment line, empty lines are nothing. A line names only what
stands above it; each name is a member of one group at most; no public key is there twice as a log or twice as a
witness. Names are octets. Nobody but people write these files, so unlike every other parser of ours this one takes what
`encode_policy` would write otherwise: comments, spacing, order. What it means is exact all the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from vault.errors import FormatError
from vault.formats.note import COSIGNATURE, ED25519, VerifierKey, encode_vkey, parse_vkey

MOST_BYTES: Final = 256 * 1024
NONE: Final = "none"
_FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_SPACE: Final = re.compile(r"[ \t]+")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLog:
    """A journal whose checkpoints are believed; its key's name is its origin."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWitness:
    """A cosigner, and the name that groups call it by."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGroup:
    """Witnesses and groups of which `needed` must have seen a checkpoint."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """A whole policy. `quorum` is the name of a witness or a group, or `none`. Groups stand in an order in which each
    names only what stands before it."""

    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: tuple[PolicyGroup, ...] = ()
    quorum: str = NONE

    def log(self, origin: str) -> VerifierKey | None:
        """The key of a log."""
        return next((item.key for item in self.logs if item.key.name == origin), None)

    def satisfied_by(self, cosigners: Collection[VerifierKey]) -> bool:
        """Whether the quorum is among the keys whose cosignatures were verified."""
        seen = {item.name for item in self.witnesses if item.key in cosigners} | {NONE}
        for group in self.groups:
            if sum(member in seen for member in group.members) >= group.needed:
                seen.add(group.name)
        return self.quorum in seen


def parse_policy(raw: bytes) -> TrustPolicy:
    """The policy in `raw`. Raises FormatError, naming the line."""
    if len(raw) > MOST_BYTES or _FORBIDDEN.search(raw) or (raw and not raw.endswith(b"\n")):
        raise FormatError("a policy is too long, holds a control character, or lacks its last newline")
    reading = _Reading()
    for number, line in enumerate(raw.decode("utf-8", "surrogateescape").split("\n"), start=1):
        fields = [field for field in _SPACE.split(line) if field]
        if fields and not fields[0].startswith("#"):
            try:
                reading.take(fields)
            except FormatError as error:
                raise FormatError(f"line {number} of a policy: {error.message}") from None
    return reading.result()


def encode_policy(policy: TrustPolicy, *, comments: tuple[str, ...] = ()) -> bytes:
    """A policy as we write it: comments, logs, witnesses, groups, quorum. Raises FormatError for one that would not be
    read as the same again."""
    lines = [f"# {comment}" for comment in comments]
    lines += [" ".join(filter(None, ("log", encode_vkey(item.key), item.url))) for item in policy.logs]
    lines += [
        " ".join(filter(None, ("witness", item.name, encode_vkey(item.key), item.url))) for item in policy.witnesses
    ]
    for group in policy.groups:
        lines.append(" ".join(("group", group.name, _threshold(group), *group.members)))
    lines.append(f"quorum {policy.quorum}")
    raw = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    if parse_policy(raw) != policy:
        raise FormatError("a policy cannot be written: a name or a comment holds what the format does not have")
    return raw


def _threshold(group: PolicyGroup) -> str:
    if group.needed == len(group.members):
        return "all"
    return "any" if group.needed == 1 else str(group.needed)


def _parse_key(text: str) -> VerifierKey:
    """The key of a line. Raises FormatError, which says whether there is none at all."""
    if "+" not in text:
        raise FormatError("this line has no key: NAME+KEY ID+KEY, as in the file vkey of a published journal")
    return parse_vkey(text)


class _Reading:
    """The state of reading one policy, line by line."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[PolicyGroup] = []
        self.names: set[str] = set()
        self.members: set[str] = set()
        self.quorum: str | None = None

    def take(self, fields: list[str]) -> None:
        """One line that is not empty."""
        keyword, *rest = fields
        if keyword == "log" and 1 <= len(rest) <= 2:
            self._log(*rest)
        elif keyword == "witness" and 2 <= len(rest) <= 3:
            self._witness(*rest)
        elif keyword == "group" and len(rest) >= 3:
            self._group(rest[0], rest[1], tuple(rest[2:]))
        elif keyword == "quorum" and len(rest) == 1:
            self._quorum(rest[0])
        else:
            raise FormatError("it is neither log, witness, group nor quorum, or has the wrong number of fields")

    def _log(self, vkey: str, url: str | None = None) -> None:
        key = _parse_key(vkey)
        if key.algorithm != ED25519:
            raise FormatError("a log's key is for cosignatures")
        if any(key.public_key == item.key.public_key or key.name == item.key.name for item in self.logs):
            raise FormatError("a log, or its public key, is there twice")
        self.logs.append(PolicyLog(key=key, url=url))

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        key = _parse_key(vkey)
        if key.algorithm != COSIGNATURE:
            raise FormatError("a witness's key is not for cosignatures")
        if any(key.public_key == item.key.public_key for item in self.witnesses):
            raise FormatError("a witness's public key is there twice")
        self._define(name)
        self.witnesses.append(PolicyWitness(name=name, key=key, url=url))

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        count = len(members)
        needed = {"all": count, "any": 1}.get(threshold)
        if needed is None:
            needed = int(threshold) if _COUNT.fullmatch(threshold) else 0
        if not 1 <= needed <= count:
            raise FormatError("a group needs all, any or a number of its members")
        for member in members:
            if member not in self.names or member in self.members:
                raise FormatError("a group's member is not defined above, or is a member already")
            self.members.add(member)
        self._define(name)
        self.groups.append(PolicyGroup(name=name, needed=needed, members=members))

    def _define(self, name: str) -> None:
        if name == NONE or name in self.names:
            raise FormatError("a name is there twice, or is none")
        self.names.add(name)

    def _quorum(self, name: str) -> None:
        if self.quorum is not None or (name != NONE and name not in self.names):
            raise FormatError("the quorum is there twice, or not defined above")
        self.quorum = name

    def result(self) -> TrustPolicy:
        """The policy. Raises FormatError without a quorum line."""
        if self.quorum is None:
            raise FormatError("a policy has no quorum line")
        return TrustPolicy(
            logs=tuple(self.logs), witnesses=tuple(self.witnesses), groups=tuple(self.groups), quorum=self.quorum
        )
