"""Every kind of row that the app writes, as another release might have left it: absent, said once, and no failure.

Each row is first written by the app itself; then it is damaged, and read by the way that users take.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from cli.store_schema import note_schema, require_readable
from services.alarms.recorder import AlarmRecorder
from services.auth_ms import User
from services.checkout_record import CheckoutEvent
from services.errors import CheckoutUnreadable, SignInFailed, UpstreamTimeout
from services.people.reconciled import LastReconcile, ReconcileFigures
from services.people.shown import ShownRecord
from services.sessions.service import Session, Visitor, session_key
from services.storage import rows
from services.storage.rows import MARKERS, RowKind, UnreadableRows
from services.stripe_mode import StripeMode, StripeModeService
from services.subscription.model import State
from tests.replica import ADA, BOB, PUBLIC_URL, Outside, Replica
from tests.unit.services.webhooks.receivers import HookReceiver, Telling

MUG = "price_mug"
PREMIUM = "price_premium_month"
BASIC = "price_basic_month"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\"]*")


@dataclass(frozen=True)
class Damage:
    """What another release, or a fault, makes of a row's text."""

    name: str
    of: Callable[[str], str | None]
    """The text instead, None where this damage can't befall it."""


def renamed(text: str) -> str | None:
    """Every field has another name."""
    value = json.loads(text) if text.startswith("{") else None
    return json.dumps({f"{name}_2": inner for name, inner in value.items()}) if value else None


def moments_as(moment: str) -> Callable[[str], str | None]:
    """Every time in it is written like this."""
    return lambda text: MOMENT.sub(moment, text) if MOMENT.search(text) else None


DAMAGES = (
    Damage("garbage", lambda text: "\x00\ufffd{not ours"),
    Damage("an empty object", lambda text: "{}"),
    Damage("a list", lambda text: "[]"),
    Damage("null", lambda text: "[null]"),
    Damage("renamed fields", renamed),
    Damage("a bad date", moments_as("soon")),
    Damage("a date without a zone", moments_as("2026-11-24T12:00:00")),
    Damage("a date at the end of time", moments_as("9999-12-31T23:59:59Z")),
)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[structlog.typing.EventDict]]:
    monkeypatch.setattr(rows, "unreadable_rows", UnreadableRows())
    with structlog.testing.capture_logs() as lines:
        yield lines


@dataclass
class Case:
    """A process whose rows are damaged, and the user it is about."""

    replica: Replica
    outside: Outside
    ada: Session

    async def damage(self, kind: str, damage: Damage, *, events: bool = False) -> int:
        """Damage every value and field under the keys of a kind; return how many could be."""
        store, done = self.outside.store, 0
        for key in [key for key in await store.keys(kind) if key == kind or key.startswith(f"{kind}:")]:
            text = await store.get(key)
            if text is not None and (damaged := damage.of(text)) is not None:
                await store.put(key, damaged, None)
                done += 1
            for field, content in (await store.fields(key)).items():
                if ("." in field) == events and (damaged := damage.of(content)) is not None:
                    await store.put_field(key, field, damaged, None)
                    done += 1
        return done


@pytest.fixture
async def case(replica: Replica, outside: Outside) -> Case:
    return Case(replica, outside, await replica.sign_in())


async def write_sign_in(case: Case) -> Callable[[], Awaitable[None]]:
    start = await case.replica.sessions.begin_sign_in("google", "/account")

    async def read() -> None:
        code = case.outside.auth_ms.code_for(ADA)
        with pytest.raises(SignInFailed):
            await case.replica.sessions.complete_sign_in(
                token=start.token, state=None, auth_code=code, old_session_id=None
            )

    return read


async def write_session(case: Case) -> Callable[[], Awaitable[None]]:
    sessions = case.replica.sessions

    async def read() -> None:
        assert await sessions.find(sessions.cookie_for(case.ada.id)) is None  # which gets a new cookie
        assert await sessions.by_id(case.ada.id) is None
        status = await case.replica.refresher.remembered("ada")
        assert status is None or status.customer == "ada"

    return read


async def write_first_email(case: Case) -> Callable[[], Awaitable[None]]:
    async def read() -> None:
        assert (await case.replica.sign_in()).first_email == ADA.email
        again = Replica(case.outside)
        assert (await again.sign_in()).first_email == ADA.email

    return read


async def write_cart(case: Case) -> Callable[[], Awaitable[None]]:
    cart = case.replica.cart
    await cart.add("a", MUG, 2)

    async def read() -> None:
        found = await cart.read("a")
        assert (found.lines, found.gone) == ((), 0)
        await cart.merge("a", "b")
        assert [line.quantity for line in (await cart.add("a", MUG)).lines] == [1]

    return read


