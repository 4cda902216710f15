"""`python -m contract`: it passes what keeps the contract, and names what does not, one broken thing at a time."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.__main__ import main
from contract.checks import CHECKS, run
from contract.explanations import EXPLANATIONS, Cause
from contract.reading import AnswerShape
from contract.results import Result
from contract.target import AccountDoor, ContractTarget, KnownCustomer, Sale, Sales, WebhookDoor
from contract.wire import SerialClient
from tests.contract.broken_services import (
    BROKEN,
    CHECKOUTS,
    BrokenByTwo,
    altered,
    keeps_the_old_product,
    no_purchase_appears,
    on,
)
from tests.contract.mock_payment_ms import (
    CUSTOMER,
    KEY,
    PRODUCT,
    SECRET,
    MockAnswer,
    MockPaymentMS,
    MockRequest,
    mock_payment_ms,
    refusal,
)

ROOT = Path(__file__).resolve().parents[2]
SALES = Sales(
    Sale("price_1", PRODUCT), (Sale("price_2", "prod_2"), Sale("price_3", "prod_3")), Sale("price_9", "prod_9")
)
NEVER_FAIL = {"openapi", "idempotency", "unchecked_input"}
NOVEMBER = "public_service_november_2025"


OF_THE_SECOND = {
    "told_fields", "all_subscriptions", "session_state", "one_session", "key_reused", "portal_flows", "invoices",
    "register_items", "json_errors",
}  # fmt: skip
"""Checks of the contract's second version."""


@pytest.fixture
def mock() -> Iterator[MockPaymentMS]:
    with mock_payment_ms() as mock:
        yield mock


def results(
    mock: MockPaymentMS, shape: AnswerShape | None = None, checkout_wait: float = 10.0
) -> dict[str, tuple[Result, str]]:
    """What each check says of the mock."""
    with SerialClient(mock.url, KEY) as wire, SerialClient(mock.url) as auth:
        customer = KnownCustomer(CUSTOMER, PRODUCT)
        subject = ContractTarget(
            wire, SALES, customer, registers=True, shape=shape, checkout_wait=checkout_wait,
            webhook=WebhookDoor("/webhooks/stripe", SECRET), account=AccountDoor(auth, "s1"), may_break_it=True,
            event_pause=0.0,
        )  # fmt: skip
        return {line.name: (line.outcome.result, line.outcome.detail) for line in run(subject)}


def failed(found: dict[str, tuple[Result, str]]) -> set[str]:
    return {name for name, (result, _) in found.items() if result is Result.FAIL}


def test_service_that_keeps_the_contract_passes_every_check(mock: MockPaymentMS) -> None:
    found = results(mock, AnswerShape.OPENAPI)

    assert failed(found) == set()
    skipped = {name for name, (result, _) in found.items() if result is Result.SKIPPED}
    assert skipped == {"failed_write", *OF_THE_SECOND}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_thing_is_named_and_nothing_else(mock: MockPaymentMS, name: str) -> None:
    mock.breakage, broken, reason = BROKEN[name]

    found = results(mock)

    assert failed(found) == broken
    assert all(reason in found[check][1] for check in broken)


def test_each_check_but_the_advisory_ones_is_failed_by_something(mock: MockPaymentMS) -> None:
    failable = {check.name for check in CHECKS} - NEVER_FAIL - OF_THE_SECOND - {"contract_told"}

    assert set().union(*(broken for _, broken, _ in BROKEN.values())) == failable


def test_openapi_that_names_no_call_is_noted(mock: MockPaymentMS) -> None:
    mock.breakage = altered("/openapi.json", paths={"/api/v1/portal": {}})

    result, detail = results(mock)["openapi"]

    assert result is Result.NOTE
    assert "/api/v1/checkout/subscription" in detail
    assert "/api/v1/portal" not in detail


def test_first_checkout_that_fails_at_stripe_once_is_noted(mock: MockPaymentMS) -> None:
    def once(asked: MockRequest, right: MockAnswer) -> MockAnswer:
        first = sum("/checkout/subscription" in earlier.path for earlier in mock.asked) == 1
        return refusal(500, "STRIPE_ERROR") if first and "/checkout/subscription" in asked.path else right

    mock.breakage = once

    found = results(mock)

    assert failed(found) == set()
    assert found["checkout_subscription"][0] is Result.NOTE
    assert "STRIPE_ERROR" in found["checkout_subscription"][1]


def test_honoured_idempotency_key_is_told(mock: MockPaymentMS) -> None:
    mock.breakage = altered("/api/v1/checkout/subscription", checkout_session_id="cs_live_always_the_same")

    result, detail = results(mock)["idempotency"]

    assert result is Result.OK
    assert "PAYMENT_MS_IDEMPOTENT may be true" in detail


