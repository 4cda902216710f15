"""Stripe's customer portal: subscriptions with what can be done to them, the card, the invoices. Plain forms."""

from fastapi import APIRouter, Request, Response

from sandbox.cards import CARDS, CardRefused, card_of
from sandbox.rendering import form_of, go_to, message, page
from sandbox.stripe_objects import PortalSession, Subscription
from sandbox.world import World

_DONE = {
    "cancel": "Your subscription will end with its period.",
    "cancel-now": "Your subscription has ended.",
    "resume": "Your subscription goes on.",
    "switch": "Your plan has changed.",
    "card": "Your card was updated.",
}


def portal_router(world: World) -> APIRouter:
    router = APIRouter()

    @router.get("/p/session/{session_id}")
    async def show(session_id: str, done: str = "") -> Response:
        session = world.portal.get(session_id)
        return _portal(world, session, done=_DONE.get(done, "")) if session else _gone()

    @router.get("/p/session/{session_id}/{subscription_id}/cancel")
    async def ask_cancel(session_id: str, subscription_id: str) -> Response:
        session, subscription = _find(world, session_id, subscription_id)
        if session is None or subscription is None:
            return _gone()
        return page("portal_cancel.html", session=session, subscription=subscription, brand=world.settings.brand_name)

    @router.post("/p/session/{session_id}/{subscription_id}/{action}")
    async def act(session_id: str, subscription_id: str, action: str, request: Request) -> Response:
        session, subscription = _find(world, session_id, subscription_id)
        if session is None or subscription is None or action not in _DONE:
            return _gone()
        try:
            _carry_out(world, subscription, action, await form_of(request))
        except CardRefused as refusal:
            return _portal(world, session, errors={subscription_id: str(refusal)})
        return go_to(f"/p/session/{session_id}?done={action}")

    return router


def _find(world: World, session_id: str, subscription_id: str) -> tuple[PortalSession | None, Subscription | None]:
    """A portal session and one of its customer's own subscriptions."""
    session = world.portal.get(session_id)
    subscription = world.subscriptions.get(subscription_id)
    mine = session and subscription and subscription.user_id == session.user_id
    return session, subscription if mine else None


def _carry_out(world: World, subscription: Subscription, action: str, fields: dict[str, str]) -> None:
    """One change; what no longer applies (a second click, an old tab) changes nothing."""
    if action == "card":
        card = card_of(fields.get("card", ""))
        if card.declined:
            raise CardRefused(card.declined)
        world.subscriptions.update_card(subscription, card)
    elif not subscription.live:
        return
    elif action == "cancel" and not subscription.cancel_at_period_end:
        world.subscriptions.cancel_at_period_end(subscription)
    elif action == "cancel-now":
        world.subscriptions.cancel_now(subscription)
    elif action == "resume" and (subscription.cancel_at_period_end or subscription.status == "paused"):
        world.subscriptions.resume(subscription)
    elif action == "switch" and fields.get("price") != subscription.price_id:
        line = next((line for line in world.catalogue.plans() if line.price_id == fields.get("price")), None)
        if line:
            world.subscriptions.switch(subscription, line)


def _portal(world: World, session: PortalSession, done: str = "", errors: dict[str, str] | None = None) -> Response:
    subscriptions = sorted(
        world.subscriptions.of(session.user_id), key=lambda one: (one.live, one.created), reverse=True
    )
    return page(
        "portal.html",
        422 if errors else 200,
        session=session,
        done=done,
        errors=errors or {},
        current=[one for one in subscriptions if one.live],
        past=[one for one in subscriptions if not one.live],
        invoices=world.subscriptions.invoices(session.user_id),
        plans=world.catalogue.plans(),
        cards=CARDS,
        brand=world.settings.brand_name,
        open_invoice=world.subscriptions.open_invoice,
    )


def _gone() -> Response:
    sentence = "A portal link works for one hour. Open billing again from your account."
    return message(404, "This link has expired", sentence)
