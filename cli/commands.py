"""What an operator runs instead of the server: ``python app.py check``, ``person`` and the like.

``app.py`` adds these commands to its own; `main` runs them without it. The server imports none of them.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.backup_command import add_backup
from cli.check_command import add_check
from cli.events_command import add_events
from cli.keys_command import add_keys
from cli.person_command import add_person
from cli.preview_command import add_preview
from cli.reconcile_command import add_reconcile
from cli.register_command import add_register

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_operator_commands(commands: "Commands") -> None:
    """Add each command; it leaves ``run`` in the parsed options, which takes them and returns the exit code."""
    add_check(commands)
    add_register(commands)
    add_keys(commands)
    add_events(commands)
    add_person(commands)
    add_reconcile(commands)
    add_preview(commands)
    add_backup(commands)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 all is well, 1 something is wrong."""
    parser = argparse.ArgumentParser(prog="python app.py")
    add_operator_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code
