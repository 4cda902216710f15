"""Stripe's hosted Checkout: the order, the form, the confirmation step. Plain forms, no script."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from sandbox.rendering import form_of, go_to, message, page
from sandbox.state import SandboxState
from sandbox.stripe.amounts import COUPONS
from sandbox.stripe.checkout import success_url
from sandbox.stripe.objects import SessionStatus, StripeCheckoutSession
from sandbox.stripe.payment_methods import PAYMENT_METHODS, PaymentRefused


def checkout_router(state: SandboxState) -> APIRouter:
    router = APIRouter()

    @router.get("/c/pay/{session_id}")
    async def show(session_id: str, card: str = "") -> Response:
        session = state.checkout.get(session_id)
        return _closed(state, session) or _form(state, _sure(session), {"card": card})

    @router.post("/c/pay/{session_id}")
    async def pay(session_id: str, request: Request) -> Response:
        fields = await form_of(request)
        session = state.checkout.get(session_id)
        if session is None or session.status is SessionStatus.EXPIRED:
            return _closed(state, session) or go_to("/")
        email = fields.get("email", "").strip()
        if "@" not in email:
            return _form(state, session, fields, {"email": "Enter an e-mail address, such as ada@example.com."})
        if session.options.terms_of_service and not fields.get("agree"):
            return _form(state, session, fields, {"agree": "Agree to the terms to go on."})
        session = state.checkout.agree(session)
        try:
            paid = state.checkout.pay(session, fields.get("card", ""), email)
        except PaymentRefused as refusal:
            return _form(state, session, fields, {"card": str(refusal)})
        if paid.waiting_card and paid.status is SessionStatus.OPEN:
            return go_to(f"/c/pay/{session.id}/confirm")
        return go_to(success_url(paid))

    @router.post("/c/pay/{session_id}/promotion")
    async def promote(session_id: str, request: Request) -> Response:
        fields = await form_of(request)
        session = state.checkout.get(session_id)
        closed = _closed(state, session)
        if closed:
            return closed
        try:
            state.checkout.apply_promotion(_sure(session), fields.get("code", ""))
        except PaymentRefused as refusal:
            return _form(state, _sure(session), fields, {"code": str(refusal)})
        return go_to(f"/c/pay/{session_id}")

    @router.get("/c/pay/{session_id}/confirm")
    async def ask(session_id: str) -> Response:
        session = state.checkout.get(session_id)
        closed = _closed(state, session)
        if closed:
            return closed
        if not _sure(session).waiting_card:
            return go_to(f"/c/pay/{session_id}")
        return page(
            "confirm.html",
            session=session,
            brand=state.settings.brand_name,
            due=state.checkout.due_today(_sure(session)),
        )

    @router.post("/c/pay/{session_id}/confirm")
    async def confirm(session_id: str, request: Request) -> Response:
        fields = await form_of(request)
        session = state.checkout.get(session_id)
        if session is None or session.status is SessionStatus.EXPIRED:
            return _closed(state, session) or go_to("/")
        try:
            paid = state.checkout.confirm(session, succeeds=fields.get("answer") == "complete")
        except PaymentRefused as refusal:
            return _form(state, state.checkout.get(session_id) or session, {}, {"card": str(refusal)})
        return go_to(success_url(paid) if paid.status is SessionStatus.COMPLETE else f"/c/pay/{session_id}")

    return router


def _sure(session: StripeCheckoutSession | None) -> StripeCheckoutSession:
    if session is None:
        raise LookupError("checkout session")
    return session


def _closed(state: SandboxState, session: StripeCheckoutSession | None) -> Response | None:
    """The page of a session that can't be paid (any more); None for an open one."""
    brand = state.settings.brand_name
    if session is None:
        return message(404, "This checkout doesn't exist", "Check the address, or start again from the shop.")
    if session.status is SessionStatus.COMPLETE:
        sentence = "It was paid once and can't be paid again. Nothing more was charged."
        return message(200, "This checkout is complete", sentence, success_url(session), f"Back to {brand}")
    if session.status is SessionStatus.EXPIRED:
        sentence = "Nothing was charged. Start again to get a new one."
        return message(200, "This checkout has expired", sentence, session.cancel_url, f"Back to {brand}")
    return None


def _form(
    state: SandboxState, session: StripeCheckoutSession, fields: dict[str, str], errors: dict[str, str] | None = None
) -> Response:
    first = session.lines[0]
    return page(
        "checkout.html",
        422 if errors else 200,
        session=session,
        first=first,
        brand=state.settings.brand_name,
        fields={"email": session.email, "card": "", "code": "", "agree": "", **fields},
        errors=errors or {},
        methods=PAYMENT_METHODS,
        later=state.checkout.due(session),
        due=state.checkout.due_today(session),
        without_code=state.checkout.due_without_code(session),
        codes=list(COUPONS),
        discount=state.checkout.discount(session),
        needs_card=state.checkout.needs_card(session),
        trial_end=_trial_end(state, first.trial_days) if session.recurring else None,
    )


def _trial_end(state: SandboxState, trial_days: int) -> datetime | None:
    return state.clock.now() + timedelta(days=trial_days) if trial_days else None
