"""The files of a published audit directory that people read, and where everything stands in it.

    README.md                       for the auditor: what this is, and the commands of other people's tools
    policy                          a tlog-policy: every journal's key, the members who cosign, the quorum
    roster                          the roster's origin and its directory, one line each
    members                         handle, role, key for cosignatures, key id, state, epochs; tabs in between
    <hex sha256(origin)>/           one for each journal, the roster too
        origin  vkey                one line each
        checkpoint                  the newest signed head, cosignatures and all
        witnessed                   an earlier head that somebody else cosigned, when the newest has no such signature
        checkpoint.next             only while publishing: the head that the files being written belong to
        policy                      believes this journal alone, and asks for the same quorum
        tile/...                    tiles and entry bundles (formats/tiles.py)

A key stands in a C2SP policy once. A member's journals of several epochs are signed with one key, so the policy above
names the newest of them, and the policy in each journal's directory names that journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files as resources
from typing import Final

from vault.errors import FormatError
from vault.formats.note import ED25519, VerifierKey, encode_vkey
from vault.formats.origin import ROOT, parse_origin
from vault.formats.tlog_policy import NONE, PolicyGroup, PolicyLog, PolicyWitness, TrustPolicy
from vault.model import Handle, Member, Origin, Role
from vault.primitives.hashing import sha256
from vault.services.roster import Roster
from vault.services.witness import cosigner_key

README: Final = "README.md"
POLICY: Final = "policy"
ROSTER: Final = "roster"
MEMBERS: Final = "members"
TOP: Final = frozenset({README, POLICY, ROSTER, MEMBERS})
ORIGIN: Final = "origin"
VKEY: Final = "vkey"
CHECKPOINT: Final = "checkpoint"
WITNESSED: Final = "witnessed"
NEXT: Final = "checkpoint.next"
IN_JOURNAL: Final = frozenset({ORIGIN, VKEY, CHECKPOINT, WITNESSED, NEXT, POLICY})
MOST_TEXT: Final = 1024 * 1024
"""Bytes of the longest of these files that is read."""

_QUORUM: Final = "Witnesses"
"""A capital keeps it apart from every handle."""
_COLUMNS: Final = ("handle", "role", "vkey", "key id", "state", "epochs")


def directory_of(origin: str) -> str:
    """The directory of a journal in a published directory."""
    return sha256(origin.encode()).hex()


def log_key(member: Member, origin: str) -> VerifierKey:
    """The verifier key of a member's journal."""
    return VerifierKey(name=origin, algorithm=ED25519, public_key=member.keys.signing)


def policy_of(roster: Roster, origins: Iterable[Origin], cosigners: Iterable[Handle]) -> TrustPolicy:
    """Whom to believe about some journals: their keys, a member's newest epoch for all of theirs; as witnesses the hubs
    and auditors and whoever has cosigned, unless revoked; as quorum any of them, or none while nobody has cosigned."""
    newest: dict[Handle, Origin] = {}
    for origin in sorted(origins, key=lambda item: parse_origin(item).epoch):
        newest[parse_origin(origin).handle] = origin
    logs = [
        PolicyLog(key=log_key(member, newest[member.handle])) for member in roster.members if member.handle in newest
    ]
    signed = set(cosigners)
    able = [item for item in roster.members if not item.revoked and item.handle != ROOT]
    able = [item for item in able if item.role in (Role.HUB, Role.AUDITOR) or item.handle in signed]
    witnesses = tuple(
        PolicyWitness(name=_witness_name(item.handle), key=cosigner_key(roster.vault_id, item)) for item in able
    )
    group = PolicyGroup(name=_QUORUM, needed=1, members=tuple(item.name for item in witnesses))
    return TrustPolicy(
        logs=tuple(logs),
        witnesses=witnesses,
        groups=(group,) if witnesses else (),
        quorum=_QUORUM if signed & {item.handle for item in able} else NONE,
    )


def policy_for(policy: TrustPolicy, key: VerifierKey) -> TrustPolicy:
    """The same witnesses and quorum for one journal."""
    return TrustPolicy(
        logs=(PolicyLog(key=key),), witnesses=policy.witnesses, groups=policy.groups, quorum=policy.quorum
    )


def _witness_name(handle: Handle) -> str:
    """A member called `none` is a witness all the same."""
    return "None" if handle == NONE else handle


def encode_roster_file(origin: Origin) -> bytes:
    """The file that says which journal is the roster."""
    return f"{origin}\n{directory_of(origin)}\n".encode("ascii")


def parse_roster_file(raw: bytes) -> Origin:
    """The roster's origin. Raises FormatError for what `encode_roster_file` would not write."""
    try:
        origin = Origin(raw.decode("ascii").split("\n")[0])
    except UnicodeDecodeError:
        raise FormatError("the file that names the roster is not text") from None
    if parse_origin(origin).handle != ROOT or encode_roster_file(origin) != raw:
        raise FormatError("the file that names the roster is not of the format")
    return origin


def encode_members(roster: Roster, origins: Iterable[Origin]) -> bytes:
    """The table of members, in roster order."""
    epochs: dict[Handle, list[int]] = {}
    for origin in origins:
        epochs.setdefault(parse_origin(origin).handle, []).append(parse_origin(origin).epoch)
    lines = ["\t".join(_COLUMNS)]
    for member in roster.members:
        told = ",".join(map(str, sorted(epochs.get(member.handle, [])))) or "-"
        lines.append("\t".join((*member_fields(roster, member), "revoked" if member.revoked else "active", told)))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def member_fields(roster: Roster, member: Member) -> tuple[str, str, str, str]:
    """What never changes of a member: handle, role, key for cosignatures, key id."""
    vkey = encode_vkey(cosigner_key(roster.vault_id, member))
    return member.handle, member.role.value, vkey, member.key_id.hex()


def readme(roster: Roster, journals: Sequence[tuple[Origin, int]], quorum: str) -> bytes:
    """The README for the auditor, of journals and their sizes. Its examples are about the longest one."""
    rows = "".join(f"| `{directory_of(origin)}` | `{'/'.join(origin.split('/')[2:])}` |\n" for origin, _ in journals)
    example = max(journals, key=lambda item: item[1])[0]
    text = resources("vault.services").joinpath("audit_readme.md").read_text(encoding="utf-8")
    for name, value in (
        ("{vault_id}", roster.vault_id),
        ("{journals}", rows.rstrip("\n")),
        ("{roster}", directory_of(roster.origin)),
        ("{example}", directory_of(example)),
        ("{example_origin}", example),
        ("{quorum}", _NO_QUORUM if quorum == NONE else _SOME_QUORUM),
    ):
        text = text.replace(name, value)
    return text.encode()


_NO_QUORUM: Final = (
    "**Nobody but their writers has signed these heads.** What is here can be whole and genuine and still not be all:\n"
    "the quorum of `policy` is `none`, and no tool can tell you more than that. Ask for heads that others kept."
)
_SOME_QUORUM: Final = (
    "The quorum in `policy` is any one of its witnesses. That is the publisher's proposal: keep your own copy, and\n"
    "ask for as many, and for those, as you think right."
)