async def write_checkout(case: Case) -> Callable[[], Awaitable[None]]:
    made = await case.replica.click(case.ada)

    async def read() -> None:
        assert await case.replica.checkouts.of("ada") == ()
        assert await case.replica.come_back(case.ada, made) is None
        assert (await case.replica.ask(case.ada)).open is None

    return read


async def write_checkout_event(case: Case) -> Callable[[], Awaitable[None]]:
    made = await case.replica.click(case.ada)
    await case.replica.come_back(case.ada, made)

    async def read() -> None:
        (found,) = await case.replica.checkouts.of("ada")
        assert found.events == {CheckoutEvent.RETURNED: made.started_at}
        assert (await case.replica.ask(case.ada)).current.state is State.CONFIRMING

    return read


async def write_idempotency_key(case: Case) -> Callable[[], Awaitable[None]]:
    case.outside.payment_ms.checkout_switch.error = UpstreamTimeout("payment_ms", "checkout")
    with pytest.raises(UpstreamTimeout):
        await case.replica.click(case.ada, MUG)
    case.outside.payment_ms.checkout_switch.error = None

    async def read() -> None:
        made = await case.replica.click(case.ada, MUG)
        assert (await case.replica.click(case.ada, MUG)).session_id == made.session_id
        assert len(set(case.outside.payment_ms.keys)) == 2

    return read


async def bob_at_the_portal(case: Case) -> Session:
    """Bob has a plan that he bought here, and has gone to the portal."""
    bob = await case.replica.sign_in(BOB)
    if not case.outside.world.live("bob"):
        made = await case.replica.click(bob)
        case.outside.world.pay(made.session_id)
        case.outside.world.deliver_all()
        await case.replica.come_back(bob, made)
    await case.replica.ask(bob)
    await case.replica.portal.open(bob, "/payment")
    return bob


async def write_portal_visit(case: Case) -> Callable[[], Awaitable[None]]:
    bob = await bob_at_the_portal(case)

    async def read() -> None:
        assert await case.replica.portal.record_return(bob) is None

    return read


async def write_portal_trace(case: Case) -> Callable[[], Awaitable[None]]:
    """That something may have been changed there stays true."""
    bob = await bob_at_the_portal(case)

    async def read() -> None:
        found = await case.replica.ask(bob)
        assert found.current.state is State.ACTIVE
        assert found.current.amount is None

    return read


async def write_snapshot(case: Case) -> Callable[[], Awaitable[None]]:
    await case.replica.ask(case.ada)

    async def read() -> None:
        again = Replica(case.outside)
        known = await again.refresher.remembered("ada")
        assert known is None or known.current.state is State.UNAVAILABLE
        assert (await again.ask(case.ada)).current.state is State.NONE

    return read


async def write_stripe_mode(case: Case) -> Callable[[], Awaitable[None]]:
    await StripeModeService(case.outside.store, public_url=PUBLIC_URL, sandbox=False).note("cs_test_1")

    async def read() -> None:
        mode = StripeModeService(case.outside.store, public_url=PUBLIC_URL, sandbox=False)
        assert await mode.mode() is StripeMode.UNKNOWN

    return read


async def write_alarm(case: Case) -> Callable[[], Awaitable[None]]:
    await AlarmRecorder(case.outside.store, now=case.outside.clock).lost()

    async def read() -> None:
        alarms = AlarmRecorder(case.outside.store, now=case.outside.clock)
        await alarms.read()
        assert alarms.standing == ()

    return read


async def outbox_of_ada(case: Case) -> tuple[Telling, HookReceiver]:
    """Ada, who has ordered something of which a receiver that refuses everything is to be told."""
    receiver = HookReceiver()
    telling = Telling(case.outside, receiver)
    await telling.deliverer.begin()
    await telling.replica.ask(case.ada)
    await telling.replica.click(case.ada, "price_shirt")
    return telling, receiver


async def write_outbox(case: Case) -> Callable[[], Awaitable[None]]:
    telling, receiver = await outbox_of_ada(case)

    async def read() -> None:
        await telling.deliverer.run_once()
        assert receiver.tried == []

    return read


async def write_outbox_due(case: Case) -> Callable[[], Awaitable[None]]:
    telling, receiver = await outbox_of_ada(case)

    async def read() -> None:
        await telling.deliverer.run_once()
        assert receiver.kinds == ["checkout.opened"]

    return read


async def write_outbox_began(case: Case) -> Callable[[], Awaitable[None]]:
    telling, _receiver = await outbox_of_ada(case)

    async def read() -> None:
        await telling.replica.click(case.ada, PREMIUM)
        row = await telling.outbox.row("ada")
        assert row is not None
        assert len(row.queue) == 2

    return read


