"""The command line: `serve` (the default), `practice`, `live-check`, `keys`, `events resync`, `migrate`, `register`."""

import argparse
import json
import socket
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from stripe import StripeError

from payment_service.bodies import Registration
from payment_service.errors import ServiceError
from payment_service.keys import KeyNameTaken, ProjectKeys
from payment_service.logs import configure_service_logs
from payment_service.migrate import is_up_to_date, migrate
from payment_service.register import Registrar
from payment_service.service import PaymentService
from payment_service.settings import BadSettings, ServiceSettings, load_service_settings, problems_of_serving

CANNOT: Final = 2
_DAY: Final = 86400


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; what keeps it from running is a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_service_settings()
        configure_service_logs(settings)
        code: int = options.run(settings, options)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return CANNOT
    except SQLAlchemyError as error:
        print(f"DATABASE_URL can't be used ({type(error).__name__}): {error.__cause__ or ''}".strip(), file=sys.stderr)
        return 1  # it may be back in a moment
    except (StripeError, ServiceError) as error:
        print(f"Stripe refused: {getattr(error, 'user_message', None) or error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m payment_service", description="A Payment MS for your own Stripe.")
    parser.set_defaults(run=_serve)
    command = parser.add_subparsers(title="commands", metavar="COMMAND").add_parser
    command("serve", help="serve (the default)").set_defaults(run=_serve)
    practice = command("practice", help="the app, this service and the sandbox's sign-in together, with a test key")
    practice.set_defaults(run=_practice)
    command("live-check", help="buy, cancel and refund with a test key, step by step").set_defaults(run=_live_check)
    command("migrate", help="bring the database's tables up to date").set_defaults(run=_migrate)
    keys = command("keys", help="the project's API keys").add_subparsers(required=True, metavar="WHAT").add_parser
    new = keys("new", help="make a key and print it, once")
    new.add_argument("name", help="what it is for, such as billing-app")
    new.set_defaults(run=_new_key)
    keys("list", help="list the keys, without the keys themselves").set_defaults(run=_list_keys)
    revoke = keys("revoke", help="let nobody in with this key any more")
    revoke.add_argument("name")
    revoke.set_defaults(run=_revoke_key)
    events = command("events", help="Stripe's events").add_subparsers(required=True, metavar="WHAT").add_parser
    resync = events("resync", help="act on every event that Stripe lists and that was missed")
    resync.add_argument("--days", type=int, default=30, help="how far back to look (Stripe keeps 30 days)")
    resync.set_defaults(run=_resync)
    register = command("register", help="make products and prices at Stripe from a file")
    register.add_argument("file", help="JSON in the form of POST /admin/products/register")
    register.set_defaults(run=_register)
    return parser


def _serve(settings: ServiceSettings, _options: argparse.Namespace) -> int:
    from payment_service.api import application  # only now: the other commands need no server

    service = _claimed(settings)
    listener = _listen(settings)
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        application(service), log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=65, timeout_graceful_shutdown=15,
    )  # fmt: skip
    print(json.dumps({"url": f"http://{host}:{port}", "livemode": settings.livemode}), flush=True)
    uvicorn.Server(config).run([listener])
    return 0


def _listen(settings: ServiceSettings) -> socket.socket:
    """Bind before anything is said, so that a port that is taken is a sentence and not a stack trace."""
    host, port = settings.payment_service_host, settings.payment_service_port
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        raise BadSettings(
            f"Port {port} of {host} can't be used ({error.strerror}); set PAYMENT_SERVICE_PORT."
        ) from None


def _must_serve(settings: ServiceSettings) -> None:
    if problems := list(problems_of_serving(settings)):
        raise BadSettings("\n".join(problems))


def _claimed(settings: ServiceSettings) -> PaymentService:
    _must_serve(settings)
    service = _ready(settings)
    service.claim_database()
    return service


def _ready(settings: ServiceSettings) -> PaymentService:
    """Return the service with its tables up to date."""
    service = PaymentService(settings)
    if settings.migrate_at_start:
        migrate(service.database)
    elif not is_up_to_date(service.database):
        raise BadSettings("The database's tables are not those of this release; run python -m payment_service migrate.")
    return service


def _practice(settings: ServiceSettings, _options: argparse.Namespace) -> int:
    from payment_service.commands.practice import practice

    problems = [problem for problem in problems_of_serving(settings) if "POLL_EVENTS" not in problem]
    problems = [problem for problem in problems if "APP_EVENTS_URL" not in problem]
    if problems:
        raise BadSettings("\n".join(problems))
    return practice(settings)


def _live_check(settings: ServiceSettings, _options: argparse.Namespace) -> int:
    from payment_service.commands.live_check import live_check

    if settings.stripe_secret_key is None:
        raise BadSettings("STRIPE_SECRET_KEY is not set; this buys and refunds with a test key of yours (sk_test_…).")
    return 0 if live_check(settings) else 1


def _migrate(settings: ServiceSettings, _options: argparse.Namespace) -> int:
    service = PaymentService(settings)
    migrate(service.database)
    print("The database is up to date.")
    return 0


def _keys(settings: ServiceSettings) -> ProjectKeys:
    return _ready(settings).keys


def _new_key(settings: ServiceSettings, options: argparse.Namespace) -> int:
    try:
        print(_keys(settings).make(options.name))
    except KeyNameTaken:
        print(f"There is a key called {options.name}; take another name.", file=sys.stderr)
        return CANNOT
    print("Keep it now: it is not to be had again. Give it to the app as PAYMENT_MS_API_KEY.", file=sys.stderr)
    return 0


def _list_keys(settings: ServiceSettings, _options: argparse.Namespace) -> int:
    for key in _keys(settings).listed():
        state = f"revoked {_day(key.revoked)}" if key.revoked else "in use"
        print(f"{key.name}: proj_…{key.hint}, made {_day(key.created)}, {state}")
    return 0


def _revoke_key(settings: ServiceSettings, options: argparse.Namespace) -> int:
    if not _keys(settings).revoke(options.name):
        print(f"There is no key in use called {options.name}.", file=sys.stderr)
        return CANNOT
    print(f"{options.name} is revoked; running instances take it for ten seconds more.")
    return 0


def _resync(settings: ServiceSettings, options: argparse.Namespace) -> int:
    service = _claimed(settings)
    done = service.webhooks.resync(int(time.time()) - options.days * _DAY)
    print(f"{done} events were acted on; what the app is to be told is sent by the running service.")
    return 0


def _register(settings: ServiceSettings, options: argparse.Namespace) -> int:
    _must_serve(settings)
    try:
        wanted = Registration.model_validate_json(Path(options.file).read_bytes())
    except (OSError, ValidationError) as error:
        print(f"{options.file} can't be used: {error}", file=sys.stderr)
        return CANNOT
    told, made = Registrar(_ready(settings).stripe, settings.project).register(wanted)
    print(json.dumps(told, indent=2))
    print("Made what was missing." if made else "All of it was there.", file=sys.stderr)
    return 0


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
