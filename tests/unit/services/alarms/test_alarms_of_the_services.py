"""Each fault of the services behind this app raises an alarm of its own, and the contrary ends it."""

from datetime import timedelta

import pytest
import structlog

from services.alarms.alarm import ALARMS, AlarmKey
from services.alarms.evidence import MOST_CASES
from services.alarms.recorder import AlarmRecorder
from services.auth_ms import User
from services.errors import UpstreamFailed
from services.sessions.service import Session
from services.subscription.model import LOST_AFTER
from services.upstream.key_standing import KeyStanding
from services.upstream.responses import Call
from tests.replica import ADA, BOB, Outside, Replica

CLARA = User("clara", "Clara", "clara@example.com")
REFUSED = UpstreamFailed(
    "payment_ms", "checkout_subscription", "500", upstream_status=500, upstream_code="STRIPE_ERROR"
)
LATER = LOST_AFTER.total_seconds() + 60


class AlarmedShop:
    """One process that raises alarms, over services that can be broken."""

    def __init__(self, outside: Outside, *, expects_events: bool = False) -> None:
        self.outside = outside
        self.alarms = AlarmRecorder(outside.store, expects_events=expects_events, now=outside.clock)
        self.replica = Replica(outside, alarms=self.alarms)

    @property
    def raised(self) -> set[AlarmKey]:
        return {one.alarm.key for one in self.alarms.standing}

    async def press(self, user: User, *, works: bool = True, price: str = "price_premium_month") -> None:
        session = await self.replica.sign_in(user)
        self.outside.payment_ms.checkout_switch.error = None if works else REFUSED
        if works:
            await self.replica.click(session, price)
        else:
            with pytest.raises(UpstreamFailed):
                await self.replica.click(session, price)

    async def buy(self, user: User, *, arrives: tuple[str, ...] = ("billing", "account")) -> Session:
        """Buy Premium, come back, and look again when the wait is over; `arrives` names who hears of it."""
        session = await self.replica.sign_in(user)
        made = await self.replica.click(session)
        self.outside.clock.move(60)
        self.outside.world.pay(made.session_id)
        for webhook in tuple(self.outside.world.pending):
            self.outside.world.deliver(webhook, arrives)  # type: ignore[arg-type]
        await self.replica.come_back(session, made)
        await self.replica.ask(session)
        await self.look_later(session)
        return session

    async def look_later(self, session: Session) -> None:
        self.outside.clock.move(LATER)
        await self.replica.ask(session)


@pytest.fixture
def shop(outside: Outside) -> AlarmedShop:
    return AlarmedShop(outside)


async def test_everything_in_order_raises_nothing(outside: Outside) -> None:
    shop = AlarmedShop(outside, expects_events=True)
    for user in (ADA, BOB):
        await shop.buy(user)
        await shop.alarms.event_received()

    assert shop.raised == set()


async def test_new_customers_who_can_not_buy_raise_one_alarm_and_a_checkout_ends_it(shop: AlarmedShop) -> None:
    await shop.press(ADA, works=False)
    after_one = shop.raised
    await shop.press(BOB, works=False)
    after_two = shop.raised
    await shop.press(CLARA)

    assert after_one == set()
    assert after_two == {AlarmKey.NEW_CUSTOMERS_REFUSED}
    assert shop.raised == set()


async def test_one_customer_who_presses_again_and_again_is_one_case(shop: AlarmedShop) -> None:
    for _press in range(5):
        await shop.press(ADA, works=False)

    assert shop.raised == set()


async def test_refused_checkout_of_somebody_who_has_bought_is_no_case(shop: AlarmedShop) -> None:
    for user in (ADA, BOB, CLARA):
        await shop.press(user, price="price_mug")
        await shop.press(user, works=False)

    assert shop.raised == set()


async def test_other_failures_of_checkouts_are_no_case(shop: AlarmedShop) -> None:
    shop.outside.payment_ms.checkout_switch.error = UpstreamFailed("payment_ms", "checkout_subscription", "500")
    for user in (ADA, BOB, CLARA):
        session = await shop.replica.sign_in(user)
        with pytest.raises(UpstreamFailed):
            await shop.replica.click(session)

    assert shop.raised == set()


async def test_purchase_that_billing_never_hears_of_raises_one_alarm(shop: AlarmedShop) -> None:
    await shop.buy(ADA, arrives=("account",))

    assert shop.raised == {AlarmKey.PURCHASES_NOT_RECORDED}


async def test_purchase_is_no_case_before_the_wait_for_it_is_over(shop: AlarmedShop) -> None:
    session = await shop.replica.sign_in(ADA)
    made = await shop.replica.click(session)
    await shop.replica.come_back(session, made)
    shop.outside.clock.move(LATER - 120)
    await shop.replica.ask(session)

    assert shop.raised == set()


