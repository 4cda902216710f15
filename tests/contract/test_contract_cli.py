"""`python -m contract`: it passes what keeps the contract, and names what does not, one broken thing at a time."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.__main__ import main
from contract.checks import CHECKS, run
from contract.reading import AnswerShape
from contract.results import Result
from contract.target import ContractTarget, KnownCustomer, Sale, Sales
from contract.wire import SerialClient
from tests.contract.broken_services import BROKEN, CHECKOUTS, altered
from tests.contract.mock_payment_ms import (
    CUSTOMER,
    KEY,
    PRODUCT,
    MockAnswer,
    MockPaymentMS,
    MockRequest,
    mock_payment_ms,
    refusal,
)

ROOT = Path(__file__).resolve().parents[2]
SALES = Sales(Sale("price_1", PRODUCT), (Sale("price_2", "prod_2"), Sale("price_3", "prod_3")))


@pytest.fixture
def mock() -> Iterator[MockPaymentMS]:
    with mock_payment_ms() as mock:
        yield mock


def results(
    mock: MockPaymentMS, shape: AnswerShape | None = None, checkout_wait: float = 10.0
) -> dict[str, tuple[Result, str]]:
    """What each check says of the mock."""
    with SerialClient(mock.url, KEY) as wire:
        customer = KnownCustomer(CUSTOMER, PRODUCT)
        subject = ContractTarget(wire, SALES, customer, registers=True, shape=shape, checkout_wait=checkout_wait)
        return {line.name: (line.outcome.result, line.outcome.detail) for line in run(subject)}


def failed(found: dict[str, tuple[Result, str]]) -> set[str]:
    return {name for name, (result, _) in found.items() if result is Result.FAIL}


def test_service_that_keeps_the_contract_passes_every_check(mock: MockPaymentMS) -> None:
    found = results(mock, AnswerShape.OPENAPI)

    assert failed(found) == set()
    assert {name for name, (result, _) in found.items() if result is Result.SKIPPED} == set()


@pytest.mark.parametrize("name", BROKEN)
def test_broken_thing_is_named_and_nothing_else(mock: MockPaymentMS, name: str) -> None:
    mock.breakage, broken, reason = BROKEN[name]

    found = results(mock)

    assert failed(found) == broken
    assert all(reason in found[check][1] for check in broken)


def test_each_check_but_the_advisory_ones_is_failed_by_something(mock: MockPaymentMS) -> None:
    failable = {check.name for check in CHECKS} - {"openapi", "idempotency"}

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
    assert output.index("checkout sessions for contract-") < output.index("GET /health")
    assert "register" not in {asked.path.rpartition("/")[2] for asked in mock.asked}
    assert "The front end can rely on this service, as far as it was asked." in output
    opened = [asked for asked in mock.asked if "/checkout/" in asked.path and len(asked.body) > 1]
    assert len([asked for asked in opened if asked.body.get("items") != []]) == 4


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
    ],
)
def test_unusable_arguments_are_said_in_a_sentence(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--catalog" not in arguments:
        arguments = [*arguments, "--catalog", str(ROOT / "products.json")]

    assert main(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["http://x"], ["http://x", KEY, "--sandbox"]])
def test_incomplete_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)

    assert left.value.code == 2


def test_sandbox_passes_in_all_three_shapes_though_two_requests_at_once_would_break_it() -> None:
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
    assert "3 of 3 shapes passed." in done.stdout
    assert [shape for shape in AnswerShape if f"in the {shape} shape ==" in done.stdout] == list(AnswerShape)
    assert "FAIL" not in done.stdout
    assert "skipped" not in done.stdout
