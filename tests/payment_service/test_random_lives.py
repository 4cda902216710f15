"""Random lives at the sandbox's Stripe: whatever happens there, the service tells of it what is true."""

import random
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import pytest
import requests
import time_machine

from payment_service.bodies import SubscriptionCheckout
from payment_service.errors import ServiceError
from payment_service.service import PaymentService
from tests.payment_service.at_sandbox import ToTheSandbox
from tests.payment_service.conftest import OpenShops
from tests.sandbox.local import LocalShop

STEPS: Final = 12
LONGEST_JUMP: Final = 25
"""Days; Stripe lists events for thirty."""
PRICES: Final = {
    "basic": ["price_sandbox_basic_month", "price_sandbox_basic_year"],
    "premium": ["price_sandbox_premium_month", "price_sandbox_premium_year"],
    "enterprise": ["price_sandbox_enterprise_month"],
}
CARDS: Final = ["4242424242424242"] * 3 + ["4000000000000341", "AT611904300234573201", "AT861904300235473202", ""]
SETTINGS: Final[dict[str, list[object]]] = {
    "tax": ["none", "none", "added", "included"],
    "coupon_duration": ["once", "repeating", "forever"],
    "presentment_currency": ["", "", "", "eur", "jpy"],
    "plan_changes": ["now", "period_end"],
    "cancellation_form": ["flag", "cancel_at"],
    "proration": ["none", "next_invoice", "now"],
    "trial_end_without_card": ["cancel", "pause", "create_invoice"],
    "trial_needs_card": [True, True, False],
    "dunning_ends": ["canceled", "unpaid"],
    "delayed_status": ["active", "incomplete"],
    "renewals": ["succeed", "succeed", "fail"],
}


class UserLife:
    """One user's: what happens is drawn from a seed, and what is told is compared after each step."""

    def __init__(self, seed: int, local: LocalShop, service: PaymentService) -> None:
        self._draw, self._local, self._service = random.Random(seed), local, service
        self._user = f"usr_{seed}"
        self.story: list[object] = [{name: self._draw.choice(values) for name, values in SETTINGS.items()}]
        local.control("POST", "reset")
        local.control("PATCH", "settings", self.story[0])

    def live(self) -> None:
        self._buy()
        for _ in range(STEPS):
            chance = self._draw.random()
            if chance < 0.45:
                self._wait(self._draw.choice([1, 4, 8, 15, 31, 31, 70]))
            elif chance < 0.85:
                self._act()
            else:
                self._buy()
            self._hear()
            self._compare()

    def _now(self) -> time_machine.travel:
        return time_machine.travel(self._local.sandbox.state.clock.timestamp(), tick=False)

    def _hear(self) -> None:
        self._local.settle()
        since = int(self._local.sandbox.state.clock.timestamp()) - 29 * 86_400
        with self._now():
            self._service.webhooks.resync(since)

    def _wait(self, days: int) -> None:
        self.story.append(("days", days))
        for begun in range(0, days, LONGEST_JUMP):
            self._local.days(min(LONGEST_JUMP, days - begun))
            self._hear()

    def _buy(self) -> None:
        plan = self._draw.choice(list(PRICES))
        wanted = {
            "user_id": self._user,
            "email": "ada@example.com",
            "product_id": f"prod_sandbox_{plan}",
            "price_id": self._draw.choice(PRICES[plan]),
            "quantity": self._draw.choice([1, 1, 1, 3]),
            "trial_days": 14 if self._draw.random() < 0.3 else None,
            "promotion": self._draw.choice([None, None, "HALF", "ONCE50", "THREEMONTHS50", "FREE"]),
            "success_url": "https://app.test/success",
            "cancel_url": "https://app.test/cancel",
        }
        card = self._draw.choice(CARDS)
        self.story.append(("buy", wanted, card))
        given = {name: value for name, value in wanted.items() if value is not None}
        try:
            with self._now():
                opened = self._service.checkouts.open(SubscriptionCheckout.model_validate(given), "")
        except ServiceError as refused:
            if refused.code != "SUBSCRIPTION_EXISTS":
                raise
            return
        self._try(f"pay/{opened['checkout_session_id']}", {"card": card})

    def _act(self) -> None:
        found = self._local.control("GET", f"subscriptions?user_id={self._user}")
        if not found:
            return
        days = {"days": self._draw.choice([5, 20, 45, 400])}
        actions: dict[str, dict[str, Any]] = {
            "cancel": {},
            "cancel-at-period-end": {},
            "cancel-at": days,
            "resume": {},
            "pause": days,
            "switch": {"price_id": self._draw.choice([*chain(*PRICES.values())])},
            "card": {"card": self._draw.choice(CARDS[2:4])},
        }
        action = self._draw.choice(list(actions))
        self.story.append((action, actions[action]))
        self._try(f"subscriptions/{self._draw.choice(found)['id']}/{action}", actions[action])

    def _try(self, path: str, body: dict[str, Any]) -> None:
        """Do it, where it can be done: an ended subscription takes no changes, a card may be asked for."""
        answer = self._local.http.post(f"{self._local.place.control_url}/{path}", json=body)
        assert answer.status_code in (200, 402, 409), answer.text

    def _compare(self) -> None:
        with self._now():
            told = self._service.subscriptions.all_of(self._user)["subscriptions"]
        assert isinstance(told, list)
        by_id = {one["subscription_id"]: one for one in told if isinstance(one, dict)}
        for true in self._local.truth(self._user)["subscriptions"]:
            if true["live"] or true["id"] in by_id:
                assert_true(by_id[true["id"]], true)