async def test_record_that_arrives_late_ends_the_alarm(shop: AlarmedShop) -> None:
    session = await shop.buy(ADA, arrives=())
    before = shop.raised
    shop.outside.world.accounts.clear()
    subscription = next(iter(shop.outside.world.subscriptions.values()))
    shop.outside.world.send(subscription)
    shop.outside.world.deliver_all()
    await shop.look_later(session)

    assert AlarmKey.PURCHASES_NOT_RECORDED in before
    assert AlarmKey.PURCHASES_NOT_RECORDED not in shop.raised


async def test_after_a_purchase_on_record_it_takes_three_lost_ones(shop: AlarmedShop) -> None:
    await shop.buy(ADA)
    seen = []
    for name in ("bob", "clara", "dora"):
        await shop.buy(User(name, name.title(), f"{name}@example.com"), arrives=("account",))
        seen.append(shop.raised)

    assert seen == [set(), set(), {AlarmKey.PURCHASES_NOT_RECORDED}]


async def test_account_that_says_nothing_about_a_buyer_raises_an_alarm(shop: AlarmedShop) -> None:
    shop.outside.world.account_speaks = False
    session = await shop.buy(ADA, arrives=("billing",))
    silent = shop.raised
    shop.outside.world.account_speaks = True
    for subscription in shop.outside.world.subscriptions.values():
        shop.outside.world.send(subscription)
    shop.outside.world.deliver_all()
    await shop.look_later(session)

    assert silent == {AlarmKey.ACCOUNT_SILENT}
    assert shop.raised == set()


async def test_cause_that_the_operator_accepts_is_no_alarm(shop: AlarmedShop) -> None:
    shop.outside.world.account_speaks = False
    await shop.buy(ADA, arrives=("billing",))
    accepting = AlarmRecorder(shop.outside.store, accepted=(AlarmKey.ACCOUNT_SILENT,), now=shop.outside.clock)
    await accepting.read()

    assert shop.raised == {AlarmKey.ACCOUNT_SILENT}
    assert accepting.standing == ()


async def test_account_that_says_nothing_about_visitors_is_no_case(shop: AlarmedShop) -> None:
    shop.outside.world.account_speaks = False
    for user in (ADA, BOB, CLARA):
        session = await shop.replica.sign_in(user)
        await shop.replica.ask(session)
        await shop.look_later(session)

    assert shop.raised == set()


async def test_record_that_stays_under_the_old_product_raises_an_alarm(shop: AlarmedShop) -> None:
    session = await shop.buy(ADA)
    await shop.replica.portal.open(session, "/payment")
    (subscription,) = shop.outside.world.subscriptions.values()
    shop.outside.world.switch(subscription, "price_basic_month")
    for webhook in tuple(shop.outside.world.pending):
        shop.outside.world.deliver(webhook, ("account",))
    await shop.replica.ask(session)
    at_once = shop.raised
    await shop.look_later(session)
    later = shop.raised

    shop.outside.world.lists_both = False
    shop.outside.world.send(subscription)
    shop.outside.world.deliver_all()
    await shop.look_later(session)

    assert at_once == set()
    assert later == {AlarmKey.RECORDS_UNDER_OLD_PRODUCT}
    assert shop.raised == set()


async def test_plan_that_was_granted_without_a_visit_to_the_portal_is_no_case(shop: AlarmedShop) -> None:
    session = await shop.buy(ADA)
    (subscription,) = shop.outside.world.subscriptions.values()
    shop.outside.world.switch(subscription, "price_basic_month")
    for webhook in tuple(shop.outside.world.pending):
        shop.outside.world.deliver(webhook, ("account",))
    await shop.look_later(session)

    assert shop.raised == set()


@pytest.mark.parametrize(("expected", "alarms"), [(True, {AlarmKey.NO_EVENTS}), (False, set())])
async def test_purchase_without_an_event_is_an_alarm_only_where_events_are_set_up(
    outside: Outside, expected: bool, alarms: set[AlarmKey]
) -> None:
    shop = AlarmedShop(outside, expects_events=expected)
    await shop.buy(ADA)
    raised = shop.raised
    await shop.alarms.event_received()

    assert raised == alarms
    assert shop.raised == set()


CALL = Call("payment_ms", "subscription", "request-1")


async def test_lost_service_is_an_alarm_until_it_is_back_and_then_for_three_days_another(outside: Outside) -> None:
    shop = AlarmedShop(outside)
    key = KeyStanding("KEY", None, shop.alarms)
    key.take()
    await key.keep()
    before = shop.raised
    await key.refusal(CALL, 401)
    outside.clock.move(600)
    await key.refusal(CALL, 401)
    lost = shop.raised
    key.take()
    await key.keep()
    back = shop.raised
    (one,) = shop.alarms.standing
    outside.clock.move(timedelta(days=3).total_seconds())

    assert before == set()
    assert lost == {AlarmKey.SERVICE_LOST}
    assert back == {AlarmKey.SERVICE_CAME_BACK}
    assert one.cases == ("lost 2026-11-24 12:00:00, back 2026-11-24 12:10:00 UTC",)
    assert shop.raised == set()


