"""The whole story, as commands: founded at headquarters, recorded in the south, carried on a stick, handed over,
counted, audited, erased, recovered. Every name, note, label and passphrase in it is a canary.

To put a command in: add it to a chapter, or a chapter to CHAPTERS. `told` keeps what later chapters need.
Every command of the program has to be in the story, or in LEFT_OUT with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Unpack

from tests.canary_scanner import text_holds_canary
from tests.footprint.watching import ROOT, How, World
from tests.organisation import canary
from tests.test_canaries import texts_of
from vault.formats.codebook import parse_codebook

LEFT_OUT = {
    "demo": "the library's own story, of people who are made up",
    "shell": "needs a terminal: tests/cli/test_shell.py looks at what it leaves",
    "journal recover": "is done by tests/cli/test_two_laptops.py: needs a laptop that was restored from a backup",
}
PEOPLE = 24


class Story:
    """What happens in one world. `told` is what an earlier chapter learnt for a later one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: dict[str, str] = {}
        self.codebook = parse_codebook((ROOT / "vault/codebooks/rescue.toml").read_bytes())

    def hq(self, key: str, *words: str, **how: Unpack[How]) -> dict[str, Any]:
        """A command at headquarters."""
        return self.world("hq", *words, key=key, **how)

    def south(self, *words: str, **how: Unpack[How]) -> dict[str, Any]:
        """A command of the recorder in the south."""
        return self.world("south", *words, key="field-1", **how)

    def file(self, name: str) -> str:
        """A file on the stick."""
        return str(self.world.stick / name)

    def answers(self, kind: str) -> str:
        """A private file with a canary in every text of a record type."""
        return self.world.secret(f"{kind}.json", json.dumps(texts_of(self.codebook, kind), ensure_ascii=False))

    def carry(self, name: str, *, full: bool = False) -> None:
        """A bundle from the south to headquarters' hub, and what the hub has for the south back."""
        self.one_way(f"{name}-out", "south", "field-1", "hub-1", full=full)
        self.one_way(f"{name}-back", "hq", "hub-1", "field-1", full=full)

    def one_way(self, name: str, laptop: str, giver: str, taker: str, *, full: bool = False) -> None:
        """A bundle from one member to another, on the other laptop."""
        path, other = self.file(f"{name}.fvb"), "hq" if laptop == "south" else "south"
        more = ["--full"] if full else []
        self.world(laptop, "bundle", "create", "--to", taker, "-o", path, *more, key=giver, out=[path])
        self.world(other, "bundle", "import", path, key=taker)


def founded(s: Story) -> None:
    """Root, a hub, a director and a recorder at headquarters; a recorder in the south, over the stick."""
    w, shares, cards = s.world, s.file("shares"), s.file("cards.html")
    root = ["--passphrase-file", w.passphrase("root")]
    init = ["init", "--org", canary("organisation"), *root, "--shares-dir", shares, "--cards", cards]
    w("hq", *init, "--dry-run")
    w("hq", *init, out=[shares, cards])
    for handle, role in (("hub-1", "hub"), ("hq-1", "director"), ("field-2", "recorder"), ("audit-1", "auditor")):
        s.hq("root", "member", "add", handle, "--role", role, "--new-passphrase-file", w.passphrase(handle))
    asked, answer = s.file("request.fvb"), s.file("answer.fvb")
    new = ["--new-passphrase-file", w.passphrase("field-1")]
    words = w("south", "member", "request", "field-1", "--role", "recorder", "-o", asked, *new, out=[asked])
    approve = ["member", "approve", asked, "-o", answer, "--fingerprint", words["fingerprint"]]
    told = s.hq("root", *approve, out=[answer])
    s.south("member", "join", answer, "--fingerprint", told["vault_fingerprint"])
    w("south", "member", "list")
    w("south", "bundle", "inspect", asked)


