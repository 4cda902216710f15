"""``POST /admin/products/register``: makes products and prices, or says that they exist."""

import json

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from sandbox.clock import rfc3339_nano
from sandbox.payment.go_json import go_json, problem
from sandbox.state import SandboxState
from sandbox.stripe.objects import LineItem, new_id


class _Plan(BaseModel):
    model_config = ConfigDict(strict=True)

    name: str = Field(min_length=1)
    description: str = ""
    features: list[str] = []
    pricing: dict[str, int] = Field(min_length=1)


class _Registration(BaseModel):
    model_config = ConfigDict(strict=True)

    project_name: str = Field(min_length=1)
    plans: list[_Plan] = Field(min_length=1)


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


def _make_product(state: SandboxState, project_plan: str, plan: _Plan) -> dict[str, object]:
    product_id, prices = new_id("prod"), {}
    for period, interval in (("monthly", "month"), ("yearly", "year")):
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
