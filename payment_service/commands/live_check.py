"""`make live-check`: buys, is refused, cancels and refunds with your own test key, and says what came of each step.

Everything goes to Stripe as it does in earnest; only the checkout page is left out, which no program can fill in: the
subscription is made over the API with Stripe's test card. What is made there is canceled, refunded and deleted again,
but for one product. The database is a temporary one.
"""

import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stripe import StripeError
from stripe.params import SubscriptionCreateParams

from payment_service.bodies import PlanBody, PortalBody, Registration, SubscriptionCheckout
from payment_service.errors import ServiceError
from payment_service.migrate import migrate
from payment_service.register import Registrar
from payment_service.service import PaymentService
from payment_service.settings import BadSettings, ServiceSettings
from payment_service.sync import SOLD_BY

PROJECT: Final = "live-check"
PATIENCE: Final = 30.0
"""Seconds until Stripe's list of events has what was just done."""
CARD: Final = "pm_card_visa"
AMOUNT: Final = 500


def live_check(settings: ServiceSettings, say: Callable[[str], None] = print) -> bool:
    """Return whether every step came out as it should. Raises BadSettings for a live key."""
    if settings.livemode:
        raise BadSettings("STRIPE_SECRET_KEY is a live key; this buys and refunds, so use a test key (sk_test_…).")
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'live-check.sqlite3'}"
        own = settings.model_copy(update={"project": PROJECT, "refund_second": True, "database_url": database})
        service = PaymentService(ServiceSettings(_env_file=None, **own.model_dump()))
        try:
            migrate(service.database)
            service.claim_database()
            return LiveCheck(service, say).run()
        finally:
            service.close()


class LiveCheck:
    """The steps, for a made-up user."""

    def __init__(self, service: PaymentService, say: Callable[[str], None], patience: float = PATIENCE) -> None:
        self._service = service
        self._say = say
        self._patience = patience
        self._v1 = service.stripe.v1
        self._since = int(time.time()) - 60
        self._user = f"live-check-{secrets.token_hex(6)}"
        self._bought = 0
        self._product = self._price = self._customer = self._first = self._second = ""

    def run(self) -> bool:
        """Take each step, and return whether all were right; the first that is not ends it. What was made is undone in
        any case, and where it can't be, that is the last thing said."""
        steps = (
            ("Stripe lets the key in", self._enter),
            ("a plan is made, and found again", self._register),
            ("a checkout is opened, and closed", self._checkout),
            ("a subscription is bought, and told as active with its next charge", self._buy),
            ("a second one is refused", self._refuse),
            ("one that was bought all the same is canceled and refunded", self._take_back),
            ("the invoices are told", self._invoices),
            ("the portal opens", self._portal),
            ("a canceled subscription is told as ended", self._cancel),
        )
        try:
            right = all(self._take(words, step) for words, step in steps)
        finally:
            undone = self._take("what was made is deleted again", self._undo)
        return right and undone

    def _take(self, words: str, step: Callable[[], str]) -> bool:
        """Take a step, say what came of it, and return whether nothing was wrong."""
        try:
            problem = step()
        except (StripeError, ServiceError) as error:
            problem = str(getattr(error, "user_message", None) or error)
        self._say(f"{'FAIL' if problem else 'ok  '}  {words}{f': {problem}' if problem else ''}")
        return not problem

    def _enter(self) -> str:
        return self._service.stripe.look()

    def _register(self) -> str:
        plan = PlanBody(name="Live check", id="plan", group="main", pricing={"monthly": AMOUNT})
        wanted = Registration(project_name=PROJECT, plans=[plan])
        first, again = (Registrar(self._service.stripe, PROJECT).register(wanted) for _ in range(2))
        products = self._v1.prices.list({"lookup_keys": [f"{PROJECT}:plan:month"], "limit": 1}).data
        if again[1] or first[0] != again[0] or not products:
            return "it was made twice"
        found = self._v1.prices.retrieve(products[0].id)  # as Stripe has it, its product by its id
        self._price, self._product = found.id, str(found.product)
        return ""

    def _checkout(self) -> str:
        opened = self._service.checkouts.open(self._body(), "")
        closed = self._service.checkouts.expire(str(opened["checkout_session_id"]))
        return "" if closed["status"] == "expired" else f"it is {closed['status']}"

    def _buy(self) -> str:
        self._customer = str(self._service.customers.known(self._user))
        self._first = self._subscribe()
        self._bought = self._v1.subscriptions.retrieve(self._first).created
        status = self._told(lambda: self._status().get("status") == "active")
        charge = self._status().get("next_charge")
        if not status or not isinstance(charge, dict):
            return f"it is told as {self._status()}"
        return "" if charge["amount"] == AMOUNT else f"the next charge is {charge['amount']}"

    def _refuse(self) -> str:
        try:
            self._service.checkouts.open(self._body(), "")
        except ServiceError as error:
            return "" if error.code == "SUBSCRIPTION_EXISTS" else error.code
        return "it was opened"

    def _take_back(self) -> str:
        while time.time() < self._bought + 1:  # Stripe's times are whole seconds, and one has to be the first
            time.sleep(0.1)
        self._second = self._subscribe()
        if not self._told(lambda: bool(self._service.seconds.due())):
            return "it was not found"
        if self._service.seconds.due() != [self._second] or not self._service.seconds.take_back(self._second):
            return "it was not taken back"
        return "" if self._v1.subscriptions.retrieve(self._second).status == "canceled" else "it runs on"

    def _invoices(self) -> str:
        told = self._service.portal.invoices(self._user, 10)["invoices"]
        return "" if isinstance(told, list) and len(told) == 2 else f"{told}"

    def _portal(self) -> str:
        self._service.portal.open(PortalBody(user_id=self._user, return_url="https://example.com/"))
        return ""

    def _cancel(self) -> str:
        self._v1.subscriptions.cancel(self._first)
        ended = self._told(lambda: self._status().get("status") == "canceled")
        return "" if ended else f"it is told as {self._status()}"

    def _undo(self) -> str:
        """Delete the customer: Stripe cancels what it still has."""
        if self._customer:
            self._v1.customers.delete(self._customer)
        return ""

    def _subscribe(self) -> str:
        self._v1.payment_methods.attach(CARD, {"customer": self._customer})
        card = self._v1.customers.payment_methods.list(self._customer, {"limit": 1}).data[0].id
        wanted: SubscriptionCreateParams = {
            "customer": self._customer,
            "items": [{"price": self._price}],
            "default_payment_method": card,
            "metadata": {"user_id": self._user, "project": PROJECT, "sold_by": SOLD_BY},
        }
        return self._v1.subscriptions.create(wanted).id

    def _body(self) -> SubscriptionCheckout:
        return SubscriptionCheckout(
            user_id=self._user,
            email=f"{self._user}@example.com",
            product_id=self._product,
            price_id=self._price,
            success_url="https://example.com/",
            cancel_url="https://example.com/",
        )

    def _status(self) -> dict[str, object]:
        return dict(self._service.subscriptions.status(self._user, self._product))

    def _told(self, holds: Callable[[], bool]) -> bool:
        """Read Stripe's list of events until it holds; return whether it did in time."""
        until = time.monotonic() + self._patience
        while True:
            self._service.webhooks.resync(self._since)
            if holds():
                return True
            if time.monotonic() > until:
                return False
            time.sleep(1.0)
