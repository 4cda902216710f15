"""The quirks of the newest public Payment MS, one by one and all together."""

import asyncio

import pytest

from sandbox.database import Database, DocumentStore
from sandbox.faults.planned import Fault
from sandbox.payment.single_connection import SingleConnection
from sandbox.presets import PRESETS_BY_NAME
from tests.sandbox.local import ADA, BASIC, MONTHLY, TRIAL, LocalShop
from tests.sandbox.shop import BACK, RETURN

PREMIUM = "prod_sandbox_premium"
BODY = {
    "user_id": ADA,
    "email": "ada@example.com",
    "product_id": PREMIUM,
    "price_id": MONTHLY,
    "success_url": RETURN,
    "cancel_url": BACK,
}


def buy(local: LocalShop, kind: str = "subscription", **more: object) -> tuple[int, str]:
    """The status and the error code of a checkout call."""
    answer = local.payment("POST", f"/api/v1/checkout/{kind}", {**BODY, **more})
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def test_user_without_a_stripe_customer_can_never_buy(local: LocalShop) -> None:
    local.set(never_creates_customers=True)

    first, second = buy(local), buy(local)
    local.control("POST", f"users/{ADA}/customers", {"email": "ada@example.com"})

    assert (first, second) == ((500, "STRIPE_ERROR"),) * 2
    assert buy(local) == (200, "")


def test_customer_that_the_payment_ms_does_not_know_does_not_help(local: LocalShop) -> None:
    local.set(never_creates_customers=True)

    local.control("POST", f"users/{ADA}/customers", {"known": False})

    assert buy(local) == (500, "STRIPE_ERROR")


@pytest.mark.parametrize(("length", "answer"), [(200, (200, "")), (201, (500, "STRIPE_ERROR"))])
def test_ids_are_at_most_200_characters_when_strict(local: LocalShop, length: int, answer: tuple[int, str]) -> None:
    local.set(strict_ids=True)

    assert buy(local, user_id="u" * length) == answer


@pytest.mark.parametrize(("lenient", "answer"), [(False, 400), (True, 200)])
def test_incomplete_bodies_are_accepted_when_set(local: LocalShop, lenient: bool, answer: int) -> None:
    local.set(accepts_incomplete_bodies=lenient)

    assert buy(local, product_id="")[0] == answer
    assert buy(local, "item", price_id="price_sandbox_sticker_pack", quantity=0)[0] == answer
    assert buy(local, "item", product_id="")[0] == 400


def test_record_stays_under_the_product_that_was_bought_first(local: LocalShop) -> None:
    local.set(record_stays_under_old_product=True)
    local.subscribe()

    local.act("switch", price_id=BASIC)
    local.settle()

    assert local.status(ADA, PREMIUM)["exists"] is True
    assert local.status(ADA, "prod_sandbox_basic") == {"exists": False}
    assert local.running_truth()["product_id"] == "prod_sandbox_basic"
    assert local.truth()["account"]["plan"] == "basic"


def test_it_tells_nobody(local: LocalShop) -> None:
    local.set(tells_nobody=True)

    local.subscribe()

    assert local.status(ADA, PREMIUM)["exists"] is True
    assert local.truth()["account"] == {"status": "none", "plan": "free", "expires_at": None, "silent": False}


def test_renewal_whose_write_failed_is_lost_when_it_was_answered_200(local: LocalShop) -> None:
    local.set(failed_writes_answer_200=True)
    local.subscribe()
    before = local.status(ADA, PREMIUM)["period_end"]
    local.control("POST", "faults", {"operation": "webhook", "status": 500, "times": 1})

    local.days(40)

    assert local.status(ADA, PREMIUM)["period_end"] == before
    assert local.running_truth()["period_end"] > before
    assert local.truth()["events"][0]["state"] == "lost"


def test_write_that_failed_is_sent_again_otherwise(local: LocalShop) -> None:
    local.subscribe()
    local.control("POST", "faults", {"operation": "webhook", "status": 500, "times": 3})

    local.days(31.01)
    late = local.status(ADA, PREMIUM)["period_end"]
    local.days(1)

    assert late == local.truth()["charges"][0]["period_end"]
    assert local.status(ADA, PREMIUM)["period_end"] == local.running_truth()["period_end"]


