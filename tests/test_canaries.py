"""Canaries: planted in every text, name and passphrase, and found nowhere but where somebody asked to read them."""

from __future__ import annotations

import dataclasses
import gzip
import sys
import traceback
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType

import pytest

from tests.canary_scanner import encodings, holds_canary, scan, text_holds_canary
from tests.organisation import COST, KOREAN_MARK, MARK, PASSPHRASES, Organisation, canary, environment_of
from vault.errors import VaultError
from vault.formats.codebook import Codebook, VariableType
from vault.formats.jsonl import parse_line
from vault.formats.part import CasePayload
from vault.formats.share import parse_share
from vault.model import Role
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.drafting import CaseKeys, draft_opening
from vault.services.found import found
from vault.services.importing import _Line, import_file
from vault.services.keyring import new_payload
from vault.services.members import add_member
from vault.services.prepare import Prepared, prepare
from vault.services.records import amend, close_case, desk_of, open_case, record
from vault.services.reveal import reveal
from vault.services.totals import export_table
from vault.services.vault import unlock

KNOWN_REPRS: frozenset[str] = frozenset()
"""The classes that show canaries at present: the two bugs below."""
REQUIRED = {"journey": {"event": "arrival"}, "service": {"programme": "advice"}, "outcome": {"status": "in_hiding"}}


def texts_of(codebook: Codebook, type_name: str, mark: str = "") -> dict[str, object]:
    """A canary for every text variable of a record type, beside what the type requires."""
    texts = {
        variable.name: canary(f"{mark}{type_name} {variable.name}")
        for variable in codebook.types[type_name].variables
        if variable.type is VariableType.TEXT
    }
    return {**REQUIRED.get(type_name, {}), **texts}


def _lines(codebook: Codebook) -> list[dict[str, object]]:
    """An import file with a canary for a label and in every text of every type."""
    label = canary("label")
    return [{"case": label, "type": name, **texts_of(codebook, name, "imported ")} for name in codebook.types]


def _steps(org: Organisation) -> Iterator[tuple[str, object]]:
    """Every kind of operation, one after the other; its name and its answer."""
    vault, me, codebook = org.vault, org.field_1, org.vault.codebook
    saved = open_case(vault, me, texts_of(codebook, "intake"))
    yield "open", saved
    name = saved.pseudonym
    for type_name in codebook.types:
        if type_name != "intake":
            yield type_name, record(vault, me, type_name, name, texts_of(codebook, type_name))
    yield "amend", amend(vault, me, str(saved.seq), texts_of(codebook, "intake", "amended "))
    yield "clear", amend(vault, me, str(saved.seq), {"notes": None, "relatives": None})
    yield "reveal", reveal(vault, me, name, canary("reason"))
    yield "import", import_file(vault, me, org.lines(*_lines(codebook)))
    yield "list", list_cases(vault, me)
    yield "find", find_cases(vault, me, canary("query"))
    yield "show", show_case(vault, me, name)
    yield "close", close_case(vault, me, name)
    payload = new_payload(org.environment, canary("organisation"), Role.RECORDER)
    yield "payload", payload
    PASSPHRASES.setdefault("field-9", canary("passphrase of field-9"))
    yield (
        "enrol",
        add_member(vault, org.root, handle="field-9", role=Role.RECORDER, passphrase=PASSPHRASES["field-9"], cost=COST),
    )
    yield "unlock", unlock(vault, "field-9", PASSPHRASES["field-9"])
    yield "export", export_table(vault, org.director, "all_years")
    yield "audit", org.audit()


# -- the scanner itself ------------------------------------------------------------------------------------------------


def _planted() -> dict[str, bytes]:
    """A canary as careless programs would leave it."""
    text = canary("planted")
    raw = text.encode()
    return {
        **{f"{mark} {name}": raw for mark in (MARK, KOREAN_MARK) for name, raw in encodings(mark).items()},
        "zlib": zlib.compress(raw),
        "gzip": gzip.compress(raw),
        "base64 of a longer text": b64encode(b"before it " + raw + b" after it"),
        "base64 of UTF-16": b64encode(text.encode("utf-16")),
        "hex of all": raw.hex().encode(),
    }


