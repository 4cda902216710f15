"""Stripe's checkout sessions: opened by the Payment MS, paid once at most, or left to expire."""

from datetime import timedelta
from typing import Final

from sandbox.cards import PROMOTIONS, CardRefused, PaymentMethod, card_of, discounted
from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.stripe_objects import Invoice, LineItem, SessionStatus, StripeCheckoutSession, new_id
from sandbox.stripe_subscriptions import StripeSubscriptions

_PLACEHOLDER: Final = "{CHECKOUT_SESSION_ID}"


class StripeCheckout:
    def __init__(
        self, database: Database, clock: SandboxClock, runtime: RuntimeSettingsStore, subscriptions: StripeSubscriptions
    ) -> None:
        self._database, self._clock, self._runtime = database, clock, runtime
        self._subscriptions = subscriptions
        self._documents = DocumentStore(database, "checkout_session", StripeCheckoutSession)

    def open(
        self, mode: str, user_id: str, email: str, lines: list[LineItem], success_url: str, cancel_url: str
    ) -> StripeCheckoutSession:
        now = self._clock.now()
        session = StripeCheckoutSession(
            id=new_id("cs_test"),
            mode=mode,
            user_id=user_id,
            email=email,
            lines=lines,
            success_url=success_url,
            cancel_url=cancel_url,
            created=now,
            expires_at=now + timedelta(hours=self._runtime.current.session_hours),
        )
        return self._store(session)

    def get(self, session_id: str) -> StripeCheckoutSession | None:
        """The session as it is now: one whose time is over is expired."""
        session = self._documents.get(session_id)
        if session and session.status is SessionStatus.OPEN and session.expires_at <= self._clock.now():
            return self.expire(session)
        return session

    def of(self, user_id: str) -> list[StripeCheckoutSession]:
        return [self.get(session.id) or session for session in self._documents.of(user_id)]

    def newest(self, limit: int = 100) -> list[StripeCheckoutSession]:
        return [self.get(session.id) or session for session in self._documents.newest(limit)]

    def forget(self, user_id: str) -> None:
        for session in self._documents.of(user_id):
            self._documents.drop(session.id)

    def expire(self, session: StripeCheckoutSession) -> StripeCheckoutSession:
        return self._store(session.model_copy(update={"status": SessionStatus.EXPIRED}))

    def promote(self, session: StripeCheckoutSession, code: str) -> StripeCheckoutSession:
        """Apply a promotion code, or take it off with an empty one; raises CardRefused with a sentence."""
        code = code.strip().upper()
        if code and code not in PROMOTIONS:
            raise CardRefused("This code is invalid.")
        return self._store(session.model_copy(update={"promotion": code}))

    def pay(self, session: StripeCheckoutSession, number: str, email: str = "") -> StripeCheckoutSession:
        """Pay with a test card. Complete afterwards, or still open with `waiting_card` when it must be confirmed.

        A session that is no longer open is returned as it is: it can be paid only once.
        Raises CardRefused with a sentence for the buyer.
        """
        if session.status is not SessionStatus.OPEN:
            return session
        card = card_of(number)
        if card.declined:
            raise CardRefused(card.declined)
        session = session.model_copy(update={"email": email or session.email})
        if card.needs_confirmation:
            return self._store(session.model_copy(update={"waiting_card": card.number}))
        return self._complete(session, card)

    def confirm(self, session: StripeCheckoutSession, *, succeeds: bool) -> StripeCheckoutSession:
        """The bank's answer to the confirmation step; raises CardRefused when it failed."""
        if session.status is not SessionStatus.OPEN or not session.waiting_card:
            return session
        card = card_of(session.waiting_card)
        session = self._store(session.model_copy(update={"waiting_card": ""}))
        if not succeeds:
            raise CardRefused("We couldn't confirm this card with your bank. Try again or use another card.")
        return self._complete(session, card)

    def _complete(self, session: StripeCheckoutSession, card: PaymentMethod) -> StripeCheckoutSession:
        with self._database.transaction():
            subscription = None
            if session.recurring:
                percent_off = PROMOTIONS.get(session.promotion, 0)
                subscription = self._subscriptions.begin(
                    session.lines[0], session.user_id, session.email, card, percent_off
                )
            else:
                self._record_purchase(session)
            done = session.model_copy(
                update={
                    "status": SessionStatus.COMPLETE,
                    "waiting_card": "",
                    "subscription_id": subscription.id if subscription else "",
                }
            )
            self._store(done)
            self._subscriptions.announce_purchase(done, subscription)
        return done

    def _record_purchase(self, session: StripeCheckoutSession) -> None:
        names = ", ".join(f"{line.quantity} × {line.name}" for line in session.lines)
        self._subscriptions.add_invoice(
            Invoice(
                id=new_id("in"),
                user_id=session.user_id,
                name=names,
                amount=due_today(session),
                currency=session.lines[0].currency,
                status="paid",
                created=self._clock.now(),
            )
        )

    def _store(self, session: StripeCheckoutSession) -> StripeCheckoutSession:
        return self._documents.put(session.id, session, owner=session.user_id)


def subtotal(session: StripeCheckoutSession) -> int:
    return sum(line.amount * line.quantity for line in session.lines)


def total(session: StripeCheckoutSession) -> int:
    """After the promotion code."""
    return discounted(subtotal(session), PROMOTIONS.get(session.promotion, 0))


def due_today(session: StripeCheckoutSession) -> int:
    """Nothing while a trial runs, else the total."""
    return 0 if session.recurring and session.lines[0].trial_days else total(session)


def success_url(session: StripeCheckoutSession) -> str:
    """Where the browser goes after paying: the address it was given, with the session's id in its place."""
    return session.success_url.replace(_PLACEHOLDER, session.id)
