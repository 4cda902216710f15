"""The portal's session and its configuration, which are the sandbox's settings."""

from datetime import UTC, datetime
from typing import Final

from sandbox.settings import CancellationForm, RuntimeSettings
from sandbox.state import SandboxState
from sandbox.stripe.portal import StripePortalSession
from sandbox.stripe.rest.shapes import Shape, nulls, unix

CONFIGURATION: Final = "bpc_sandbox"
_MADE: Final = unix(datetime(2026, 1, 1, tzinfo=UTC))


def portal_session_shape(state: SandboxState, session: StripePortalSession) -> Shape:
    return {
        "id": session.id,
        "object": "billing_portal.session",
        "configuration": CONFIGURATION,
        "created": unix(session.created),
        "customer": session.customer,
        "customer_account": None,
        "flow": _flow(session),
        "livemode": False,
        "locale": session.locale or None,
        "on_behalf_of": None,
        "return_url": session.return_url or None,
        "url": state.portal_url(session) + _page_of(session),
    }


def _page_of(session: StripePortalSession) -> str:
    """The rest of the address that leads straight to the page of its flow."""
    if session.flow == "subscription_cancel":
        return f"/{session.flow_subscription}/cancel"
    return {"payment_method_update": "?flow=update_card", "subscription_update": "?flow=change_plan"}.get(
        session.flow, ""
    )


def _flow(session: StripePortalSession) -> Shape | None:
    if not session.flow:
        return None
    about = {"subscription": session.flow_subscription}
    redirect = {"return_url": session.flow_return_url} if session.flow_return_url else None
    return {
        **nulls("customer_update subscription_update_confirm"),
        "type": session.flow,
        "after_completion": {
            "hosted_confirmation": None,
            "redirect": redirect,
            "type": "redirect" if redirect else "portal_homepage",
        },
        "subscription_cancel": {**about, "retention": None} if session.flow == "subscription_cancel" else None,
        "subscription_update": about if session.flow == "subscription_update" else None,
    }


def configuration_shape(state: SandboxState, settings: RuntimeSettings) -> Shape:
    """What the portal lets customers do, by the runtime settings."""
    reasons = {"enabled": False, "options": []}
    by_flag = settings.cancellation_form is CancellationForm.FLAG
    return {
        **nulls("application default_return_url name"),
        "id": CONFIGURATION,
        "object": "billing_portal.configuration",
        "active": True,
        "business_profile": nulls("headline privacy_policy_url terms_of_service_url"),
        "created": _MADE,
        "features": {
            "customer_update": {"allowed_updates": ["email"], "enabled": True},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True, "payment_method_configuration": None},
            "subscription_cancel": {
                "cancellation_reason": reasons,
                "enabled": settings.portal_cancel,
                "mode": "at_period_end" if by_flag else "immediately",
                "proration_behavior": "none",
            },
            "subscription_update": {
                "billing_cycle_anchor": "unchanged",
                "default_allowed_updates": ["price"],
                "enabled": settings.portal_plan_change,
                "products": [],
                "proration_behavior": "none",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
            },
        },
        "is_default": True,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "updated": _MADE,
    }