@pytest.mark.parametrize("where", ["in the middle", "at the end"])
def test_the_scanner_finds_every_encoding(tmp_path: Path, where: str) -> None:
    """Negative control: each encoding, written into a file of an otherwise clean directory, is found."""
    path = tmp_path / "vault" / "keys" / "planted.bin"
    path.parent.mkdir(parents=True)
    noise = environment_of("noise").random.token(5_000)
    path.write_bytes(noise)
    assert scan([tmp_path]) == []
    for name, raw in _planted().items():
        path.write_bytes(noise + raw + (noise if where == "in the middle" else b""))
        assert scan([tmp_path]) == ["planted.bin"], name


def test_the_scanner_reads_names_of_files_too(tmp_path: Path) -> None:
    """A canary in a file's or a directory's name is found."""
    (tmp_path / canary("name")).mkdir()
    assert len(scan([tmp_path])) == 1


# -- on the disk -------------------------------------------------------------------------------------------------------


def test_nothing_that_was_typed_is_on_the_disk(org: Organisation) -> None:
    """After every single operation, with the write-ahead log open and after it is folded in: no canary anywhere."""
    for name, _ in _steps(org):
        assert scan([org.directory]) == [], name
    assert (org.directory / "vault.db-wal").stat().st_size > 0, "the log was there to be scanned"
    org.close()
    assert scan([org.directory]) == []
    assert not (org.directory / "vault.db-wal").exists()
    assert scan([org.home]) == ["import.jsonl"], "negative control: the import file beside the vault holds them"


def test_what_was_planted_can_be_read_back(org: Organisation) -> None:
    """The canaries did arrive: every text is shown to its recorder, who may read it."""
    for _ in _steps(org):
        pass
    codebook = org.vault.codebook
    views = [show_case(org.vault, org.field_1, line.pseudonym) for line in list_cases(org.vault, org.field_1)]
    shown = {str(value) for view in views for entry in view.entries for value in entry.values.values()}
    for view in views:
        shown |= {str(value) for value in reveal(org.vault, org.field_1, view.pseudonym, "check").values.values()}
    for type_name in codebook.types:
        for mark in ("imported ", "" if type_name != "intake" else "amended "):
            wanted = {str(value) for value in texts_of(codebook, type_name, mark).values()}
            assert wanted - shown <= {canary("amended intake notes"), canary("amended intake relatives")}


def test_a_refused_write_leaves_no_canary(org: Organisation) -> None:
    """What was refused never reached the database or a temporary file beside it."""
    for _, attempt in _bad(org):
        with pytest.raises(VaultError):
            attempt()
    assert scan([org.directory]) == []
    org.close()
    assert scan([org.directory]) == []


def test_founding_leaves_no_canary(tmp_path: Path) -> None:
    """The organisation's name and root's passphrase are neither in the vault nor on the shares."""
    found(
        tmp_path / "vault",
        org=canary("organisation"),
        passphrase=canary("passphrase"),
        threshold=2,
        shares=3,
        shares_dir=tmp_path / "shares",
        environment=environment_of("founding"),
        cost=COST,
    )
    assert scan([tmp_path]) == []


# -- in reprs ----------------------------------------------------------------------------------------------------------


def test_no_answer_shows_a_canary_in_its_repr(org: Organisation) -> None:
    """`repr` and `str` of whatever the services answer hold no recorded value, name or passphrase."""
    for name, answer in _steps(org):
        assert not text_holds_canary(repr(answer) + str(answer)), name
        assert not text_holds_canary(repr([answer])), name


