"""What the JSON API shows of the model: plain values in RFC 3339 UTC and minor units, no more than a client needs."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from catalog import Catalog, Item, Plan, Price
from services.cart import Cart
from services.checkout_record import Checkout
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Subscription

PriceId = Annotated[str, Field(min_length=1, max_length=255, examples=["price_premium_month"])]


def _whole(value: object) -> object:
    """JSON has one kind of number: 2.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Quantity = Annotated[int, Field(strict=True, ge=1, le=10_000), BeforeValidator(_whole)]
Amount = Annotated[int, Field(strict=True, ge=0, le=10**12), BeforeValidator(_whole)]
"""Minor units that the user was shown for one, to be compared."""


class CheckoutRequest(BaseModel):
    """What to buy. Anything else in the body is ignored: addresses and amounts are the server's."""

    model_config = ConfigDict(extra="ignore", strict=True)

    price_id: PriceId
    product_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    quantity: Quantity = 1
    amount: Amount | None = None
    instead_of: Annotated[str, Field(max_length=64)] | None = Field(None, description="The open checkout to give up.")
    has_ended: bool = Field(False, description="The user's word that the subscription on record has ended.")


class CheckoutStarted(BaseModel):
    """Where to send the browser to pay."""

    checkout_url: str
    checkout_session_id: str
    checkout_id: str = Field(description="Our own id of the checkout, as `instead_of` takes it.")

    @classmethod
    def of(cls, checkout: Checkout) -> "CheckoutStarted":
        """Return the view of a checkout."""
        return cls(checkout_url=checkout.url, checkout_session_id=checkout.session_id, checkout_id=checkout.id)


class PortalRequest(BaseModel):
    """Where on this site the user wants to be after the portal."""

    model_config = ConfigDict(extra="ignore", strict=True)

    return_to: Annotated[str, Field(max_length=2000)] = "/payment"


class PortalOpened(BaseModel):
    """Where to send the browser to manage a subscription."""

    portal_url: str


class QuantityRequest(BaseModel):
    """How many of an item the cart is to hold."""

    model_config = ConfigDict(extra="ignore", strict=True)

    quantity: Quantity = 1


class PriceView(BaseModel):
    """A price: `amount` in minor units of `currency`."""

    price_id: str
    amount: int
    currency: str
    interval: str | None
    trial_days: int

    @classmethod
    def of(cls, price: Price) -> "PriceView":
        """Return the view of a price."""
        return cls(
            price_id=price.price_id,
            amount=price.amount,
            currency=price.currency,
            interval=price.interval,
            trial_days=price.trial_days,
        )


class PlanView(BaseModel):
    """A plan, in the order of the pricing page."""

    id: str
    name: str
    tagline: str
    kind: str
    group: str
    product_id: str | None
    highlighted: bool
    includes: str | None
    features: list[str]
    prices: list[PriceView]

    @classmethod
    def of(cls, plan: Plan, locale: str) -> "PlanView":
        """Return the view of a plan in a language."""
        return cls(
            id=plan.id,
            name=plan.name.in_(locale),
            tagline=plan.tagline.in_(locale),
            kind=plan.kind,
            group=plan.group,
            product_id=plan.product_id,
            highlighted=plan.highlighted,
            includes=plan.includes,
            features=[feature.text.in_(locale) for feature in plan.features],
            prices=[PriceView.of(price) for price in plan.offered.values()],
        )


class ItemView(BaseModel):
    """Something that is bought once."""

    id: str
    name: str
    description: str
    product_id: str
    price: PriceView
    min_quantity: int
    max_quantity: int

    @classmethod
    def of(cls, item: Item, locale: str) -> "ItemView":
        """Return the view of an item in a language."""
        return cls(
            id=item.id,
            name=item.name.in_(locale),
            description=item.description.in_(locale),
            product_id=item.product_id,
            price=PriceView.of(item.price),
            min_quantity=item.min_quantity,
            max_quantity=item.max_quantity,
        )


class CatalogView(BaseModel):
    """All that is sold."""

    version: str
    plans: list[PlanView]
    items: list[ItemView]

    @classmethod
    def of(cls, catalog: Catalog, locale: str) -> "CatalogView":
        """Return the view of a catalog in a language."""
        return cls(
            version=catalog.version,
            plans=[PlanView.of(plan, locale) for plan in catalog.on_sale],
            items=[ItemView.of(item, locale) for item in catalog.items],
        )


class Me(BaseModel):
    """Who is signed in."""

    user_id: str
    name: str
    email: str
    picture: str
    signed_in_at: datetime

    @classmethod
    def of(cls, session: Session) -> "Me":
        """Return the view of a session; the Auth MS's id of it stays here."""
        user = session.user
        return cls(
            user_id=user.user_id,
            name=user.name,
            email=user.email,
            picture=user.picture,
            signed_in_at=session.created_at,
        )


class SubscriptionView(BaseModel):
    """One subscription, or its absence, as known at `as_of`; `until` is the end of the paid or trial period."""

    state: str
    access: bool
    reason: str
    source: str
    as_of: datetime
    plan: str | None
    product_id: str | None
    until: datetime | None
    ends: bool
    word: str | None
    amount: int | None
    currency: str | None
    interval: str | None
    actions: list[str]

    @classmethod
    def of(cls, one: Subscription) -> "SubscriptionView":
        """Return the view of a subscription."""
        return cls(
            state=one.state,
            access=one.access,
            reason=one.reason,
            source=one.source,
            as_of=one.as_of,
            plan=one.plan_id,
            product_id=one.product_id,
            until=one.until,
            ends=one.ends,
            word=one.word,
            amount=one.amount,
            currency=one.currency,
            interval=one.interval,
            actions=list(one.actions),
        )


class SubscriptionsView(BaseModel):
    """What the user has. `stale` says that a service could not be asked, so that parts are memory."""

    current: SubscriptionView
    others: list[SubscriptionView]
    stale: bool
    open_checkout: CheckoutStarted | None

    @classmethod
    def of(cls, customer_status: CustomerStatus) -> "SubscriptionsView":
        """Return the view of a status."""
        return cls(
            current=SubscriptionView.of(customer_status.current),
            others=[SubscriptionView.of(one) for one in customer_status.others],
            stale=customer_status.stale,
            open_checkout=CheckoutStarted.of(customer_status.open) if customer_status.open else None,
        )


class CartLineView(BaseModel):
    """One line of the cart; amounts in minor units."""

    item: str
    name: str
    price_id: str
    quantity: int
    amount: int
    total: int


class CartView(BaseModel):
    """The cart. `gone` counts lines that are no longer sold."""

    lines: list[CartLineView]
    count: int
    total: int
    currency: str | None
    gone: int

    @classmethod
    def of(cls, cart: Cart) -> "CartView":
        """Return the view of a cart."""
        lines = [
            CartLineView(
                item=line.item.id,
                name=str(line.item.name),
                price_id=line.item.price.price_id,
                quantity=line.quantity,
                amount=line.item.price.amount,
                total=line.total,
            )
            for line in cart.lines
        ]
        return cls(lines=lines, count=cart.count, total=cart.total, currency=cart.currency, gone=cart.gone)


class EntitlementView(BaseModel):
    """What the user is entitled to, and the same as a signed token for sibling services."""

    plan: str | None
    state: str
    access: bool
    as_of: datetime
    source: str
    reason: str
    token: str = Field(description="JWS in compact form; its key is at /.well-known/jwks.json.")
    expires_at: datetime
