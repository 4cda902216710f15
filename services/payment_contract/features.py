"""Which parts of the contract's second version a service has, as it tells in `/health`. Told nothing: the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ContractFeature(StrEnum):
    """What a service may tell or take beyond the first version, in the words of the wire."""

    STATUS_DETAILS = "status_details"
    NEXT_CHARGE = "next_charge"
    SUBSCRIPTIONS = "subscriptions"
    """All subscriptions of a user in one answer."""
    CHECKOUT_SESSIONS = "checkout_sessions"
    """One session's state, and its early end."""
    IDEMPOTENCY = "idempotency"
    LOCALE = "locale"
    TRIAL_DAYS = "trial_days"
    PROMOTION = "promotion"
    QUANTITY = "quantity"
    CONSENT = "consent"
    PORTAL_FLOWS = "portal_flows"
    INVOICES = "invoices"
    EVENTS = "events"
    REGISTER_ITEMS = "register_items"
    CONCURRENCY = "concurrency"
    """It bears many requests at once: a bound above 1 is safe."""


class PortalFlow(StrEnum):
    """A page of the customer portal that a link can lead straight to."""

    CANCEL = "cancel"
    UPDATE_CARD = "update_card"
    CHANGE_PLAN = "change_plan"


@dataclass(frozen=True, slots=True)
class PaymentContract:
    """What a service has said of itself. Features that this app does not know are passed over."""

    version: int = 1
    features: frozenset[ContractFeature] = frozenset()

    def has(self, feature: ContractFeature) -> bool:
        """Whether the service says that it has this."""
        return feature in self.features

    def bears(self, at_once: int) -> bool:
        """Whether the service bears so many requests at once; of which nothing is known, it bears one."""
        return at_once <= 1 or self.has(ContractFeature.CONCURRENCY)


VERSION_1: Final = PaymentContract()
"""Of a service that says nothing of a contract, as the running one."""


def read_contract(health: object) -> PaymentContract:
    """Return what stands in a health answer. What can't be read is the first version, whatever else stands there."""
    told = health.get("contract") if isinstance(health, Mapping) else None
    if not isinstance(told, Mapping):
        return VERSION_1
    version, features = told.get("version"), told.get("features")
    if not isinstance(version, int) or isinstance(version, bool) or version < 2 or not isinstance(features, list):
        return VERSION_1
    known = {feature.value: feature for feature in ContractFeature}
    return PaymentContract(
        version, frozenset(known[name] for name in features if isinstance(name, str) and name in known)
    )