def test_answer_slower_than_we_wait_is_named(mock: MockPaymentMS) -> None:
    found = results(mock, checkout_wait=0.0)

    assert failed(found) >= CHECKOUTS
    assert "the front end waits 0 s" in found["checkout_item"][1]


def test_shape_other_than_the_known_one_is_named(mock: MockPaymentMS) -> None:
    found = results(mock, AnswerShape.RUNNING)

    assert failed(found) == {"status_on_record"}
    assert "not the running one" in found["status_on_record"][1]


def test_key_that_is_refused_ends_the_questions(mock: MockPaymentMS, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([mock.url, "proj_wrong", "--catalog", str(ROOT / "products.json")])

    output = capsys.readouterr().out
    assert code == 1
    assert "Broken: status_none." in output
    assert "not asked: the key is refused" in output
    assert "proj_wrong" not in output
    assert not any("/checkout/" in asked.path for asked in mock.asked)


def test_key_refused_after_it_worked_is_told_apart(mock: MockPaymentMS) -> None:
    def poisoned(asked: MockRequest, right: MockAnswer) -> MockAnswer:
        broken = any("/checkout/item" in earlier.path for earlier in mock.asked) and asked.path.startswith("/api")
        return MockAnswer(401, b'{"error":"Invalid API key"}', "text/plain") if broken else right

    mock.breakage = poisoned

    found = results(mock)

    assert failed(found) == {"checkout_item"}
    assert "lost its database connection" in found["checkout_item"][1]


def test_closed_port_fails_the_first_check_and_skips_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"

        code = main([address, KEY, "--catalog", str(ROOT / "products.json")])

    output = capsys.readouterr().out
    assert code == 1
    assert "no connection (Connection refused)" in output
    assert f"1 FAIL, {len(CHECKS) - 1} skipped. Broken: health." in output


def test_says_what_it_will_create_before_it_asks_anything(
    mock: MockPaymentMS, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--price", "price_1", "--product", PRODUCT, "--item-price", "price_2", "--item-product", "prod_2"]

    code = main([mock.url, KEY, *options])

    output = capsys.readouterr().out
    assert code == 0
    assert output.index("checkout sessions for made-up customers (contract-") < output.index("GET /health")
    assert output.index("Leaves a row in its `customers`") < output.index("GET /health")
    assert "webhook" not in {asked.path.split("/")[1] for asked in mock.asked}
    assert "register" not in {asked.path.rpartition("/")[2] for asked in mock.asked}
    assert "The front end can rely on this service, as far as it was asked." in output
    opened = [asked for asked in mock.asked if "/checkout/" in asked.path and len(asked.body) > 1]
    assert len([asked for asked in opened if asked.body.get("items") != []]) == 9


def test_key_comes_from_the_environment_when_it_is_not_given(
    mock: MockPaymentMS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_MS_API_KEY", KEY)

    assert main([mock.url, "--catalog", str(ROOT / "products.json")]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftp://x", KEY], "the address must look like"),
        (["http://x", "a key"], "holds a space"),
        (["http://x", KEY, "--catalog", "nowhere.json"], "can't be read"),
        (["http://x", KEY, "--webhook-secret", SECRET, "--stripe-key", "sk_live_1"], "must be a test key"),
    ],
)
def test_unusable_arguments_are_said_in_a_sentence(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--catalog" not in arguments:
        arguments = [*arguments, "--catalog", str(ROOT / "products.json")]

    assert main(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["http://x"], ["http://x", KEY, "--sandbox"], ["http://x", KEY, "--stripe-key", "sk_test_1"]]
)
def test_incomplete_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)

    assert left.value.code == 2


def skipped_in(text: str) -> set[str]:
    return set(re.findall(r"^skipped +(\w+)", text, re.MULTILINE))


def test_sandbox_passes_in_the_second_version_and_all_three_shapes_though_two_requests_at_once_would_break_it() -> None:
    environment = {**os.environ, "SANDBOX_STATUS_SHAPE": "documented", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-m", "contract", "--sandbox"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 passed" in done.stdout
    assert [shape for shape in AnswerShape if f"in the {shape} shape ==" in done.stdout] == list(AnswerShape)
    assert not re.search("^FAIL", done.stdout, re.MULTILINE)
    second, *first = re.split("== The sandbox in ", done.stdout)[1:]
    assert skipped_in(second) == {"two_at_once", "failed_write"}
    assert not re.search("^note", second, re.MULTILINE)
    assert all(skipped_in(part) == {"two_at_once", "failed_write", *OF_THE_SECOND} for part in first)


@pytest.mark.long
@pytest.mark.parametrize("more", [[], ["--webhook-secret", "whsec_of_ones_own_0123456789"]])
def test_reference_service_has_every_check_ok_and_no_note(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--payment-service", *more])

    output = capsys.readouterr().out
    assert code == 0
    assert not re.search("^(FAIL|note)", output, re.MULTILINE)
    assert skipped_in(output) == set()


def test_public_service_of_november_2025_is_found_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly what is known of it, each with what was sent and answered, its meaning, its cause and its cure."""
    report = tmp_path / "report.md"

    code = main(["--sandbox", "--preset", NOVEMBER, "--report", str(report), "--catalog", str(ROOT / "products.json")])

    output, document = capsys.readouterr().out, report.read_text(encoding="utf-8")
    found = [Cause(name) for name in re.findall(r"^\d+\. .* \((\w+)\)$", output, re.MULTILINE)]
    assert code == 1
    assert found == [
        Cause.NO_CUSTOMER, Cause.CUSTOMER_AS_OBJECT, Cause.ONE_CONNECTION, Cause.FAILED_WRITES_ANSWER_200,
        Cause.UNSIGNED_WEBHOOKS, Cause.ACCOUNT_NOT_TOLD, Cause.OLD_PRODUCT, Cause.NO_STATUS, Cause.UNCHECKED_INPUT,
        Cause.CATCH_ALL,
    ]  # fmt: skip
    for cause in found:
        explained = EXPLANATIONS[cause]
        assert f"Likely cause: {explained.cause}\n   Cure: {explained.cure}" in output
        assert f"{explained.title}\n\n**Likely cause.** {explained.cause}\n\n**Cure.** {explained.cure}" in document
    failed = set(re.findall(r"^FAIL +(\w+)", output, re.MULTILINE))
    assert failed == {
        *CHECKOUTS, "webhook_unsigned", "webhook_created", "webhook_plan_change", "account_told", "two_at_once",
        "failed_write",
    }  # fmt: skip
    assert all(f"### `{name}`" in document for name in failed)
    assert 'answered  500 application/json {"error":{"type":"internal_error","code":"STRIPE_ERROR"' in output
    assert '< 401 text/plain {"error":"Invalid API key"}' in document
    assert "customers Who paid never appears" in output
    assert re.search(r'sent +POST /webhooks/stripe \{.*"type": "customer.subscription.created"', output)
    assert "a row in its `customers`" in document
    assert not re.search(r"proj_sandbox|whsec_|\"session_id\": ?\"[^…]", output + document)


def test_every_cause_is_explained_and_every_check_says_why_it_matters() -> None:
    assert set(EXPLANATIONS) == set(Cause)
    assert all(check.matters for check in CHECKS)


def test_price_that_stripe_does_not_know_is_no_missing_customer(mock: MockPaymentMS) -> None:
    answer = refusal(500, "STRIPE_ERROR")
    answer.content["error"]["description"] = "No such price: 'price_1'"
    mock.breakage = on(r"/api/v1/checkout/.*", answer, status=200)

    with SerialClient(mock.url, KEY) as wire:
        causes = {line.outcome.cause for line in run(ContractTarget(wire, SALES)) if line.outcome.result is Result.FAIL}

    assert causes == {Cause.UNKNOWN_PRICE}


def test_calls_that_can_break_it_and_events_are_off_by_default(mock: MockPaymentMS) -> None:
    main([mock.url, KEY, "--catalog", str(ROOT / "products.json")])
    before = {asked.path for asked in mock.asked}
    mock.breakage = BrokenByTwo(webhook_lies=False)
    code = main([mock.url, KEY, "--catalog", str(ROOT / "products.json")])

    assert code == 0
    assert "/webhooks/stripe" not in before


def test_made_up_events_that_a_service_of_the_second_version_passes_over_are_noted(mock: MockPaymentMS) -> None:
    """It may look at Stripe itself, which knows nothing of them."""

    def looks_itself(asked: MockRequest, right: MockAnswer) -> MockAnswer:
        if asked.path == "/health":
            return right.having(contract={"version": 2, "features": ["one_of_its_own"]})
        return no_purchase_appears(asked, keeps_the_old_product(asked, right))

    mock.breakage = looks_itself

    found = results(mock)

    for name in ("webhook_created", "webhook_plan_change"):
        assert found[name][0] is Result.NOTE
        assert "with --stripe-key sk_test_… a subscription is really made" in found[name][1]


def test_address_that_takes_no_webhook_is_named(mock: MockPaymentMS, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--webhook-secret", SECRET, "--webhook-path", "/elsewhere", "--catalog", str(ROOT / "products.json")]

    assert main([mock.url, KEY, *options]) == 1
    assert "no webhook is taken there; name it with --webhook-path" in capsys.readouterr().out
