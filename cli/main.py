"""The entry point `fieldvault`: find the command, run it, turn whatever happens into output and an exit code.

Command modules load when they are needed, and they import the library inside their functions, so that help answers at
once: the table below is all that `fieldvault --help` knows about them.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from cli import failures, process, terminal
from cli.options import Command, Group

COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "demo": ("cli.demo:demo", "The whole story on synthetic people, one screen."),
        "init": ("cli.founding:init", "Found an organisation: its root key, roster and recovery shares."),
        "member": ("cli.members:member", "Enrol, list and revoke members, on this laptop and on others."),
        "passphrase": ("cli.repassphrase:passphrase", "Change the passphrase of your key on this laptop."),
        "travel": ("cli.travel:travel", "Arm this laptop: it adds records and opens nothing, until a trustee answers."),
        "recovery": ("cli.custody:recovery", "Prove and renew the custodians' shares; hand on a lost member's cases."),
        "status": ("cli.vault_info:status", "What is in this vault, and what is and is not protected now."),
        "doctor": ("cli.vault_info:doctor", "Is this machine fit for it?"),
        "shell": ("cli.shell:shell", "Unlock once and type commands; locks itself when nobody does."),
    },
    "Recorders": {
        "case": ("cli.cases:case", "Open, list, show, find and close your cases."),
        "record": ("cli.records:record", "Record an intake, journey, shelter, service or outcome."),
        "amend": ("cli.records:amend", "Correct an entry; the first version stays in the journal."),
        "import": ("cli.records:import_", "Record a whole file of lines, all or nothing."),
        "erase": ("cli.erasing:erase", "Erase a case: plan it, have it approved, delete it; a tombstone stays."),
        "reveal": ("cli.cases:reveal", "Show who a case is (identity layer); always logged."),
    },
    "Between laptops": {
        "transfer": ("cli.handing:transfer", "Pass a case to another recorder: offer, accept, reject, revoke, list."),
        "referral": ("cli.handing:referral", "Ask another recorder to help with a case that stays yours."),
        "bundle": ("cli.bundles:bundle", "Carry journals between laptops: one sealed file on a stick."),
        "journal": ("cli.vault_info:journal", "List the journals; begin the next epoch after a restore."),
    },
    "Directors": {
        "tables": ("cli.tables:tables", "List the tables that can be exported; check one of your own."),
        "export": ("cli.drafts:export", "Protect one table and enter its release in your journal; check a draft."),
        "policy": ("cli.policy:policy", "Show the disclosure policy that root signed; sign a stricter one."),
    },
    "Auditors": {
        "audit": ("cli.audit:audit", "Check every journal on this laptop, without any key."),
        "codebook": ("cli.vault_info:codebook", "Show the record types and variables; check a codebook file."),
    },
}  # fmt: skip

SHORT_HELP = """\
fieldvault keeps the records of people on the move: sealed, append-only, offline.

  See it work   fieldvault demo
  Founder       fieldvault init --org NAME
  Recorder      fieldvault case open
  Director      fieldvault tables
  Auditor       fieldvault audit verify
  Any time      fieldvault status

All commands: fieldvault --help. One command: fieldvault COMMAND --help."""


class Root(Group):
    """The program itself, with its commands found by name in `COMMANDS` and loaded one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, in the order of the table."""
        return [name for section in COMMANDS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of this one command."""
        for section in COMMANDS.values():
            if cmd_name in section:
                module, _, attribute = section[cmd_name][0].partition(":")
                found: Command | Group = getattr(importlib.import_module(module), attribute)
                return found
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by who uses them, from the table alone: nothing is imported to print help."""
        widest = max(len(name) for name in self.list_commands(ctx))
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), text) for name, (_, text) in section.items()])


def _show_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        import vault

        out = terminal.Terminal(as_json=bool((ctx.find_root().obj or {}).get("json")))
        out.data(f"fieldvault {vault.__version__}")
        out.result({"version": vault.__version__})
        ctx.exit()


@click.pass_context
def _without_command(ctx: click.Context) -> None:
    """A line without a command gets the short help."""
    if ctx.invoked_subcommand is None:
        raise failures.ShortHelp(SHORT_HELP, ctx)


root = Root(
    name="fieldvault",
    callback=_without_command,
    hide_global_options=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Records of people on the move: sealed, append-only, offline. Recorders write, directors get totals, auditors "
    "verify without a key.",
    epilog="Exit codes: 0 done, 1 unexpected, 2 usage or input needed, 3 done in part, 10 no vault here, 11 locked by "
    "another process, 12 wrong passphrase or too few shares, 13 not our format, 20 integrity finding, 21 rollback, "
    "22 fork, 30 refused by disclosure policy, 31 this key may not, 40 storage, 130 interrupted.",
)
root.params.append(
    click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_show_version,
                 help="Show the version.")
)  # fmt: skip


def run(argv: Sequence[str]) -> int:
    """Run one command line; returns the exit code and never raises."""
    as_json = failures.wants_json(argv)
    failures.Written.reset()
    try:
        try:
            # Said beforehand, so that the result and every error are JSON alike, whatever the parser makes of the line.
            with root.make_context("fieldvault", list(argv), obj={"json": True} if as_json else {}) as ctx:
                outcome = root.invoke(ctx)
            code = outcome if isinstance(outcome, int) else 0
        except click.exceptions.Exit as stop:
            code = stop.exit_code
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - the last fence: nothing may print an exception's text
        code = _report(error, as_json)
    return code


def _report(error: BaseException, as_json: bool) -> int:
    try:
        return failures.report(error, as_json=as_json)
    except BaseException:  # noqa: BLE001 - even saying so failed, perhaps because stderr is closed too
        failures.silence_stdout()
        return 1


def _complete() -> None:
    """Completion in the person's own shell. click would start bash to ask for its version."""
    from click.shell_completion import BashComplete, ShellComplete, add_completion_class

    class Bash(BashComplete):
        def source(self) -> str:
            return ShellComplete.source(self)

    add_completion_class(Bash)
    root.main(prog_name="fieldvault")


def main() -> None:
    """The console script."""
    terminal.prepare_streams()
    process.harden()
    if os.environ.get("_FIELDVAULT_COMPLETE"):
        _complete()
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        failures.silence_stdout()
    sys.exit(code)
