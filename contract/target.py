"""The service under test and what it is asked with: ids of things on sale, made-up people, a known customer."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from catalog import Catalog, load_catalog
from contract.reading import AnswerShape
from contract.stripe_side import StripeDoor
from contract.wire import SerialClient

STATUS_WAIT: Final = 3.0
CHECKOUT_WAIT: Final = 10.0
"""Seconds after which the front end gives up by default (PAYMENT_MS_STATUS_DEADLINE, PAYMENT_MS_CHECKOUT_DEADLINE)."""

SUCCESS_URL: Final = "https://example.com/payment/success?session_id={CHECKOUT_SESSION_ID}"
CANCEL_URL: Final = "https://example.com/payment/cancel"


@dataclass(frozen=True)
class Sale:
    """A price at Stripe, and the product it belongs to."""

    price_id: str
    product_id: str


@dataclass(frozen=True)
class Sales:
    """What to open checkouts for: a plan, and items bought once."""

    plan: Sale | None
    items: tuple[Sale, ...] = ()
    other_plan: Sale | None = None

    @classmethod
    def of(cls, catalog: Catalog) -> "Sales":
        """Return the first price of the first paid plan, one of another plan, and the first two items."""
        offers = list(catalog.offers())
        plans = [Sale(offer.price.price_id, offer.product_id) for offer in offers if offer.plan]
        items = [Sale(offer.price.price_id, offer.product_id) for offer in offers if offer.item]
        others = [sale for sale in plans if sale.product_id != plans[0].product_id]
        return cls(plans[0] if plans else None, tuple(items[:2]), others[0] if others else None)

    @classmethod
    def in_file(cls, path: Path) -> "Sales":
        """Return what the catalog in a file sells; raises CatalogError."""
        return cls.of(load_catalog(path))


@dataclass(frozen=True)
class KnownCustomer:
    """Somebody with a subscription on record, the product of it, and its price where that is known."""

    user_id: str
    product_id: str
    price_id: str = ""


@dataclass(frozen=True)
class WebhookDoor:
    """Where the service takes Stripe's events, and the secret that signs them."""

    path: str
    secret: str
    customer: str = ""
    """The known customer's id at Stripe, where it is known."""


@dataclass(frozen=True)
class AccountDoor:
    """The Auth MS, and a session of the known customer."""

    wire: SerialClient
    session_id: str


@dataclass
class ContractTarget:
    """All that a check needs. ``sessions`` collects the checkout sessions that the checks open."""

    wire: SerialClient
    sales: Sales
    customer: KnownCustomer | None = None
    registers: bool = False
    shape: AnswerShape | None = None
    """The shape that status answers must have, where that is known beforehand."""
    webhook: WebhookDoor | None = None
    stripe: StripeDoor | None = None
    """Stripe's API, where subscriptions can really be made."""
    outage: Callable[[], AbstractContextManager[None]] | None = None
    """Keeps the service from acting on an event while it lasts, where that can be brought about."""
    account: AccountDoor | None = None
    may_break_it: bool = False
    event_pause: float = 0.5
    """Seconds between two looks for what an event should have written."""
    status_wait: float = STATUS_WAIT
    checkout_wait: float = CHECKOUT_WAIT
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    sessions: dict[str, str] = field(default_factory=dict)
    key_worked: bool = False
    is_broken: bool = False
    features: frozenset[str] = frozenset()
    """What the service says that it has of the contract's second version."""
    events: int = 0

    @property
    def buyer(self) -> str:
        """Who opens the checkouts."""
        return f"contract-{self.run}"

    @property
    def stranger(self) -> str:
        """Who never does anything."""
        return f"contract-nobody-{self.run}"

    @property
    def newcomer(self) -> str:
        """Who opens two checkouts and nothing else."""
        return f"contract-new-{self.run}"

    @property
    def long_id(self) -> str:
        """An id that Stripe doesn't take: at most 200 characters may be in its metadata and references."""
        return f"contract-long-{self.run}-".ljust(201, "x")

    @property
    def product_id(self) -> str:
        """A product to ask about."""
        return self.sales.plan.product_id if self.sales.plan else "prod_contract"

    def order(self, **what: Any) -> Mapping[str, Any]:
        """Return a checkout's body for the buyer."""
        return {
            "user_id": self.buyer,
            "email": f"{self.buyer}@example.com",
            "success_url": SUCCESS_URL,
            "cancel_url": CANCEL_URL,
            **what,
        }
