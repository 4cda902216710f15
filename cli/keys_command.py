"""``python app.py keys``: makes what services need to trust each other. Prints it once, and keeps nothing."""

import argparse
import sys
from typing import TYPE_CHECKING

from services.entitlements.signing import new_key_pem
from services.web.service_tokens import digest_of, new_token
from settings_rules import service_token

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_keys(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser("keys", help="make a key that signs entitlements, or a token for a service")
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    new = kinds.add_parser("new", help="a new private key for ENTITLEMENTS_KEY")
    new.add_argument("--pem", action="store_true", help="print the PEM itself instead of a line for .env")
    new.set_defaults(run=_new)
    token = kinds.add_parser("token", help="a token with which another service may ask about users")
    token.add_argument("name", help="the service's name, as logs show it")
    token.set_defaults(run=_token)


def _token(options: argparse.Namespace) -> int:
    token = new_token()
    entry = f"{options.name}={digest_of(token)}"
    try:
        service_token(entry)
    except ValueError:
        print(f"{options.name} is no name for a service: small letters, digits and hyphens.", file=sys.stderr)
        return 1
    print(f"token: {token}")
    print(f"SERVICE_TOKENS entry: {entry}")
    _explain("Give the token to the service, and add the entry to SERVICE_TOKENS. It is not shown again.")
    return 0


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