def test_what_is_passed_around_inside_shows_nothing(org: Organisation) -> None:
    """Keyring, vault, casework, drafts, prepared answers, lines, cards: handing them to a logger is harmless."""
    codebook, day = org.vault.codebook, org.clock.day
    name = org.case(org.field_1, **texts_of(codebook, "intake"))
    work = org.work(org.field_1)
    case = work.case(name)
    prepared = prepare(codebook, "intake", texts_of(codebook, "intake"), today=day)
    keys = CaseKeys.draw(org.environment.random, case.pseudonym)
    draft = draft_opening(desk_of(work), keys, prepared)
    line = parse_line(b'{"case": "%s", "type": "intake"}' % canary("label").encode(), 1)
    cards = [parse_share(path.read_bytes()) for path in sorted(org.shares_dir.iterdir())]
    things = (
        *(org.vault, org.keys, work, case, prepared, keys, draft, line, desk_of(work)),
        *(work.records(case, [case.place]), work.current, work.identity_segments(case), work.entry(case, case.place)),
        *(draft.parts, draft.wraps, org.vault.roster, org.vault.signer(org.field_1), cards),
    )
    for thing in things:
        assert not text_holds_canary(repr(thing)), type(thing).__name__
    assert all(card.words.split()[0] not in repr(card) for card in cards)
    for secret in (org.field_1.signing_seed, keys.case_key, case.token, org.field_1.compartment.key):
        assert not any(repr(secret)[2:-1] in repr(thing) or secret.hex() in repr(thing) for thing in things)


def _leaking(run: Callable[[], object]) -> set[str]:
    """Runs something and looks at every dataclass of ours that is a local variable when a function of ours returns:
    the names of the classes whose `repr` holds a canary."""
    leaking: set[str] = set()
    looked: dict[str, int] = {}

    def look(frame: FrameType, event: str, _: object) -> None:
        if event != "return" or not str(frame.f_globals.get("__name__", "")).startswith("vault."):
            return
        for value in list(frame.f_locals.values()):
            kind = type(value)
            name = kind.__qualname__
            ours = kind.__module__.startswith("vault.") and dataclasses.is_dataclass(kind)
            if ours and name not in leaking and looked.setdefault(name, 0) < 30 and kind is not Codebook:
                looked[name] += 1
                if text_holds_canary(repr(value)):
                    leaking.add(name)

    sys.setprofile(look)
    try:
        run()
    finally:
        sys.setprofile(None)
    assert len(looked) > 15, "negative control: the pipeline was seen"
    return leaking


def test_no_dataclass_on_the_way_shows_a_canary(org: Organisation) -> None:
    """Whatever dataclass a recorded text passes through, a traceback with locals would not print it."""
    assert _leaking(lambda: list(_steps(org))) <= KNOWN_REPRS


def test_a_case_payload_shows_nothing() -> None:
    """What a case part holds does not show."""
    assert not text_holds_canary(repr(CasePayload(type="intake", values={"notes": canary("notes")})))


def test_a_checked_line_does_not_show_its_label() -> None:
    """A label may be a name; the line's number is enough to find it."""
    prepared = Prepared(type="intake", identity={}, case={}, tally={})
    assert not text_holds_canary(repr(_Line(number=1, label=canary("label"), prepared=prepared, opens=True)))


# -- in exceptions -----------------------------------------------------------------------------------------------------


