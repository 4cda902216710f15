"""What may be asked: the bodies of the calls, with their limits. Unknown fields are passed over."""

from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from stripe.params.checkout import SessionCreateParamsLineItem

_STRIPES_LOCALES: Final = """
    bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv
    th tr vi zh zh-HK zh-TW
"""
"""https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-locale; what is none is `auto`."""
_OTHER_NAMES: Final = {"no": "nb", "nn": "nb", "zh-hant": "zh-TW"}


def _stripe_locale(tag: str) -> str:
    """Return Stripe's tag for a BCP 47 one: the region's where there is one, else the language's, else `auto`."""
    wanted = tag.replace("_", "-").lower()
    wanted = _OTHER_NAMES.get(wanted, wanted)
    by_lower = {known.lower(): known for known in _STRIPES_LOCALES.split()}
    language = wanted.partition("-")[0]
    return by_lower.get(wanted) or by_lower.get(_OTHER_NAMES.get(language, language), "auto")


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    return text


UserId = Annotated[str, Field(min_length=1, max_length=200)]
StripeId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_.-]+$")]
WebAddress = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_web_address)]
Locale = Annotated[str, Field(max_length=35), AfterValidator(_stripe_locale)]
Quantity = Annotated[int, Field(ge=1, le=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=250)]
ShortName = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(max_length=1000)]
Amount = Annotated[int, Field(ge=0, le=99_999_999)]
Currency = Annotated[str, Field(pattern=r"^[a-zA-Z]{3}$")]


class RequestBody(BaseModel):
    """A body: strict about types, silent about fields that it does not know."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Consent(RequestBody):
    """What the buyer has to agree to at Stripe."""

    terms_of_service: bool = False


class CheckoutBody(RequestBody):
    """What every checkout has."""

    user_id: UserId
    email: Annotated[str, Field(min_length=3, max_length=512)]
    success_url: WebAddress
    cancel_url: WebAddress
    locale: Locale | None = None
    promotion: Annotated[str, Field(max_length=200)] | None = None
    consent: Consent | None = None


class ItemCheckout(CheckoutBody):
    """`POST /api/v1/checkout/item`."""

    kind: ClassVar = "item"
    product_id: StripeId
    price_id: StripeId
    quantity: Quantity = 1

    @property
    def lines(self) -> list[SessionCreateParamsLineItem]:
        """What is bought, in Stripe's form."""
        return [{"price": self.price_id, "quantity": self.quantity}]


class SubscriptionCheckout(ItemCheckout):
    """`POST /api/v1/checkout/subscription`."""

    kind: ClassVar = "subscription"
    trial_days: Annotated[int, Field(ge=0, le=730)] | None = None


class CartLineBody(RequestBody):
    """One line of a cart."""

    price_id: StripeId
    product_id: StripeId | None = None
    quantity: Quantity


class CartCheckout(CheckoutBody):
    """`POST /api/v1/checkout/cart`."""

    kind: ClassVar = "cart"
    items: Annotated[list[CartLineBody], Field(min_length=1, max_length=20)]

    @property
    def lines(self) -> list[SessionCreateParamsLineItem]:
        """What is bought, in Stripe's form."""
        return [{"price": line.price_id, "quantity": line.quantity} for line in self.items]


class PortalBody(RequestBody):
    """`POST /api/v1/portal`."""

    user_id: UserId
    return_url: WebAddress
    flow: Annotated[str, Field(max_length=40)] | None = None
    subscription_id: StripeId | None = None
    locale: Locale | None = None


class PlanBody(RequestBody):
    """A plan to register; amounts in minor units."""

    name: Name
    description: Description = ""
    features: Annotated[list[str], Field(max_length=50)] = []
    pricing: Annotated[dict[Literal["monthly", "yearly"], Amount], Field(min_length=1)]
    id: ShortName | None = None
    group: ShortName | None = None
    currency: Currency = "usd"


class ItemBody(RequestBody):
    """A one-off item to register."""

    id: ShortName
    name: Name
    description: Description = ""
    amount: Amount
    currency: Currency = "usd"


class Registration(RequestBody):
    """`POST /admin/products/register`."""

    project_name: Name
    plans: Annotated[list[PlanBody], Field(max_length=100)] = []
    items: Annotated[list[ItemBody], Field(max_length=100)] = []
