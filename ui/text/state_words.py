"""What a page says of one subscription: its row of `ui/text/states.py` and its claims, in one reader's language."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from catalog import Catalog, Price
from services.claims import DATED, Claim, ClaimKind, subscription_claims
from services.subscription.model import State, Subscription
from ui.text.amounts import price_words
from ui.text.claim_words import (
    Reader,
    Sentence,
    facts,
    list_price_fact,
    plan_name,
    say,
    sentence,
    sentences,
    word_text,
)
from ui.text.i18n import _
from ui.text.states import RENEWS, STATES, Cards, Shown, shown_as
from ui.theme.tones import Tone

__all__ = ["Sentence", "StateWords", "describe", "plan_name", "resubscribe_label", "subscription_name", "welcome"]

NO_SENTENCE: Final = Sentence("")
OUTDATED: Final = (ClaimKind.WAS_PAID_UNTIL, ClaimKind.WAS_ON_ACCOUNT_UNTIL)


@dataclass(frozen=True, slots=True)
class StateWords:
    """What a page says of one subscription, in its reader's language. `parts` are those of the sentence; its date
    stands for `moment`. `date_text` is that date as text, also where the sentence does not name it; `claims` are what
    all of it rests on."""

    state: State
    shown: Shown
    badge: str
    tone: Tone
    icon: str
    headline: str
    sentence: str
    cards: Cards
    plan: str = ""
    date_verb: str = ""
    date_text: str = ""
    parts: Sentence = NO_SENTENCE
    moment: datetime | None = None
    price: str = ""
    news_due: str = ""
    claims: tuple[Claim, ...] = field(default=(), compare=False)


def describe(
    subscription: Subscription, catalog: Catalog, locale: str, timezone: str, *, now: datetime | None = None
) -> StateWords:
    """Return what to say of a subscription to a user with this language and time zone."""
    reader = Reader.at(catalog, locale, timezone, now)
    claims = subscription_claims(subscription, catalog, reader.now)
    by_kind = {claim.says: claim for claim in claims}
    shown = _shown(subscription, claims)
    row = STATES[shown]
    dated = next((claim for claim in claims if claim.says in DATED and claim.date is not None), None)
    dated = dated or _granted_until(shown, by_kind.get(ClaimKind.HAS_ACCESS), reader.now)
    former = subscription.former_name
    undated = claims[0].model_copy(update={"date": None})
    known = facts(dated or undated, reader, former) | _headline_facts(subscription, claims[0], reader)
    price, news = by_kind.get(ClaimKind.LIST_PRICE), by_kind.get(ClaimKind.PORTAL_NEWS_DUE)
    parts = sentences(claims, reader, former)
    verb = row.date_verb
    if ClaimKind.RENEWS_ON in by_kind:
        verb = RENEWS
    return StateWords(
        state=subscription.state,
        shown=shown,
        badge=say((row.badge,), known),
        tone=row.tone,
        icon=row.icon,
        headline=say(row.headlines, known),
        sentence=str(parts),
        cards=row.cards,
        plan=known.get("plan", ""),
        date_verb=_(verb) if dated is not None and verb else "",
        date_text=known.get("date", "") if dated is not None else "",
        parts=parts,
        moment=dated.date if dated is not None else None,
        price=list_price_fact(price, locale) if price is not None else "",
        news_due=sentence(news, reader) if news is not None else "",
        claims=claims,
    )


def subscription_name(subscription: Subscription, catalog: Catalog, locale: str) -> str | None:
    """Return the plan's name: today's, the one it was bought under, or the one that the account uses."""
    name = plan_name(subscription.plan_id, catalog, locale) or subscription.account_plan
    return name or (subscription.former_name.in_(locale) if subscription.former_name is not None else None)


def welcome(subscription: Subscription, catalog: Catalog, locale: str) -> str:
    """Return the headline of a user whose purchase was confirmed a moment ago."""
    name = subscription_name(subscription, catalog, locale)
    if name:
        return _("Welcome to {plan}").format(plan=name)
    # Translators: headline after a purchase, where the plan's name is not known
    return _("Welcome")


def resubscribe_label(plan: str, price: Price, locale: str) -> str:
    """Return the words on the button that starts a plan again: its name, and the price of today."""
    return _("Resubscribe to {plan} – {price}").format(plan=plan, price=price_words(price, locale))


def _shown(subscription: Subscription, claims: tuple[Claim, ...]) -> Shown:
    """Return the row: being on the free plan is one only where that is claimed, and so is a date that has passed."""
    shown, said = shown_as(subscription), {claim.says for claim in claims}
    if shown is Shown.ON_RECORD and not said.isdisjoint(OUTDATED):
        return Shown.OUTDATED
    return Shown.NONE_FOUND if shown is Shown.NONE and ClaimKind.FREE_PLAN not in said else shown


def _granted_until(shown: Shown, access: Claim | None, now: datetime) -> Claim | None:
    """Return until when a plan is granted without a subscription, if that is known and still to come."""
    if shown not in (Shown.ON_ACCOUNT, Shown.COMPED) or access is None or access.date is None:
        return None
    return access if access.date > now else None


def _headline_facts(subscription: Subscription, claim: Claim, reader: Reader) -> dict[str, str]:
    """Return what a headline or a badge needs and a claim may not hold: the name of what is meant, a status word.

    Whose payment failed is the claim's alone: it leaves out a plan that the payment may not be of.
    """
    unsure = claim.says is ClaimKind.PAYMENT_FAILED and claim.plan is None
    name = "" if unsure else subscription_name(subscription, reader.catalog, reader.locale)
    found = {"plan": name or "", "word": word_text(subscription.word)}
    return {key: value for key, value in found.items() if value}
