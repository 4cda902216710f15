"""What a customer would have if both services answered so: the rules on answers that nobody has asked for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, SecretStr

from catalog import Catalog
from services.auth_ms import read_session
from services.errors import UpstreamError, UpstreamUnavailable
from services.payment_responses import read_subscription
from services.subscription.customer_status import CustomerStatus
from services.subscription.grant_rules import GrantRules
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import UpstreamSnapshot
from services.upstream.responses import Call, UpstreamResponse

NOBODY: Final = SecretStr("nobody")


class SupposedAnswers(BaseModel):
    """The JSON of both services about one customer: billing's for each product, None where it does not answer."""

    model_config = ConfigDict(frozen=True)

    billing: Mapping[str, JsonValue] | None
    account: JsonValue


def supposed_status(
    answers: SupposedAnswers, catalog: Catalog, now: datetime, *, grants: GrantRules, project: str = ""
) -> CustomerStatus:
    """Return what a customer has of whom both services said this just now, and who did nothing here."""
    snapshot = UpstreamSnapshot()
    try:
        if answers.billing is None:
            raise UpstreamUnavailable("payment_ms", "subscription")
        for product, content in answers.billing.items():
            record = read_subscription(_answer("payment_ms", content), product)
            snapshot = snapshot.with_record(product, record, now, catalog.plan_for_product(product))
        snapshot = snapshot.model_copy(update={"looked_at": now})
    except UpstreamError as error:
        snapshot = snapshot.model_copy(update={"billing_failed": error.code})
    try:
        session = read_session(_answer("auth_ms", answers.account), project, NOBODY)
        snapshot = snapshot.with_account(session.grant, now)
    except UpstreamError as error:
        snapshot = snapshot.model_copy(update={"account_failed": error.code})
    return reconcile("supposed", snapshot, (), catalog, now, grants=grants)


def _answer(service: str, content: JsonValue) -> UpstreamResponse:
    return UpstreamResponse(200, content, {}, 0.0, Call(service, "supposed", "supposed"))
