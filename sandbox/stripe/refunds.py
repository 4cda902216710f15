"""Money given back, one piece at a time: an invoice keeps the sum, and here is each refund of it."""

from datetime import datetime

from pydantic import Field

from sandbox.stripe.objects import Document


class StripeRefund(Document):
    id: str
    invoice_id: str
    customer: str = ""
    amount: int
    currency: str
    created: datetime
    reason: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
