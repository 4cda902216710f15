"""Stand-ins that obey the contract: a clock, a store, and the two services on top of `tests/world.py`.

They are the classes that the services take, with the wire cut off: `FakePaymentMS` answers in each of the three shapes
of its contract through the real reader, `FakeAuthMS` forgets old session ids when it rotates them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeVar

from pydantic import JsonValue, SecretStr

from services.auth_ms import AuthMS, AuthSession, User
from services.concurrency.limit import Priority
from services.errors import (
    CustomerUnknown,
    FrontendError,
    NotSignedIn,
    SignInFailed,
    SignInUnavailable,
    UpstreamFailed,
    UpstreamTimeout,
)
from services.payment_contract.features import ContractFeature, PaymentContract, PortalFlow
from services.payment_contract.sessions import PaymentStatus, SessionState, SessionStatus
from services.payment_ms import (
    CheckoutSession,
    PaymentMS,
    PortalSession,
    SubscriptionRecord,
)
from services.payment_responses import read_subscription
from services.purchase import Purchase
from services.upstream.identifiers import check_identifier
from services.upstream.responses import Call, UpstreamResponse
from tests.world import OutsideWorld, Row

Shape = Literal["documented", "openapi", "running"]
SHAPES: Final[tuple[Shape, ...]] = ("documented", "openapi", "running")
START: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

T = TypeVar("T")


async def settle(turns: int = 150) -> None:
    """Let everything that is ready to run do so. Nothing here waits for real time or a socket, so turns are enough."""
    for _turn in range(turns):
        await asyncio.sleep(0)


class Clock:
    """The time, moved by hand. `wait` is what a watcher does between two questions."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass without waking anybody: for tests in which nobody waits."""
        self.now += timedelta(seconds=seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when the event is set or the time has passed."""
        sleeper = (self.now + timedelta(seconds=seconds), asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        waiter = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({waiter, sleeper[1]}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            self._sleepers.remove(sleeper)

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everybody who waits for a moment in between act at that moment."""
        target = self.now + timedelta(seconds=seconds)
        await settle()
        while due := [sleeper for sleeper in self._sleepers if sleeper[0] <= target and not sleeper[1].done()]:
            moment, future = min(due, key=lambda sleeper: sleeper[0])
            self.now = max(self.now, moment)
            future.set_result(None)
            await settle()
        self.now = target
        await settle()


class Switch:
    """What a fake service is made to suffer: an error for every call, a gate that holds calls, a count of each."""

    def __init__(self) -> None:
        self.error: FrontendError | None = None
        self.gate: asyncio.Event | None = None
        self.calls: list[tuple[str, ...]] = []
        self.in_flight = 0
        self.most_in_flight = 0

    def count(self, operation: str) -> int:
        """How many calls of one operation there have been."""
        return sum(call[0] == operation for call in self.calls)

    async def run(self, call: tuple[str, ...], work: Callable[[], Awaitable[T]]) -> T:
        self.calls.append(call)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await (self.gate.wait() if self.gate is not None else asyncio.sleep(0))
            if self.error is not None:
                raise self.error
            return await work()
        finally:
            self.in_flight -= 1


class FakePaymentMS(PaymentMS):
    """The Payment MS over an `OutsideWorld`. `lose_answers` creates what was asked and then times out (`lost_answer`:
    ends so); `told_end` is when it says that a session closes; `shape` as its versions answer; `honours_keys` whether
    it knows an Idempotency-Key, as Stripe does (same key, same parameters). With another `contract` it keeps the
    second version."""

    def __init__(self, world: OutsideWorld, shape: Shape = "running") -> None:
        self.world = world
        self.shape: Shape = shape
        self.switch = Switch()
        self.checkout_switch = Switch()
        self.session_switch = Switch()
        self.lose_answers = False
        self.lost_answer: FrontendError | None = None
        self.told_end: datetime | None = None
        self.honours_keys = True
        self.checkout_host = "checkout.stripe.com"
        self.keys: list[str] = []
        self.locales: list[str] = []
        self._answered: dict[str, tuple[object, str]] = {}

    async def subscription(
        self, customer_id: str, product_id: str, *, priority: Priority = Priority.LOOK
    ) -> SubscriptionRecord:
        check_identifier("user_id", customer_id)

        async def work() -> SubscriptionRecord:
            row = self.world.billing.get((customer_id, product_id))
            return read_subscription(answer(written(row, self.shape)), product_id)

        return await self.switch.run(("subscription", customer_id, product_id), work)

    async def create_checkout(
        self,
        purchase: Purchase,
        *,
        user_id: str,
        email: str,
        success_url: str,
        cancel_url: str,
        idempotency_key: str,
        trial_days: int = 0,
        locale: str = "",
    ) -> CheckoutSession:
        check_identifier("user_id", user_id)
        self.keys.append(idempotency_key)
        self.locales.append(locale)
        kind, asked = str(purchase.kind), (purchase.lines, user_id, email, success_url, cancel_url)
        content = tuple((line.price_id, line.quantity) for line in purchase.lines)

        async def work() -> CheckoutSession:
            known = self._answered.get(idempotency_key) if self.honours_keys else None
            if known is not None and known[0] != asked:
                raise UpstreamFailed("payment_ms", f"checkout_{kind}", "answered 500 STRIPE_ERROR", upstream_status=500)
            session_id = known[1] if known else self.world.open_session(kind, user_id, content, success_url, cancel_url)
            self._answered[idempotency_key] = (asked, session_id)
            if self.lost_answer is not None:
                raise self.lost_answer
            if self.lose_answers:
                raise UpstreamTimeout("payment_ms", f"checkout_{kind}", "no answer in time")
            return CheckoutSession(session_id, f"https://{self.checkout_host}/c/pay/{session_id}", self.told_end)

        return await self.checkout_switch.run((kind, user_id, *(name for name, _many in content)), work)

    async def subscriptions(
        self, customer_id: str, *, priority: Priority = Priority.LOOK
    ) -> tuple[SubscriptionRecord, ...] | None:
        if not self.contract.has(ContractFeature.SUBSCRIPTIONS):
            return None

        async def work() -> tuple[SubscriptionRecord, ...]:
            rows = [row for (customer, _product), row in self.world.billing.items() if customer == customer_id]
            return tuple(read_subscription(answer(written(row, "openapi")), row.product_id) for row in rows)

        return await self.switch.run(("subscriptions", customer_id), work)

    async def checkout_session(self, session_id: str, *, priority: Priority = Priority.LOOK) -> SessionState | None:
        if not self.contract.has(ContractFeature.CHECKOUT_SESSIONS):
            return None

        async def work() -> SessionState:
            return self._session_state(session_id)

        return await self.session_switch.run(("session", session_id), work)

    async def expire_session(self, session_id: str) -> SessionState | None:
        if not self.contract.has(ContractFeature.CHECKOUT_SESSIONS):
            return None

        async def work() -> SessionState:
            session = self.world.sessions[session_id]
            session.expired = session.expired or not session.paid
            return self._session_state(session_id)

        return await self.session_switch.run(("expire", session_id), work)

    def _session_state(self, session_id: str) -> SessionState:
        session = self.world.sessions[session_id]
        if session.paid:
            return SessionState(SessionStatus.COMPLETE, PaymentStatus.PAID)
        status = SessionStatus.OPEN if self.world.payable(session_id) else SessionStatus.EXPIRED
        return SessionState(status, PaymentStatus.UNPAID)

    async def ask_contract(self) -> PaymentContract:
        return self.contract

    async def create_portal_session(
        self,
        customer_id: str,
        return_url: str,
        *,
        flow: PortalFlow | None = None,
        subscription_id: str = "",
        locale: str = "",
    ) -> PortalSession:
        async def work() -> PortalSession:
            if customer_id not in self.world.customers:
                raise CustomerUnknown("payment_ms", "portal", "answered 404 CUSTOMER_NOT_FOUND")
            return PortalSession("bps_1", "https://billing.stripe.com/p/session/test_1")

        return await self.switch.run(("portal", customer_id, return_url), work)


class FakeAuthMS(AuthMS):
    """The Auth MS over an `OutsideWorld`. `rotates` gives a new session id with each refresh, and forgets the old."""

    def __init__(self, world: OutsideWorld, *, rotates: bool = False) -> None:
        self.world = world
        self.rotates = rotates
        self.switch = Switch()
        self.codes: dict[str, User] = {}
        self.sessions: dict[str, User] = {}
        self._number = 0

    def code_for(self, user: User) -> str:
        """Return a one-time code, as the Auth MS sends it back with the browser."""
        self._number += 1
        code = f"code-{self._number}"
        self.codes[code] = user
        return code

    def sign_in_url(self, provider: str, redirect_uri: str) -> str:
        if provider not in ("google", "github"):
            raise SignInFailed("a sign-in provider that is not offered")
        return f"https://auth.example/auth/{provider}?redirect_uri={redirect_uri}"

    async def create(self, auth_code: str) -> AuthSession:
        async def work() -> AuthSession:
            user = self.codes.pop(auth_code, None)
            if user is None:
                raise SignInFailed("the code was refused with 401")
            return self._session(user)

        return await self.switch.run(("create",), work)

    async def refresh(self, session_id: SecretStr) -> AuthSession:
        async def work() -> AuthSession:
            old = session_id.get_secret_value()
            user = self.sessions.get(old)
            if user is None:
                raise NotSignedIn("the session was refused with 401")
            if not self.rotates:
                return AuthSession(session_id, user, self.world.grant(user.user_id))
            del self.sessions[old]
            return self._session(user)

        return await self.switch.run(("refresh",), work)

    def _session(self, user: User) -> AuthSession:
        self._number += 1
        name = f"auth-session-secret-{self._number}"
        self.sessions[name] = user
        return AuthSession(SecretStr(name), user, self.world.grant(user.user_id))


AUTH_DOWN: Final = SignInUnavailable("refresh: no connection")
BILLING_DOWN: Final = UpstreamFailed("payment_ms", "subscription", "answered 500", upstream_status=500)


def answer(content: JsonValue) -> UpstreamResponse:
    """Return an answer of the Payment MS with this JSON."""
    return UpstreamResponse(200, content, {}, 0.001, Call("payment_ms", "subscription", "req-1"))


def written(row: Row | None, shape: Shape) -> JsonValue:
    """Return what the Payment MS answers about a row of its table, in one of its three shapes."""
    if row is None:
        none = {"status": "none", "subscription_id": "", "current_period_end": "0001-01-01T00:00:00Z", "product_id": ""}
        return dict(none) if shape == "documented" else {"exists": False}
    end = row.period_end.strftime("%Y-%m-%dT%H:%M:%SZ") if row.period_end else "1970-01-01T00:00:00Z"
    if shape == "running":
        names: dict[str, JsonValue] = {"stripe_subscription_id": row.subscription_id, "customer_id": "cus_1"}
        return {"exists": True, **names, "period_end": end}
    common: dict[str, JsonValue] = {"status": row.status, "subscription_id": row.subscription_id}
    if shape == "openapi":
        return {"exists": True, **common, "customer_id": "cus_1", "current_period_end": end}
    return {**common, "current_period_end": end, "product_id": row.product_id}
