"""Codebooks: the shipped one is the design's table, and every mistake in another is named with its place and line."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from vault.errors import InputRefused, Problem, UsageError
from vault.formats import codebook as module
from vault.formats.codebook import Code, Codebook, VariableType, age_bands, in_language, parse_codebook
from vault.model import Layer
from vault.primitives.hashing import sha256

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors" / "codebook"
BASE = (VECTORS / "good" / "base.toml").read_bytes()
SHIPPED = (ROOT / "vault" / "codebooks" / "rescue.toml").read_bytes()
BAD = {path.stem: path.read_bytes() for path in sorted((VECTORS / "bad").glob("*.toml"))}

# Name of the file: line, place and the beginning of the first mistake's message.
DEFECTS: dict[str, tuple[int, str | None, str]] = {
    "age-codes-not-ages": (36, "start.age", "derive: age codes look like 0-4"),
    "age-codes-with-gap": (36, "start.age", "derive: age codes must cover"),
    "age-codes-without-end": (36, "start.age", "derive: age codes must cover"),
    "byte-order-mark": (1, None, "starts with a byte order mark;"),
    "coarsen-of-another-type": (50, "start.party", 'coarsen: is "quarter" for a date'),
    "coarsen-outside-tally": (23, "start.name", 'coarsen: is "quarter" for a date'),
    "code-variable-names-unknown-codes": (85, "stay.agreed", "codes: names a list of codes that"),
    "code-variable-without-codes": (82, "stay.agreed", "a code variable needs `codes`"),
    "code-with-space": (6, "codes.yes_no", "a code must be letters, digits, -"),
    "code-without-label": (8, "codes.yes_no", "no: needs a text in English: { en"),
    "codes-empty": (16, "codes.none", "has no codes"),
    "codes-not-a-table": (17, "codes", "worse: must be a table"),
    "codes-on-a-text": (23, "start.name", "codes: is for code variables only"),
    "derive-extra-key": (79, "stay.period", 'derive: must be { rule = "...",'),
    "derive-from-tally-date": (79, "stay.period", "derive: a date that is a source"),
    "derive-from-unknown-variable": (36, "start.age", "derive: names a variable that"),
    "derive-minor-without-yes": (43, "start.minor", "derive: minor gives the codes yes"),
    "derive-outside-tally": (62, "stay.check_out", "derive: quarter gives a tally"),
    "derive-too-few-sources": (71, "stay.nights", "derive: nights takes 2 variables"),
    "derive-unknown-rule": (79, "stay.period", "derive: must have a list of"),
    "derive-wrong-source-type": (36, "start.age", "derive: age_group takes 1 or 2"),
    "dotted-key-of-many-parts": (89, None, "has a key of too many dotted parts"),
    "empty": (0, None, "format: must be 1; another"),
    "format-missing": (0, None, "format: must be 1; another"),
    "format-newer": (1, None, "format: must be 1; another"),
    "format-true": (1, None, "format: must be 1; another"),
    "label-empty": (54, "stay", "label: has an empty text"),
    "label-missing": (53, "stay", "label: needs a text in English: {"),
    "label-not-text": (54, "stay", "label: must hold texts only"),
    "label-of-unlisted-language": (54, "stay", "label: has a language that"),
    "label-with-bidi": (54, "stay", "label: contains U+202E"),
    "label-with-escape": (54, "stay", "label: contains U+001B (a control"),
    "label-without-english": (54, "stay", "label: needs a text in English: {"),
    "languages-twice": (4, None, "languages: is needed: a list of"),
    "languages-without-english": (4, None, "languages: is needed: a list of"),
    "minimum-above-maximum": (69, "stay.nights", "minimum: is above the maximum"),
    "minimum-negative": (69, "stay.nights", "minimum: must be a whole number"),
    "minimum-on-a-text": (23, "start.name", "minimum: is for integer variables"),
    "missing-not-a-code": (43, "start.minor", "missing: is not one of the"),
    "missing-on-a-required": (87, "stay.agreed", "missing: a required variable is"),
    "missing-outside-tally": (23, "start.name", "missing: is for codes and periods"),
    "missing-period-a-number": (78, "stay.period", "missing: must be a word"),
    "multiline-on-a-date": (29, "start.born", "multiline: is for text variables"),
    "name-capital": (2, None, "name: is needed: lowercase"),
    "name-missing": (0, None, "name: is needed: lowercase"),
    "nested-too-deeply": (0, None, "cannot be read: nested too"),
    "no-type-opens-a-case": (0, "types", "exactly one type must have"),
    "not-utf-8": (7, None, "is not UTF-8"),
    "number-too-long": (0, None, "cannot be read: nested too"),
    "opens-case-not-boolean": (54, "stay", "opens_case: must be true or false"),
    "required-not-boolean": (86, "stay.agreed", "required: must be true or false"),
    "tally-date-without-coarsen": (74, "stay.period", "a tally variable of type date"),
    "tally-integer-without-maximum": (66, "stay.nights", "a tally integer needs a maximum"),
    "tally-text-without-coarsen": (47, "start.party", "a tally variable of type text"),
    "toml-duplicate-key": (29, None, "is not TOML"),
    "toml-duplicate-variable": (61, None, "is not TOML"),
    "toml-syntax": (28, None, "is not TOML"),
    "toml-unfinished": (87, None, "is not TOML"),
    "two-types-open-a-case": (0, "types", "exactly one type must have"),
    "type-name-capital": (56, "types", "Other: a type's name must be"),
    "type-unknown-key": (54, "stay", "colour: unknown key; allowed are"),
    "type-without-variables": (53, "other", "has no variables"),
    "unknown-top-key": (4, None, "colour: unknown key; allowed are"),
    "variable-layer-missing": (56, "stay.check_in", "layer: must be one of: identity,"),
    "variable-layer-wrong": (57, "stay.check_in", "layer: must be one of: identity,"),
    "variable-name-capital": (47, "start", "Party: a variable's name must be"),
    "variable-name-reserved": (47, "start", "case: a variable's name must be"),
    "variable-type-wrong": (68, "stay.nights", "type: must be one of: code, date,"),
    "variable-unknown-key": (24, "start.name", "colour: unknown key; allowed are"),
    "version-text": (3, None, "version: must be a whole number"),
    "version-zero": (3, None, "version: is needed: a whole"),
}

# The design's table (section 6), and `date` on intake (decision 0003).
TABLE = {
    "intake": (
        "name other_names birth_date contact relatives",
        "date language health risks referred_by notes",
        "party sex age_group minor born_in_china travelled_with_family trafficked consent_statistics",
    ),
    "journey": ("", "leg origin destination route transport guide notes date", "event country period"),
    "shelter": ("", "shelter check_in check_out needs notes", "country period nights"),
    "service": ("", "provider amount notes date", "programme purpose period"),
    "outcome": ("", "notes date", "status period destination pathway reunited_with_family"),
}
CODES = {
    "intake.sex": "female male unknown",
    "intake.age_group": "0-4 5-11 12-17 18-59 60+ unknown",
    "intake.trafficked": "yes no unknown not_asked declined",
    "journey.event": ("departure border_crossing transit handover checkpoint detention release forced_return arrival"),
    "outcome.status": (
        "in_hiding in_transit in_shelter detained reached_freedom resettled returned deceased lost_contact closed"
    ),
    "outcome.pathway": "refugee humanitarian_parole sponsorship other",
    "service.programme": (
        "resettlement_support relief_grant care_package english scholarship mentorship entrepreneurship mental_health "
        "wellbeing advice youth outreach advocacy"
    ),
    "service.purpose": "wage_loss tuition business none",
}


def shipped() -> Codebook:
    """The codebook that comes with the program."""
    return parse_codebook(SHIPPED)


def refused(raw: bytes) -> tuple[Problem, ...]:
    """The problems of a codebook that must be refused."""
    with pytest.raises(InputRefused) as caught:
        parse_codebook(raw)
    return caught.value.problems


def test_the_shipped_variables_are_the_designs() -> None:
    """Every type has exactly the variables of the design's table, each in its layer."""
    found = {
        name: tuple({v.name for v in record_type.variables if v.layer is layer} for layer in Layer)
        for name, record_type in shipped().types.items()
    }
    assert found == {name: tuple(set(layer.split()) for layer in layers) for name, layers in TABLE.items()}


