"""The same damage to a published directory before every verifier: what rejects it, what does not, and why not."""

from __future__ import annotations

import pytest

from tests.interop.logs import Case, Published
from tests.interop.mutations import MUTATIONS, expected
from tests.interop.tools import FOREIGN, OURS, verdicts

pytestmark = pytest.mark.interop


def test_every_verifier_accepts_what_nobody_changed(case: Case, published: Published) -> None:
    """The control: every mutation starts from a copy of this, and the original is compared when all are done."""
    assert {name: said for name, said in verdicts(case, published.policy).items() if said is not None} == {}


@pytest.mark.parametrize("name", MUTATIONS)
def test_who_rejects_it(case: Case, published: Published, name: str) -> None:
    """We do, for this and no other reason; and of the others each as the table has it, so that a change is noticed."""
    change, _, ours = MUTATIONS[name]
    change(case, published)
    said = verdicts(case, published.policy)
    wanted = expected(name)
    assert ours in (said[OURS] or "accepted")
    assert {tool: said[tool] is not None for tool in FOREIGN} == {tool: wanted[tool] == "R" for tool in FOREIGN}, said
