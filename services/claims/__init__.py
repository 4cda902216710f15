"""What may be said of money, dates, access and events: typed claims, each with its evidence.

    claims = subscription_claims(customer_status.current, catalog, now)

Every sentence of a page, a notice, the API or a token that states such a fact is made of claims from here, and of
nothing else; `ui/text/claim_words.py` is the one place that puts them into words. The rules are the table of
`docs/states.md`, "What is said on which evidence": where the evidence for a claim is missing there is a softer one.

Who reads a page by program finds its claims in `data-claims` on the elements that render them, as JSON in the form of
`Claim.wire`; `GET /api/payment/subscriptions` has the same objects in `claims`.
"""

from services.claims.checkouts import (
    NotChargedEvidence,
    arrived_claim,
    beside_claims,
    changed_since_claim,
    checkout_claims,
    ended_claim,
    invoice_claim,
    no_invoices_claim,
    not_charged_claim,
    not_charged_then_claim,
    on_top_claim,
    price_claim,
    purchase_claims,
    question_claims,
    receipt_claim,
    unanswered_claims,
)
from services.claims.model import DATED, Claim, ClaimKind, Evidence, Tax
from services.claims.offers import item_claim, offer_claims, promise_claims
from services.claims.portal import portal_news_claims
from services.claims.status import (
    access_until,
    change_claims,
    portal_claims,
    status_claims,
    subscription_claims,
    twice_claims,
)

__all__ = [
    "DATED",
    "Claim",
    "ClaimKind",
    "Evidence",
    "NotChargedEvidence",
    "Tax",
    "access_until",
    "arrived_claim",
    "beside_claims",
    "change_claims",
    "changed_since_claim",
    "checkout_claims",
    "ended_claim",
    "invoice_claim",
    "item_claim",
    "no_invoices_claim",
    "not_charged_claim",
    "not_charged_then_claim",
    "offer_claims",
    "on_top_claim",
    "portal_claims",
    "portal_news_claims",
    "price_claim",
    "promise_claims",
    "purchase_claims",
    "question_claims",
    "receipt_claim",
    "status_claims",
    "subscription_claims",
    "twice_claims",
    "unanswered_claims",
]