@pytest.mark.parametrize("place", CODES)
def test_the_shipped_codes_are_the_designs(place: str) -> None:
    """The code lists are the design's, in its order."""
    type_name, name = place.split(".")
    assert [code.code for code in shipped().type(type_name).variable(name).codes] == CODES[place].split()


def test_the_shipped_countries_are_iso_3166() -> None:
    """Country and destination take all 249 two-letter codes and `unknown`."""
    for type_name, name in (("journey", "country"), ("shelter", "country"), ("outcome", "destination")):
        codes = [code.code for code in shipped().type(type_name).variable(name).codes]
        assert codes[0] == "KP"
        assert codes[-1] == "unknown"
        assert len(set(codes)) == len(codes) == 250
        assert all(re.fullmatch("[A-Z]{2}", code) for code in codes[:-1])


def test_the_shipped_required_and_missing_codes() -> None:
    """Three variables are required; what is missing has the code that the disclosure layer counts with."""
    variables = {f"{t.name}.{v.name}": v for t in shipped().types.values() for v in t.variables}
    assert {place for place, v in variables.items() if v.required} == {
        "journey.event",
        "service.programme",
        "outcome.status",
    }
    missing = {place: v.missing for place, v in variables.items() if v.layer is Layer.TALLY}
    for place in ("trafficked", "minor", "born_in_china", "travelled_with_family", "consent_statistics"):
        assert missing[f"intake.{place}"] == "not_asked"
    assert missing["outcome.reunited_with_family"] == "not_asked"
    assert missing["service.purpose"] == "none"
    assert missing["outcome.pathway"] is None
    for place in ("intake.sex", "intake.age_group", "journey.country", "outcome.destination", "shelter.period"):
        assert missing[place] == "unknown"
    assert (variables["shelter.nights"].minimum, variables["shelter.nights"].maximum) == (0, 3660)


