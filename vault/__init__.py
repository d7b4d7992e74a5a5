"""fieldvault: an encrypted, append-only vault for the records of rescue work. This is the façade.

Everything that a program on top may call stands in `_HOMES`; it is loaded when it is first used, so that asking for
help loads no cryptography. The command line uses nothing but this module and `vault.errors`.

A first look:

    import vault
    from pathlib import Path

    with vault.open_vault(Path("north")) as north:
        me = vault.unlock(north, "field-1", passphrase)
        saved = vault.open_case(north, me, {"sex": "female", "birth_date": "1990"})
        print(saved.pseudonym)                                   # amber-heron-41
    print(vault.verify_vault(Path("north")).verdict)             # intact, NOT anchored
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "vault.formats.codebook": ("Codebook", "RecordType", "Variable", "VariableType", "parse_codebook"),
    "vault.formats.paper_head": ("PaperHead", "encode_paper_head"),
    "vault.formats.paper_page": ("DrawnHead", "draw_head"),
    "vault.formats.release": ("Release",),
    "vault.formats.table": ("Table",),
    "vault.formats.warrant": ("Approval", "ErasurePlan"),
    "vault.model": ("Act", "Handle", "Layer", "Member", "Policy", "Role", "Why"),
    "vault.ports": ("Environment", "SystemClock", "Watch"),
    "vault.primitives.passphrase": ("KdfCost",),
    "vault.services.answering": ("accept_offer", "reject_offer"),
    "vault.services.arriving": ("Arrived", "ArrivedJournal", "import_bundle"),
    "vault.services.audit_conduct": ("Conduct", "Deed", "conduct_of"),
    "vault.services.audit_copies": ("CopyCompared",),
    "vault.services.audit_evidence": ("check_evidence_place", "keep_contradictions", "write_findings"),
    "vault.services.audit_evidence_published": ("write_published_findings",),
    "vault.services.audit_given": ("GivenHead", "HeadChecked", "HeadVerdict"),
    "vault.services.audit_heads": ("RememberedHead", "RememberedHeads", "remembered_heads"),
    "vault.services.audit_prove": ("ProofChecked", "Proved", "prove", "verify_proof", "verify_proof_file"),
    "vault.services.audit_publish": ("Publication", "PublishedJournal", "publish"),
    "vault.services.audit_levels": ("Freshness", "Level", "LevelStatus"),
    "vault.services.audit_release": ("Released", "verify_releases"),
    "vault.services.audit_tiles": ("PublishedReport", "VerifiedJournal", "verify_published"),
    "vault.services.audit": ("AuditReport", "verify_vault"),
    "vault.services.bundling": ("Created", "create_bundle"),
    "vault.services.cases": (
        "CaseLine",
        "CaseView",
        "EntryView",
        "find_cases",
        "list_cases",
        "show_case",
        "show_entry",
    ),
    "vault.services.cosigning": ("CosignedHead", "Cosigning", "cosign_journals"),
    "vault.services.demo": ("run_demo",),
    "vault.services.drafts": (
        "CheckedNumber",
        "Quote",
        "check_draft",
        "quote_sheet",
        "read_draft_file",
    ),
    "vault.services.enrolment": (
        "Approved",
        "MemberRequest",
        "Requested",
        "approve",
        "check_words",
        "read_request",
        "request_membership",
    ),
    "vault.services.erasing": ("Erased", "PlannedErasure", "approve_erasure", "plan_erasure", "run_erasure"),
    "vault.services.erasure_files": (
        "approval_file",
        "certificate",
        "plan_file",
        "read_approval_file",
        "read_plan_file",
    ),
    "vault.services.erasure_status": ("Copy", "ErasureLine", "erasure_status"),
    "vault.services.findings": ("Finding", "FindingKind"),
    "vault.services.found": ("Founded", "found"),
    "vault.services.handing": ("end_referral", "offer_referral", "offer_transfer", "revoke_offer"),
    "vault.services.handing_desk": ("Handed",),
    "vault.services.held": ("Held", "hold", "keys_of"),
    "vault.services.importing": ("Imported", "import_file"),
    "vault.services.inspecting": ("Inspected", "inspect_file"),
    "vault.services.joining": ("Joined", "join", "joinable", "waiting"),
    "vault.services.keyring": ("Keyring",),
    "vault.services.members": ("add_member",),
    "vault.services.offer_list": ("OfferLine", "list_offers"),
    "vault.services.policy": ("PolicyChange", "PolicyEntry", "change_policy", "policy_history"),
    "vault.services.publishing": ("enter_published",),
    "vault.services.quorum": (
        "GivenShare",
        "Quorum",
        "ShareChecked",
        "ShareState",
        "check_shares",
        "read_share_file",
        "typed_share",
    ),
    "vault.services.recovering": ("Recovered", "recover_journal"),
    "vault.services.records": ("Saved", "amend", "close_case", "open_case", "record"),
    "vault.services.repassphrase": ("change_passphrase",),
    "vault.services.resharing": ("Reshared", "split_again"),
    "vault.services.restoring": ("Restored", "check_restorable", "restore"),
    "vault.services.roster_lock": ("Lifted", "lift_roster_lock"),
    "vault.services.reveal": ("Revealed", "reveal"),
    "vault.services.revoking": ("CouldRead", "Revoked", "revoke"),
    "vault.services.release_files": ("can_hold", "encode_release", "figures_written"),
    "vault.services.tables": ("CheckedTable", "check_table", "shipped_tables"),
    "vault.services.totals": ("Preview", "export_table", "preview_table"),
    "vault.services.vault": ("JournalStatus", "Vault", "open_vault", "unlock"),
    "vault.services.waits": ("WaitingOffer", "Waits", "what_waits"),
    "vault.services.welcome": ("Answer",),
    "vault.services.words": ("generate_passphrase",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605  # computed from the table above, which a test compares with the imports below


def __getattr__(name: str) -> object:
    """Loads what is asked for from its home (PEP 562)."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


