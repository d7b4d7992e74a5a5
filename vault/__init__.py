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
    "vault.formats.hold": ("Agreement",),
    "vault.formats.warrant": ("Approval", "ErasurePlan"),
    "vault.model": ("Act", "Ground", "Handle", "Layer", "Member", "Policy", "Role", "Why"),
    "vault.ports": ("Environment", "SystemClock", "Watch", "day_of"),
    "vault.primitives.passphrase": ("KdfCost",),
    "vault.services.answering": ("accept_offer", "reject_offer"),
    "vault.services.appointing": ("Appointed", "appoint_recovery"),
    "vault.services.arming": ("ArmPlan", "Armed", "arm", "plan_arming"),
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
    "vault.services.disarming": ("TravelStatus", "disarm", "travel_status"),
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
    "vault.services.erasing": ("Erased", "approve_erasure", "run_erasure"),
    "vault.services.erasure_files": (
        "agreement_file",
        "approval_file",
        "certificate",
        "plan_file",
        "read_agreement_file",
        "read_approval_file",
        "read_plan_file",
    ),
    "vault.services.erasure_plan": ("PlannedErasure", "plan_erasure"),
    "vault.services.erasure_status": ("Copy", "ErasureLine", "erasure_status"),
    "vault.services.findings": ("Finding", "FindingKind"),
    "vault.services.forgetting": ("renewals",),
    "vault.services.forgetting_one": ("Forgotten", "forget_renewed", "forgettable"),
    "vault.services.found": ("Founded", "found"),
    "vault.services.handing": ("end_referral", "offer_referral", "offer_transfer", "revoke_offer"),
    "vault.services.handing_desk": ("Handed",),
    "vault.services.held": ("Held", "hold_keys", "keys_of"),
    "vault.services.holds": ("HoldEntry", "Standing", "agree_to_lift", "hold", "lift", "list_holds"),
    "vault.services.importing": ("Imported", "import_file"),
    "vault.services.inspecting": ("Inspected", "inspect_file"),
    "vault.services.letters_taken": ("Kept", "LettersTaken", "take_letters"),
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
    "vault.services.renewals": ("Renewal",),
    "vault.services.renewing": ("Renewed", "check_renewable", "renew_journal"),
    "vault.services.repassphrase": ("change_passphrase",),
    "vault.services.resharing": ("Reshared", "split_again"),
    "vault.services.restoring": ("Restored", "check_restorable", "restore", "which_shares"),
    "vault.services.roster_lock": ("Lifted", "lift_roster_lock"),
    "vault.services.reveal": ("Revealed", "reveal"),
    "vault.services.revoking": ("CouldRead", "Revoked", "revoke"),
    "vault.services.release_files": ("can_hold", "encode_release", "figures_written"),
    "vault.services.tables": ("CheckedTable", "check_table", "shipped_tables"),
    "vault.services.totals": ("Preview", "export_table", "preview_table"),
    "vault.services.trustee": ("TravelAsked", "answer_travel", "read_travel_request"),
    "vault.services.vault": ("JournalStatus", "Vault", "open_vault", "unlock"),
    "vault.services.waits": ("WaitingOffer", "Waits", "what_waits"),
    "vault.services.welcome": ("Answer",),
    "vault.services.words": ("generate_passphrase", "recovery_words"),
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
        RecordType as RecordType,
        Variable as Variable,
        VariableType as VariableType,
        parse_codebook as parse_codebook,
    )
    from vault.formats.hold import Agreement as Agreement
    from vault.formats.paper_head import PaperHead as PaperHead, encode_paper_head as encode_paper_head
    from vault.formats.paper_page import DrawnHead as DrawnHead, draw_head as draw_head
    from vault.formats.release import Release as Release
    from vault.formats.table import Table as Table
    from vault.formats.warrant import Approval as Approval, ErasurePlan as ErasurePlan
    from vault.model import (
        Act as Act,
        Ground as Ground,
        Handle as Handle,
        Layer as Layer,
        Member as Member,
        Policy as Policy,
        Role as Role,
        Why as Why,
    )
    from vault.ports import Environment as Environment, SystemClock as SystemClock, Watch as Watch, day_of as day_of
    from vault.primitives.passphrase import KdfCost as KdfCost
    from vault.services.answering import accept_offer as accept_offer, reject_offer as reject_offer
    from vault.services.appointing import Appointed as Appointed, appoint_recovery as appoint_recovery
    from vault.services.arming import Armed as Armed, ArmPlan as ArmPlan, arm as arm, plan_arming as plan_arming
    from vault.services.arriving import (
        Arrived as Arrived,
        ArrivedJournal as ArrivedJournal,
        import_bundle as import_bundle,
    )
    from vault.services.audit import AuditReport as AuditReport, verify_vault as verify_vault
    from vault.services.audit_conduct import Conduct as Conduct, Deed as Deed, conduct_of as conduct_of
    from vault.services.audit_copies import CopyCompared as CopyCompared
    from vault.services.audit_evidence import (
        check_evidence_place as check_evidence_place,
        keep_contradictions as keep_contradictions,
        write_findings as write_findings,
    )
    from vault.services.audit_evidence_published import write_published_findings as write_published_findings
    from vault.services.audit_given import (
        GivenHead as GivenHead,
        HeadChecked as HeadChecked,
        HeadVerdict as HeadVerdict,
    )
    from vault.services.audit_heads import (
        RememberedHead as RememberedHead,
        RememberedHeads as RememberedHeads,
        remembered_heads as remembered_heads,
    )
    from vault.services.audit_levels import Freshness as Freshness, Level as Level, LevelStatus as LevelStatus
    from vault.services.audit_prove import (
        ProofChecked as ProofChecked,
        Proved as Proved,
        prove as prove,
        verify_proof as verify_proof,
        verify_proof_file as verify_proof_file,
    )
    from vault.services.audit_publish import (
        Publication as Publication,
        PublishedJournal as PublishedJournal,
        publish as publish,
    )
    from vault.services.audit_release import Released as Released, verify_releases as verify_releases
    from vault.services.audit_tiles import (
        PublishedReport as PublishedReport,
        VerifiedJournal as VerifiedJournal,
        verify_published as verify_published,
    )
    from vault.services.bundling import Created as Created, create_bundle as create_bundle
    from vault.services.cases import (
        CaseLine as CaseLine,
        CaseView as CaseView,
        EntryView as EntryView,
        find_cases as find_cases,
        list_cases as list_cases,
        show_case as show_case,
        show_entry as show_entry,
    )
    from vault.services.cosigning import (
        CosignedHead as CosignedHead,
        Cosigning as Cosigning,
        cosign_journals as cosign_journals,
    )
    from vault.services.demo import run_demo as run_demo
    from vault.services.disarming import TravelStatus as TravelStatus, disarm as disarm, travel_status as travel_status
    from vault.services.drafts import (
        CheckedNumber as CheckedNumber,
        Quote as Quote,
        check_draft as check_draft,
        quote_sheet as quote_sheet,
        read_draft_file as read_draft_file,
    )
    from vault.services.enrolment import (
        Approved as Approved,
        MemberRequest as MemberRequest,
        Requested as Requested,
        approve as approve,
        check_words as check_words,
        read_request as read_request,
        request_membership as request_membership,
    )
    from vault.services.erasing import Erased as Erased, approve_erasure as approve_erasure, run_erasure as run_erasure
    from vault.services.erasure_files import (
        agreement_file as agreement_file,
        approval_file as approval_file,
        certificate as certificate,
        plan_file as plan_file,
        read_agreement_file as read_agreement_file,
        read_approval_file as read_approval_file,
        read_plan_file as read_plan_file,
    )
    from vault.services.erasure_plan import PlannedErasure as PlannedErasure, plan_erasure as plan_erasure
    from vault.services.erasure_status import Copy as Copy, ErasureLine as ErasureLine, erasure_status as erasure_status
    from vault.services.findings import Finding as Finding, FindingKind as FindingKind
    from vault.services.forgetting import renewals as renewals
    from vault.services.forgetting_one import (
        Forgotten as Forgotten,
        forget_renewed as forget_renewed,
        forgettable as forgettable,
    )
    from vault.services.found import Founded as Founded, found as found
    from vault.services.handing import (
        end_referral as end_referral,
        offer_referral as offer_referral,
        offer_transfer as offer_transfer,
        revoke_offer as revoke_offer,
    )
    from vault.services.handing_desk import Handed as Handed
    from vault.services.held import Held as Held, hold_keys as hold_keys, keys_of as keys_of
    from vault.services.holds import (
        HoldEntry as HoldEntry,
        Standing as Standing,
        agree_to_lift as agree_to_lift,
        hold as hold,
        lift as lift,
        list_holds as list_holds,
    )
    from vault.services.importing import Imported as Imported, import_file as import_file
    from vault.services.inspecting import Inspected as Inspected, inspect_file as inspect_file
    from vault.services.joining import Joined as Joined, join as join, joinable as joinable, waiting as waiting
    from vault.services.keyring import Keyring as Keyring
    from vault.services.letters_taken import Kept as Kept, LettersTaken as LettersTaken, take_letters as take_letters
    from vault.services.members import add_member as add_member
    from vault.services.offer_list import OfferLine as OfferLine, list_offers as list_offers
    from vault.services.policy import (
        PolicyChange as PolicyChange,
        PolicyEntry as PolicyEntry,
        change_policy as change_policy,
        policy_history as policy_history,
    )
    from vault.services.publishing import enter_published as enter_published
    from vault.services.quorum import (
        GivenShare as GivenShare,
        Quorum as Quorum,
        ShareChecked as ShareChecked,
        ShareState as ShareState,
        check_shares as check_shares,
        read_share_file as read_share_file,
        typed_share as typed_share,
    )
    from vault.services.records import (
        Saved as Saved,
        amend as amend,
        close_case as close_case,
        open_case as open_case,
        record as record,
    )
    from vault.services.recovering import Recovered as Recovered, recover_journal as recover_journal
    from vault.services.release_files import (
        can_hold as can_hold,
        encode_release as encode_release,
        figures_written as figures_written,
    )
    from vault.services.renewals import Renewal as Renewal
    from vault.services.renewing import (
        Renewed as Renewed,
        check_renewable as check_renewable,
        renew_journal as renew_journal,
    )
    from vault.services.repassphrase import change_passphrase as change_passphrase
    from vault.services.resharing import Reshared as Reshared, split_again as split_again
    from vault.services.restoring import (
        Restored as Restored,
        check_restorable as check_restorable,
        restore as restore,
        which_shares as which_shares,
    )
    from vault.services.reveal import Revealed as Revealed, reveal as reveal
    from vault.services.revoking import CouldRead as CouldRead, Revoked as Revoked, revoke as revoke
    from vault.services.roster_lock import Lifted as Lifted, lift_roster_lock as lift_roster_lock
    from vault.services.tables import (
        CheckedTable as CheckedTable,
        check_table as check_table,
        shipped_tables as shipped_tables,
    )
    from vault.services.totals import (
        Preview as Preview,
        export_table as export_table,
        preview_table as preview_table,
    )
    from vault.services.trustee import (
        TravelAsked as TravelAsked,
        answer_travel as answer_travel,
        read_travel_request as read_travel_request,
    )
    from vault.services.vault import (
        JournalStatus as JournalStatus,
        Vault as Vault,
        open_vault as open_vault,
        unlock as unlock,
    )
    from vault.services.waits import WaitingOffer as WaitingOffer, Waits as Waits, what_waits as what_waits
    from vault.services.welcome import Answer as Answer
    from vault.services.words import generate_passphrase as generate_passphrase, recovery_words as recovery_words