async def write_outbox_dead(case: Case) -> Callable[[], Awaitable[None]]:
    telling, receiver = await outbox_of_ada(case)
    receiver.statuses = [410]
    await telling.deliverer.run_once()

    async def read() -> None:
        assert await telling.outbox.buried() == ()

    return read


async def write_schema(case: Case) -> Callable[[], Awaitable[None]]:
    await note_schema(case.outside.store)

    async def read() -> None:
        await require_readable(case.outside.store)

    return read


async def write_outbox_waiting(case: Case) -> Callable[[], Awaitable[None]]:
    telling, _receiver = await outbox_of_ada(case)
    bob = await case.replica.sign_in(BOB)
    await telling.replica.ask(bob)
    await telling.replica.click(bob, "price_mug")

    async def read() -> None:
        assert (await telling.outbox.backlog()).events == 0

    return read


async def write_shown(case: Case) -> Callable[[], Awaitable[None]]:
    shown = ShownRecord(case.outside.store, case.outside.clock)
    shown.note_problem("ada", "upstream_timeout", "req-1")
    await shown.written()

    async def read() -> None:
        assert await shown.of("ada") == ()

    return read


async def write_user_session(case: Case) -> Callable[[], Awaitable[None]]:
    async def read() -> None:
        assert await case.replica.sessions.by_user.of(ADA.user_id) == ()

    return read


async def write_confirmation(case: Case) -> Callable[[], Awaitable[None]]:
    carol = await case.replica.sign_in(User("carol", "Carol", "carol@example.com"))
    await case.replica.come_back(carol, await case.replica.click(carol))

    async def read() -> None:
        await case.replica.confirmation_watch.run_once()
        assert case.replica.confirmation_watch.waiting == 0

    return read


async def write_reconciled(case: Case) -> Callable[[], Awaitable[None]]:
    await LastReconcile(case.outside.store).keep(ReconcileFigures.of(datetime.now(UTC), 3, ()))

    async def read() -> None:
        last = LastReconcile(case.outside.store)
        await last.look()
        assert last.figures is None

    return read


Write = Callable[[Case], Awaitable[Callable[[], Awaitable[None]]]]

