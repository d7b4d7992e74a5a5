"""The custodians' part of the stand-in: shares that are good, unless a file is called "altered"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from vault.errors import FormatError, UsageError, WrongPassphrase

if TYPE_CHECKING:
    from tests.cli.fake_facade import FakeVault

NEED = 2
RECOVERY = "academic acid acne acquire acrobat activity actress adapt adequate adjust admit adorn"


def functions(vault: FakeVault) -> Mapping[str, object]:
    """What `recovery` and `passphrase` call."""

    def read_share_file(path: Path) -> SimpleNamespace:
        if path.name == "letter":
            raise FormatError("this is not a recovery share")
        return SimpleNamespace(name=path.name, words=path.name, state="altered" if path.name == "altered" else "good")

    def typed_share(text: str, number: int) -> SimpleNamespace:
        if "wrong" in text:
            raise FormatError(f"share {number} has 32 words and must have 33")
        return SimpleNamespace(name=f"share {number}", words=text, state="good")

    def check_shares(_: FakeVault, given: Sequence[SimpleNamespace]) -> SimpleNamespace:
        if not given:
            raise UsageError("no recovery share was given")
        vault.called("check_shares", tuple(share.name for share in given))
        have = sum(share.state == "good" for share in given)
        shares = tuple(SimpleNamespace(name=share.name, number=1, state=share.state) for share in given)
        return SimpleNamespace(
            have=have,
            need=NEED,
            shares=shares,
            proven=have >= NEED,
            problem="" if have >= NEED else f"have {have} of the 2 shares that are needed",
            altered=have < len(given),
            earlier=None,
        )

    def split_again(_: FakeVault, root: str, given: object, **how: object) -> SimpleNamespace:
        vault.called("split_again", (root, how))
        return SimpleNamespace(share_files=(Path("new-1.txt"),), cards=how["cards"], threshold=2, shares=3)

    def restore(
        _: FakeVault, hub: str, member: str, successor: str, given: object, *, reason: str, dry_run: bool = False
    ) -> SimpleNamespace:
        vault.called("restore", (hub, member, successor, reason, dry_run))
        return SimpleNamespace(
            member=member,
            successor=successor,
            origin="fieldvault/00112233445566778899aabbccddeeff/hub-1/1",
            offers=() if dry_run else ("hub-1/1:4",),
            cases=1,
            entries=3,
            waiting=1,
            before=1,
            helped=1,
            damaged=1,
            letters=1,
            letters_handed=1,
            letters_cases=1,
            letters_left=(("no case of theirs has the name that they give", 1),),
            letters_before=0,
            letters_recorded=0,
            letters_erased=0,
        )

    def appoint_recovery(_: FakeVault, root: str, *, dry_run: bool = False, **how: object) -> SimpleNamespace:
        vault.called("appoint_recovery", (root, how["threshold"], how["shares"], dry_run))
        paths = () if dry_run else (Path("new-1.txt"),)
        return SimpleNamespace(share_files=paths, cards=how["cards"], words=RECOVERY, cleaned=False)

    def renew_journal(
        _: FakeVault, me: str, passphrase: str, *, words: str, leave_letters: bool, dry_run: bool = False
    ) -> SimpleNamespace:
        assert not leave_letters
        vault.called("renew_journal", (str(me), words, dry_run))
        origin = "fieldvault/00112233445566778899aabbccddeeff/field-1/"
        return SimpleNamespace(
            origin=f"{origin}2",
            follows=f"{origin}1",
            words=RECOVERY,
            cases=2,
            forgotten=2,
            cleaned=False,
            before=not words,
            left=(f"{origin}0",),
        )

    def forget_renewed(_: FakeVault, hub: str, member: str, *, dry_run: bool = False) -> SimpleNamespace:
        vault.called("forget_renewed", (str(hub), member, dry_run))
        return SimpleNamespace(handle=member, wraps=2, letters=1, cleaned=False)

    def change_passphrase(_: FakeVault, handle: str, old: str, new: str, **how: object) -> None:
        if old == new:
            raise WrongPassphrase("it is the old one")
        vault.called("change_passphrase", (handle, old, new, how["dry_run"]))

    return {
        "read_share_file": read_share_file,
        "typed_share": typed_share,
        "check_shares": check_shares,
        "check_restorable": lambda *given: vault.called("check_restorable", given[1:]),
        "split_again": split_again,
        "which_shares": lambda *_: "shares of the earlier recovery key",
        "appoint_recovery": appoint_recovery,
        "renewals": lambda _: vault.renewals_here,
        "forgettable": lambda _: vault.forgettable_here,
        "forget_renewed": forget_renewed,
        "check_renewable": lambda *_, **__: "the key",
        "recovery_words": lambda _: RECOVERY,
        "renew_journal": renew_journal,
        "restore": restore,
        "change_passphrase": change_passphrase,
    }
