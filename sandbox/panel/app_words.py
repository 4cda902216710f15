"""What the app says of each state, in its own words: asked of the app, which is told what both services would answer.

Nothing of it is written here. The answers are those of a scratch sandbox with the settings of now, so a preset that
changes what the services tell changes what the app says. Without the app the page has no words.
"""

import json
from typing import Any, Final, Literal

import httpx
from pydantic import BaseModel, TypeAdapter

from sandbox.auth.accounts import person
from sandbox.auth.service import user_context
from sandbox.control.scenarios import SCENARIOS, put_in_state
from sandbox.payment.status_shapes import subscription_answer
from sandbox.settings import PaymentMs
from sandbox.state import SandboxState
from sandbox.stripe.price_list import plan_line

SECONDS: Final = 3.0
UNANSWERED: Final = "unavailable"
"""The state in which the Payment MS gives no answer."""


class AppWords(BaseModel):
    """What the app's billing page says of a customer; `beside` is what it says of their other subscriptions."""

    badge: str
    tone: Literal["success", "warning", "danger", "info", "neutral"]
    headline: str
    sentence: str
    offers: list[str]
    beside: list[str] = []


_WORDS: Final = TypeAdapter(dict[str, AppWords])


class AskApp:
    """Asks the app; `transport` takes the place of the network, for an app in the same process."""

    def __init__(self, state: SandboxState, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._state = state
        self._transport = transport

    async def words(self) -> dict[str, AppWords]:
        """Return the words by the scenario's name; none where no app of ours answers."""
        answers = {"customers": json.dumps(answers_in_each_state(self._state))}
        url = f"{self._state.settings.app_url.rstrip('/')}/sandbox/words"
        try:
            async with httpx.AsyncClient(timeout=SECONDS, trust_env=False, transport=self._transport) as client:
                answer = await client.post(url, data=answers)
                answer.raise_for_status()
                return _WORDS.validate_json(answer.content)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return {}


def answers_in_each_state(state: SandboxState) -> dict[str, Any]:
    """Return what both services would answer now about a customer in each scenario, by its name."""
    recorded = {"database": ":memory:", "payment_ms": PaymentMs.RECORDED, "stripe_webhook_url": ""}
    scratch = SandboxState(state.settings.model_copy(update=recorded), state.addresses, state.clock.timestamp)
    scratch.runtime_settings.change(state.runtime_settings.current.model_dump())
    try:
        line = plan_line(scratch.prices)
        products = dict.fromkeys(one.product_id for one in scratch.prices.plans())
        shape = scratch.runtime_settings.current.status_shape
        found: dict[str, Any] = {}
        for scenario in SCENARIOS:
            user = person(f"{scenario.name}@example.com")
            put_in_state(scratch, user.user_id, user.email, scenario.name, line)
            records = {product: scratch.records.find(user.user_id, product) for product in products}
            billing = {product: subscription_answer(record, shape) for product, record in records.items()}
            found[scenario.name] = {
                "billing": None if scenario.name == UNANSWERED else billing,
                "account": {"session_id": "scratch", "user_context": user_context(scratch, user)},
            }
        return found
    finally:
        scratch.database.close()
