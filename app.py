"""Starts the app: `python app.py`. How the parts are put together is in `wiring.py`, the commands are in `cli/`.

Without PAYMENT_MS_API_KEY it starts the bundled sandbox too. Whatever keeps it from starting is a sentence on standard
error and exit code 2, never a stack trace.
"""

import argparse
import sys
from collections.abc import Sequence

from catalog import CatalogError
from cli.commands import add_operator_commands
from settings import SettingsError, load_settings

CANNOT_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command (serve, when none is named) and return its exit code."""
    parser = argparse.ArgumentParser(prog="python app.py", description="The billing front end; serves it by default.")
    parser.set_defaults(run=_serve)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    commands.add_parser("serve", help="serve the app").set_defaults(run=_serve)
    add_operator_commands(commands)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except (SettingsError, CatalogError) as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    return code


def _serve(_options: argparse.Namespace) -> int:
    settings = load_settings()
    from cli.serve import NotStarted, run  # only now: NiceGUI takes a second to import

    try:
        run(settings)
    except NotStarted as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
