"""What a plan costs, in words: the amount on the card, how it is billed, and what a press of the button costs today."""

from dataclasses import dataclass

from catalog import Interval, Plan, Price, Saving
from money import format_money
from ui.text.i18n import _, ngettext


@dataclass(frozen=True, slots=True)
class PriceWords:
    """The card's price band: `amount` is its largest text, `per` stands beside it, `under` below it."""

    amount: str
    per: str
    under: str


def shown_price(plan: Plan, interval: Interval) -> Price | None:
    """Return the price of an interval, else the one the plan has; None for a plan without a price."""
    return plan.prices.get(interval) or next(iter(plan.prices.values()), None)


def price_words(plan: Plan, interval: Interval, locale: str, currency: str) -> PriceWords:
    """Return what the price band says. A yearly price is shown by the month (rounded up), with the year's sum below."""
    price = shown_price(plan, interval)
    if price is None:
        return PriceWords(format_money(0, currency, locale, trim=True), _("per month"), _("Always free"))
    if price.interval is Interval.YEAR:
        monthly = format_money(-(-price.amount // 12), price.currency, locale, trim=True)
        under = _("Yearly only, {amount} a year") if len(plan.prices) == 1 else _("billed yearly at {amount}")
        return PriceWords(monthly, _("per month"), under.format(amount=price.format(locale, trim=True)))
    under = _("Monthly only") if len(plan.prices) == 1 else _("billed monthly")
    return PriceWords(price.format(locale, trim=True), _("per month"), under)


def due_words(price: Price, locale: str) -> str:
    """Return what is due today, what follows and how to undo it: the line under the button."""
    amount = price.format(locale)
    yearly = price.interval is Interval.YEAR
    if price.trial_days:
        if yearly:
            free = ngettext("{count} day free, then {amount} a year.", "{count} days free, then {amount} a year.",
                            price.trial_days)  # fmt: skip
        else:
            free = ngettext("{count} day free, then {amount} a month.", "{count} days free, then {amount} a month.",
                            price.trial_days)  # fmt: skip
        due = free.format(count=price.trial_days, amount=amount)
    else:
        today = _("{amount} today, then yearly.") if yearly else _("{amount} today, then monthly.")
        due = today.format(amount=amount)
    return due + " " + _("Cancel any time.")


def saving_words(saving: Saving) -> str:
    """Return what a yearly plan saves: whole months where it comes out even, else percent."""
    if saving.months >= 1 and saving.percent == saving.months * 100 // 12:
        return ngettext("{count} month free", "{count} months free", saving.months).format(count=saving.months)
    return _("Save {percent}%").format(percent=saving.percent)
