"""``python -m contract URL [KEY]``: run every check against a Payment MS and print a table; exit code 0 or 1.

``python -m contract --sandbox`` starts a private sandbox and checks it in all three shapes.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from catalog import CatalogError
from contract.checks import CHECKS, run
from contract.private_sandbox import SandboxFailed, private_sandbox
from contract.reading import AnswerShape
from contract.results import passed, summary, table
from contract.target import ContractTarget, KnownCustomer, Sale, Sales
from contract.wire import SerialClient


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when the service does all that is relied on, 1 when it does not, 2 when it could not be asked."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if bool(options.url) == options.sandbox:
        parser.error("name a service (URL and KEY), or --sandbox")
    try:
        sales = _sales(options)
        if options.sandbox:
            return _check_sandbox(options.catalog, sales)
        key = options.key or os.environ.get("PAYMENT_MS_API_KEY", "")
        if not key:
            parser.error("the service's key is missing; give it after the URL, or as PAYMENT_MS_API_KEY")
        with SerialClient(options.url, key) as wire:
            return 0 if _check(ContractTarget(wire, sales, _customer(options), options.register)) else 1
    except CatalogError as error:
        print(error, file=sys.stderr)
    except ValueError as error:
        print(f"{parser.prog}: {error}.", file=sys.stderr)
    except SandboxFailed as error:
        print(f"{parser.prog}: {error}.", file=sys.stderr)
    return 2


def _check(subject: ContractTarget) -> bool:
    print(f"Payment MS at {subject.wire.base_url}: {len(CHECKS)} checks, one request at a time.")
    print(f"Opens up to 4 checkout sessions for {subject.buyer}, which nobody pays and which run out by themselves.")
    if subject.registers:
        print("Creates the product 'Contract check' with two prices, which stays.")
    lines = list(run(subject))
    print(f"\n{table(lines)}\n\n{summary(lines)}")
    return passed(lines)


def _check_sandbox(catalog: Path, sales: Sales) -> int:
    results: list[bool] = []
    with private_sandbox(catalog) as sandbox, SerialClient(sandbox.payment_ms_url, sandbox.api_key) as wire:
        for shape in AnswerShape:
            print(f"{'' if not results else chr(10)}== The sandbox in the {shape} shape ==")
            customer = sandbox.take_shape(shape)
            results.append(_check(ContractTarget(wire, sales, customer, registers=True, shape=shape)))
    print(f"\n{sum(results)} of {len(results)} shapes passed.")
    return 0 if all(results) else 1


def _sales(options: argparse.Namespace) -> Sales:
    found = Sales(None)
    if not (options.price and options.item_price):
        found = Sales.in_file(options.catalog)
    plan = Sale(options.price, options.product) if options.price else found.plan
    items = (Sale(options.item_price, options.item_product),) if options.item_price else found.items
    return Sales(plan, items)


def _customer(options: argparse.Namespace) -> KnownCustomer | None:
    return KnownCustomer(options.customer, options.customer_product) if options.customer else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m contract", description="Check a Payment MS for what we rely on.")
    parser.add_argument("url", nargs="?", metavar="URL", help="such as http://host:9000")
    parser.add_argument("key", nargs="?", metavar="KEY", help="its API key; else PAYMENT_MS_API_KEY")
    parser.add_argument("--sandbox", action="store_true", help="check a private sandbox in all three shapes")
    parser.add_argument("--catalog", type=Path, default=Path("products.json"), help="where to take ids from")
    parser.add_argument("--register", action="store_true", help="also register a plan, which stays")
    for names in (("price", "product"), ("item-price", "item-product"), ("customer", "customer-product")):
        parser.add_argument(f"--{names[0]}", metavar="ID", default="", help=f"asked with, together with --{names[1]}")
        parser.add_argument(f"--{names[1]}", metavar="ID", default="")
    return parser


if __name__ == "__main__":
    sys.exit(main())
