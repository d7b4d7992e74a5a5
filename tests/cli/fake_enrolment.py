"""The part of the stand-in that enrols members: it remembers what it was asked, and makes no key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from vault.errors import IntegrityError, WrongPassphrase
from vault.model import Handle, Member, Role

if TYPE_CHECKING:
    from tests.cli.fake_facade import FakeVault

MEMBER_WORDS = "academic acid acne acquire acrobat activity actress adapt adequate adjust admit adorn"
VAULT_WORDS = "zero wrote writing wrist wrap world worthy worry wolf wits wisdom wireless"
SIZES = (("fieldvault/00112233445566778899aabbccddeeff/field-1/1", 12),)


def functions(vault: FakeVault, member: Callable[[str, Role], Member], passphrase: str) -> Mapping[str, object]:
    """Every name of the façade that `cli/enrolment.py` calls."""

    def request_membership(directory: Path, *, dry_run: bool, **how: object) -> SimpleNamespace:
        vault.called("request_membership", how | {"dry_run": dry_run})
        handle, role, path = how["handle"], how["role"], how["request_file"]
        words = "" if dry_run else MEMBER_WORDS
        return SimpleNamespace(handle=handle, role=role, fingerprint=words, path=path, again=False)

    def read_request(path: Path) -> SimpleNamespace:
        return SimpleNamespace(member=member("field-3", Role.RECORDER), fingerprint=MEMBER_WORDS)

    def check_words(typed: str | None, words: str, what: str) -> None:
        if typed not in (None, words):
            raise IntegrityError(f"those are not the words of {what}")

    def approve(_: FakeVault, root: str, asked: SimpleNamespace, path: Path, **how: object) -> SimpleNamespace:
        vault.called("approve", how | {"root": root, "handle": asked.member.handle})
        return SimpleNamespace(member=asked.member, fingerprint=VAULT_WORDS, path=path, again=False)

    def join(directory: Path, *, agree: Callable[[SimpleNamespace], None], **how: object) -> SimpleNamespace:
        if how["passphrase"] != passphrase:
            raise WrongPassphrase("that is not the passphrase of the key")
        joined = SimpleNamespace(vault_id=vault.vault_id, fingerprint=VAULT_WORDS, role=Role.RECORDER, already=False)
        joined.handle, joined.member = how["handle"], member(str(how["handle"]), Role.RECORDER)
        agree(joined)
        vault.called("join", how)
        return joined

    def revoke(_: FakeVault, root: str, handle: str, *, upto: object = None, dry_run: bool = False) -> SimpleNamespace:
        vault.called("revoke", (handle, dry_run))
        return SimpleNamespace(
            handle=Handle(handle), role=Role.RECORDER, sizes=SIZES, elsewhere=(), missing=(), could_read=()
        )

    return {
        "request_membership": request_membership,
        "read_request": read_request,
        "check_words": check_words,
        "approve": approve,
        "join": join,
        "joinable": lambda _: (Handle("field-3"),),
        "waiting": lambda _: (),
        "revoke": revoke,
    }