def assert_true(told: dict[str, Any], true: dict[str, Any]) -> None:
    """What is told of a subscription is what the sandbox's truth has."""
    same = "status", "product_id", "price_id", "interval", "quantity", "cancel_at_period_end", "list_amount"
    moments = "cancel_at", "canceled_at", "ended_at", "trial_end"
    for name in (*same, *moments):
        assert told[name] == true[name], name
    assert (told["current_period_end"], told["currency"]) == (true["period_end"], true["list_currency"])
    assert told["pause"] == true["pause_collection"]
    booked, change = told["scheduled_change"], true["scheduled_change"]
    assert (booked is None) == (change is None)
    if booked:
        sum_then = change["line"]["amount"] * true["quantity"]
        assert (booked["at"], booked["price_id"], booked["list_amount"]) == (
            change["at"],
            change["line"]["price_id"],
            sum_then,
        )
    if "next_charge" in told:
        assert_next_charge(told["next_charge"], true)


def assert_next_charge(told: dict[str, Any] | None, true: dict[str, Any]) -> None:
    due = true["next_charge"]
    if told is None or due is None:
        assert (told or {"amount": 0})["amount"] == (due or {"amount": 0})["amount"]
        return
    assert (told["at"], told["amount"], told["currency"]) == (due["at"], due["amount"], due["currency"])
    if due["currency"] == true["list_currency"]:
        assert (told["tax"], told["discount"]) == (due["due"]["tax"], due["due"]["discount"])


@pytest.fixture(scope="module")
def local() -> Iterator[LocalShop]:
    with LocalShop() as local:
        yield local


def play(seed: int, local: LocalShop, open_shop: OpenShops) -> None:
    session = requests.Session()
    session.mount("http://", ToTheSandbox(local))
    service = open_shop(stripe_session=session, stripe_api_base=local.place.stripe_url).service
    life = UserLife(seed, local, service)
    try:
        life.live()
    except AssertionError as untrue:
        untrue.add_note(f"seed {seed}: {life.story}")
        raise


@pytest.mark.parametrize("seed", range(2))
def test_what_is_told_is_true(seed: int, local: LocalShop, open_shop: OpenShops) -> None:
    play(seed, local, open_shop)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 100))
def test_what_is_told_is_true_in_a_hundred_lives(seed: int, local: LocalShop, open_shop: OpenShops) -> None:
    play(seed, local, open_shop)
