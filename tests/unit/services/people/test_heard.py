"""What a user is told of who said what: each service's last word, what they did here, and what nobody tells."""

from dataclasses import replace
from datetime import timedelta

from services.errors import UpstreamTimeout
from services.lifecycle import Lifecycle
from services.payment_contract.details import SubscriptionDetails
from services.payment_contract.features import ContractFeature, PaymentContract
from services.people.heard import Heard, HeardKind, heard_of
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.subscription.snapshot import UpstreamSnapshot
from tests.replica import Outside, Replica


async def heard(replica: Replica, outside: Outside, session: Session) -> dict[HeardKind, Heard]:
    status = await replica.ask(session)
    snapshot = replica.refresher.last_heard("ada")
    assert snapshot is not None
    return {one.kind: one for one in heard_of(status, snapshot, outside.catalog, outside.clock())}


async def told_of_a_purchase(replica: Replica, outside: Outside) -> tuple[CustomerStatus, UpstreamSnapshot]:
    outside.payment_ms.shape = "documented"
    ada = await replica.sign_in()
    made = await replica.click(ada)
    outside.world.pay(made.session_id)
    outside.world.deliver_all()
    status = await replica.ask(ada)
    snapshot = replica.refresher.last_heard("ada")
    assert snapshot is not None
    return status, snapshot


async def test_both_services_words_with_their_age(replica: Replica, outside: Outside) -> None:
    outside.payment_ms.shape = "documented"
    ada = await replica.sign_in()
    made = await replica.click(ada)
    outside.world.pay(made.session_id)
    outside.world.deliver_all()
    await replica.come_back(ada, made)

    said = await heard(replica, outside, ada)

    billing, account = said[HeardKind.BILLING_HAS], said[HeardKind.ACCOUNT_HAS]
    assert (str(billing.plan), billing.word, billing.at) == ("Premium", "active", outside.clock())
    assert (str(account.plan), account.word) == ("Premium", "active")
    assert HeardKind.CAME_BACK not in said
    assert {HeardKind.CANCELLATION_UNTOLD, HeardKind.MONEY_UNTOLD} <= said.keys()


async def test_a_service_without_status_words_is_not_given_one(replica: Replica, outside: Outside) -> None:
    outside.world.account_speaks = False
    ada = await replica.sign_in()
    made = await replica.click(ada)
    outside.world.pay(made.session_id)
    outside.world.deliver_all()

    said = await heard(replica, outside, ada)

    assert said[HeardKind.BILLING_HAS_UNNAMED].word is None
    assert HeardKind.ACCOUNT_SAYS_NOTHING in said


async def test_a_purchase_that_nobody_confirms_and_a_checkout_nobody_came_back_from(
    replica: Replica, outside: Outside
) -> None:
    ada = await replica.sign_in()
    made = await replica.click(ada)
    left = await heard(replica, outside, ada)
    outside.clock.move(60)
    await replica.come_back(ada, made)
    back = await heard(replica, outside, ada)

    assert left[HeardKind.NOT_BACK].at == made.started_at
    assert HeardKind.NOT_BACK not in back
    assert back[HeardKind.CAME_BACK].at == made.started_at + timedelta(seconds=60)
    assert HeardKind.BILLING_NONE in back


async def test_nobody_is_told_to_have_come_back_where_only_billing_says_that_it_went_through(
    replica: Replica, outside: Outside
) -> None:
    sessions = frozenset({ContractFeature.CHECKOUT_SESSIONS})
    outside.payment_ms.contract = PaymentContract(version=2, features=sessions)
    ada = await replica.sign_in()
    made = await replica.click(ada)
    outside.world.pay(made.session_id)
    await replica.ask(ada)

    said = await heard(replica, outside, ada)

    assert said[HeardKind.WENT_THROUGH].at is not None
    assert HeardKind.CAME_BACK not in said


async def test_a_silent_service_is_called_silent_and_its_last_word_stays(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    await replica.ask(ada)
    outside.clock.move(90)
    outside.payment_ms.switch.error = UpstreamTimeout("payment_ms", "subscription")

    said = await heard(replica, outside, ada)

    assert HeardKind.BILLING_SILENT in said
    assert said[HeardKind.BILLING_NONE].at == outside.clock() - timedelta(seconds=90)


async def test_a_service_that_tells_of_charges_is_not_said_to_hide_discounts(
    replica: Replica, outside: Outside
) -> None:
    status, snapshot = await told_of_a_purchase(replica, outside)
    details = SubscriptionDetails(nothing_next=True)
    told = {
        product: answer.model_copy(update={"record": replace(answer.record, details=details)})
        for product, answer in snapshot.records.items()
    }

    found = heard_of(status, snapshot.model_copy(update={"records": told}), outside.catalog, outside.clock())

    assert HeardKind.MONEY_UNTOLD not in {one.kind for one in found}


async def test_a_word_whose_day_is_over_is_repeated_as_the_account_said_it(replica: Replica, outside: Outside) -> None:
    status, snapshot = await told_of_a_purchase(replica, outside)
    assert snapshot.account is not None
    assert snapshot.account.grant is not None
    over = replace(snapshot.account.grant, expires_at=outside.clock() - timedelta(days=30))
    old = snapshot.model_copy(update={"account": snapshot.account.model_copy(update={"grant": over})})

    said = {one.kind: one for one in heard_of(status, old, outside.catalog, outside.clock())}

    account = said[HeardKind.ACCOUNT_HAS]
    assert (account.word, account.until) == ("active", over.expires_at)


async def test_the_end_of_a_period_is_not_the_day_on_which_it_is_to_be_canceled(
    replica: Replica, outside: Outside
) -> None:
    status, snapshot = await told_of_a_purchase(replica, outside)
    later = Lifecycle(cancel_at=outside.clock() + timedelta(days=300))
    [(product, answer)] = snapshot.on_record
    record = replace(answer.record, lifecycle=later)
    told = snapshot.model_copy(update={"records": {product: answer.model_copy(update={"record": record})}})

    said = {one.kind: one for one in heard_of(status, told, outside.catalog, outside.clock())}

    assert said[HeardKind.BILLING_HAS].until == record.period_end
