"""``POST /admin/products/register``: makes products and prices, or says that they exist.

In the second version it is idempotent: it takes items as well, and names all ids whether they existed or not.
"""

import json
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from sandbox.clock import rfc3339_nano
from sandbox.payment.go_json import go_json, problem
from sandbox.state import SandboxState
from sandbox.stripe.objects import LineItem, new_id

_PERIODS: Final = (("monthly", "month"), ("yearly", "year"))


class _Plan(BaseModel):
    model_config = ConfigDict(strict=True)

    name: str = Field(min_length=1)
    description: str = ""
    features: list[str] = []
    pricing: dict[str, int] = Field(min_length=1)
    id: str = ""
    group: str = ""
    currency: str = "usd"


class _Item(BaseModel):
    model_config = ConfigDict(strict=True)

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    description: str = ""
    amount: int = Field(ge=0)
    currency: str = "usd"


class _Registration(BaseModel):
    model_config = ConfigDict(strict=True)

    project_name: str = Field(min_length=1)
    plans: list[_Plan]
    items: list[_Item] = []


def register_products(state: SandboxState, body: bytes) -> Response:
    """201 with the new ids; 409 when one of the plans exists (then nothing is made); 400 for a bad body."""
    try:
        content = json.loads(body)
    except ValueError:
        return problem(400, "invalid_request", "INVALID_BODY", "Invalid request body", "Failed to decode JSON body")
    try:
        wanted = _Registration.model_validate(content)
    except ValidationError:
        message, description = "Missing required fields", "Request validation failed"
        return problem(400, "invalid_request", "VALIDATION_FAILED", message, description)
    project = state.settings.project_id
    if state.runtime_settings.current.contract == 2:
        return _register_all(state, project, wanted)
    if not wanted.plans:
        message, description = "Missing required fields", "Request validation failed"
        return problem(400, "invalid_request", "VALIDATION_FAILED", message, description)
    for plan in wanted.plans:
        existing = state.prices.registered_product(f"{project}/{plan.name}")
        if existing:
            message = f"Product for project '{project}' plan '{plan.name}' already exists"
            return go_json(
                {"success": False, "error": "ALREADY_EXISTS", "message": message, "existing_product_id": existing}, 409
            )
    with state.database.transaction():
        products = [_make_product(state, f"{project}/{plan.name}", plan) for plan in wanted.plans]
    return go_json({"success": True, "project_id": project, "products": products}, 201)


def _register_all(state: SandboxState, project: str, wanted: _Registration) -> Response:
    """201 where anything was made, 200 where all of it existed; the ids of all of it either way."""
    made = False
    products: list[dict[str, object]] = []
    items: list[dict[str, object]] = []
    with state.database.transaction():
        for plan in wanted.plans:
            name = f"{project}/{plan.id or plan.name}"
            product_id = state.prices.registered_product(name) or new_id("prod")
            prices: dict[str, object] = {}
            for period, interval in _PERIODS:
                if period in plan.pricing:
                    line, fresh = _price(state, name, product_id, plan, plan.pricing[period], interval)
                    made = made or fresh
                    prices[period] = {
                        "stripe_price_id": line.price_id,
                        "amount": line.amount,
                        "interval": interval,
                        "currency": line.currency,
                    }
            products.append({"plan_name": plan.name, "stripe_product_id": product_id, "prices": prices})
        for item in wanted.items:
            name = f"{project}/items/{item.id}"
            product_id = state.prices.registered_product(name) or new_id("prod")
            line, fresh = _price(state, name, product_id, item, item.amount, None)
            made = made or fresh
            items.append(
                {
                    "name": item.name,
                    "stripe_product_id": product_id,
                    "stripe_price_id": line.price_id,
                    "amount": line.amount,
                    "currency": line.currency,
                }
            )
    content = {"success": True, "project_id": project, "products": products, "items": items}
    return go_json(content, 201 if made else 200)


def _price(
    state: SandboxState, name: str, product_id: str, sold: _Plan | _Item, amount: int, interval: str | None
) -> tuple[LineItem, bool]:
    """The price of a lookup key, and whether it had to be made: one of another amount gives way to a new one."""
    known = [line for line in state.prices.registered_as(name) if line.interval == interval]
    same = next((line for line in known if (line.amount, line.currency) == (amount, sold.currency)), None)
    if same is not None:
        return same, False
    plan = (sold.id or sold.name.lower()) if isinstance(sold, _Plan) else ""
    line = LineItem(
        price_id=new_id("price"), product_id=product_id, name=sold.name, amount=amount, currency=sold.currency,
        interval=interval, plan=plan, group=sold.group if isinstance(sold, _Plan) else "",
    )  # fmt: skip
    state.prices.register(name, line)
    return line, True


def _make_product(state: SandboxState, project_plan: str, plan: _Plan) -> dict[str, object]:
    product_id, prices = new_id("prod"), {}
    for period, interval in _PERIODS:
        if period not in plan.pricing:
            continue
        line = LineItem(
            price_id=new_id("price"),
            product_id=product_id,
            name=plan.name,
            amount=plan.pricing[period],
            currency="usd",
            interval=interval,
            plan=plan.name.lower(),
        )
        state.prices.register(project_plan, line)
        prices[period] = {
            "stripe_price_id": line.price_id,
            "amount": line.amount,
            "interval": interval,
            "currency": line.currency,
        }
    return {
        "plan_name": plan.name,
        "stripe_product_id": product_id,
        "prices": prices,
        "created_at": rfc3339_nano(),
    }