async def test_service_that_comes_back_after_a_restart_of_ours_is_noticed(outside: Outside) -> None:
    first = AlarmedShop(outside)
    key = KeyStanding("KEY", None, first.alarms)
    key.take()
    await key.refusal(CALL, 401)

    again = AlarmedShop(outside)
    key = KeyStanding("KEY", None, again.alarms)
    key.take()
    await key.keep()

    assert again.raised == {AlarmKey.SERVICE_CAME_BACK}


async def test_key_that_never_worked_is_no_lost_service(outside: Outside) -> None:
    shop = AlarmedShop(outside)
    key = KeyStanding("KEY", None, shop.alarms)
    await key.refusal(CALL, 401)

    assert shop.raised == set()


async def test_replicas_agree_and_the_log_has_it_once(outside: Outside) -> None:
    one, other = AlarmedShop(outside), AlarmedShop(outside)
    with structlog.testing.capture_logs() as lines:
        await one.press(ADA, works=False)
        await other.press(BOB, works=False)
        for each in (one, other, one, other):
            await each.alarms.read()
        raised = one.raised, other.raised
        await other.press(CLARA)
        for each in (one, other):
            await each.alarms.read()

    told = [line for line in lines if line["event"].startswith("alarm_")]
    assert raised == ({AlarmKey.NEW_CUSTOMERS_REFUSED},) * 2
    assert (one.raised, other.raised) == (set(), set())
    assert [(line["event"], line["log_level"], line["alarm"]) for line in told] == [
        ("alarm_raised", "error", "new_customers_refused"),
        ("alarm_ended", "info", "new_customers_refused"),
    ]
    assert told[0]["cure"]
    assert "ada" not in str(told)


async def test_line_about_an_alarm_names_no_user_and_no_request(outside: Outside) -> None:
    shop = AlarmedShop(outside)
    with (
        structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines,
        structlog.contextvars.bound_contextvars(user_hash="of whoever came by", request_id="r1"),
    ):
        for user in (ADA, BOB):
            await shop.press(user, works=False)

    (line,) = [line for line in lines if line["event"] == "alarm_raised"]
    assert not {"user_hash", "request_id"} & line.keys()
    assert any("request_id" in other for other in lines if other["event"] == "checkout")


async def test_alarm_that_ended_while_nobody_ran_is_said_to_have_ended(outside: Outside) -> None:
    first = AlarmedShop(outside)
    for user in (ADA, BOB):
        await first.press(user, works=False)
    outside.clock.move(timedelta(days=31).total_seconds())

    with structlog.testing.capture_logs() as lines:
        await AlarmedShop(outside).alarms.read()

    assert [line["event"] for line in lines] == ["alarm_ended"]


async def test_store_that_is_away_breaks_nobody(outside: Outside) -> None:
    shop = AlarmedShop(outside)
    outside.store.broken = True
    await shop.alarms.lost()
    await shop.alarms.works()
    await shop.alarms.checkout_refused("ada")
    await shop.alarms.read()
    outside.store.broken = False
    await shop.alarms.lost()

    assert shop.raised == {AlarmKey.SERVICE_LOST}


async def test_what_is_seen_again_and_again_is_written_once(outside: Outside) -> None:
    shop = AlarmedShop(outside)
    session = await shop.buy(ADA)
    await shop.look_later(session)
    written: list[str] = []
    put_field = outside.store.put_field

    async def noting(key: str, field: str, value: str, ttl: float | None, *, instead_of: str | None = None) -> None:
        written.append(key)
        await put_field(key, field, value, ttl, instead_of=instead_of)

    outside.store.put_field = noting  # type: ignore[method-assign]
    for _look in range(5):
        outside.clock.move(30)
        await shop.replica.ask(session)

    assert [key for key in written if key.startswith("alarm")] == []


async def test_cases_that_count_no_more_are_forgotten(outside: Outside) -> None:
    shop = AlarmedShop(outside)
    for user in (ADA, BOB):
        await shop.press(user, works=False)
    await shop.press(CLARA)

    kept = await outside.store.fields("alarm:evidence")
    assert [name for name in kept if name.startswith("new_customers")] == ["new_customers_refused/"]


async def test_a_flood_of_cases_keeps_the_store_small(outside: Outside) -> None:
    alarms = AlarmRecorder(outside.store, now=outside.clock)
    for number in range(3 * MOST_CASES):
        await alarms.checkout_refused(f"user-{number}")

    (one,) = alarms.standing
    assert len(one.cases) == len(await outside.store.fields("alarm:evidence")) == MOST_CASES


def test_every_cause_has_one_alarm_with_words() -> None:
    assert [alarm.key for alarm in ALARMS] == list(AlarmKey)
    assert all(alarm.what_is_so and alarm.customers_see and alarm.cure for alarm in ALARMS)
