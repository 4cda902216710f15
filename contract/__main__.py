"""``python -m contract URL [KEY]``: run every check against a Payment MS; print a table, and what to cure and how.

``python -m contract --sandbox`` starts a private sandbox and checks it in the second version and in all three shapes of
the first, or in one of its presets.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from catalog import CatalogError
from contract.checks import CHECKS, run
from contract.private_sandbox import SandboxFailed, private_sandbox
from contract.private_service import private_service
from contract.reading import AnswerShape
from contract.report import as_document, as_text
from contract.results import passed, summary, table
from contract.stripe_side import STRIPE, StripeDoor
from contract.target import AccountDoor, ContractTarget, KnownCustomer, Sale, Sales, WebhookDoor
from contract.wire import SerialClient


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when the service does all that is relied on, 1 when it does not, 2 when it could not be asked."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if sum((bool(options.url), options.sandbox, options.payment_service)) != 1:
        parser.error("name a service (URL and KEY), or --sandbox, or --payment-service")
    if options.stripe_key and not options.webhook_secret:
        parser.error("--stripe-key goes with --webhook-secret")
    if options.preset and not options.sandbox:
        parser.error("--preset is one of the sandbox's")
    try:
        sales = _sales(options)
        if options.sandbox:
            return _check_sandbox(options, sales)
        if options.payment_service:
            return _check_payment_service(options, sales)
        key = options.key or os.environ.get("PAYMENT_MS_API_KEY", "")
        if not key:
            parser.error("the service's key is missing; give it after the URL, or as PAYMENT_MS_API_KEY")
        with SerialClient(options.url, key) as wire, _account(options) as account, _stripe(options) as stripe:
            target = ContractTarget(
                wire, sales, _customer(options), options.register, webhook=_webhook(options), stripe=stripe,
                account=account, may_break_it=options.may_break_it,
            )  # fmt: skip
            return 0 if _check(target, options.report) else 1
    except CatalogError as error:
        print(error, file=sys.stderr)
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: {error}.", file=sys.stderr)
    except SandboxFailed as error:
        print(f"{parser.prog}: {error}.", file=sys.stderr)
    return 2


def _check(subject: ContractTarget, report: Path | None = None) -> bool:
    print(f"Payment MS at {subject.wire.base_url}: {len(CHECKS)} checks, one request at a time.")
    behind = left_behind(subject)
    print("\n".join(behind))
    lines = list(run(subject))
    print(f"\n{table(lines)}\n\n{summary(lines)}")
    if found := as_text(lines):
        print(f"\n== Findings, each with its likely cause and cure ==\n\n{found}")
    if report is not None:
        report.write_text(as_document(lines, subject.wire.base_url, datetime.now(UTC), behind), encoding="utf-8")
        print(f"\nWritten to {report}.")
    return passed(lines)


def left_behind(subject: ContractTarget) -> list[str]:
    """Return what the checks leave at the service and at Stripe, said before anything is asked."""
    people = [subject.buyer, subject.newcomer, f"{subject.long_id[:24]}… (201 characters)"]
    said = [
        f"Opens up to 9 checkout sessions for made-up customers ({', '.join(people)}), which nobody pays and which run "
        "out by themselves; 12 at a service of the second version.",
        "Leaves a row in its `customers` for each of them, also where the checkout is refused: the running service "
        "writes it first. Rows named contract-… can be deleted.",
    ]
    if subject.registers:
        said.append("Creates the product 'Contract check' with two prices, which stays.")
    if subject.webhook is not None and subject.stripe is not None:
        said.append(
            f"Makes two subscriptions of {subject.buyer} at Stripe with its test key, each with a day of trial, and "
            "cancels them again; they stay there as canceled ones, and so does their customer. Posts events about them."
        )
    elif subject.webhook is not None:
        said.append(
            f"Posts test events: a made-up subscription of {subject.buyer} that is canceled again (its row stays), and "
            "a change of plan of the known customer, which is taken back."
        )
    if subject.may_break_it:
        said.append("May break the service until it is restarted: asks twice at once.")
    return said


def _check_sandbox(options: argparse.Namespace, sales: Sales) -> int:
    results: list[bool] = []
    with (
        private_sandbox(options.catalog) as sandbox,
        SerialClient(sandbox.payment_ms_url, sandbox.api_key) as wire,
        SerialClient(sandbox.auth_ms_url) as auth,
    ):
        if options.preset:
            known, session = sandbox.take_preset(options.preset)
            target = ContractTarget(
                wire, sales, known, registers=True, webhook=sandbox.webhook, account=AccountDoor(auth, session),
                event_pause=0.05, may_break_it=True,
            )  # fmt: skip
            return 0 if _check(target, options.report) else 1
        known, session = sandbox.take_preset("second_version")
        print("== The sandbox in the contract's second version ==")
        target = ContractTarget(
            wire, sales, known, registers=True, webhook=sandbox.webhook, account=AccountDoor(auth, session),
            event_pause=0.05,
        )  # fmt: skip
        results.append(_check(target))
        for shape in AnswerShape:
            print(f"{'' if not results else chr(10)}== The sandbox in the {shape} shape ==")
            known, session = sandbox.take_shape(shape)
            target = ContractTarget(
                wire, sales, known, registers=True, shape=shape, webhook=sandbox.webhook,
                account=AccountDoor(auth, session), event_pause=0.05,
            )  # fmt: skip
            results.append(_check(target))
    print(f"\n{sum(results)} of {len(results)} passed: the second version, and the first in each of its shapes.")
    return 0 if all(results) else 1


def _check_payment_service(options: argparse.Namespace, sales: Sales) -> int:
    if sales.plan is None:
        raise ValueError("the catalog sells no plan: add --price PRICE --product PRODUCT")
    with (
        private_service(options.catalog, sales.plan, options.webhook_secret) as service,
        SerialClient(service.url, service.api_key) as wire,
        SerialClient(service.auth_ms_url) as auth,
    ):
        target = ContractTarget(
            wire, sales, service.known, registers=True, webhook=service.webhook, stripe=service.stripe,
            outage=service.outage, account=AccountDoor(auth, service.session_id), may_break_it=True,
        )  # fmt: skip
        return 0 if _check(target, options.report) else 1


def _sales(options: argparse.Namespace) -> Sales:
    found = Sales(None)
    if not (options.price and options.item_price):
        found = Sales.in_file(options.catalog)
    plan = Sale(options.price, options.product) if options.price else found.plan
    items = (Sale(options.item_price, options.item_product),) if options.item_price else found.items
    return Sales(plan, items, found.other_plan)


def _customer(options: argparse.Namespace) -> KnownCustomer | None:
    return KnownCustomer(options.customer, options.customer_product) if options.customer else None


def _webhook(options: argparse.Namespace) -> WebhookDoor | None:
    if not options.webhook_secret:
        return None
    return WebhookDoor(options.webhook_path, options.webhook_secret, options.stripe_customer)


@contextmanager
def _account(options: argparse.Namespace) -> Iterator[AccountDoor | None]:
    """Give the Auth MS, where it is named."""
    if not (options.auth_url and options.account_session):
        yield None
        return
    with SerialClient(options.auth_url) as wire:
        yield AccountDoor(wire, options.account_session)


@contextmanager
def _stripe(options: argparse.Namespace) -> Iterator[StripeDoor | None]:
    """Give Stripe's API, where a key for it is given."""
    if not options.stripe_key:
        yield None
        return
    with SerialClient(options.stripe_api_base) as wire:
        yield StripeDoor(wire, options.stripe_key)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m contract", description="Check a Payment MS for what we rely on.")
    parser.add_argument("url", nargs="?", metavar="URL", help="such as http://host:9000")
    parser.add_argument("key", nargs="?", metavar="KEY", help="its API key; else PAYMENT_MS_API_KEY")
    parser.add_argument("--sandbox", action="store_true", help="check a private sandbox in all three shapes")
    parser.add_argument(
        "--payment-service", action="store_true", help="start the reference service privately, and check it"
    )
    parser.add_argument("--preset", metavar="NAME", default="", help="with --sandbox: one of its presets instead")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was found as a Markdown document")
    parser.add_argument("--may-break-it", action="store_true", help="also ask twice at once, which can break it")
    parser.add_argument("--webhook-secret", metavar="SECRET", default="", help="also post test events, signed with it")
    parser.add_argument("--webhook-path", metavar="PATH", default="/webhooks/stripe", help="where it takes them")
    parser.add_argument("--stripe-customer", metavar="ID", default="", help="the --customer's id at Stripe, cus_…")
    parser.add_argument(
        "--stripe-key", metavar="KEY", default="", help="with --webhook-secret: make real subscriptions, sk_test_…"
    )
    parser.add_argument("--stripe-api-base", metavar="URL", default=STRIPE, help="where Stripe's API is")
    parser.add_argument("--auth-url", metavar="URL", default="", help="the Auth MS, together with --account-session")
    parser.add_argument("--account-session", metavar="ID", default="", help="a session of the --customer there")
    parser.add_argument("--catalog", type=Path, default=Path("products.json"), help="where to take ids from")
    parser.add_argument("--register", action="store_true", help="also register a plan, which stays")
    for names in (("price", "product"), ("item-price", "item-product"), ("customer", "customer-product")):
        parser.add_argument(f"--{names[0]}", metavar="ID", default="", help=f"asked with, together with --{names[1]}")
        parser.add_argument(f"--{names[1]}", metavar="ID", default="")
    return parser


if __name__ == "__main__":
    sys.exit(main())
