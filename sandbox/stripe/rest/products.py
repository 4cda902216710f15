"""The calls about products and prices. What is made here is for sale in the whole sandbox."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from sandbox.state import SandboxState
from sandbox.stripe.objects import LineItem, new_id
from sandbox.stripe.products import PriceDetails, StripePrice, StripeProduct, product_of
from sandbox.stripe.rest.forms import Many
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams, Metadata, Params, Text, merged
from sandbox.stripe.rest.problems import bad_request, no_such
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.products import price_shape, product_shape
from sandbox.stripe.upcoming import current_line


class FeatureParams(Params):
    name: Text


class CreateProduct(CallParams):
    name: Text
    id: str = ""
    description: str = ""
    active: bool = True
    marketing_features: Many[FeatureParams] = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class UpdateProduct(CallParams):
    name: Text | None = None
    description: str | None = None
    active: bool | None = None
    default_price: str | None = None
    marketing_features: Many[FeatureParams] | None = None
    metadata: Metadata | None = None


class ListProducts(ListParams):
    active: bool | None = None
    ids: Many[str] = Field(default_factory=list)


class RecurringParams(Params):
    interval: Literal["month", "year"]
    interval_count: int = Field(default=1, ge=1, le=1)
    usage_type: Literal["licensed"] = "licensed"


class CreatePrice(CallParams):
    currency: str = Field(pattern=r"^[a-zA-Z]{3}$")
    unit_amount: int = Field(ge=0, le=99_999_999)
    product: Text
    recurring: RecurringParams | None = None
    active: bool = True
    nickname: str = ""
    lookup_key: str = Field(default="", max_length=200)
    transfer_lookup_key: bool = False
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] = "unspecified"
    metadata: Metadata = Field(default_factory=dict)


class UpdatePrice(CallParams):
    active: bool | None = None
    nickname: str | None = None
    lookup_key: str | None = Field(default=None, max_length=200)
    transfer_lookup_key: bool = False
    metadata: Metadata | None = None


class RecurringFilter(Params):
    interval: Literal["day", "week", "month", "year"] | None = None


class ListPrices(ListParams):
    active: bool | None = None
    product: str = ""
    currency: str = ""
    type: Literal["one_time", "recurring"] | None = None
    recurring: RecurringFilter = RecurringFilter()
    lookup_keys: Many[str] = Field(default=[], max_length=10)


def product_calls(state: SandboxState) -> Iterable[ApiCall]:
    def create(params: CreateProduct, _: str) -> Shape:
        if params.id and state.products.get(params.id):
            raise bad_request(f"Product already exists: {params.id}.", "resource_already_exists", "id")
        values = params.model_dump(include={"description", "active", "metadata"})
        features = [feature.name for feature in params.marketing_features]
        return product_shape(state.products.create(params.id, params.name, {**values, "marketing_features": features}))

    def retrieve(_: CallParams, key: str) -> Shape:
        return product_shape(product_or_404(state, key))

    def update(params: UpdateProduct, key: str) -> Shape:
        product = product_or_404(state, key)
        values = params.model_dump(include={"name", "description", "active", "default_price"}, exclude_none=True)
        if params.default_price:
            price_or_404(state, params.default_price, "default_price")
        if params.marketing_features is not None:
            values["marketing_features"] = [feature.name for feature in params.marketing_features]
        values["metadata"] = merged(product.metadata, params.metadata)
        return product_shape(state.products.change(product, values))

    def every(params: ListProducts, _: str) -> Shape:
        products = [
            one
            for one in state.products.all()
            if params.created.holds(one.created)
            and params.active in (None, one.active)
            and (not params.ids or one.id in params.ids)
        ]
        return page_of(products, params, "/v1/products", lambda one: one.id, product_shape)

    return (
        call("POST", "/products", CreateProduct, create),
        call("GET", "/products", ListProducts, every),
        call("GET", "/products/{key}", CallParams, retrieve),
        call("POST", "/products/{key}", UpdateProduct, update),
    )


def price_calls(state: SandboxState) -> Iterable[ApiCall]:
    def create(params: CreatePrice, _: str) -> Shape:
        product = product_or_404(state, params.product, "product")
        if params.lookup_key:
            _take_lookup_key(state, params.lookup_key, transfer=params.transfer_lookup_key)
        details = PriceDetails(
            **params.model_dump(include={"lookup_key", "nickname", "metadata", "tax_behavior"}, mode="python")
        )
        made = state.products.create_price(product, _line(product, params), details)
        if not params.active:
            made = state.products.change_price(made, active=False, details=made.details)
        return price_shape(made)

    def retrieve(_: CallParams, key: str) -> Shape:
        return price_shape(price_or_404(state, key))

    def update(params: UpdatePrice, key: str) -> Shape:
        price = price_or_404(state, key)
        if params.lookup_key and params.lookup_key != price.details.lookup_key:
            _take_lookup_key(state, params.lookup_key, transfer=params.transfer_lookup_key)
        values = params.model_dump(include={"nickname", "lookup_key"}, exclude_none=True)
        values["metadata"] = merged(price.details.metadata, params.metadata)
        active = price.active if params.active is None else params.active
        changed = state.products.change_price(price, active=active, details=price.details.model_copy(update=values))
        return price_shape(changed)

    def every(params: ListPrices, _: str) -> Shape:
        prices = [one for one in state.products.prices() if _is_asked(one, params)]
        return page_of(prices, params, "/v1/prices", lambda one: one.line.price_id, price_shape)

    return (
        call("POST", "/prices", CreatePrice, create),
        call("GET", "/prices", ListPrices, every),
        call("GET", "/prices/{key}", CallParams, retrieve),
        call("POST", "/prices/{key}", UpdatePrice, update),
    )


def product_or_404(state: SandboxState, key: str, param: str = "") -> StripeProduct:
    product = state.products.get(key) or _still_had(state, key)
    if product is None:
        raise no_such("product", key, param)
    return product


def _still_had(state: SandboxState, key: str) -> StripeProduct | None:
    """What was taken out of the catalog is sold no more; Stripe deletes nothing that somebody has."""
    had = next((one for one in state.subscriptions.newest(10_000) if one.product_id == key), None)
    return product_of(current_line(had)).model_copy(update={"active": False}) if had else None


def price_or_404(state: SandboxState, key: str, param: str = "") -> StripePrice:
    price = state.products.price(key)
    if price is None:
        raise no_such("price", key, param)
    return price


def _take_lookup_key(state: SandboxState, lookup_key: str, *, transfer: bool) -> None:
    """Make a lookup key free for another price; refused where it is taken and not to be moved."""
    holder = state.products.with_lookup_key(lookup_key)
    if holder is None:
        return
    if not transfer:
        text = f"A price (`{holder.line.price_id}`) already uses that lookup key."
        raise bad_request(text, "resource_already_exists", "lookup_key")
    freed = holder.details.model_copy(update={"lookup_key": ""})
    state.products.change_price(holder, active=holder.active, details=freed)


def _line(product: StripeProduct, params: CreatePrice) -> LineItem:
    """The price as the rest of the sandbox sells it; `plan` and `group` are in its metadata or its product's."""
    metadata = {**product.metadata, **params.metadata}
    return LineItem(
        price_id=new_id("price"),
        product_id=product.id,
        name=product.name,
        amount=params.unit_amount,
        currency=params.currency.lower(),
        interval=params.recurring.interval if params.recurring else None,
        plan=metadata.get("plan", product.name.lower()) if params.recurring else "",
        group=metadata.get("group", ""),
    )


def _is_asked(price: StripePrice, params: ListPrices) -> bool:
    line, details = price.line, price.details
    return (
        params.created.holds(details.created)
        and params.active in (None, price.active)
        and params.product in ("", line.product_id)
        and params.currency in ("", line.currency)
        and params.type in (None, "recurring" if line.interval else "one_time")
        and params.recurring.interval in (None, line.interval)
        and (not params.lookup_keys or details.lookup_key in params.lookup_keys)
    )
