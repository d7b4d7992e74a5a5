"""`recovery split --new-key`: root puts another recovery key in place of the one in force."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.custodians import shares_of
from tests.services.renewing import appointed, new_shares, words_of
from vault.errors import NotAllowed, StorageError, UsageError
from vault.services import appointing
from vault.services.appointing import appoint_recovery
from vault.services.quorum import ShareState, check_shares, read_share_file


class Crash(BaseException):
    """The machine stops."""


def test_who_may_appoint_and_where_to(org: Organisation, tmp_path: Path) -> None:
    """Root, to a place outside the vault, with numbers that can be; a rehearsal leaves nothing."""
    before = org.heads()
    how = {"threshold": 2, "shares": 3, "shares_dir": tmp_path / "new"}
    for handle in ("hub-1", "field-1", "director-1"):
        with pytest.raises(NotAllowed, match="takes a root"):
            appoint_recovery(org.vault, org.keys[handle], **how)  # type: ignore[arg-type]
    for wrong in ({"threshold": 4}, {"shares": 17}, {"shares_dir": org.directory / "keys" / "deep"}):
        with pytest.raises(UsageError):
            appoint_recovery(org.vault, org.root, **{**how, **wrong})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="inside the vault"):
        appoint_recovery(org.vault, org.root, **how, cards=org.directory / "cards.html")  # type: ignore[arg-type]
    assert appoint_recovery(org.vault, org.root, **how, dry_run=True).share_files == ()  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
    assert org.heads() == before
    made = appoint_recovery(org.vault, org.root, **how, cards=tmp_path / "cards.html")  # type: ignore[arg-type]
    assert made.words == words_of(org)
    assert check_shares(org.vault, new_shares(made)).proven
    old = check_shares(org.vault, shares_of(org))
    assert (old.proven, {share.state for share in old.shares}) == (False, {ShareState.EARLIER})
    assert old.earlier == org.vault.roster.recoveries[0]


@pytest.mark.parametrize("step", ["write_shares", "write", "forget_replaced", "scrubbed"])
def test_a_crash_while_appointing(
    org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before the roster says so there are no shares left about; once it does they stay: they are the only ones."""
    before = org.vault.roster.recovery_id

    def crashing(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(appointing, step, crashing)
        with pytest.raises(Crash):
            appointed(org, tmp_path / "new")
    org.reopen()
    done = step == "scrubbed"
    assert (org.vault.roster.recovery_id != before) is done
    left = sorted((tmp_path / "new").iterdir()) if (tmp_path / "new").exists() else []
    assert len(left) == (3 if done else 0)
    if done:
        assert check_shares(org.vault, [read_share_file(path) for path in left]).proven
    assert org.audit().findings == ()


def test_a_commit_that_fails_and_happened(org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error after the commit: the roster names the key, so its shares stay."""
    real = appointing._sign

    def late(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        raise StorageError("the stick is gone")

    monkeypatch.setattr(appointing, "_sign", late)
    with pytest.raises(StorageError):
        appointed(org, tmp_path / "new")
    paths = sorted((tmp_path / "new").iterdir())
    assert check_shares(org.vault, [read_share_file(path) for path in paths]).proven


def test_an_older_card_says_so(org: Organisation, tmp_path: Path) -> None:
    """Too few shares of a set tell nothing but their day: the drill names that."""
    org.clock.day += timedelta(days=30)
    made = appointed(org, tmp_path / "new")
    assert "some of these cards are older" in check_shares(org.vault, shares_of(org, 1)).problem
    assert "older" not in check_shares(org.vault, new_shares(made, 1)).problem, "the negative control"
