"""Checks of the contract's second version, against a sandbox in this process that has one thing broken at a time."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from contract.checks import CHECKS, run
from contract.results import Exchange, Result
from contract.target import ContractTarget, KnownCustomer, Sale, Sales
from contract.wire import SerialClient, ServiceReply
from sandbox.settings import SANDBOX_API_KEY
from tests.contract.test_contract_cli import OF_THE_SECOND
from tests.sandbox.local import ADA, BASIC, MONTHLY, AsgiTransport, LocalShop

Breakage = Callable[[ServiceReply], ServiceReply]
SALES = Sales(
    Sale(MONTHLY, "prod_sandbox_premium"), (Sale("price_sandbox_sticker_pack", "prod_sandbox_sticker_pack"),),
    Sale(BASIC, "prod_sandbox_basic"),
)  # fmt: skip


class WireToSandbox(SerialClient):
    """A client of a sandbox in this process; `breakage` changes what it answers."""

    def __init__(self, shop: LocalShop, breakage: Breakage) -> None:
        super().__init__("http://payment.sandbox", SANDBOX_API_KEY)
        self._shop = httpx.Client(transport=AsgiTransport(shop.sandbox))
        self._breakage = breakage

    def __exit__(self, *about: object) -> None:
        super().__exit__(*about)
        self._shop.close()

    def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = None,
        headers: Mapping[str, str] | None = None, content: bytes | None = None,
    ) -> ServiceReply:  # fmt: skip
        sent = {**(headers or {}), "X-API-Key": self.key if key is None else key}
        told = self._shop.request(method, self.base_url + path, json=body, headers=sent)
        self.exchanges.append(Exchange(f"{method} {path}", str(told.status_code)))
        body = told.content.replace(b"http://stripe.sandbox", b"https://stripe.sandbox")  # it has no TLS to offer
        return self._breakage(ServiceReply(method, path, told.status_code, told.headers, body, 0.0))


def altered(path: str, change: Callable[[dict[str, Any]], None], *, status: int = 0) -> Breakage:
    """Change the JSON of the answers whose path holds these words, and their status."""

    def broken(reply: ServiceReply) -> ServiceReply:
        if path not in reply.path:
            return reply
        content = json.loads(reply.body)
        change(content)
        return replace(reply, body=json.dumps(content).encode(), status=status or reply.status)

    return broken


def answered_as(path: str, status: int) -> Breakage:
    return altered(path, lambda content: None, status=status)


def first_row(name: str, **fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content[name][0].update(fields) if content.get(name) else None


def fields(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update(values)


BROKEN: dict[str, Breakage] = {
    "contract_told": altered("/health", fields(contract={"version": 2, "features": "all"})),
    "told_fields": altered(f"/{ADA}/", fields(cancel_at="next week")),
    "all_subscriptions": altered(f"/subscriptions/{ADA}", first_row("subscriptions", product_id="prod_other")),
    "session_state": altered("/expire", fields(status="open")),
    "one_session": altered("/checkout/sessions/", fields(status="open")),
    "key_reused": altered("/checkout/subscription", lambda content: None, status=200),
    "portal_flows": altered("/portal", fields(portal_url="http://somewhere.example")),
    "invoices": altered("/invoices/", first_row("invoices", amount="29.00")),
    "register_items": altered("/register", first_row("items", stripe_price_id="")),
    "json_errors": answered_as("no-such-call", 400),
}  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Iterator[LocalShop]:
    with LocalShop() as shop:
        yield shop


def results(shop: LocalShop, breakage: Breakage = lambda reply: reply) -> dict[str, tuple[Result, str]]:
    shop.control("POST", "reset")
    shop.set(contract=2)
    shop.subscribe()
    with WireToSandbox(shop, breakage) as wire:
        subject = ContractTarget(wire, SALES, KnownCustomer(ADA, "prod_sandbox_premium"), registers=True)
        return {line.name: (line.outcome.result, line.outcome.detail) for line in run(subject)}


def test_a_service_of_the_second_version_has_every_check_ok_and_no_note(shop: LocalShop) -> None:
    found = results(shop)

    skipped = {name for name, (result, _) in found.items() if result is Result.SKIPPED}
    assert {name: why for name, why in found.items() if why[0] in (Result.FAIL, Result.NOTE)} == {}
    assert skipped.isdisjoint({*OF_THE_SECOND, "contract_told"})


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_in_it_is_named(shop: LocalShop, name: str) -> None:
    assert results(shop, BROKEN[name])[name][0] is Result.FAIL


def test_each_of_its_checks_is_failed_by_something() -> None:
    assert BROKEN.keys() == {*OF_THE_SECOND, "contract_told"}
    assert BROKEN.keys() <= {check.name for check in CHECKS}


def test_what_pages_lack_is_said_for_each_feature_that_is_not_told(shop: LocalShop) -> None:
    told = fields(contract={"version": 2, "features": ["subscriptions"]})
    found = results(shop, altered("/health", told))

    assert "invoices: no list of invoices on the billing page" in found["contract_told"][1]
    assert found["invoices"] == (
        Result.SKIPPED, "the service does not say that it has invoices: no list of invoices on the billing page"
    )  # fmt: skip
    assert found["all_subscriptions"][0] is Result.OK
