"""What the JSON API shows of the model: plain values in RFC 3339 UTC and minor units, no more than a client needs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo

from catalog import Catalog, FeatureLine, Interval, Price, Text
from catalog_entries import Grant
from catalog_features import FeatureValue, granted_by
from services.cart import Cart
from services.claims import DATED, Claim, ClaimKind, status_claims, subscription_claims
from services.entitlements.model import Entitlement
from services.entitlements.without_session import MOST_USERS
from services.errors import CartChanged, PriceNotSold
from services.payment_contract.features import PortalFlow
from services.portal import PortalWay
from services.purchase import Purchase, offer_of
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Action, Reason, Source, State, Subscription

PriceId = Annotated[str, Field(min_length=1, max_length=255, examples=["price_premium_month"])]


def _whole(value: object) -> object:
    """JSON has one kind of number: 2.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Quantity = Annotated[int, Field(strict=True, ge=1, le=10_000), BeforeValidator(_whole)]
Amount = Annotated[int, Field(strict=True, ge=0, le=10**12), BeforeValidator(_whole)]
"""Minor units that the user was shown for one, to be compared."""


class ApiView(BaseModel):
    """Something of the model as a client sees it: pydantic reads its fields from the object's attributes."""

    model_config = ConfigDict(
        from_attributes=True, validate_by_name=True, json_schema_serialization_defaults_required=True
    )

    @classmethod
    def of(cls, shown: object, locale: str = "en") -> Self:
        """Return the view of an object, its texts in a language."""
        return cls.model_validate(shown, context=locale)


def _in_language(text: Text | None, info: ValidationInfo[str]) -> str | None:
    return text.in_(info.context or "en") if text is not None else None


def _texts(features: Iterable[FeatureLine]) -> list[Text]:
    return [feature.text for feature in features]


def _granted(grants: Mapping[str, Grant], info: ValidationInfo[str]) -> dict[str, FeatureValue]:
    locale = info.context or "en"
    return {key: value.in_(locale) if isinstance(value, Text) else value for key, value in grants.items()}


def _values(prices: Mapping[str, Price]) -> list[Price]:
    return list(prices.values())


def _known_interval(interval: object) -> object:
    """What another release recorded may be none of ours, and is then not said."""
    return interval if interval in set(Interval) else None


Words = Annotated[str, BeforeValidator(_in_language)]
CheckoutId = Annotated[str, Field(max_length=64)]
Shown = Annotated[str, Field(min_length=1, max_length=20)]
"""What the user was shown, to be compared."""
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A language by its tag (BCP 47)."""
_STRIPES_LANGUAGE: Final = (
    "The language in which Stripe's page opens, such as `de`; the browser's where none is named, or where the Payment "
    "MS passes none on."
)


class CheckoutRequest(BaseModel):
    """What to buy. Anything else in the body is ignored: addresses and amounts are the server's."""

    model_config = ConfigDict(extra="ignore", strict=True)

    price_id: PriceId
    product_id: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        None, description="The price's product; of another one nothing is sold."
    )
    quantity: Quantity = 1
    amount: Amount | None = Field(None, description="What the user was shown for one, in minor units.")
    currency: Shown | None = Field(None, description="In which currency that was.")
    interval: Interval | None = Field(None, strict=False, description="For which time that was.")
    trial_days: Annotated[int, Field(strict=True, ge=0, le=730), BeforeValidator(_whole)] | None = Field(
        None, description="How many days the user was shown as free."
    )
    instead_of: CheckoutId | None = Field(
        None, description="A checkout (`checkout_id`) that the user was asked about, did not pay and gives up."
    )
    has_ended: bool = Field(False, description="The user's word that the subscription on record has ended.")
    locale: Language | None = Field(None, description=_STRIPES_LANGUAGE)

    def purchase(self, catalog: Catalog) -> Purchase:
        """Return the press; what the client does not say was shown is taken from the catalog. Raises PriceNotSold."""
        purchase = Purchase.of(offer_of(catalog, self.price_id), self.quantity)
        if self.product_id not in (None, purchase.lines[0].product_id):
            raise PriceNotSold("a price of another product than the one named")
        named = {"amount", "currency", "interval", "trial_days"}
        shown = self.model_dump(mode="json", include=named, exclude_none=True)
        line = purchase.lines[0].model_copy(update=shown)
        answers = {"instead_of": self.instead_of, "has_ended": self.has_ended, "reuse": True}
        return purchase.showing_trial(bool(self.trial_days)).model_copy(update={"lines": (line,), **answers})


