"""What a plan costs, in words: the amount on the card, how it is billed, and what a press of the button costs today."""

from dataclasses import dataclass

from catalog import Catalog, Interval, Plan, Price
from money import format_money, whole_minor_units
from ui.text.i18n import _, ngettext


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
        return PriceWords(format_money(0, currency, locale, trim=True), "", _("Always free"))
    amount = price.format(locale, trim=True)
    if len(plan.offered) == 1:
        yearly = price.interval is Interval.YEAR
        words = (_("per year"), _("Yearly only")) if yearly else (_("per month"), _("Monthly only"))
        return PriceWords(amount, *words)
    if price.interval is Interval.MONTH:
        return PriceWords(amount, _("per month"), "")
    monthly = format_money(_by_the_month(price), price.currency, locale, trim=True)
    billed = _("billed yearly at {amount}").format(amount=amount)
    return PriceWords(monthly, _("per month"), f"{billed} · {saving}" if saving else billed)


def due_words(price: Price, locale: str, catalog: Catalog) -> str:
    """Return what is due today and what follows, with what the operator says of tax and promises: under the button."""
    due = _trial_words(price, locale) if price.trial_days else _today_words(price, locale, catalog)
    return f"{due} {_('Cancel any time.')}" if catalog.promises.cancel_any_time else due


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


def _trial_words(price: Price, locale: str) -> str:
    if price.interval is Interval.YEAR:
        free = ngettext("{count} day free, then {amount} a year.", "{count} days free, then {amount} a year.",
                        price.trial_days)  # fmt: skip
    else:
        free = ngettext("{count} day free, then {amount} a month.", "{count} days free, then {amount} a month.",
                        price.trial_days)  # fmt: skip
    return free.format(count=price.trial_days, amount=price.format(locale))


def _today_words(price: Price, locale: str, catalog: Catalog) -> str:
    yearly, taxed = price.interval is Interval.YEAR, catalog.tax == "added"
    if taxed:
        today = _("{amount} plus tax today, then yearly.") if yearly else _("{amount} plus tax today, then monthly.")
    else:
        today = _("{amount} today, then yearly.") if yearly else _("{amount} today, then monthly.")
    return today.format(amount=price.format(locale))


def _by_the_month(price: Price) -> int:
    """Return a twelfth of a year's price, rounded up to an amount that the currency has."""
    unit = whole_minor_units(price.currency)
    return -(-price.amount // (12 * unit)) * unit
