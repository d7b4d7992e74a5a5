"""The commands of the auditor, each in a module of its own."""

from __future__ import annotations

import click

from cli.audit_conduct import conduct
from cli.audit_cosign import cosign
from cli.audit_heads import heads
from cli.audit_publish import prove, publish
from cli.audit_verify import verify
from cli.options import Group


@click.group(cls=Group)
def audit() -> None:
    """Check every journal on this laptop, without any key."""


audit.add_command(verify)
audit.add_command(publish)
audit.add_command(prove)
audit.add_command(heads)
audit.add_command(cosign)
audit.add_command(conduct)