def test_stripe_gives_up_after_three_days(local: LocalShop) -> None:
    local.subscribe()
    local.control("POST", "faults", {"operation": "webhook", "status": 500})

    local.days(36)

    assert local.truth()["waiting_webhooks"] == 0
    assert local.status(ADA, PREMIUM)["period_end"] == local.truth()["charges"][0]["period_end"]


def test_webhook_that_meets_a_call_breaks_the_connection() -> None:
    async def meet() -> bool:
        connection = SingleConnection()
        with connection.held():
            connection.hold_for_a_write()
        return connection.lost

    assert asyncio.run(meet())


def test_webhooks_one_after_another_break_nothing() -> None:
    async def follow() -> bool:
        connection = SingleConnection()
        for _ in range(3):
            connection.hold_for_a_write()
            await asyncio.sleep(0.01)
        return connection.lost

    assert not asyncio.run(follow())


def test_webhook_that_meets_a_call_leaves_the_service_dead(local: LocalShop) -> None:
    local.set(one_connection=True, webhooks_share_connection=True, webhook_delay=10, failed_writes_answer_200=True)
    session = local.checkout(ADA, product_id=PREMIUM, price_id=MONTHLY)["checkout_session_id"]
    local.control("POST", f"pay/{session}")
    local.control("POST", "payment/poison")

    local.days(1)

    assert local.payment("GET", f"/api/v1/subscriptions/{ADA}/{PREMIUM}").status_code == 401
    local.control("POST", "payment/heal")
    assert local.status(ADA, PREMIUM) == {"exists": False}
    assert {event["state"] for event in local.truth()["events"]} == {"lost"}


def test_clock_of_the_services_can_be_wrong(local: LocalShop) -> None:
    right = local.payment("GET", "/health").headers["date"]

    local.set(date_offset=600)

    assert right == "Thu, 15 Jan 2026 12:00:00 GMT"
    assert local.payment("GET", "/health").headers["date"] == "Thu, 15 Jan 2026 12:10:00 GMT"


def test_public_service_of_november_2025(local: LocalShop) -> None:
    settings = local.control("POST", "presets/public_service_november_2025")
    refused = buy(local)
    local.control("POST", f"users/{ADA}/customers")

    local.subscribe(TRIAL)

    preset = PRESETS_BY_NAME["public_service_november_2025"].values
    assert {name: settings[name] for name in preset} == preset
    assert refused == (500, "STRIPE_ERROR")
    assert local.amounts() == [9900]
    assert local.status(ADA, "prod_sandbox_enterprise") == {"exists": False}
    assert local.truth()["account"] is None


def test_document_of_another_release_counts_as_absent() -> None:
    database = Database(":memory:")
    store = DocumentStore(database, "fault", Fault)
    store.put("good", Fault(id="good"), due=2)
    for place, body in enumerate(["{}x", '{"times": 0}', "[]"]):
        database.connection.execute(
            "INSERT INTO documents (kind, id, owner, due, body) VALUES ('fault', ?, '', 1, ?)", (str(place), body)
        )

    assert [fault.id for fault in store.of("")] == ["good"]
    assert store.first_due() == (2.0, Fault(id="good"))
    database.close()


def posted(local: LocalShop, signature: str) -> tuple[int, str]:
    event = {"type": "contract.check", "created": 1768478400, "data": {"object": {"metadata": {"user_id": ADA}}}}
    answer = local.http.post(
        f"{local.place.payment_ms_url}/webhooks/stripe", json=event, headers={"Stripe-Signature": signature}
    )
    return answer.status_code, answer.json().get("error", {}).get("code", "")


@pytest.mark.parametrize(("believes", "answer"), [(False, (400, "INVALID_SIGNATURE")), (True, (200, ""))])
def test_event_with_a_forged_signature_is_believed_only_when_set(
    local: LocalShop, believes: bool, answer: tuple[int, str]
) -> None:
    local.set(accepts_unsigned_webhooks=believes)

    assert posted(local, "t=1,v1=00") == answer
    assert posted(local, "") == answer


def test_posted_event_that_is_none_is_refused(local: LocalShop) -> None:
    local.set(accepts_unsigned_webhooks=True)

    answers = [
        local.http.post(f"{local.place.payment_ms_url}/webhooks/stripe", content=body).status_code
        for body in (
            b"",
            b"[]",
            b"{}",
            b'{"type": "customer.subscription.created", "created": 1, "data": {"object": {}}}',
        )
    ]

    assert answers == [400] * 4
