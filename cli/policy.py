"""`policy show` and `policy tighten`, and the options by which `export` and `init` take a stricter policy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.failures import Written
from cli.options import Group, Settings, dry_run_option, pass_settings
from cli.session import confirmed, opened, unlocked, whom_to_tell
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault import Policy, PolicyEntry

F = TypeVar("F", bound=Callable[..., Any])

MEANINGS = {
    "people": "a figure counts at least so many people, and leaves out at least so many",
    "parties": "of at least so many travel parties, none of them more than half",
    "base": "figures are rounded at random to multiples of it",
    "percent_base": "percentages only over printed figures of at least so many",
    "embargo": "a year counts as over so many whole months after its end",
    "coarser": "so many of the finest recodes of each variable are not used",
    "erase_approvals": "so many members beside its owner must approve that a case is erased: 1, or 0 for nobody",
}
"""What each value of a policy means, in one line."""
NOT_OF_TOTALS = frozenset({"erase_approvals"})
_METAVARS = {"embargo": "MONTHS"}


def policy_options(function: F) -> F:
    """`--people`, `--parties` and so on: what was given of them arrives as one mapping, `rules`."""
    return _options(function, tuple(MEANINGS))


def totals_options(function: F) -> F:
    """Those of them that an export may ask for more of."""
    return _options(function, tuple(name for name in MEANINGS if name not in NOT_OF_TOTALS))


def _options(function: F, names: tuple[str, ...]) -> F:

    @functools.wraps(function)
    def collecting(*given: Any, **named: Any) -> Any:
        rules = {name: value for name in names if (value := named.pop(name)) is not None}
        return function(*given, rules=rules, **named)

    found: Any = collecting
    for name in reversed(names):
        option = click.option(
            f"--{name.replace('_', '-')}",
            name,
            type=click.IntRange(min=0),
            metavar=_METAVARS.get(name, "N"),
            help=f"Policy: {MEANINGS[name]}.",
        )
        found = option(found)
    decorated: F = found
    return decorated


def values_of(policy: Policy) -> dict[str, int]:
    """A policy by its names, in the order of MEANINGS."""
    return {name: getattr(policy, name) for name in MEANINGS}


def _row(name: str, value: int) -> tuple[str, str, str]:
    return name.replace("_", "-"), str(value), MEANINGS[name]


@click.group(cls=Group)
def policy() -> None:
    """Show the disclosure policy that root signed; sign a stricter one."""


@policy.command("show")
@pass_settings
def show(settings: Settings) -> None:
    """Show the policy in force: its numbers, since which entry of the roster, and what was before.

    Takes no key: the policy is public, and every release names what it was printed under.
    """
    import vault

    with opened(settings) as found:
        history = vault.policy_history(found)
    terminal, now = settings.terminal, history[-1]
    terminal.table(("policy", "value", "meaning"), [_row(*item) for item in values_of(now.policy).items()])
    terminal.data(f"signed by root in entry {now.seq} of {now.origin}, {now.day}")
    for entry in history[1:]:
        terminal.data(f"entry {entry.seq}, {entry.day}: {entry.changed or 'nothing changed'}")
    terminal.result(
        {
            "policy": values_of(now.policy),
            "meaning": dict(MEANINGS),
            "signed_by": "root",
            "origin": now.origin,
            "entry": now.seq,
            "day": now.day,
            "history": [_entry(entry) for entry in history],
        }
    )


def _entry(entry: PolicyEntry) -> dict[str, object]:
    return {"entry": entry.seq, "day": entry.day, "policy": values_of(entry.policy), "changed": entry.changed}


@policy.command("tighten")
@policy_options
@click.option("--loosen", is_flag=True, help="Let values become looser too, down to the least that is allowed.")
@dry_run_option
@pass_settings
def tighten(settings: Settings, rules: dict[str, int], loosen: bool, dry_run: bool) -> None:
    """Sign a stricter policy into the roster, as root.

    It holds for whatever is printed from now on; what was printed stays as it is. A value that is looser than the one
    in force is refused without --loosen, and every change shows in each audit. Exports of other laptops use it once
    they have imported a bundle from here.
    """
    import vault

    if not rules:
        raise UsageError(f"name at least one value: {', '.join('--' + name.replace('_', '-') for name in MEANINGS)}")
    with opened(settings) as found:
        root = unlocked(settings, found, "root")
        change = vault.change_policy(found, root, rules, loosen=loosen, dry_run=True)
        settings.terminal.data(f"changes: {change.changed}")
        if not dry_run:
            question = "Sign this policy? Everybody who audits will see the change."
            confirmed(settings, question, otherwise="a policy is signed for everybody, and needs a yes")
            change = vault.change_policy(found, root, rules, loosen=loosen)
        told = whom_to_tell(found)
    terminal = settings.terminal
    if dry_run:
        terminal.rehearsed()
    else:
        Written.mark()
        terminal.talk(f"Sealed as entry {change.seq} of the roster: {change.changed}. Saved.")
        following = f"bundle create --to {told}" if told else "policy show"
        terminal.talk(f"Next: {settings.line(following, acting=False)}")
    terminal.result(
        {
            "before": values_of(change.before),
            "policy": values_of(change.after),
            "changed": change.changed,
            "origin": change.origin,
            "entry": change.seq,
            "dry_run": dry_run,
        }
    )
