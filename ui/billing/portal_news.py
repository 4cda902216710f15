"""What changed while the user was in the billing portal, or that nothing has yet. Coming back proves nothing."""

from dataclasses import dataclass, field

from services.claims import Claim, ClaimKind, portal_claims, portal_news_claims
from services.portal import PortalVisit as PortalVisit
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import State, Subscription
from ui.components.notice import Kind, notice
from ui.page.context import PageContext
from ui.page.current_user import words_of
from ui.text.claim_words import SENTENCES, claims_attribute
from ui.text.i18n import _, as_sentence, sentence_gap
from ui.text.state_words import subscription_name

_GOOD = (State.ACTIVE, State.TRIALING, State.PAUSED, State.CANCELED, State.NONE)
"""States that may be what the user wanted."""


@dataclass(frozen=True, slots=True)
class News:
    """What to say to a user who is back from the portal. The same words are the same news, however old the claims."""

    kind: Kind
    words: str
    claims: tuple[Claim, ...] = field(default=(), compare=False)


def portal_changes(context: PageContext, claims: tuple[Claim, ...], new: Subscription) -> tuple[str, ...]:
    """Return the sentence of each change, in a reader's language."""
    return tuple(
        _said(context, new)
        if claim.says is ClaimKind.STATE_CHANGED
        else _(SENTENCES[claim.says][0]).format(plan=_name(context, new))
        for claim in claims
    )


def portal_words(context: PageContext, stay: PortalVisit | None, customer_status: CustomerStatus | None) -> News | None:
    """Return what to say to a user who is back from the portal, and how; None for one who is not."""
    if stay is None:
        return None
    if stay.before is None or customer_status is None:
        return News("info", _("You're back from the billing portal. Changes there can take a while to show here."))
    new = customer_status.current
    claims = portal_news_claims(stay.before, customer_status)
    if claims:
        says = {claim.says for claim in claims}
        more = words_of(context, new).claims if ClaimKind.STATE_CHANGED in says else ()
        words = sentence_gap().join(portal_changes(context, claims, new))
        return News("success" if new.state in _GOOD else "info", words, (*claims, *more))
    return News(
        "info",
        _(
            "No changes so far. Updates can take a while. If you canceled for the end of the period, your plan may "
            "still look active here – the billing portal is up to date."
        ),
        portal_claims(new),
    )


def portal_news(news: News | None) -> None:
    """Draw the notice of `portal_words`."""
    if news is not None:
        with notice(news.kind, news.words) as box:
            box.set(data_claims=claims_attribute(news.claims))


def _said(context: PageContext, new: Subscription) -> str:
    """Return the headline and the sentence of what there is now: what its claims say, and no more."""
    words = words_of(context, new)
    return sentence_gap().join(text for text in (as_sentence(words.headline), words.sentence) if text)


def _name(context: PageContext, subscription: Subscription) -> str:
    return subscription_name(subscription, context.catalog, context.locale) or _("Your plan")
