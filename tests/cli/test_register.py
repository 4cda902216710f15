"""`python app.py register`: what it asks, creates and writes, against a Payment MS on a real socket."""

import os
import pty
import re
import subprocess

import httpx
import pytest

from catalog import load_catalog
from cli.register_command import register
from sandbox.launch import FREE_PORTS, start_sandbox
from services.storage.sqlite_store import SqliteStore
from tests.cli.installation import Installation
from tests.cli.operator import COMMAND, PLANS, Operator, journal, product_ids, registrations
from tests.contract.mock_payment_ms import MockPaymentMS


def test_each_plan_is_created_in_a_request_of_its_own_and_its_ids_are_written(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    operator = Operator(["y", "y"])

    code = register(operator.console(), project="northwind")

    assert code == 0
    assert registrations(payment_ms) == PLANS
    [basic, *_] = [asked.body for asked in payment_ms.asked if asked.path == "/admin/products/register"]
    assert basic["project_name"] == "northwind"
    assert basic["plans"][0]["pricing"] == {"monthly": 900, "yearly": 9000}
    assert basic["plans"][0]["description"] == "For one person with real work to do"
    assert "20 projects" in basic["plans"][0]["features"]
    assert product_ids(installation) == {name: payment_ms.registered[name] for name in PLANS}
    month, year = load_catalog(installation.catalog).plans[1].prices.values()
    assert (month.price_id, year.price_id) == ("price_made_0_month", "price_made_0_year")
    assert not journal(installation).exists()


def test_what_will_be_created_and_what_will_change_is_shown_before_each_question(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    operator = Operator(["y", "y"])

    register(operator.console())

    assert [question.split("?")[0] for question in operator.asked] == ["Create them", "Write this to products.json"]
    assert "  Basic: $9.00 a month, $90.00 a year (now prod_1basic)" in operator.said
    [difference] = [words for words in operator.said if words.startswith("--- ")]
    changed = [line for line in difference.splitlines() if re.match(r"[-+] ", line)]
    assert '-      "product_id": "prod_1basic",' in changed
    assert '+      "product_id": "prod_made_0",' in changed
    assert len(changed) == 18


def test_items_are_not_created_and_those_without_ids_are_named(installation: Installation) -> None:
    text = installation.catalog.read_text(encoding="utf-8").replace("price_1sticker_pack", "price_sandbox_sticker_pack")
    installation.catalog.write_text(text, encoding="utf-8")
    operator = Operator(["n"])

    register(operator.console())

    [said] = [words for words in operator.said if "creates no items" in words]
    assert said.endswith("in Stripe's dashboard, and copy both ids: Sticker pack.")


def test_second_run_leaves_the_file_as_it_is(installation: Installation, payment_ms: MockPaymentMS) -> None:
    register(Operator().console(yes=True))
    before = (installation.catalog.read_bytes(), installation.catalog.stat().st_mtime_ns)
    operator = Operator()

    code = register(operator.console(yes=True))

    assert code == 0
    assert (installation.catalog.read_bytes(), installation.catalog.stat().st_mtime_ns) == before
    assert "products.json is as it should be; nothing was written." in operator.said


def test_twice_against_the_sandbox_changes_the_file_once(installation: Installation) -> None:
    with start_sandbox([*FREE_PORTS, "--database", ":memory:"]) as sandbox:
        installation.set(payment_ms_url=sandbox.payment_ms_url, payment_ms_api_key=sandbox.api_key)
        original = installation.catalog.read_bytes()

        codes = [register(Operator().console(yes=True))]
        once = installation.catalog.read_bytes()
        codes.append(register(Operator().console(yes=True)))

    assert codes == [0, 0]
    assert once != original
    assert installation.catalog.read_bytes() == once


def test_no_to_creating_asks_the_service_for_nothing(installation: Installation, payment_ms: MockPaymentMS) -> None:
    operator = Operator(["n"])

    assert register(operator.console()) == 1
    assert payment_ms.asked == []
    assert "Nothing was created." in operator.said
    assert not journal(installation).exists()


def test_no_to_writing_keeps_the_ids_for_the_next_run(installation: Installation, payment_ms: MockPaymentMS) -> None:
    before = installation.catalog.read_bytes()
    first, second = Operator(["y", "n"]), Operator(["y", "y"])

    declined = register(first.console())
    left = installation.catalog.read_bytes()
    written = register(second.console())

    assert (declined, written) == (1, 0)
    assert left == before
    assert registrations(payment_ms) == PLANS
    assert product_ids(installation) == {name: payment_ms.registered[name] for name in PLANS}
    assert "  Basic: created earlier as prod_made_0, not written yet" in second.said
    assert not journal(installation).exists()


def test_nobody_to_ask_and_no_yes_is_refused(installation: Installation, payment_ms: MockPaymentMS) -> None:
    done = subprocess.run(
        COMMAND, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "add --yes" in done.stdout
    assert payment_ms.asked == []


def test_at_a_terminal_it_asks_and_an_answer_that_is_not_yes_is_no(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    terminal, end = pty.openpty()
    with subprocess.Popen(COMMAND, stdin=end, stdout=subprocess.PIPE, text=True) as process:
        os.write(terminal, b"yes\nperhaps\n")
        output, _ = process.communicate(timeout=30)
    os.close(terminal)
    os.close(end)

    assert process.returncode == 1
    assert "Nothing was written. What was created is noted" in output
    assert registrations(payment_ms) == PLANS
    assert len(journal(installation).read_text().splitlines()) == 3
    assert "proj_" not in journal(installation).read_text()


def test_unknown_plan_is_named(installation: Installation, payment_ms: MockPaymentMS) -> None:
    operator = Operator()

    assert register(operator.console(yes=True), only=["free", "gold"]) == 1
    assert "no paid plan called free, gold; it has basic, premium, enterprise" in operator.words


@pytest.mark.parametrize(("setting", "value", "words"), [("port", "x", "PORT"), ("catalog_path", "no.json", "no.json")])
def test_what_can_not_be_read_is_said_in_a_sentence(
    installation: Installation, setting: str, value: str, words: str
) -> None:
    installation.set(**{setting: value})
    operator = Operator()

    assert register(operator.console(yes=True)) == 1
    assert words in operator.words


def test_running_app_is_not_disturbed(installation: Installation, payment_ms: MockPaymentMS) -> None:
    path = installation.folder / ".data" / "store.sqlite3"
    store = SqliteStore(path)
    operator = Operator()

    refused = register(operator.console(yes=True))
    anyway = register(Operator().console(yes=True), while_running=True)
    store._file.close()

    assert (refused, anyway) == (1, 0)
    assert "two requests at once can break it" in operator.words
    assert "--while-running" in operator.words
    assert registrations(payment_ms) == PLANS


def test_a_service_that_takes_items_is_asked_for_them_and_tells_all_ids_again(installation: Installation) -> None:
    """Also in another currency than US dollars, of which the first version knows nothing."""
    text = installation.catalog.read_text(encoding="utf-8").replace('"currency": "usd"', '"currency": "eur"')
    installation.catalog.write_text(text, encoding="utf-8")
    with start_sandbox([*FREE_PORTS, "--database", ":memory:"], {"SANDBOX_CONTRACT": "2"}) as sandbox:
        installation.set(payment_ms_url=sandbox.payment_ms_url, payment_ms_api_key=sandbox.api_key)
        first = register(Operator().console(yes=True))
        written = installation.catalog.read_bytes()
        items = {item.id: (item.product_id, item.price.price_id) for item in load_catalog(installation.catalog).items}
        again = Operator()
        second = register(again.console(yes=True))
        with httpx.Client(base_url=sandbox.stripe_url) as control:
            made = {price["price_id"]: price["currency"] for price in control.get("/control/prices").json()}

    catalog = load_catalog(installation.catalog)
    sold = [price.price_id for plan in catalog.plans for price in plan.offered.values()]
    assert (first, second) == (0, 0)
    assert {made[price_id] for price_id in (*sold, *(price for _product, price in items.values()))} == {"eur"}
    assert all(product.startswith("prod_") and price.startswith("price_") for product, price in items.values())
    assert installation.catalog.read_bytes() == written
    assert "products.json is as it should be; nothing was written." in again.said