def _bad(org: Organisation) -> Iterator[tuple[str, Callable[[], object]]]:
    """Calls that must be refused, each with canaries in what it is given."""
    vault, me, text = org.vault, org.field_1, canary("bad")
    name = org.case(me, notes="x")
    codebook = vault.codebook
    for type_name, kind in codebook.types.items():
        case = None if kind.opens_case else name
        for variable in kind.variables:
            given = text if variable.type is not VariableType.TEXT else text + "\x00"
            answers = {**REQUIRED.get(type_name, {}), variable.name: given}
            yield (
                f"{type_name} {variable.name}",
                partial(record, vault, me, type_name, case, answers),
            )
    for title, value in {
        "too long": text * 200,
        "surrogate": text + "\ud800",
        "hidden": text + "\u200b",
        "marks": text + "a" + "\u0301" * 40,
        "private": text + "\ue000",
        "a list": [text],
        "a dict": {text: text},
        "bytes": text.encode(),
    }.items():
        yield title, partial(open_case, vault, me, {"name": value})
    yield "unknown variable", lambda: open_case(vault, me, {text: "x"})
    yield "unknown variable with a value", lambda: open_case(vault, me, {"no_such": text})
    yield "unknown type", lambda: record(vault, me, text, name, {})
    yield "unknown case", lambda: record(vault, me, "journey", text, {"event": "arrival"})
    yield "show", lambda: show_case(vault, me, text)
    yield "close", lambda: close_case(vault, me, text)
    yield "reveal", lambda: reveal(vault, me, text, text)
    yield "reason", lambda: reveal(vault, me, name, text + "\x00")
    yield "entry", lambda: amend(vault, me, text, {"notes": text})
    yield "entry number", lambda: amend(vault, me, "99", {"notes": text})
    yield "amendment", lambda: amend(vault, me, "1", {"sex": text, "birth_date": text, text: text})
    yield "wrong passphrase", lambda: unlock(vault, "field-1", text)
    yield "wrong key", lambda: unlock(vault, "field-1", PASSPHRASES["field-2"])
    yield "table", lambda: export_table(vault, org.director, text)
    yield "handle", lambda: add_member(vault, org.root, handle=text, role=Role.HUB, passphrase=text, cost=COST)
    yield (
        "new passphrase",
        lambda: add_member(vault, org.root, handle="hub-9", role=Role.HUB, passphrase=text + "\n", cost=COST),
    )
    yield "role", lambda: open_case(vault, org.director, {"name": text})
    raw = text.encode()
    for title, line in {
        "no JSON": raw,
        "open string": b'{"case": "' + raw,
        "a control in a string": b'{"case": "a", "type": "intake", "notes": "' + raw + b'\x01"}',
        "a bad escape": b'{"case": "a", "type": "intake", "notes": "\\q' + raw + b'"}',
        "a bare word": b'{"case": ' + raw + b"}",
        "after the object": b'{"case": "a", "type": "intake"}' + raw,
        "not UTF-8": raw + b"\xff",
        "a type": b'{"case": "a", "type": "' + raw + b'"}',
        "a key": b'{"case": "a", "type": "intake", "' + raw + b'": 1}',
        "a key twice": b'{"case": "a", "type": "intake", "' + raw + b'": 1, "' + raw + b'": 2}',
        "a code": b'{"case": "' + raw + b'", "type": "intake", "sex": "' + raw + b'"}',
        "a label twice": b'{"case": "%s", "type": "intake"}\n{"case": "%s", "type": "intake"}' % (raw, raw),
        "a label of nobody": b'{"case": "' + raw + b'", "type": "journey", "event": "arrival"}',
    }.items():
        yield f"import {title}", partial(_bring_in, org, line)


def _bring_in(org: Organisation, line: bytes) -> object:
    return import_file(org.vault, org.field_1, org.lines(line))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that would be printed with it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _frames(trace: TracebackType | None) -> Iterator[FrameType]:
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def test_no_exception_carries_what_it_was_given(org: Organisation) -> None:
    """Message, hint, problems, repr, the printed traceback with its causes, and the repr of every object of ours in the
    frames that a traceback with locals would show: no canary."""
    count = 0
    for title, attempt in _bad(org):
        with pytest.raises(VaultError) as caught:
            attempt()
        count += 1
        error = caught.value
        for each in _chain(error):
            told = [str(each), repr(each), repr(each.args), repr(vars(each))]
            assert not any(map(text_holds_canary, told)), title
            for frame in _frames(each.__traceback__):
                for value in frame.f_locals.values():
                    if type(value).__module__.startswith("vault.") and type(value).__name__ not in KNOWN_REPRS:
                        assert not text_holds_canary(repr(value)), f"{title}: {type(value).__name__}"
        printed = "".join(traceback.format_exception(error))
        assert not text_holds_canary(printed), title
        assert text_holds_canary("".join(_with_locals(error))), f"{title}: negative control: it was given a canary"
    assert count > 80


def _with_locals(error: BaseException) -> list[str]:
    """The traceback with the locals of every frame, the test's own among them."""
    return list(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_holding_is_what_the_assertions_ask() -> None:
    """Negative control for the helpers above: a message with a canary is noticed, also in a cause."""
    error = ValueError("harmless")
    error.__cause__ = KeyError(canary("key"))
    told = [str(each) for each in _chain(error)]
    assert [text_holds_canary(text) for text in told] == [False, True]
    assert holds_canary(canary("x").encode())
    assert not holds_canary(b"nothing of the kind")
