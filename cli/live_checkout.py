"""``--live-checkout PRICE``: open one real checkout session, to see where it leads and which money it means."""

import secrets

from catalog import Catalog, Offer, UnknownPrice
from cli.explain import explain
from cli.findings import Finding, error, ok, skipped
from services.errors import FrontendError, UnsafeRedirect
from services.payment_ms import CheckoutSession, PaymentMS
from services.purchase import Purchase
from services.stripe_mode import StripeMode, mode_of
from services.web.safe_urls import Redirects
from settings import Settings


async def open_live_checkout(
    settings: Settings, catalog: Catalog | None, client: PaymentMS, price_id: str, unasked: Finding | None
) -> tuple[Finding, StripeMode]:
    """Return whether a checkout for this price can be opened and where it leads, and which money it means."""
    if catalog is None:
        return skipped("live_checkout", "Not opened: there is no catalog."), StripeMode.UNKNOWN
    if unasked is not None:
        return skipped("live_checkout", unasked.detail, unasked.cure), StripeMode.UNKNOWN
    try:
        offer = catalog.offer(price_id)
    except UnknownPrice:
        cure = f"Name one that {settings.catalog_path} sells."
        return error("live_checkout", "The catalog sells no such price.", cure), StripeMode.UNKNOWN
    try:
        session = await _open(settings, client, offer)
    except FrontendError as problem:
        return error("live_checkout", *explain(problem, "Payment MS", "PAYMENT_MS_URL")), StripeMode.UNKNOWN
    mode = mode_of(session.id)
    try:
        address = _redirects(settings).checked(session.url)
    except UnsafeRedirect as problem:
        cure = "Add its host to CHECKOUT_HOSTS if it is right."
        return error("live_checkout", f"The checkout can't be opened: {problem}.", cure), mode
    words = {
        StripeMode.LIVE: "asks for real money",
        StripeMode.TEST: "is in test mode",
        StripeMode.UNKNOWN: "does not tell its mode",
    }
    host = address.split("/")[2]
    return ok("live_checkout", f"A session was opened at {host}; it {words[mode]}, and runs out unpaid."), mode


async def _open(settings: Settings, client: PaymentMS, offer: Offer) -> CheckoutSession:
    name = f"check-{secrets.token_hex(6)}"
    quantity = offer.item.min_quantity if offer.item else 1
    return await client.create_checkout(
        Purchase.of(offer, quantity),
        user_id=name,
        email=f"{name}@example.com",
        success_url=_redirects(settings).success_url(),
        cancel_url=settings.public_url,
        idempotency_key=name,
    )


def _redirects(settings: Settings) -> Redirects:
    return Redirects(settings.public_url, settings.checkout_hosts, bool(settings.http_hosts))