KINDS: dict[RowKind, Write] = {
    RowKind.SIGN_IN: write_sign_in,
    RowKind.SESSION: write_session,
    RowKind.USER_SESSION: write_user_session,
    RowKind.FIRST_EMAIL: write_first_email,
    RowKind.CART_LINE: write_cart,
    RowKind.CHECKOUT: write_checkout,
    RowKind.CHECKOUT_EVENT: write_checkout_event,
    RowKind.IDEMPOTENCY_KEY: write_idempotency_key,
    RowKind.PORTAL_VISIT: write_portal_visit,
    RowKind.PORTAL_TRACE: write_portal_trace,
    RowKind.UPSTREAM_SNAPSHOT: write_snapshot,
    RowKind.STRIPE_MODE: write_stripe_mode,
    RowKind.ALARM: write_alarm,
    RowKind.OUTBOX: write_outbox,
    RowKind.OUTBOX_DUE: write_outbox_due,
    RowKind.OUTBOX_BEGAN: write_outbox_began,
    RowKind.OUTBOX_DEAD: write_outbox_dead,
    RowKind.SCHEMA: write_schema,
    RowKind.SHOWN: write_shown,
    RowKind.OUTBOX_WAITING: write_outbox_waiting,
    RowKind.CONFIRMATION: write_confirmation,
    RowKind.RECONCILED: write_reconciled,
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_row_that_can_not_be_read_is_absent_and_said_once(
    case: Case, logged: list[structlog.typing.EventDict], kind: RowKind, damage: Damage
) -> None:
    read = await KINDS[kind](case)
    named = RowKind.CHECKOUT if kind is RowKind.CHECKOUT_EVENT else kind
    if not await case.damage(named.value, damage, events=kind is RowKind.CHECKOUT_EVENT):
        return  # text without fields and times can't be damaged in them
    logged.clear()

    await read()

    assert [line["kind"] for line in logged if line["event"] == "row_unreadable"] == [kind.value]
    assert all(line["log_level"] != "error" for line in logged)


def test_every_kind_of_row_is_tried() -> None:
    assert set(KINDS) == set(RowKind)


async def test_every_row_that_the_app_writes_is_of_a_kind_that_is_tried(case: Case) -> None:
    for write in KINDS.values():
        await write(case)
    written = {key.partition(":")[0] for key in await case.outside.store.keys("")}

    kinds = {kind.value for kind in RowKind}
    assert written <= kinds | MARKERS
    assert kinds - written == {RowKind.CHECKOUT_EVENT.value}


async def test_each_field_of_a_plans_checkout_that_guards_go_by_has_to_be_there(case: Case) -> None:
    await case.replica.click(case.ada)
    (key,) = await case.outside.store.keys("checkouts:")
    ((name, text),) = (await case.outside.store.fields(key)).items()
    for field in ("id", "kind", "session_id", "lines", "started_at", "plan_id", "group", "known_subscriptions"):
        content = json.loads(text)
        content[f"{field}_2"] = content.pop(field)
        await case.outside.store.put_field(key, name, json.dumps(content), None)

        assert await case.replica.checkouts.of("ada") == (), field


async def test_a_checkout_without_lines_is_none(case: Case) -> None:
    await case.replica.click(case.ada)
    (key,) = await case.outside.store.keys("checkouts:")
    ((name, text),) = (await case.outside.store.fields(key)).items()
    await case.outside.store.put_field(key, name, json.dumps({**json.loads(text), "lines": []}), None)

    assert await case.replica.checkouts.of("ada") == ()


class TestNobodyPaysTwice:
    """A plan is not sold beside a checkout that can't be read before the user has answered for it."""

    GARBAGE = DAMAGES[0]

    async def test_the_user_is_asked_first_and_once(self, case: Case) -> None:
        await case.replica.click(case.ada)
        await case.damage("checkouts", self.GARBAGE)

        for price in (PREMIUM, BASIC):
            with pytest.raises(CheckoutUnreadable) as asked:
                await case.replica.click(case.ada, price)
            assert asked.value.checkout is None
        assert len(case.outside.world.sessions) == 1

        made = await case.replica.click(case.ada, BASIC, has_ended=True)
        assert len(case.outside.world.sessions) == 2
        assert (await case.replica.click(case.ada, BASIC)).session_id == made.session_id

    async def test_one_that_was_paid_and_is_known_to_billing_is_refused_whatever_the_answer(self, case: Case) -> None:
        made = await case.replica.click(case.ada)
        case.outside.world.pay(made.session_id)
        case.outside.world.deliver_all()
        await case.damage("checkouts", self.GARBAGE)

        with pytest.raises(Exception, match="live in the group"):
            await case.replica.click(case.ada, has_ended=True)

    async def test_one_that_was_paid_and_is_not_known_yet_is_asked_about(self, case: Case) -> None:
        made = await case.replica.click(case.ada)
        case.outside.world.pay(made.session_id)
        await case.replica.come_back(case.ada, made)
        await case.damage("checkouts", self.GARBAGE)

        with pytest.raises(CheckoutUnreadable):
            await case.replica.click(case.ada)

    async def test_a_return_after_the_answer_is_asked_about_again(self, case: Case) -> None:
        made = await case.replica.click(case.ada)
        await case.damage("checkouts", self.GARBAGE)
        await case.replica.checkouts.disclaim("ada", made.id)
        assert (await case.replica.checkouts.read("ada")).unreadable == ()

        case.outside.clock.move(60)
        await case.replica.checkouts.mark(made, CheckoutEvent.RETURNED)  # by a release that can read it

        assert (await case.replica.checkouts.read("ada")).unreadable == (made.id,)

    async def test_one_that_was_confirmed_is_not_asked_about(self, case: Case) -> None:
        made = await case.replica.click(case.ada)
        await case.replica.checkouts.mark(made, CheckoutEvent.ACCESS_ON)
        await case.damage("checkouts", self.GARBAGE)

        assert (await case.replica.checkouts.read("ada")).unreadable == ()

    async def test_an_event_whose_time_can_not_be_read_has_happened(self, case: Case) -> None:
        made = await case.replica.click(case.ada)
        case.outside.world.pay(made.session_id)
        await case.replica.come_back(case.ada, made)
        await case.damage("checkouts", self.GARBAGE, events=True)

        with pytest.raises(Exception, match="not confirmed yet"):
            await case.replica.click(case.ada, BASIC, instead_of=made.id)

    async def test_a_checkout_is_remembered_beside_one_that_can_not_be_read(self, case: Case) -> None:
        await case.replica.click(case.ada, MUG)
        await case.damage("checkouts", self.GARBAGE)
        case.outside.clock.move(timedelta(days=500).total_seconds())

        made = await case.replica.click(await case.replica.sign_in(), MUG)

        assert [one.id for one in await case.replica.checkouts.of("ada")] == [made.id]


async def test_a_visitors_cookie_is_kept(case: Case) -> None:
    """Only a session that can't be read costs the cookie; one that has ended does not."""
    sessions = case.replica.sessions
    await sessions.end(case.ada.id)

    found = await sessions.find(sessions.cookie_for(case.ada.id))

    assert isinstance(found, Visitor)
    assert found.visitor_id == session_key(case.ada.id)
