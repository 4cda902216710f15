"""Stripe's customer portal: subscriptions with what can be done to them, the card, the invoices. Plain forms."""

from fastapi import APIRouter, Request, Response

from sandbox.rendering import form_of, go_to, message, page
from sandbox.settings import PlanChanges
from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeSubscription
from sandbox.stripe.payment_methods import CARDS, PaymentRefused, payment_method_of
from sandbox.stripe.portal import StripePortalSession
from sandbox.stripe.price_list import money
from sandbox.stripe.upcoming import next_renewal

_DONE = {
    "cancel": "Your subscription will end with its period.",
    "cancel-now": "Your subscription has ended.",
    "resume": "Your subscription goes on.",
    "switch": "Your plan has changed.",
    "card": "Your card was updated.",
    "email": "Receipts go to this address from now on.",
    "booked": "Your plan changes at the end of the period.",
}


_ACTIONS = ("cancel", "cancel-now", "resume", "switch", "card")


def portal_router(state: SandboxState) -> APIRouter:
    router = APIRouter()

    @router.get("/p/session/{session_id}")
    async def show(session_id: str, done: str = "", flow: str = "") -> Response:
        session = state.portal.get(session_id)
        return _portal(state, session, done=_DONE.get(done, ""), flow=flow) if session else _gone()

    @router.get("/i/{invoice_id}")
    async def invoice(invoice_id: str) -> Response:
        """Stripe's page of one invoice."""
        found = state.invoices.get(invoice_id)
        if found is None:
            return message(404, "This invoice doesn't exist", "Check the address.")
        return message(200, f"Invoice for {found.name}", f"{money(found.amount, found.currency)}, {found.status}.")

    @router.post("/p/session/{session_id}/email")
    async def change_email(session_id: str, request: Request) -> Response:
        session = state.portal.get(session_id)
        if session is None:
            return _gone()
        email = (await form_of(request)).get("email", "").strip()
        if "@" not in email or " " in email:
            return _portal(state, session, errors={"email": "Enter an e-mail address, such as ada@example.com."})
        state.customers.change_email(session.user_id, email, only=session.customer)
        return go_to(f"/p/session/{session_id}?done=email")

    @router.get("/p/session/{session_id}/{subscription_id}/cancel")
    async def ask_cancel(session_id: str, subscription_id: str) -> Response:
        session, subscription = _find(state, session_id, subscription_id)
        if session is None or subscription is None:
            return _gone()
        return page("portal_cancel.html", session=session, subscription=subscription, brand=state.settings.brand_name)

    @router.post("/p/session/{session_id}/{subscription_id}/{action}")
    async def act(session_id: str, subscription_id: str, action: str, request: Request) -> Response:
        session, subscription = _find(state, session_id, subscription_id)
        if session is None or subscription is None or action not in _ACTIONS:
            return _gone()
        try:
            _carry_out(state, subscription, action, await form_of(request))
        except PaymentRefused as refusal:
            return _portal(state, session, errors={subscription_id: str(refusal)})
        booked = action == "switch" and state.runtime_settings.current.plan_changes is PlanChanges.PERIOD_END
        return go_to(f"/p/session/{session_id}?done={'booked' if booked else action}")

    return router


def allowed(state: SandboxState, action: str) -> bool:
    """Whether the portal's configuration has this; the card can always be changed."""
    settings = state.runtime_settings.current
    if action in ("cancel", "cancel-now"):
        return settings.portal_cancel
    return settings.portal_plan_change or action != "switch"


def _find(
    state: SandboxState, session_id: str, subscription_id: str
) -> tuple[StripePortalSession | None, StripeSubscription | None]:
    """A portal session and one of its customer's own subscriptions."""
    session = state.portal.get(session_id)
    subscription = state.subscriptions.get(subscription_id)
    mine = session and subscription and subscription.customer == session.customer
    return session, subscription if mine else None


def _carry_out(state: SandboxState, subscription: StripeSubscription, action: str, fields: dict[str, str]) -> None:
    """One change; what no longer applies (a second click, an old tab) changes nothing."""
    if action == "card":
        card = payment_method_of(fields.get("card", ""))
        if card.declined:
            raise PaymentRefused(card.declined)
        state.subscriptions.update_card(subscription, card)
    elif not subscription.live or not allowed(state, action):
        return
    elif action == "cancel" and not subscription.will_end:
        state.subscriptions.cancel_at_period_end(subscription)
    elif action == "cancel-now":
        state.subscriptions.cancel_now(subscription)
    elif action == "resume" and (
        subscription.will_end or subscription.status == "paused" or subscription.pause_collection
    ):
        state.subscriptions.resume(subscription)
    elif action == "switch" and fields.get("price") != subscription.price_id:
        line = next((line for line in state.prices.plans() if line.price_id == fields.get("price")), None)
        if line:
            state.subscriptions.switch(subscription, line)


def _portal(
    state: SandboxState,
    session: StripePortalSession,
    done: str = "",
    errors: dict[str, str] | None = None,
    flow: str = "",
) -> Response:
    subscriptions = sorted(
        state.subscriptions.of_customer(session.customer),
        key=lambda one: (one.live, one.created),
        reverse=True,
    )
    return page(
        "portal.html",
        422 if errors else 200,
        session=session,
        done=done,
        flow=flow,
        errors=errors or {},
        current=[one for one in subscriptions if one.live],
        past=[one for one in subscriptions if not one.live],
        invoices=state.invoices.of_customer(session.customer),
        plans=state.prices.plans(),
        cards=CARDS,
        renewal=lambda one: next_renewal(one, state.runtime_settings.current),
        email=state.customers.email_of(session.customer),
        can_cancel=allowed(state, "cancel"),
        can_switch=allowed(state, "switch"),
        brand=state.settings.brand_name,
        open_invoices=state.invoices.open_of,
    )


def _gone() -> Response:
    sentence = "A portal link works for one hour. Open billing again from your account."
    return message(404, "This link has expired", sentence)
