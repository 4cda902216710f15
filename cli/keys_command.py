"""``python app.py keys``: makes what services need to trust each other. Prints it once, and keeps nothing."""

import argparse
import sys
from typing import TYPE_CHECKING

from services.entitlements.signing import new_key_pem

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_keys(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser("keys", help="make the key that signs entitlements")
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    new = kinds.add_parser("new", help="a new private key for ENTITLEMENTS_KEY")
    new.add_argument("--pem", action="store_true", help="print the PEM itself instead of a line for .env")
    new.set_defaults(run=_new)


def _new(options: argparse.Namespace) -> int:
    pem = new_key_pem()
    if options.pem:
        print(pem, end="")
        return 0
    print(f'ENTITLEMENTS_KEY="{pem.strip()}"'.replace("\n", "\\n"))
    _explain("In place of another key: let it be ENTITLEMENTS_KEY_NEXT first, see docs/operations.md, Rotate keys.")
    return 0


def _explain(sentence: str) -> None:
    """Say what to do with it where a redirected output does not take it along."""
    print(sentence, file=sys.stderr)