def test_everything_shipped_is_labelled_in_english_and_korean() -> None:
    """Types, variables and codes have labels in both languages, the Korean ones in Hangul; help texts come in both."""
    hangul = re.compile("[\uac00-\ud7a3]")
    for record_type in shipped().types.values():
        for labels in (record_type.labels, record_type.help):
            assert hangul.search(labels["ko"])
        for variable in record_type.variables:
            assert set(variable.labels) == {"en", "ko"}
            assert hangul.search(variable.labels["ko"])
            assert not hangul.search(variable.labels["en"])
            assert set(variable.help) in ({"en", "ko"}, set())
            assert all(set(code.labels) == {"en", "ko"} for code in variable.codes)


def test_exactly_one_shipped_type_opens_a_case() -> None:
    """Intake opens a case."""
    assert shipped().opening.name == "intake"


def test_a_codebook_is_its_bytes() -> None:
    """The digest is the SHA-256 of the file, and equality is equality of digests."""
    assert shipped().digest == sha256(SHIPPED)
    assert shipped() == shipped()
    assert hash(shipped()) == hash(shipped())
    assert shipped() != parse_codebook(SHIPPED + b"\n")


def test_the_base_of_the_vectors_is_accepted() -> None:
    """Negative control: the file that the defects are made from has none."""
    book = parse_codebook(BASE)
    assert (book.name, book.version, book.languages) == ("small", 1, ("en", "ko"))
    nights = book.type("stay").variable("nights")
    assert nights.type is VariableType.INTEGER
    assert nights.derive is not None
    assert nights.derive.sources == ("check_in", "check_out")


def test_every_defect_has_its_expectation() -> None:
    """No file of the vectors is left unread."""
    assert set(BAD) == set(DEFECTS)
    assert len(BAD) > 60


@pytest.mark.parametrize("name", BAD)
def test_a_defect_is_named_with_its_place_and_line(name: str) -> None:
    """Each defect is refused for itself: first line, place, reason; nothing else is blamed."""
    problems = refused(BAD[name])
    line, place, message = DEFECTS[name]
    assert (problems[0].line, problems[0].variable) == (line, place)
    assert problems[0].message.startswith(message)
    assert len(problems) == 1 or name.startswith("age-codes")


def test_all_mistakes_are_listed_at_once() -> None:
    """Several mistakes are reported together, in the order of their lines."""
    raw = BASE.replace(b"version = 1", b"version = 0").replace(b"maximum = 99", b"maximum = -1")
    problems = refused(raw.replace(b"required = true", b"required = 7"))
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    assert {problem.variable for problem in problems} == {None, "stay.nights", "stay.agreed"}


def test_a_file_above_the_limit_is_refused_unread() -> None:
    """256 KiB is the limit, to the byte."""
    filler = BASE + b"#" * (module.LIMIT_BYTES - len(BASE))
    assert parse_codebook(filler).name == "small"
    assert "256 KiB" in refused(filler + b"#")[0].message


def test_a_key_of_a_hundred_thousand_parts_is_refused_at_once() -> None:
    """tomllib would take a minute over this key."""
    started = time.perf_counter()
    assert "dotted" in refused(b"a." * 100_000 + b"a = 1")[0].message
    assert "dotted" in refused(b"a = {" + b'"a" . ' * 40_000 + b"a = 1}")[0].message
    assert time.perf_counter() - started < 5


@given(st.binary(max_size=200) | st.text(alphabet='[]{}="\n.ab1#\\é', max_size=80).map(str.encode))
def test_arbitrary_bytes_are_refused_and_nothing_worse(raw: bytes) -> None:
    """Whatever the bytes are, the only failure is InputRefused."""
    assert refused(raw)


@given(st.integers(0, len(BASE) - 1), st.integers(0, 255))
def test_a_changed_byte_is_accepted_or_refused(at: int, byte: int) -> None:
    """One changed byte gives a codebook or a refusal, never another failure."""
    raw = BASE[:at] + bytes([byte]) + BASE[at + 1 :]
    try:
        found = parse_codebook(raw)
    except InputRefused:
        return
    assert found.digest == sha256(raw)


def test_names_that_do_not_exist() -> None:
    """Asking for an unknown type or variable is a UsageError, not a KeyError."""
    with pytest.raises(UsageError):
        shipped().type("intakes")
    with pytest.raises(UsageError):
        shipped().type("intake").variable("nam")


def test_labels_fall_back_to_english() -> None:
    """A language without a text gives the English one; no text at all gives an empty one."""
    assert in_language({"en": "Yes", "ko": "예"}, "ko") == "예"
    assert in_language({"en": "Yes"}, "ko") == "Yes"
    assert in_language({}, "ko") == ""


def test_age_bands_are_read_from_codes() -> None:
    """Bands include both ends; the missing code is none of them."""
    codes = tuple(Code(code=code, labels={}) for code in ("0-17", "18+", "unknown"))
    assert [(band.first, band.last) for band in age_bands(codes, "unknown")] == [(0, 17), (18, None)]
    with pytest.raises(UsageError):
        age_bands(codes, None)
