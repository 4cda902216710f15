"""What calls to the Payment MS send, as JSON: what is bought, and the plans and items to create at Stripe."""

from dataclasses import dataclass

from services.payment_contract.features import ContractFeature, PaymentContract
from services.purchase import CheckoutKind, Purchase, PurchaseLine
from services.upstream.identifiers import check_identifier


@dataclass(frozen=True, slots=True)
class PlanRegistration:
    """A plan to create at Stripe; amounts in minor units, None where the plan has no such price.

    The second version takes what we call it: `id`, `group` and `currency`.
    """

    name: str
    description: str
    features: tuple[str, ...]
    monthly: int | None = None
    yearly: int | None = None
    id: str = ""
    group: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ItemRegistration:
    """An item to create at Stripe; the amount in minor units. The first version takes none."""

    id: str
    name: str
    description: str
    amount: int
    currency: str


def sold(purchase: Purchase) -> dict[str, object]:
    """Return what is bought as the service takes it; ``product_id`` for an item too, without which it answers 400."""
    if purchase.kind is CheckoutKind.CART:
        return {"items": [_line(line) for line in purchase.lines]}
    line = _line(purchase.lines[0])
    if purchase.kind is CheckoutKind.SUBSCRIPTION:
        del line["quantity"]
    return line


def plan(asked: PlanRegistration, contract: PaymentContract) -> dict[str, object]:
    """Return a plan as the service takes it; what only the second version knows is for that alone."""
    pricing = {"monthly": asked.monthly, "yearly": asked.yearly}
    body: dict[str, object] = {
        "name": asked.name,
        "description": asked.description,
        "features": list(asked.features),
        "pricing": {name: amount for name, amount in pricing.items() if amount is not None},
    }
    if contract.has(ContractFeature.REGISTER_ITEMS):
        told = {"id": asked.id, "group": asked.group, "currency": asked.currency}
        body |= {name: text for name, text in told.items() if text}
    return body


def item(asked: ItemRegistration) -> dict[str, object]:
    """Return an item as a service of the second version takes it."""
    return {
        "id": asked.id,
        "name": asked.name,
        "description": asked.description,
        "amount": asked.amount,
        "currency": asked.currency,
    }


def _line(line: PurchaseLine) -> dict[str, object]:
    body: dict[str, object] = {"price_id": check_identifier("price_id", line.price_id), "quantity": line.quantity}
    if line.product_id is not None:
        body["product_id"] = check_identifier("product_id", line.product_id)
    return body