if TYPE_CHECKING:
    from vault.formats.codebook import (
        Codebook as Codebook,
    )
    from vault.formats.codebook import (
        RecordType as RecordType,
    )
    from vault.formats.codebook import (
        Variable as Variable,
    )
    from vault.formats.codebook import (
        VariableType as VariableType,
    )
    from vault.formats.codebook import (
        parse_codebook as parse_codebook,
    )
    from vault.formats.paper_head import PaperHead as PaperHead
    from vault.formats.paper_head import encode_paper_head as encode_paper_head
    from vault.formats.paper_page import DrawnHead as DrawnHead
    from vault.formats.paper_page import draw_head as draw_head
    from vault.formats.release import Release as Release
    from vault.formats.table import Table as Table
    from vault.formats.warrant import Approval as Approval
    from vault.formats.warrant import ErasurePlan as ErasurePlan
    from vault.model import Act as Act
    from vault.model import Handle as Handle
    from vault.model import Layer as Layer
    from vault.model import Member as Member
    from vault.model import Policy as Policy
    from vault.model import Role as Role
    from vault.model import Why as Why
    from vault.ports import Environment as Environment
    from vault.ports import SystemClock as SystemClock
    from vault.ports import Watch as Watch
    from vault.primitives.passphrase import KdfCost as KdfCost
    from vault.services.answering import accept_offer as accept_offer
    from vault.services.answering import reject_offer as reject_offer
    from vault.services.arriving import Arrived as Arrived
    from vault.services.arriving import ArrivedJournal as ArrivedJournal
    from vault.services.arriving import import_bundle as import_bundle
    from vault.services.audit import AuditReport as AuditReport
    from vault.services.audit import verify_vault as verify_vault
    from vault.services.audit_conduct import Conduct as Conduct
    from vault.services.audit_conduct import Deed as Deed
    from vault.services.audit_conduct import conduct_of as conduct_of
    from vault.services.audit_copies import CopyCompared as CopyCompared
    from vault.services.audit_evidence import check_evidence_place as check_evidence_place
    from vault.services.audit_evidence import keep_contradictions as keep_contradictions
    from vault.services.audit_evidence import write_findings as write_findings
    from vault.services.audit_evidence_published import write_published_findings as write_published_findings
    from vault.services.audit_given import GivenHead as GivenHead
    from vault.services.audit_given import HeadChecked as HeadChecked
    from vault.services.audit_given import HeadVerdict as HeadVerdict
    from vault.services.audit_heads import RememberedHead as RememberedHead
    from vault.services.audit_heads import RememberedHeads as RememberedHeads
    from vault.services.audit_heads import remembered_heads as remembered_heads
    from vault.services.audit_levels import Freshness as Freshness
    from vault.services.audit_levels import Level as Level
    from vault.services.audit_levels import LevelStatus as LevelStatus
    from vault.services.audit_prove import ProofChecked as ProofChecked
    from vault.services.audit_prove import Proved as Proved
    from vault.services.audit_prove import prove as prove
    from vault.services.audit_prove import verify_proof as verify_proof
    from vault.services.audit_prove import verify_proof_file as verify_proof_file
    from vault.services.audit_publish import Publication as Publication
    from vault.services.audit_publish import PublishedJournal as PublishedJournal
    from vault.services.audit_publish import publish as publish
    from vault.services.audit_release import Released as Released
    from vault.services.audit_release import verify_releases as verify_releases
    from vault.services.audit_tiles import PublishedReport as PublishedReport
    from vault.services.audit_tiles import VerifiedJournal as VerifiedJournal
    from vault.services.audit_tiles import verify_published as verify_published
    from vault.services.bundling import Created as Created
    from vault.services.bundling import create_bundle as create_bundle
    from vault.services.cases import (
        CaseLine as CaseLine,
    )
    from vault.services.cases import (
        CaseView as CaseView,
    )
    from vault.services.cases import (
        EntryView as EntryView,
    )
    from vault.services.cases import (
        find_cases as find_cases,
    )
    from vault.services.cases import (
        list_cases as list_cases,
    )
    from vault.services.cases import (
        show_case as show_case,
    )
    from vault.services.cases import (
        show_entry as show_entry,
    )
    from vault.services.cosigning import CosignedHead as CosignedHead
    from vault.services.cosigning import Cosigning as Cosigning
    from vault.services.cosigning import cosign_journals as cosign_journals
    from vault.services.demo import run_demo as run_demo
    from vault.services.drafts import (
        CheckedNumber as CheckedNumber,
    )
    from vault.services.drafts import (
        Quote as Quote,
    )
    from vault.services.drafts import (
        check_draft as check_draft,
    )
    from vault.services.drafts import (
        quote_sheet as quote_sheet,
    )
    from vault.services.drafts import (
        read_draft_file as read_draft_file,
    )
    from vault.services.enrolment import Approved as Approved
    from vault.services.enrolment import MemberRequest as MemberRequest
    from vault.services.enrolment import Requested as Requested
    from vault.services.enrolment import approve as approve
    from vault.services.enrolment import check_words as check_words
    from vault.services.enrolment import read_request as read_request
    from vault.services.enrolment import request_membership as request_membership
    from vault.services.erasing import Erased as Erased
    from vault.services.erasing import PlannedErasure as PlannedErasure
    from vault.services.erasing import approve_erasure as approve_erasure
    from vault.services.erasing import plan_erasure as plan_erasure
    from vault.services.erasing import run_erasure as run_erasure
    from vault.services.erasure_files import approval_file as approval_file
    from vault.services.erasure_files import certificate as certificate
    from vault.services.erasure_files import plan_file as plan_file
    from vault.services.erasure_files import read_approval_file as read_approval_file
    from vault.services.erasure_files import read_plan_file as read_plan_file
    from vault.services.erasure_status import Copy as Copy
    from vault.services.erasure_status import ErasureLine as ErasureLine
    from vault.services.erasure_status import erasure_status as erasure_status
    from vault.services.findings import Finding as Finding
    from vault.services.findings import FindingKind as FindingKind
    from vault.services.found import Founded as Founded
    from vault.services.found import found as found
    from vault.services.handing import end_referral as end_referral
    from vault.services.handing import offer_referral as offer_referral
    from vault.services.handing import offer_transfer as offer_transfer
    from vault.services.handing import revoke_offer as revoke_offer
    from vault.services.handing_desk import Handed as Handed
    from vault.services.held import Held as Held
    from vault.services.held import hold as hold
    from vault.services.held import keys_of as keys_of
    from vault.services.importing import Imported as Imported
    from vault.services.importing import import_file as import_file
    from vault.services.inspecting import Inspected as Inspected
    from vault.services.inspecting import inspect_file as inspect_file
    from vault.services.joining import Joined as Joined
    from vault.services.joining import join as join
    from vault.services.joining import joinable as joinable
    from vault.services.joining import waiting as waiting
    from vault.services.keyring import Keyring as Keyring
    from vault.services.members import add_member as add_member
    from vault.services.offer_list import OfferLine as OfferLine
    from vault.services.offer_list import list_offers as list_offers
    from vault.services.policy import (
        PolicyChange as PolicyChange,
    )
    from vault.services.policy import (
        PolicyEntry as PolicyEntry,
    )
    from vault.services.policy import (
        change_policy as change_policy,
    )
    from vault.services.policy import (
        policy_history as policy_history,
    )
    from vault.services.publishing import enter_published as enter_published
    from vault.services.quorum import GivenShare as GivenShare
    from vault.services.quorum import Quorum as Quorum
    from vault.services.quorum import ShareChecked as ShareChecked
    from vault.services.quorum import ShareState as ShareState
    from vault.services.quorum import check_shares as check_shares
    from vault.services.quorum import read_share_file as read_share_file
    from vault.services.quorum import typed_share as typed_share
    from vault.services.records import (
        Saved as Saved,
    )
    from vault.services.records import (
        amend as amend,
    )
    from vault.services.records import (
        close_case as close_case,
    )
    from vault.services.records import (
        open_case as open_case,
    )
    from vault.services.records import (
        record as record,
    )
    from vault.services.recovering import Recovered as Recovered
    from vault.services.recovering import recover_journal as recover_journal
    from vault.services.release_files import (
        can_hold as can_hold,
    )
    from vault.services.release_files import (
        encode_release as encode_release,
    )
    from vault.services.release_files import (
        figures_written as figures_written,
    )
    from vault.services.repassphrase import change_passphrase as change_passphrase
    from vault.services.resharing import Reshared as Reshared
    from vault.services.resharing import split_again as split_again
    from vault.services.restoring import Restored as Restored
    from vault.services.restoring import check_restorable as check_restorable
    from vault.services.restoring import restore as restore
    from vault.services.reveal import Revealed as Revealed
    from vault.services.reveal import reveal as reveal
    from vault.services.revoking import CouldRead as CouldRead
    from vault.services.revoking import Revoked as Revoked
    from vault.services.revoking import revoke as revoke
    from vault.services.roster_lock import Lifted as Lifted
    from vault.services.roster_lock import lift_roster_lock as lift_roster_lock
    from vault.services.tables import CheckedTable as CheckedTable
    from vault.services.tables import check_table as check_table
    from vault.services.tables import shipped_tables as shipped_tables
    from vault.services.totals import (
        Preview as Preview,
    )
    from vault.services.totals import (
        export_table as export_table,
    )
    from vault.services.totals import (
        preview_table as preview_table,
    )
    from vault.services.vault import (
        JournalStatus as JournalStatus,
    )
    from vault.services.vault import (
        Vault as Vault,
    )
    from vault.services.vault import (
        open_vault as open_vault,
    )
    from vault.services.vault import (
        unlock as unlock,
    )
    from vault.services.waits import WaitingOffer as WaitingOffer
    from vault.services.waits import Waits as Waits
    from vault.services.waits import what_waits as what_waits
    from vault.services.welcome import Answer as Answer
    from vault.services.words import generate_passphrase as generate_passphrase
