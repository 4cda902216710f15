"""`POST /sandbox/words`: what our billing page says of customers of whom both services would answer so.

Only while the app runs with its sandbox, whose page of states shows our words by it: there is no copy of them. The form
field `customers` is a JSON object, by any names, of `SupposedAnswers`.
"""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from nicegui import app
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog import Catalog
from services.container import Container
from services.live_status.supposed import SupposedAnswers, supposed_status
from services.subscription.customer_status import CustomerStatus
from services.subscription.grant_rules import GrantRules
from services.subscription.model import Action
from ui.billing.subscription_card import NOT_ON_CARD, offer_label
from ui.text.i18n import use_locale
from ui.text.state_words import describe, subscription_name

LOCALE: Final = "en"
ZONE: Final = "UTC"
CUSTOMERS: Final = TypeAdapter(dict[str, SupposedAnswers])


def register(container: Container) -> None:
    """Add the route; without the sandbox it is not there."""
    settings = container.settings
    if not settings.sandbox_enabled:
        return
    grants = GrantRules.of(settings.gift_words, by_record=settings.grant_by_record)

    @app.post("/sandbox/words", include_in_schema=False)
    async def words(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        try:
            customers = CUSTOMERS.validate_json(fields.get("customers", [""])[0])
        except ValidationError:
            return JSONResponse({"detail": "customers: a JSON object of both services' answers"}, 422)
        catalog, now = container.catalog, datetime.now(UTC)
        found = {
            name: supposed_status(answers, catalog, now, grants=grants, project=settings.auth_ms_project)
            for name, answers in customers.items()
        }
        contact = bool(settings.support_url)
        return JSONResponse({name: said_of(each, catalog, now, contact=contact) for name, each in found.items()})


def said_of(status: CustomerStatus, catalog: Catalog, now: datetime, *, contact: bool = True) -> dict[str, object]:
    """Return the words of the card of what a customer has, and in short what they have beside it.

    `contact` says whether there is an address to contact, without which that is not offered.
    """
    current = status.current
    not_offered = NOT_ON_CARD if contact else NOT_ON_CARD | {Action.CONTACT}
    with use_locale(LOCALE):
        words = describe(current, catalog, LOCALE, ZONE, now=now)
        beside = [(one, describe(one, catalog, LOCALE, ZONE, now=now)) for one in status.others]
        return {
            "state": words.shown,
            "badge": words.badge,
            "tone": words.tone,
            "headline": words.headline,
            "sentence": words.sentence,
            "offers": [
                offer_label(action, words, catalog, LOCALE) for action in current.actions if action not in not_offered
            ],
            "beside": [f"{subscription_name(one, catalog, LOCALE) or ''}: {said.badge}" for one, said in beside],
        }