class CartCheckoutRequest(BaseModel):
    """What the user was shown of the cart, and answered. `total` in minor units of `currency`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    total: Amount | None = None
    currency: Shown | None = None
    instead_of: CheckoutId | None = Field(None, description="As for a plan or an item.")
    locale: Language | None = Field(None, description=_STRIPES_LANGUAGE)

    def purchase(self, cart: Cart) -> Purchase:
        """Return the press that buys the cart. Raises CartChanged where another total was shown."""
        if self.total not in (None, cart.total) or self.currency not in (None, cart.currency):
            raise CartChanged(f"shown at {self.total} {self.currency}, costs {cart.total} {cart.currency}")
        return cart.purchase.model_copy(update={"instead_of": self.instead_of, "reuse": True})


class CheckoutStarted(ApiView):
    """Where to send the browser to pay."""

    checkout_url: str = Field(validation_alias="url")
    checkout_session_id: str = Field(validation_alias="session_id")
    checkout_id: str = Field(validation_alias="id", description="Our own id of the checkout, as `instead_of` takes it.")


class PortalRequest(BaseModel):
    """Where in the portal the user wants to be, and where on this site afterwards."""

    model_config = ConfigDict(extra="ignore", strict=True)

    return_to: Annotated[str, Field(max_length=2000)] = "/payment"
    flow: PortalFlow | None = Field(
        None, strict=False,
        description="The page that opens; its front where none is named, or where the Payment MS leads to no other.",
    )  # fmt: skip
    subscription_id: Annotated[str, Field(max_length=255)] | None = Field(
        None, description="Which subscription a `flow` is about, where the user has several."
    )
    locale: Language | None = Field(None, description=_STRIPES_LANGUAGE)

    @property
    def way(self) -> PortalWay:
        """Where in the portal to go."""
        return PortalWay(self.flow, self.subscription_id or "" if self.flow else "")


class PortalOpened(BaseModel):
    """Where to send the browser to manage a subscription."""

    portal_url: str


class QuantityRequest(BaseModel):
    """How many of an item the cart is to hold."""

    model_config = ConfigDict(extra="ignore", strict=True)

    quantity: Quantity = 1


class PriceView(ApiView):
    """A price: `amount` in minor units of `currency`."""

    price_id: str
    amount: int
    currency: str
    interval: Interval | None
    trial_days: int


class PlanView(ApiView):
    """A plan, in the order of the pricing page."""

    id: str
    name: Words
    tagline: Words
    kind: Literal["free", "paid", "contact"]
    group: str
    product_id: str | None
    highlighted: bool
    includes: str | None
    features: Annotated[list[Words], BeforeValidator(_texts)] = Field(description="The lines of its card.")
    grants: Annotated[dict[str, FeatureValue], BeforeValidator(_granted)] = Field(
        description="What it unlocks, with what it includes, by feature; what it does not have is not named."
    )
    prices: Annotated[list[PriceView], BeforeValidator(_values)] = Field(validation_alias="offered")


class ItemView(ApiView):
    """Something that is bought once."""

    id: str
    name: Words
    description: Words
    product_id: str
    price: PriceView
    min_quantity: int
    max_quantity: int


class FeatureView(ApiView):
    """Something that plans unlock. Its value is a boolean, a number or `unlimited`, or a text, as `kind` says."""

    key: str
    kind: Literal["flag", "number", "text"]
    name: Words
    unit: Annotated[str | None, BeforeValidator(_in_language)]


class CatalogView(ApiView):
    """All that is sold."""

    version: str
    features: list[FeatureView]
    plans: list[PlanView]
    items: list[ItemView]

    @classmethod
    def sold(cls, catalog: Catalog, locale: str = "en") -> Self:
        """Return the view of all that is sold, its texts in a language."""
        plans = (plan.model_copy(update={"grants": granted_by(catalog, plan)}) for plan in catalog.on_sale)
        return cls(
            version=catalog.version,
            features=[FeatureView.of(feature, locale) for feature in catalog.features],
            plans=[PlanView.of(plan, locale) for plan in plans],
            items=[ItemView.of(item, locale) for item in catalog.items],
        )


class Me(ApiView):
    """Who is signed in."""

    # The Auth MS's id of the session stays here: it is a key.
    user_id: str = Field(validation_alias=AliasPath("user", "user_id"))
    name: str = Field(validation_alias=AliasPath("user", "name"))
    email: str = Field(validation_alias=AliasPath("user", "email"))
    picture: str = Field(validation_alias=AliasPath("user", "picture"))
    signed_in_at: datetime = Field(validation_alias="created_at")


class MyData(ApiView):
    """All that is kept of the signed-in user, without what proves who they are.

    `kept` has a member for each kind of row that there is; its content is as it is stored.
    """

    exported_at: datetime
    user_id: str
    customer_id: str = Field(description="The id by which billing knows the user.")
    kept: dict[str, JsonValue] = Field(examples=[{"cart": {"price_mug": 2}}])


class CartLineView(ApiView):
    """One line of the cart; amounts in minor units."""

    item: str = Field(validation_alias=AliasPath("item", "id"))
    name: Words = Field(validation_alias=AliasPath("item", "name"))
    price_id: str = Field(validation_alias=AliasPath("item", "price", "price_id"))
    quantity: int
    amount: int = Field(validation_alias=AliasPath("item", "price", "amount"))
    total: int


class CartView(ApiView):
    """The cart. `gone` counts lines that are no longer sold."""

    lines: list[CartLineView]
    count: int
    total: int
    currency: str | None
    gone: int


class SubscriptionView(BaseModel):
    """One subscription, or its absence, as known at `as_of`. What it says of money and dates is what `claims` say.

    `until` is the date that can be said of it; `amount` is the list price, not what will be charged. `account_plan` is
    a plan that the account names and the catalog does not know.
    """

    state: State
    access: bool
    reason: Reason
    source: Source
    as_of: datetime
    plan: str | None
    account_plan: str | None
    group: str | None
    product_id: str | None
    until: datetime | None
    ends: bool
    renews: bool | None = Field(description="True and false only where a service says so.")
    word: str | None
    amount: int | None
    currency: str | None
    interval: Annotated[Interval | None, BeforeValidator(_known_interval)]
    claims: list[Claim] = Field(description="What may be said of it, each with its evidence (docs/states.md).")
    actions: list[Action]

    @classmethod
    def of(cls, one: Subscription, catalog: Catalog, now: datetime) -> "SubscriptionView":
        """Return the view of a subscription."""
        claims = subscription_claims(one, catalog, now)
        by_kind = {claim.says: claim for claim in claims}
        price = by_kind.get(ClaimKind.LIST_PRICE)
        dated = next((claim for claim in claims if claim.date is not None and claim.says in DATED), None)
        renews = True if ClaimKind.RENEWS_ON in by_kind else None
        return cls(
            state=one.state,
            access=ClaimKind.HAS_ACCESS in by_kind,
            reason=one.reason,
            source=one.source,
            as_of=one.as_of,
            plan=one.plan_id,
            account_plan=one.account_plan,
            group=one.group,
            product_id=one.product_id,
            until=dated.date if dated is not None else None,
            ends=one.surely_ends,
            renews=False if one.surely_ends else renews,
            word=one.word,
            amount=price.amount if price is not None else None,
            currency=price.currency if price is not None else None,
            interval=price.interval if price is not None else None,
            claims=list(claims),
            actions=list(one.actions),
        )


class SubscriptionsView(BaseModel):
    """What the user has. `current` is that of the first group of plans, `groups` has the one of each.

    `stale` says that a service could not be asked, so that parts are memory. `claims` is all that a page would say.
    """

    current: SubscriptionView
    groups: dict[str, SubscriptionView]
    others: list[SubscriptionView]
    claims: list[Claim]
    stale: bool
    open_checkout: CheckoutStarted | None

    @classmethod
    def of(cls, customer_status: CustomerStatus, catalog: Catalog, now: datetime) -> "SubscriptionsView":
        """Return the view of a status."""
        groups = {group: SubscriptionView.of(one, catalog, now) for group, one in customer_status.groups.items()}
        return cls(
            current=SubscriptionView.of(customer_status.current, catalog, now),
            groups=groups,
            others=[SubscriptionView.of(one, catalog, now) for one in customer_status.others],
            claims=list(status_claims(customer_status, catalog, now)),
            stale=customer_status.stale,
            open_checkout=CheckoutStarted.of(customer_status.open) if customer_status.open else None,
        )


class EntitlementView(Entitlement):
    """What the user is entitled to, and the same as a signed token for sibling services."""

    token: str = Field(description="JWS in compact form; its key is at /.well-known/jwks.json.")
    expires_at: datetime


class UserEntitlement(EntitlementView):
    """What one user is entitled to, as a service asked."""

    user_id: str


class EntitlementsQuery(BaseModel):
    """The users that are asked about, by the Auth MS's ids."""

    model_config = ConfigDict(extra="ignore", strict=True)

    user_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255)]], Field(min_length=1, max_length=MOST_USERS)
    ] = Field(examples=[["usr_1", "usr_2"]])


class EntitlementsAnswer(BaseModel):
    """One entry for each user that was asked about, in that order, each once."""

    users: list[UserEntitlement]
