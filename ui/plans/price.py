"""What a plan costs, in words: the amount on the card, how it is billed, and what a press of the button costs today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from catalog import Catalog, Interval, Plan, Price
from money import whole_minor_units
from services.claims import Claim, ClaimKind, offer_claims, promise_claims
from services.purchase import Purchase
from ui.page.context import PageContext
from ui.text.amounts import bare_price, money
from ui.text.claim_words import Reader, due_sentence
from ui.text.i18n import _

CANCEL_ANY_TIME: Final = "cancel_any_time"
"""What an operator promises who says that a subscription can be ended at any time."""


@dataclass(frozen=True, slots=True)
class PriceWords:
    """The card's price band: `amount` is its largest text, `per` stands beside it, `under` below it.

    `under` is empty where the interval's name above the cards says it already.
    """

    amount: str
    per: str
    under: str


def shown_price(plan: Plan, interval: Interval) -> Price | None:
    """Return the price of an interval, else the one at which it is sold; None for a plan without a price."""
    return plan.offered.get(interval) or next(iter(plan.offered.values()), None)


def price_words(plan: Plan, interval: Interval, locale: str, currency: str, saving: str = "") -> PriceWords:
    """Return what the price band says. A yearly price is shown by the month (rounded up), with the year's sum below and
    what it saves, if `saving` says so; of a plan sold by the year only the year's price is shown."""
    price = shown_price(plan, interval)
    if price is None:
        # Translators: in place of a choice between monthly and yearly
        return PriceWords(money(0, currency, locale, trim=True), "", _("Always free"))
    amount = bare_price(price, locale, trim=True)
    if len(plan.offered) == 1:
        yearly = price.interval is Interval.YEAR
        # Translators: after an amount
        words = (_("per year"), _("Yearly only")) if yearly else (_("per month"), _("Monthly only"))
        return PriceWords(amount, *words)
    if price.interval is Interval.MONTH:
        return PriceWords(amount, _("per month"), "")
    monthly = money(_by_the_month(price), price.currency, locale, trim=True)
    billed = _("billed yearly at {amount}").format(amount=amount)
    return PriceWords(monthly, _("per month"), f"{billed} · {saving}" if saving else billed)


def due_claims(context: PageContext, plan: Plan, price: Price) -> tuple[Claim, ...]:
    """Return what may be said of a price to whom the page is drawn for."""
    now, catalog = datetime.now(UTC), context.catalog
    return offer_claims(plan, price, context.customer_status, now, tax=catalog.tax)


def terms_claims(context: PageContext, plan: Plan, price: Price) -> tuple[Claim, ...]:
    """Return the same, and what the operator promises about how to undo it."""
    promised = promise_claims(context.catalog.promises, datetime.now(UTC))
    return (*due_claims(context, plan, price), *(claim for claim in promised if claim.word == CANCEL_ANY_TIME))


def due_words(context: PageContext, claims: Sequence[Claim]) -> str:
    """Return what is due today and what follows: the one line under a price."""
    return due_sentence(claims, Reader.at(context.catalog, context.locale, context.timezone))


def terms_words(context: PageContext, claims: Sequence[Claim]) -> str:
    """Return what is due today, what follows, and how to undo it if the operator promises that."""
    due = due_words(context, claims)
    promised = any(claim.says is ClaimKind.PROMISED and claim.word == CANCEL_ANY_TIME for claim in claims)
    return f"{due} {_('Cancel any time.')}" if promised else due


def starts_with_trial(claims: Sequence[Claim]) -> bool:
    """Whether the button may offer a trial: there is one, and none is on record for this user."""
    return any(claim.says is ClaimKind.TRIAL_OFFERED for claim in claims)


def plan_purchase(plan: Plan, price: Price, claims: Sequence[Claim]) -> Purchase:
    """Return the press on a plan of which a page says this."""
    return Purchase.of_plan(plan, price).showing_trial(starts_with_trial(claims))


def tax_words(catalog: Catalog) -> str:
    """Return what stands once below prices: tax as far as the operator states it, and that a promotion code counts."""
    match catalog.tax:
        case "included":
            return _("Prices include tax. A promotion code can lower them at checkout.")
        case "added":
            return _("Prices are without tax, which is added at checkout. A promotion code can lower them there.")
        case "none":
            return _("A promotion code can lower these prices at checkout.")
    return _("Checkout shows the final amount before you pay, with any tax and promotion code.")


def _by_the_month(price: Price) -> int:
    """Return a twelfth of a year's price, rounded up to an amount that the currency has."""
    unit = whole_minor_units(price.currency)
    return -(-price.amount // (12 * unit)) * unit
