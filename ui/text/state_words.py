"""What a page says of one subscription: its row of `ui/text/states.py`, filled with what is known, in one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter
from typing import Final

from catalog import Catalog, NotInCatalog
from money import format_money
from services.subscription.customer_status import ConfirmationWait
from services.subscription.model import Reason, State, Subscription
from ui.text.formats import relative, short_date
from ui.text.i18n import _
from ui.text.states import STATES, Cards, Shown, shown_as
from ui.theme.tones import Tone

_FORWARD: Final = frozenset({Shown.TRIALING, Shown.ACTIVE, Shown.ENDING, Shown.PAID_UNTIL, Shown.COMPED})
"""States whose date lies ahead; once it has passed without news, the sentence that needs it is not said."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in three parts, so that its date can be marked up; all of it is in `before` where it names none."""

    before: str
    date: str = ""
    after: str = ""

    def __str__(self) -> str:
        """Return the whole sentence."""
        return f"{self.before}{self.date}{self.after}"


@dataclass(frozen=True, slots=True)
class StateWords:
    """What a page says of one subscription, in its reader's language. `parts` are those of the sentence; its date
    stands for `moment`."""

    state: State
    shown: Shown
    badge: str
    tone: Tone
    icon: str
    headline: str
    sentence: str
    cards: Cards
    date_verb: str = ""
    parts: Sentence = Sentence("")
    moment: datetime | None = None
    price: str = ""


def describe(
    subscription: Subscription,
    catalog: Catalog,
    locale: str,
    timezone: str,
    *,
    wait: ConfirmationWait | None = None,
    now: datetime | None = None,
) -> StateWords:
    """Return what to say of a subscription to somebody with this language and time zone."""
    now = now or datetime.now(UTC)
    shown = shown_as(subscription, wait)
    row = STATES[shown]
    moment = _moment(shown, subscription, now)
    facts = _facts(subscription, catalog, locale, timezone, moment, now)
    parts = _parts(_fitting(row.sentences, facts), facts)
    return StateWords(
        state=subscription.state,
        shown=shown,
        badge=_say((row.badge,), facts),
        tone=row.tone,
        icon=row.icon,
        headline=_say(row.headlines, facts),
        sentence=str(parts),
        cards=row.cards,
        date_verb=_(row.date_verb) if moment is not None else "",
        parts=parts,
        moment=moment,
        price=_price(subscription, locale),
    )


def plan_name(plan_id: str | None, catalog: Catalog, locale: str) -> str | None:
    """Return a plan's name, or None for no plan or one that the catalog no longer has."""
    if plan_id is None:
        return None
    try:
        return catalog.plan(plan_id).name.in_(locale)
    except NotInCatalog:
        return None


def amount_words(amount: int, currency: str, interval: str | None, locale: str) -> str:
    """Return an amount with its interval: `$29.00 a month`; a one-off amount stands alone."""
    money = format_money(amount, currency, locale)
    if interval == "year":
        return _("{amount} a year").format(amount=money)
    return _("{amount} a month").format(amount=money) if interval == "month" else money


def _moment(shown: Shown, subscription: Subscription, now: datetime) -> datetime | None:
    """Return the date the state turns on, if it is known and lies where the state's words put it."""
    if shown in (Shown.CONFIRMING, Shown.DELAYED, Shown.LOST):
        return subscription.since
    until = subscription.until
    if until is None:
        return None
    if shown in _FORWARD:
        return until if until > now else None
    return until if shown is not Shown.CANCELED or until <= now else None


def _facts(
    subscription: Subscription, catalog: Catalog, locale: str, timezone: str, moment: datetime | None, now: datetime
) -> dict[str, str]:
    name = plan_name(subscription.plan_id, catalog, locale) or subscription.account_plan
    known = subscription.last_known
    facts: dict[str, str | None] = {
        "plan": name,
        "word": subscription.word,
        "date": short_date(moment, locale, timezone, now=now) if moment is not None else None,
        "amount": _amount(subscription, locale),
    }
    if subscription.state is State.CONFLICT:
        facts["account_plan"] = name if subscription.access else None
        facts["billing_word"] = _say((STATES[shown_as(known)].badge,), {"word": known.word or ""}) if known else None
        if known is not None and subscription.reason is Reason.PLAN_DIFFERS:
            facts["billing_plan"] = plan_name(known.plan_id, catalog, locale)
    elif known is not None:
        facts["known"] = _say((STATES[shown_as(known)].badge,), {"word": known.word or ""})
        facts["age"] = relative(known.as_of, locale, now=now)
    return {key: value for key, value in facts.items() if value}


def _amount(subscription: Subscription, locale: str) -> str | None:
    if subscription.amount is None or subscription.currency is None:
        return None
    return format_money(subscription.amount, subscription.currency, locale)


def _price(subscription: Subscription, locale: str) -> str:
    if subscription.amount is None or subscription.currency is None:
        return ""
    return amount_words(subscription.amount, subscription.currency, subscription.interval, locale)


def _say(sentences: tuple[str, ...], facts: Mapping[str, str]) -> str:
    """Return the first sentence of which every fact is known, translated and filled."""
    return _(_fitting(sentences, facts)).format_map(facts)


def _parts(sentence: str, facts: Mapping[str, str]) -> Sentence:
    """Return the sentence, translated and filled, with its date set apart."""
    before, field, after = _(sentence).partition("{date}")
    date = facts["date"] if field else ""
    return Sentence(before.format_map(facts), date, after.format_map(facts))


def _fitting(sentences: tuple[str, ...], facts: Mapping[str, str]) -> str:
    for sentence in sentences:
        if _needs(sentence) <= facts.keys():
            return sentence
    raise ValueError(f"no sentence of {sentences} can do with {sorted(facts)}")


def _needs(sentence: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in Formatter().parse(sentence) if name}
