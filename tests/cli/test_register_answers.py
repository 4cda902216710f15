"""`register` and what the Payment MS may answer: a plan exists, costs something else, is refused, or nothing works."""

import json
from collections.abc import Callable

from catalog import load_catalog
from cli.register_command import register
from tests.cli.installation import Installation
from tests.cli.operator import PLANS, Operator, journal, product_ids, registrations
from tests.contract.mock_payment_ms import MockAnswer, MockPaymentMS, MockRequest, refusal


def when_asked_for(
    name: str, told: Callable[[MockAnswer], MockAnswer]
) -> Callable[[MockRequest, MockAnswer], MockAnswer]:
    """Change the answer to the registration of one plan."""

    def broken(asked: MockRequest, right: MockAnswer) -> MockAnswer:
        mine = asked.path == "/admin/products/register" and asked.body["plans"][0]["name"] == name
        return told(right) if mine else right

    return broken


def test_plan_that_exists_does_not_hide_the_others(installation: Installation, payment_ms: MockPaymentMS) -> None:
    payment_ms.registered["Premium"] = "prod_1premium"

    code = register(Operator().console(yes=True))

    assert code == 0
    assert registrations(payment_ms) == PLANS
    assert product_ids(installation)["Premium"] == "prod_1premium"
    assert {product_ids(installation)[name] for name in ("Basic", "Enterprise")} == {"prod_made_1", "prod_made_2"}


def test_existing_product_is_taken_and_its_price_ids_are_asked_for(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    payment_ms.registered["Premium"] = "prod_elsewhere"
    operator = Operator(["y", "price_1NewMonth", "prod_oops", "price_1NewYear", "y"])

    code = register(operator.console(), only=["premium"])

    assert code == 0
    plan = load_catalog(installation.catalog).plan("premium")
    assert plan.product_id == "prod_elsewhere"
    assert [price.price_id for price in plan.prices.values()] == ["price_1NewMonth", "price_1NewYear"]
    assert "the Payment MS can't be asked for its prices" in operator.words


def test_price_ids_that_nobody_typed_are_kept_and_said_to_be_unproven(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    payment_ms.registered["Premium"] = "prod_elsewhere"
    operator = Operator()

    code = register(operator.console(yes=True), only=["premium"])

    assert code == 1
    plan = load_catalog(installation.catalog).plan("premium")
    assert plan.product_id == "prod_elsewhere"
    assert plan.prices["month"].price_id == "price_1premium_month"  # type: ignore[index]
    assert "Premium: look at the price ids before anybody buys it." in operator.words
    assert registrations(payment_ms) == ["Premium"]


def test_prices_other_than_the_catalogs_are_not_written(installation: Installation, payment_ms: MockPaymentMS) -> None:
    def in_euros(right: MockAnswer) -> MockAnswer:
        return MockAnswer(201, json.loads(json.dumps(right.content).replace('"usd"', '"eur"')))

    payment_ms.breakage = when_asked_for("Premium", in_euros)
    operator = Operator()

    code = register(operator.console(yes=True))

    assert code == 1
    assert "made 2900 eur a month, the catalog says 2900 usd" in operator.words
    assert product_ids(installation)["Premium"] == "prod_1premium"
    assert product_ids(installation)["Enterprise"] == "prod_made_2"
    assert len(journal(installation).read_text().splitlines()) == 1


def test_service_that_fails_is_asked_no_more_and_what_came_before_is_written(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    payment_ms.breakage = when_asked_for("Premium", lambda right: refusal(500, "STRIPE_ERROR"))
    operator = Operator()

    code = register(operator.console(yes=True))

    assert code == 1
    assert registrations(payment_ms) == ["Basic", "Premium"]
    assert product_ids(installation)["Basic"] == "prod_made_0"
    assert product_ids(installation)["Premium"] == "prod_1premium"
    assert "answered 500 STRIPE_ERROR" in operator.words
    assert "2 of 3 plans are left" in operator.words


def test_plan_that_is_refused_does_not_hide_the_others(installation: Installation, payment_ms: MockPaymentMS) -> None:
    payment_ms.breakage = when_asked_for("Basic", lambda right: refusal(400, "VALIDATION_FAILED"))
    operator = Operator()

    code = register(operator.console(yes=True))

    assert code == 1
    assert registrations(payment_ms) == PLANS
    assert product_ids(installation)["Enterprise"].startswith("prod_made_")  # type: ignore[union-attr]
    assert "Refused by the Payment MS: answered 400 VALIDATION_FAILED" in operator.words


def test_key_that_is_refused_is_told_with_its_cure(installation: Installation, payment_ms: MockPaymentMS) -> None:
    installation.set(payment_ms_api_key="proj_" + "w" * 43)
    operator = Operator()

    assert register(operator.console(yes=True)) == 1
    assert "Compare PAYMENT_MS_API_KEY" in operator.words
    assert len(registrations(payment_ms)) == 1


def test_currency_that_can_not_be_asked_for_is_refused_before_anything_is_created(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    text = installation.catalog.read_text(encoding="utf-8").replace('"currency": "usd"', '"currency": "eur"')
    installation.catalog.write_text(text, encoding="utf-8")
    operator = Operator()

    assert register(operator.console(yes=True)) == 1
    assert "sold in eur, and the Payment MS does not say that it makes prices in another currency" in operator.words
    assert [asked.path for asked in payment_ms.asked] == ["/health"]