def recorded(s: Story) -> None:
    """A case with a canary in every text, a whole file of lines, a correction; shown, found, revealed."""
    w = s.world
    case = str(s.south("case", "open", "--set-from", s.answers("intake"))["pseudonym"])
    s.told["case"] = case
    for kind in sorted(set(s.codebook.types) - {"intake"}):
        s.south("record", kind, case, "--set-from", s.answers(kind))
    lines = [{"case": canary("label"), "type": kind, **texts_of(s.codebook, kind)} for kind in s.codebook.types]
    for number in range(PEOPLE):
        person = {"case": f"p{number}", "party": f"t{number}", "consent_statistics": "yes", "sex": "female"}
        lines.append({"type": "intake", **person, "name": canary(f"name {number}"), "age_group": "18-59"})
        lines.append({"case": f"p{number}", "type": "outcome", "status": "reached_freedom", "date": "2020-03"})
    path = w.secret("people.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    s.south("import", path, "--dry-run")
    imported = s.south("import", path, shows=True)["cases"]
    s.told["other"], s.told["third"] = imported["p0"], imported["p1"]
    correction = w.secret("correction.json", json.dumps({"notes": canary("corrected"), "name": canary("new name")}))
    s.south("amend", "1", "--set-from", correction)
    s.south("case", "list")
    shown = s.south("case", "show", case, shows=True)
    assert text_holds_canary(json.dumps(shown, ensure_ascii=False)), "the scanner sees what is there to be seen"
    s.south("case", "find", "-", stdin=canary("new name") + "\n")
    s.south("case", "close", s.told["third"])
    s.south("reveal", case, "--reason", "hospital", "--dry-run")
    s.south("reveal", case, "--reason", "hospital", shows=True)


def refused(s: Story) -> None:
    """Wrong passphrases, wrong lines, wrong files: they leave as little."""
    w = s.world
    wrong = w.secret("wrong", canary("a wrong passphrase"))
    w("south", "case", "list", "--as", "field-1", "--passphrase-file", wrong, code=12)
    w("south", "import", w.secret("bad.jsonl", json.dumps({"case": canary("x"), "type": "intake", "sex": canary("y")})),
      key="field-1", code=2)  # fmt: skip
    w("south", "bundle", "import", wrong, key="field-1", code=13)
    s.hq("hq-1", "case", "list", code=31)
    w("nowhere", "status", code=10)


def carried(s: Story) -> None:
    """To the hub and back; to the director; the keyless commands on what came."""
    s.carry("first")
    for laptop in ("hq", "south"):
        s.world(laptop, "status")
        s.world(laptop, "doctor")
        s.world(laptop, "journal", "list")
        s.world(laptop, "audit", "verify")
        s.world(laptop, "audit", "conduct")
        s.world(laptop, "audit", "heads")
    s.world("hq", "tables")
    s.world("hq", "codebook", "show")
    s.world("hq", "policy", "show")
    s.world("hq", "codebook", "check", str(ROOT / "vault/codebooks/rescue.toml"))


def handed(s: Story) -> None:
    """Two cases are offered, one is accepted and one declined; help with a third is asked for, given and ended."""
    one, two = s.told["other"], s.told["third"]
    s.south("transfer", "offer", one, "--to", "field-2", "--note", "call first")
    s.south("transfer", "offer", two, "--to", "field-2")
    s.south("referral", "offer", s.told["case"], "--to", "field-2")
    s.carry("offers")
    s.one_way("offers-2", "south", "field-1", "field-2", full=True)
    s.hq("field-2", "transfer", "list")
    s.hq("field-2", "transfer", "accept", one)
    s.hq("field-2", "transfer", "reject", two, "--reason", "too far")
    s.hq("field-2", "referral", "list")
    s.hq("field-2", "referral", "accept", s.told["case"])
    s.hq("field-2", "case", "show", s.told["case"], shows=True)
    s.hq("field-2", "referral", "end", s.told["case"])
    s.one_way("answers", "hq", "field-2", "field-1")
    s.carry("answers")
    s.south("transfer", "offer", two, "--to", "field-2")
    s.south("transfer", "revoke", two)
    s.south("referral", "offer", s.told["case"], "--to", "field-2", "--identity")
    s.carry("again")
    s.one_way("again-2", "south", "field-1", "field-2", full=True)
    s.hq("field-2", "referral", "reject", s.told["case"], "--reason", "too far")


def counted(s: Story) -> None:
    """A table or a refusal, in every format; a draft is checked; the policy is made stricter."""
    s.carry("counted")
    s.hq("hq-1", "export", "all_years", "--dry-run")
    for form in ("json", "csv", "md", "html"):
        out = s.file(f"table.{form}")
        s.hq("hq-1", "export", "all_years", "--format", form, "-o", out, out=[out])
    s.hq("hq-1", "export", "quotes")
    draft = s.world.secret("draft.md", "We reached 4711 people.\n")
    s.hq("hq-1", "export", "check-draft", draft, code=30)
    s.hq("root", "policy", "tighten", "--people", "20", "--yes")


def audited(s: Story) -> None:
    """Published, proven, verified and cosigned."""
    w, published, proof = s.world, s.file("published"), s.file("entry.tlog-proof")
    w("hq", "audit", "publish", published, out=[published])
    w("hq", "audit", "verify", "--published", published)
    w("hq", "audit", "prove", "field-1/1:1", "-o", proof, out=[proof])
    w("hq", "audit", "verify", "--proof", proof, "--policy", str(Path(published) / "policy"))
    s.hq("hub-1", "audit", "cosign")
    s.hq("audit-1", "audit", "cosign", "--published", published)


def erased(s: Story) -> None:
    """Planned in the south, approved at headquarters, run, and carried to the copies."""
    case, plan, approval, paper = s.told["case"], s.file("plan"), s.file("approval"), s.file("certificate")
    s.south("erase", case, "--reason", "withdrawn", "-o", plan, out=[plan])
    s.hq("hub-1", "erase", "approve", plan, "-o", approval, "--yes", out=[approval])
    run = ["erase", case, "--run", plan, "--approval", approval, "-o", paper, "--yes"]
    s.south(*run, "--dry-run")
    s.south(*run, out=[paper])
    s.carry("erased")
    s.south("erase", "--status")


def travelled(s: Story) -> None:
    """Armed, with headquarters as the trustee; added to, and not read; answered, and opened again."""
    w, asked, answer = s.world, s.file("trustee"), s.file("answer-to-travel")
    s.south("travel", "arm", "--to", "hub-1", "-o", asked, "--unsent", "--dry-run")
    words = s.south("travel", "arm", "--to", "hub-1", "-o", asked, "--unsent", "--yes", out=[asked])["words"]
    s.south("case", "open", "--set-from", s.answers("intake"))
    s.south("record", "journey", s.told["case"], "--set-from", s.answers("journey"))
    s.south("case", "show", s.told["case"], code=31)
    w("south", "status")
    s.one_way("armed", "south", "field-1", "hub-1")
    said = w.secret("words", f"{words}\n")
    s.hq("hub-1", "travel", "answer", asked, "-o", answer, "--words-file", said, "--yes", out=[answer])
    s.south("travel", "disarm", answer)
    s.south("case", "show", s.told["case"], shows=True)
    w("south", "audit", "verify")


def held_back(s: Story) -> None:
    """Headquarters holds erasures back, and a second member agrees that they go on."""
    agreed = s.file("agreement")
    hold = s.hq("hub-1", "erase", "hold", "field-1", "--reason", "order", "--yes")["hold"]
    s.world("hq", "erase", "holds")
    agree = ["erase", "lift", hold, "--agree", "hub-1", "-o", agreed, "--yes"]
    s.hq("hq-1", *agree, out=[agreed])
    s.hq("hub-1", "erase", "lift", hold, "--agreement", agreed, "--yes")


def renewed(s: Story) -> None:
    """Root appoints another recovery key; the recorder in the south compares its words and goes over to it; what the
    earlier key opened is deleted at headquarters."""
    shares = s.file("shares-3")
    split = ["recovery", "split", "--new-key", "--recovery-shares", "2of3", "--shares-dir", shares]
    s.hq("root", *split, "--yes", out=[shares])
    s.one_way("appointed", "hq", "hub-1", "field-1")
    words = s.south("journal", "renew", "--dry-run")["words"]
    s.south("journal", "renew", "--words", words)
    s.carry("renewed")
    s.hq("hub-1", "recovery", "forget", "field-1", "--dry-run")
    s.hq("hub-1", "recovery", "forget", "field-1", "--yes")


def recovered(s: Story) -> None:
    """The passphrase is changed; shares are proven and made anew; the recorder is lost, and another goes on."""
    w, shares, anew = s.world, sorted(Path(s.file("shares-3")).iterdir()), s.file("shares-2")
    given = [word for share in shares[:2] for word in ("--share", str(share))]
    w.secret("field-1.next", canary("another passphrase of field-1"))
    s.south("passphrase", "change", "--new-passphrase-file", str(w.private / "field-1.next"))
    w.secret("field-1.passphrase", canary("another passphrase of field-1"))
    s.south("case", "list", code=12)  # `passphrase` writes the old one into the file again
    w("hq", "recovery", "drill", *given)
    split = ["recovery", "split", *given, "--recovery-shares", "2of4", "--shares-dir", anew]
    s.hq("root", *split, "--cards", s.file("cards-2.html"), out=[anew, s.file("cards-2.html")])
    s.hq("root", "member", "revoke", "field-1", "--yes")
    restore = ["recovery", "restore", "field-1", "--to", "field-2", *given, "--reason", "lost", "--yes"]
    s.hq("hub-1", *restore, "--dry-run")
    s.hq("hub-1", *restore)
    s.hq("field-2", "recovery", "accept")
    s.hq("field-2", "case", "list")
    w("hq", "audit", "verify")


CHAPTERS: tuple[Callable[[Story], None], ...] = (
    founded,
    recorded,
    refused,
    carried,
    handed,
    counted,
    audited,
    travelled,
    held_back,
    erased,
    renewed,
    recovered,
)
FIRST = (founded, recorded, refused)
"""What is told in every test run; the whole story is a long one."""
