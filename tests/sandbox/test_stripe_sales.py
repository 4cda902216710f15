"""What is sold over Stripe's API is paid on the pages, and what is changed on the pages is told by the API."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.local import BASIC, LocalShop
from tests.sandbox.shop import text_of
from tests.sandbox.stripe_client import StripeShop


@pytest.fixture
def shop(local: LocalShop) -> StripeShop:
    return StripeShop(local)


def page_of(shop: StripeShop, url: str | None) -> httpx.Response:
    answer = shop.local.http.get(url or "", follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer


def test_customer_is_found_by_address_and_metadata_and_changed(shop: StripeShop) -> None:
    ada, other = shop.customer("ada"), shop.customer("o'hara", email="other@example.com")
    changed = shop.v1.customers.update(ada.id, {"name": "Ada", "metadata": {"vat": "no", "user_id": "ada"}})
    shop.v1.customers.update(ada.id, {"metadata": {"vat": ""}})

    assert changed.name == "Ada"
    assert shop.get(f"customers/{ada.id}")["metadata"] == {"user_id": "ada"}
    assert [one.id for one in shop.v1.customers.list({"email": "other@example.com"}).data] == [other.id]
    shop.local.control("POST", "clock/advance", {"seconds": 60})
    found = shop.v1.customers.search({"query": "metadata['user_id']:'o\\'hara' AND email:'other@example.com'"})
    assert [one.id for one in found.data] == [other.id]
    assert shop.v1.customers.search({"query": "metadata['user_id']:'nobody'"}).data == []
    assert shop.local.truth("ada")["customers"] == [ada.id]


def test_search_does_not_find_what_was_made_just_now(shop: StripeShop) -> None:
    customer, query = shop.customer("ada"), "metadata['user_id']:'ada'"

    assert shop.v1.customers.search({"query": query}).data == []
    assert [one.id for one in shop.v1.customers.list().data] == [customer.id]
    shop.local.control("POST", "clock/advance", {"seconds": 60})
    assert [one.id for one in shop.v1.customers.search({"query": query}).data] == [customer.id]


def test_deleted_customer_is_gone_with_what_they_had(shop: StripeShop) -> None:
    subscription = shop.subscribe()
    customer = str(subscription.customer)
    shop.v1.customers.delete(customer)

    assert shop.get(f"customers/{customer}") == {"id": customer, "object": "customer", "deleted": True}
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert shop.v1.customers.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as gone:
        shop.session(shop.v1.customers.retrieve(customer), shop.price())
    assert (gone.value.code, gone.value.param) == ("resource_missing", "customer")


def test_price_moves_its_lookup_key_and_old_ones_stay(shop: StripeShop) -> None:
    old = shop.price(2900, lookup_key="gold")
    taken: Any = {"product": old.product, "unit_amount": 3900, "currency": "usd", "lookup_key": "gold"}
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        shop.v1.prices.create(taken)
    new = shop.v1.prices.create(taken | {"recurring": {"interval": "month"}, "transfer_lookup_key": True})

    found = shop.v1.prices.list({"lookup_keys": ["gold"], "expand": ["data.product"]}).data
    assert [(one.id, one.unit_amount) for one in found] == [(new.id, 3900)]
    assert isinstance(found[0].product, stripe.Product)
    assert found[0].product.name == "Gold"
    assert shop.v1.prices.retrieve(old.id).lookup_key is None


def test_catalog_is_for_sale_over_the_api_and_what_is_made_there_in_the_whole_sandbox(shop: StripeShop) -> None:
    made = shop.price()
    sold = {one.id for one in shop.v1.prices.list({"limit": 100}).data}
    listed = {line["price_id"]: line for line in shop.local.control("GET", "prices")}

    assert {BASIC, made.id} <= sold == listed.keys()
    assert (listed[made.id]["name"], listed[made.id]["plan"], listed[made.id]["group"]) == ("Gold", "gold", "plans")
    assert shop.v1.products.retrieve("prod_sandbox_basic").metadata.to_dict()["plan"] == "basic"


def test_retired_price_is_refused_and_its_subscriber_keeps_it(shop: StripeShop) -> None:
    subscription = shop.subscribe()
    price = subscription.items.data[0].price
    shop.v1.prices.update(price.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.session(shop.customer("u2"), price)

    assert shop.v1.subscriptions.retrieve(subscription.id).items.data[0].price.id == price.id


def test_subscription_carries_its_metadata_and_belongs_to_its_customer(shop: StripeShop) -> None:
    about: Any = {"metadata": {"user_id": "u1", "order": "7"}, "trial_period_days": 14, "description": "Gold, at last"}
    subscription = shop.subscribe("u1", subscription_data=about, client_reference_id="u1")
    item = subscription.items.data[0]

    assert (subscription.status, subscription.metadata.to_dict()) == ("trialing", about["metadata"])
    assert item.current_period_end - item.current_period_start == 14 * 86_400
    assert subscription.trial_end == item.current_period_end
    assert [one.id for one in shop.v1.subscriptions.list({"customer": str(subscription.customer)}).data] == [
        subscription.id
    ]
    assert shop.local.running_truth("u1")["id"] == subscription.id


def test_subscription_is_made_without_a_checkout_and_changes_and_ends_as_any_other(shop: StripeShop) -> None:
    customer, price = shop.customer("u7"), shop.price()
    wanted: Any = {"customer": customer.id, "items": [{"price": price.id, "quantity": 2}], "metadata": {"order": "7"}}
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        shop.v1.subscriptions.create(wanted)
    made = shop.v1.subscriptions.create(wanted | {"trial_period_days": 1})
    truth = shop.local.running_truth("u7")

    assert (made.status, made.metadata.to_dict(), made.items.data[0].quantity) == ("trialing", {"order": "7"}, 2)
    assert (truth["id"], truth["charges"][0]["amount"]) == (made.id, 0)
    told = [one.type for one in shop.v1.events.list().data if one.type.startswith("customer.subscription")]
    assert told == ["customer.subscription.created"]
    assert shop.v1.subscriptions.cancel(made.id).status == "canceled"


def test_user_is_known_by_reference_where_metadata_says_nothing(shop: StripeShop) -> None:
    customer = shop.v1.customers.create({"email": "ada@example.com"})
    shop.pay(shop.session(customer, shop.price(), client_reference_id="u9"))

    assert shop.local.truth("u9")["customers"] == [customer.id]
    assert len(shop.local.truth("u9")["subscriptions"]) == 1


def test_session_asks_for_consent_and_takes_no_code_unless_allowed(shop: StripeShop) -> None:
    terms: Any = {"consent_collection": {"terms_of_service": "required"}, "locale": "de"}
    session = shop.session(shop.customer(), shop.price(), **terms)
    page = page_of(shop, session.url)
    refused = shop.local.http.post(session.url or "", data={"email": "ada@example.com", "card": "4242424242424242"})

    assert 'data-testid="checkout-agree"' in page.text
    assert 'data-testid="promotion-code"' not in page.text
    assert (refused.status_code, "Agree to the terms to go on." in text_of(refused)) == (422, True)
    paid = shop.pay(session)
    assert paid.consent
    assert (paid.consent.terms_of_service, paid.locale) == ("accepted", "de")
    allowed = shop.session(shop.customer("u2"), shop.price(), allow_promotion_codes=True)
    assert 'data-testid="promotion-code"' in page_of(shop, allowed.url).text


def test_discount_shows_in_session_subscription_and_preview(shop: StripeShop) -> None:
    code = shop.v1.promotion_codes.list({"code": "once50", "active": True}).data[0]
    session = shop.session(shop.customer(), shop.price(), discounts=[{"promotion_code": code.id}])
    subscription = shop.pay(session).subscription
    assert isinstance(subscription, stripe.Subscription)
    preview = shop.v1.invoices.create_preview({"subscription": subscription.id})

    assert (session.amount_subtotal, session.amount_total) == (2900, 1450)
    assert shop.v1.invoices.retrieve(str(subscription.latest_invoice)).total == 1450
    assert preview.amount_due == 2900
    assert preview.next_payment_attempt == subscription.items.data[0].current_period_end
    with pytest.raises(stripe.InvalidRequestError, match="No such promotion code"):
        shop.session(shop.customer(), shop.price(), discounts=[{"promotion_code": "promo_NONE"}])


def test_preview_has_tax_and_discount_that_add_up(shop: StripeShop) -> None:
    shop.local.set(tax="added")
    session = shop.session(shop.customer(), shop.price(), discounts=[{"promotion_code": "promo_FOREVER50"}])
    subscription = shop.pay(session).subscription
    assert isinstance(subscription, stripe.Subscription)
    preview = shop.v1.invoices.create_preview({"subscription": subscription.id})
    due = shop.local.running_truth("u1")["next_charge"]

    assert (preview.amount_due, preview.currency) == (due["amount"], due["currency"]) == (1726, "usd")
    assert [one.amount for one in preview.total_taxes or ()] == [due["due"]["tax"]] == [276]
    assert [one.amount for one in preview.total_discount_amounts or ()] == [due["due"]["discount"]] == [1450]
    assert preview.subtotal - 1450 + 276 == preview.total


def test_session_is_expired_once_and_listed_by_its_state(shop: StripeShop) -> None:
    customer, price = shop.customer(), shop.price()
    first, second = shop.session(customer, price), shop.session(customer, price)
    expired = shop.v1.checkout.sessions.expire(first.id)
    with pytest.raises(stripe.InvalidRequestError, match="status of expired"):
        shop.v1.checkout.sessions.expire(first.id)

    assert (expired.status, expired.url, expired.payment_status) == ("expired", None, "unpaid")
    opened = shop.v1.checkout.sessions.list({"customer": customer.id, "status": "open"}).data
    assert [one.id for one in opened] == [second.id]
    assert "has expired" in page_of(shop, first.url).text
    line = shop.v1.checkout.sessions.line_items.list(second.id).data[0]
    assert line.price
    assert (line.price.id, line.quantity, line.amount_total) == (price.id, 1, 2900)


def test_session_ends_when_it_was_asked_to(shop: StripeShop) -> None:
    now = int(shop.local.sandbox.state.clock.timestamp())
    with pytest.raises(stripe.InvalidRequestError, match="between 30 minutes and 24 hours"):
        shop.session(shop.customer(), shop.price(), expires_at=now + 60)
    session = shop.session(shop.customer(), shop.price(), expires_at=now + 3600)
    shop.local.control("POST", "clock/advance", {"hours": 1.1})

    assert session.expires_at == now + 3600
    assert shop.v1.checkout.sessions.retrieve(session.id).status == "expired"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"mode": "payment"}, "recurring price"),
        ({"line_items": [{"price": "price_gone"}]}, "No such price"),
        ({"customer_email": "x@y.test"}, "customer, customer_email"),
        ({"allow_promotion_codes": True, "discounts": [{"coupon": "HALF"}]}, "allow_promotion_codes, discounts"),
    ],
)
def test_sessions_that_stripe_refuses_are_refused(shop: StripeShop, more: dict[str, Any], said: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=said):
        shop.session(shop.customer(), shop.price(), **more)


def test_subscription_is_canceled_at_its_end_and_that_is_undone_and_it_ends(shop: StripeShop) -> None:
    subscription = shop.subscribe()
    end = subscription.items.data[0].current_period_end
    booked = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    undone = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    ended = shop.v1.subscriptions.cancel(subscription.id, {"prorate": False, "invoice_now": False})
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        shop.v1.subscriptions.cancel(subscription.id)

    assert (booked.cancel_at_period_end, booked.cancel_at) == (True, end)
    assert (undone.cancel_at_period_end, undone.cancel_at, undone.canceled_at) == (False, None, None)
    assert (ended.status, ended.items.data[0].current_period_end) == ("canceled", end)
    assert ended.ended_at
    assert shop.v1.subscriptions.list().data == []
    assert len(shop.v1.subscriptions.list({"status": "all"}).data) == 1


def test_price_quantity_and_pause_are_changed_over_the_api(shop: StripeShop) -> None:
    subscription, silver = shop.subscribe(), shop.price(1000, "Silver")
    item: Any = {"id": subscription.items.data[0].id, "price": silver.id, "quantity": 3}
    changed = shop.v1.subscriptions.update(subscription.id, {"items": [item], "proration_behavior": "none"})
    paused = shop.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    going = shop.v1.subscriptions.update(subscription.id, {"pause_collection": ""})

    assert (changed.items.data[0].price.id, changed.items.data[0].quantity) == (silver.id, 3)
    assert paused.pause_collection
    assert (paused.pause_collection.behavior, going.pause_collection) == ("void", None)
    assert shop.local.running_truth("u1")["next_charge"]["amount"] == 3000


def test_booked_change_is_a_schedule_with_the_next_price(shop: StripeShop) -> None:
    subscription, yearly = shop.subscribe(), shop.price(29_000, recurring={"interval": "year"})
    shop.local.set(plan_changes="period_end")
    shop.local.control("POST", f"subscriptions/{subscription.id}/switch", {"price_id": yearly.id})
    found = shop.v1.subscriptions.retrieve(subscription.id, {"expand": ["schedule", "schedule.phases.items.price"]})
    schedule = found.schedule
    assert isinstance(schedule, stripe.SubscriptionSchedule)
    price = schedule.phases[1].items[0].price

    assert schedule.phases[1].start_date == found.items.data[0].current_period_end
    assert isinstance(price, stripe.Price)
    assert (price.id, price.unit_amount) == (yearly.id, 29_000)


def test_payment_is_found_from_the_subscription_and_refunded_once(shop: StripeShop) -> None:
    subscription = shop.subscribe()
    payment = shop.v1.invoice_payments.list({"invoice": str(subscription.latest_invoice), "status": "paid"}).data[0]
    intent = str(payment.payment.payment_intent)
    part = shop.v1.refunds.create({"payment_intent": intent, "amount": 900, "reason": "duplicate"})
    rest = shop.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.v1.refunds.create({"payment_intent": intent})

    assert (part.amount, rest.amount, rest.status) == (900, 2000, "succeeded")
    assert refused.value.code == "charge_already_refunded"
    assert shop.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).amount_received == 2900
    assert shop.local.truth("u1")["returned"] == {"usd": 2900}
    assert [one.id for one in shop.v1.refunds.list({"payment_intent": intent}).data] == [rest.id, part.id]


def test_one_off_purchase_has_a_payment_and_an_invoice_only_where_asked_for(shop: StripeShop) -> None:
    customer, pack = shop.customer(), shop.price(500, "Pack", recurring=None)
    lines = [{"price": pack.id, "quantity": 2}]
    about: Any = {"payment_intent_data": {"metadata": {"user_id": "u1"}}, "billing_address_collection": "required"}
    paid = shop.pay(shop.session(customer, pack, mode="payment", line_items=lines, **about))
    invoiced = shop.pay(shop.session(customer, pack, mode="payment", invoice_creation={"enabled": True}))

    assert (paid.amount_total, paid.subscription, paid.invoice) == (1000, None, None)
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert paid.payment_intent.amount == 1000
    assert [one.id for one in shop.v1.invoices.list({"customer": customer.id}).data] == [invoiced.invoice]


def test_renewal_that_fails_leaves_an_open_invoice_and_a_next_attempt(shop: StripeShop) -> None:
    session = shop.session(shop.customer(), shop.price())
    subscription = shop.pay(session, "4000000000000341").subscription
    assert isinstance(subscription, stripe.Subscription)
    shop.local.days(32)
    invoice = shop.v1.invoices.list({"subscription": subscription.id, "status": "open"}).data[0]

    assert shop.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    assert (invoice.amount_remaining, invoice.attempt_count, invoice.billing_reason) == (2900, 1, "subscription_cycle")
    assert invoice.next_payment_attempt
    assert invoice.parent
    assert invoice.parent.subscription_details
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert "Invoice for Gold" in page_of(shop, invoice.hosted_invoice_url).text


def test_portal_opens_on_the_page_of_its_flow(shop: StripeShop) -> None:
    subscription = shop.subscribe()
    base: Any = {"customer": str(subscription.customer), "return_url": "https://app.test/billing"}
    of: Any = {"subscription": subscription.id}
    open_portal = shop.v1.billing_portal.sessions.create
    cancel = open_portal(base | {"flow_data": {"type": "subscription_cancel", "subscription_cancel": of}})
    change = open_portal(base | {"flow_data": {"type": "subscription_update", "subscription_update": of}})
    card = open_portal(base | {"flow_data": {"type": "payment_method_update"}, "locale": "de"})

    assert 'data-testid="portal-confirm-cancel"' in page_of(shop, cancel.url).text
    assert "<details open" in page_of(shop, change.url).text
    assert "<details open" in page_of(shop, card.url).text
    assert "<details open" not in page_of(shop, open_portal(base).url).text
    assert card.locale == "de"
    shop.local.set(portal_cancel=False)
    with pytest.raises(stripe.InvalidRequestError, match="disabled in the portal"):
        open_portal(base | {"flow_data": {"type": "subscription_cancel", "subscription_cancel": of}})
