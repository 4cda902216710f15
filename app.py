"""Starts the app: `python app.py`. How the parts are put together is in `wiring/`, the commands are in `cli/`.

Without PAYMENT_MS_API_KEY it starts the bundled sandbox too. Whatever keeps it from starting is a sentence on standard
error and exit code 2, never a stack trace.
"""

import argparse
import gc
import sys
from collections.abc import Sequence

from catalog import CatalogError
from settings import SettingsError, load_settings
from version import VERSION

CANNOT_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command (serve, when none is named) and return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code: int = _serve() if given in ([], ["serve"]) else _run(given)
    except (SettingsError, CatalogError) as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    return code


def _run(arguments: Sequence[str]) -> int:
    from cli.commands import add_operator_commands  # only now: the server needs none of them

    parser = argparse.ArgumentParser(prog="python app.py", description="The billing front end; serves it by default.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    commands.add_parser("serve", help="serve the app").set_defaults(run=lambda _options: _serve())
    add_operator_commands(commands)
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


def _serve() -> int:
    gc.disable()  # until all is loaded and stays: `ui/nicegui_ext/collector.py` starts it again
    settings = load_settings()
    from cli.serve import NotStarted, run  # only now: NiceGUI takes half a second to import

    try:
        run(settings)
    except NotStarted as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
