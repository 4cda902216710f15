"""The HTTP calls about checkout sessions, and about what Stripe has for sale."""

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import Field

from sandbox.control.routes import Body
from sandbox.control.subscriptions import found_or_404
from sandbox.state import SandboxState
from sandbox.stripe.objects import SessionStatus, StripeCheckoutSession
from sandbox.stripe.payment_methods import CARDS, PaymentRefused
from sandbox.stripe.price_list import PriceChange
from sandbox.stripe.price_moves import raise_for_all, replace_product


class Pay(Body):
    """`card` empty is a trial without a card."""

    card: str = CARDS[0].number
    promotion: str = ""
    email: str = ""


class Settle(Body):
    paid: bool = True


class NewPrice(PriceChange):
    """What Stripe has under the price id from now on, and whether those who have it pay it too."""

    for_all: bool = False


class Replacement(Body):
    """A product that takes the place of another; `move` takes its subscribers along."""

    product_id: str = Field(min_length=1, max_length=255)
    move: bool = False


def control_checkout_router(state: SandboxState) -> APIRouter:
    router = APIRouter(prefix="/control", tags=["checkout"])

    def session_of(session_id: str) -> StripeCheckoutSession:
        return found_or_404(state.checkout.get(session_id), "checkout session")

    def shown(session: StripeCheckoutSession) -> dict[str, Any]:
        return {**session.model_dump(mode="json"), "url": state.checkout_url(session)}

    @router.get("/sessions")
    async def sessions(user_id: str = "") -> list[dict[str, Any]]:
        """Checkout sessions, of one user or the newest of all."""
        return [shown(one) for one in (state.checkout.of(user_id) if user_id else state.checkout.newest())]

    @router.post("/pay/{session_id}")
    async def pay(session_id: str, how: Pay | None = None) -> dict[str, Any]:
        """Pay without a browser; a card that asks for confirmation is confirmed. 402 when refused, 409 when closed."""
        session = session_of(session_id)
        if session.status is not SessionStatus.OPEN:
            raise HTTPException(409, f"the session is {session.status}")
        how = how or Pay()
        try:
            if how.promotion:
                session = state.checkout.apply_promotion(session, how.promotion)
            paid = state.checkout.pay(state.checkout.agree(session), how.card, how.email)
            if paid.waiting_card:
                paid = state.checkout.confirm(paid, succeeds=True)
        except PaymentRefused as refusal:
            raise HTTPException(402, str(refusal)) from None
        return shown(paid)

    @router.post("/sessions/{session_id}/expire")
    async def expire(session_id: str) -> dict[str, Any]:
        """End an open checkout session unpaid, as "expire" in the dashboard does; 409 for one that is not open."""
        session = session_of(session_id)
        if session.status is SessionStatus.COMPLETE:
            raise HTTPException(409, f"the session is {session.status}")
        return shown(state.checkout.expire(session))

    @router.post("/sessions/{session_id}/settle")
    async def settle(session_id: str, how: Settle | None = None) -> dict[str, Any]:
        """Let a delayed payment arrive, or fail, now; 409 where none is under way."""
        session = session_of(session_id)
        if session.settles_at is None:
            raise HTTPException(409, "no payment is under way")
        return shown(state.checkout.settle(session, paid=how.paid if how else True))

    @router.get("/prices")
    async def prices() -> list[dict[str, Any]]:
        """What Stripe has for sale, retired prices too."""
        lines = state.prices.lines()
        return [{**line.model_dump(mode="json"), "active": state.prices.active(line.price_id)} for line in lines]

    @router.put("/prices/{price_id}")
    async def change_price(price_id: str, to: NewPrice) -> dict[str, Any]:
        """Another amount, currency or trial under a price id than the catalog's, for new customers or for all."""
        state.prices.change(price_id, PriceChange.model_validate(to.model_dump(exclude={"for_all"})))
        return {"price_id": price_id, "moved": raise_for_all(state, price_id) if to.for_all else 0}

    @router.delete("/prices/{price_id}")
    async def unchange_price(price_id: str) -> dict[str, Any]:
        """As in the catalog again."""
        return {"price_id": price_id, "changed": state.prices.unchange(price_id)}

    @router.post("/products/{product_id}/retire")
    async def retire(product_id: str) -> dict[str, Any]:
        """Sell a product no more: its prices become inactive, who has it keeps it."""
        return {"retired": [line.price_id for line in state.prices.retire(product_id)]}

    @router.post("/products/{product_id}/replace")
    async def replace(product_id: str, by: Replacement) -> dict[str, Any]:
        """Sell another product with prices of its own in its place."""
        prices, moved = replace_product(state, product_id, by.product_id, move=by.move)
        return {"prices": prices, "moved": moved}

    return router
