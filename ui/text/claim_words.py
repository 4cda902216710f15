"""Claims in words: the one place that puts money, dates, access and events into a sentence, in one reader's language.

A kind of claim has sentences in several forms, the most telling first: said is the first of which every fact is known.
`services/claims/` decides what may be said; here nothing is concluded.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter
from typing import Final

from catalog import Catalog, NotInCatalog, Text
from services.claims import Claim, ClaimKind
from ui.text.amounts import amount_words, money
from ui.text.formats import percent, relative, short_date
from ui.text.i18n import N_, _, ngettext, sentence_gap

# fmt: off
SENTENCES: Final[Mapping[ClaimKind, tuple[str, ...]]] = {
    ClaimKind.HAS_ACCESS: ("",),
    ClaimKind.FREE_PLAN: (N_("You're on the free plan."),),
    ClaimKind.NO_SUBSCRIPTION: (N_("You don't have a subscription."),),
    ClaimKind.NONE_IN_BILLING: (N_("Billing has no subscription for you here."),),
    ClaimKind.CONFIRMING: (N_("Waiting for Stripe's confirmation, usually a few seconds."),),
    ClaimKind.CONFIRMING_LONG: (
        N_("This takes longer than usual. You won't be charged twice, and you can close this page."),
    ),
    ClaimKind.NOT_HEARD: (N_("If you paid, you won't be charged again. Quote the reference when you contact us."),),
    ClaimKind.CONFIRMING_LONG_UNSURE: (N_("This takes longer than usual. You can close this page."),),
    ClaimKind.NOT_HEARD_UNSURE: (N_("If you were charged, contact us and quote the reference."),),
    ClaimKind.ARRIVED: (
        N_("Billing has your subscription, but it isn't on your account yet. Don't buy it again."),
    ),
    ClaimKind.UNCONFIRMED: (
        N_("You came back from checkout on {date}. If you were charged, contact us and quote the reference."),
        N_("You came back from checkout. If you were charged, contact us and quote the reference."),
    ),
    ClaimKind.NEVER_CONFIRMED: (
        N_("Your checkout was never confirmed. If you were charged, contact us and quote the reference."),
    ),
    ClaimKind.ON_TRIAL: (N_("Your trial is running."),),
    ClaimKind.FREE_UNTIL: (N_("Free until {date}."),),
    ClaimKind.ACTIVE: (N_("Your subscription is active."),),
    ClaimKind.PAID_UNTIL: (N_("Paid until {date}."),),
    # Translators: {charge} is a sum, such as "$14.50 (50% off)"
    ClaimKind.RENEWS_ON: (N_("Renews on {date} for {charge}."), N_("Renews on {date}."),),
    # Translators: after "Free until 21 December."; {charge} is a sum, such as "$14.50 (50% off)"
    ClaimKind.CHARGED_THEN: (N_("Then {charge} is charged, unless you cancel before."),),
    # Translators: {price} is such as "$9.00 a month"; said of a change of plan that is booked
    ClaimKind.CHANGES_ON: (
        N_("Changes to {other_plan}, {price}, on {date}."), N_("Changes to {other_plan} on {date}."),
        N_("Changes to another plan on {date}."),
    ),
    # Translators: "it" is the subscription, "then" the date of the sentence before: "Paid until 21 December."
    ClaimKind.RENEWS_UNLESS_CANCELED: (N_("Unless it's canceled or paused, it renews then."),),
    ClaimKind.ON_ACCOUNT_UNTIL: (N_("On your account until {date}."),),
    ClaimKind.COLLECTION_PAUSED: (N_("Payments are paused until {date}."), N_("Payments are paused."),),
    ClaimKind.ENDS_ON: (
        N_("You keep {plan} until {date}. It won't renew."), N_("You keep your plan until {date}. It won't renew."),
    ),
    ClaimKind.ENDS: (
        N_("You keep {plan} until its paid time is over. It won't renew."),
        N_("You keep your plan until its paid time is over. It won't renew."),
    ),
    # Translators: "it" is the subscription, "that" its cancellation, which can be taken back
    ClaimKind.ENDS_UNLESS_CHANGED: (
        N_("It was canceled and ends on {date}, unless you changed that in the billing portal."),
        N_("It was canceled and ends when its paid time is over, unless you changed that in the billing portal."),
    ),
    # Translators: "it" is the subscription, whose last day has passed without news of its end
    ClaimKind.WAS_TO_END: (N_("It was to end on {date}; the billing portal shows whether it did."),),
    # Translators: "there" is the billing portal
    ClaimKind.CHANGE_RESUMES: (N_("A change there may undo your cancellation, and your plan would renew."),),
    # Translators: "it" is the subscription, "there" the billing portal, "that" its cancellation
    ClaimKind.CHANGE_MAY_RESUME: (
        N_("If it's still canceled, a change there may undo that, and your plan would renew."),
    ),
    # Translators: the payment failed; said below that headline
    ClaimKind.PAYMENT_FAILED: (N_("Update your card to keep {plan}."), N_("Update your card to keep your plan.")),
    # Translators: "it" is the unpaid invoice of the headline above
    ClaimKind.INVOICE_OPEN: (N_("Pay it to keep {plan}."), N_("Pay it to keep your plan.")),
    ClaimKind.INVOICE_OPEN_NO_ACCESS: (
        # Translators: "it" is the unpaid invoice of the headline above
        N_("{plan} is paused until it's paid."), N_("Your plan is paused until it's paid."),
    ),
    ClaimKind.PAYMENT_UNFINISHED: (N_("Your first payment needs one more step."),),
    ClaimKind.PAYMENT_EXPIRED: (N_("The payment wasn't completed in time. Nothing was charged for it."),),
    ClaimKind.PAUSED: ("",),
    # Translators: "it" is the subscription of the headline above
    ClaimKind.ENDED_ON: (N_("It ended on {date}."),),
    ClaimKind.ENDED: ("",),
    ClaimKind.FOUND_PAID_UNTIL: (
        N_("It's paid until {date}. Its current status isn't known right now; the billing portal shows it."),
    ),
    ClaimKind.FOUND: (N_("Its current status isn't known right now; the billing portal shows it."),),
    ClaimKind.WAS_PAID_UNTIL: (
        N_("Paid until {date}. We don't know what came after that; the billing portal shows it."),
    ),
    ClaimKind.WAS_ON_ACCOUNT_UNTIL: (
        N_("On your account until {date}. We don't know what came after that."),
    ),
    ClaimKind.STATUS_WORD: (N_("Status: {word}. The billing portal shows the details."),),
    ClaimKind.ACCESS_BILLING_DIFFERS: (
        N_("You have {plan} access, but billing shows it as ended. You keep access meanwhile."),
        N_("You have access, but billing shows your plan as ended. You keep access meanwhile."),
    ),
    ClaimKind.ACCESS_BILLING_NONE: (
        N_("You have {plan} access, but billing shows no subscription for it. You keep access meanwhile."),
        N_("You have access, but billing shows no subscription. You keep access meanwhile."),
    ),
    ClaimKind.ACCESS_BILLING_OTHER_PLAN: (
        N_("You have {plan} access, but billing shows {other_plan}. You keep access meanwhile."),
        N_("You have {plan} access, but billing shows another subscription. You keep access meanwhile."),
        N_("You have access, but billing shows another subscription. You keep access meanwhile."),
    ),
    ClaimKind.BILLING_WITHOUT_ACCESS: (
        N_("Billing shows {plan} as “{word}”, but it isn't on your account."),
        N_("Billing shows a subscription that isn't on your account."),
    ),
    ClaimKind.SERVICES_DIFFER: (N_("Your account and billing disagree about your plan."),),
    # Translators: "it" is the plan of the headline above
    ClaimKind.ON_ACCOUNT: (N_("Billing has no subscription for it here."),),
    ClaimKind.ON_ACCOUNT_UNKNOWN: (N_("It's no longer one of our plans. Contact us about it."),),
    ClaimKind.GIFT: (N_("You won't be charged."),),
    ClaimKind.CANT_CHECK: ("",),
    # Translators: such as "Last known: Active, 3 minutes ago."
    ClaimKind.LAST_KNOWN: (N_("Last known: {word}, {age}."),),
    ClaimKind.ID_REFUSED: (N_("Billing can't use your account's ID, and trying again won't help. Contact us."),),
    ClaimKind.LIST_PRICE: (N_("List price {price}; discounts and tax are on your invoice."),),
    ClaimKind.PORTAL_NEWS_DUE: (N_("Changes in the billing portal can take a while to show here."),),
    ClaimKind.PLAN_CHANGED: (N_("Plan changed to {plan}."),),
    ClaimKind.ACTIVE_AGAIN: (N_("{plan} is active again."),),
    ClaimKind.PAUSED_SINCE: (N_("{plan} is paused."),),
    ClaimKind.STATE_CHANGED: ("",),
    # Translators: after a visit to the billing portal: one of several is not told of any more
    ClaimKind.ONE_ENDED: (N_("One of your subscriptions has ended."),),
    # Translators: after a visit to the billing portal: one of several is not told of any more
    ClaimKind.ONE_CHANGED: (N_("Your subscriptions have changed."),),
    ClaimKind.TRIAL_FOR_NEW: (N_("A free trial is for new customers; Stripe shows what is due today."),),
    ClaimKind.NOTHING_CHARGED: (N_("Nothing was charged."),),
    ClaimKind.NOTHING_CHARGED_HERE: (N_("Unless you paid in another tab, nothing was charged."),),
    ClaimKind.NOT_CHARGED_THEN: (N_("When you came back, nothing had been charged for this checkout."),),
    ClaimKind.CHECKOUT_ENDED: (N_("This checkout ended without a payment, so nothing was charged for it."),),
    ClaimKind.INVOICE: ("",),
    ClaimKind.NO_INVOICES: (N_("No invoices yet."),),
    ClaimKind.NO_WORD_YET: ("",),
    ClaimKind.STARTED: (N_("You started a checkout for {plan} {ago}."),),
    ClaimKind.ORDERED_BEFORE: (N_("You ordered {item} {ago}, and the payment may still be on its way."),),
    ClaimKind.NOT_CONFIRMED_YET: (N_("Your checkout for {plan} isn't confirmed yet."),),
    ClaimKind.PAYMENT_POSSIBLE: ("",),
    ClaimKind.PAYMENT_UNHEARD: (N_("We don't know if you paid. If you were charged, contact us first."),),
    ClaimKind.STILL_PAYABLE: (N_("If the other page is still open, don't pay there too."),),
    ClaimKind.CHARGED_ON_TOP: (
        N_("Check the billing portal first. If it's still running there, a new subscription would be charged on top of "
           "it."),
    ),
    # Translators: after "This purchase was confirmed."
    ClaimKind.CHANGED_SINCE: (N_("Since then your subscription has changed."),),
    ClaimKind.ORDER_PLACED: (N_("Stripe will email your receipt. We'll get started once the payment clears."),),
    ClaimKind.PURCHASE_ARRIVED: ("",),
    ClaimKind.RECEIPT: (N_("Stripe emails your receipt; your invoices are in the billing portal."),),
    ClaimKind.BACK_FROM_CHECKOUT: (
        N_("Back from checkout. If you paid, Stripe emails the receipt to the address you entered there."),
    ),
}
"""What claims say whose words depend on nothing but their facts. Amounts that are due are worded by `due_sentence`."""

QUESTIONS: Final[Mapping[ClaimKind, tuple[str, ...]]] = {
    ClaimKind.UNCONFIRMED: (
        N_("You came back from a checkout for {plan} on {date} that was never confirmed. If you were charged, contact "
           "us before you subscribe again and quote this reference: {reference}"),
        N_("You came back from a checkout on {date} that was never confirmed. If you were charged, contact us before "
           "you subscribe again and quote this reference: {reference}"),
    ),
    ClaimKind.STARTED: (
        N_("You started a checkout for {plan} on {date} that was never confirmed. If you were charged, contact us "
           "before you subscribe again and quote this reference: {reference}"),
        N_("You started a checkout on {date} that was never confirmed. If you were charged, contact us before you "
           "subscribe again and quote this reference: {reference}"),
    ),
}
"""What an unanswered purchase's claims say above the question whether it was charged, with what is to be quoted."""

PURCHASE_BADGES: Final[Mapping[ClaimKind, str]] = {
    # Translators: badge of an order: paid for
    ClaimKind.PURCHASE_ARRIVED: N_("Confirmed"),
    # Translators: badge of an order of items, paid for at Stripe; not an order of sorting
    ClaimKind.ORDER_PLACED: N_("Order placed"),
    # Translators: badge: we wait for the confirmation of a payment
    ClaimKind.CONFIRMING: N_("Confirming"), ClaimKind.CONFIRMING_LONG_UNSURE: N_("Confirming"),
    ClaimKind.NOT_HEARD_UNSURE: N_("Confirming"), ClaimKind.ARRIVED: N_("Confirming"),
    ClaimKind.UNCONFIRMED: N_("Not confirmed"), ClaimKind.NEVER_CONFIRMED: N_("Not confirmed"),
    ClaimKind.NO_WORD_YET: N_("Not confirmed"),
}
"""What became of a purchase in a list of them, in a word. A purchase of which nothing else is claimed is not listed."""

INVOICE_WORDS: Final[Mapping[str, str]] = {
    # Translators: badge of an invoice
    "paid": N_("Paid"),
    # Translators: badge of an invoice that is to be paid
    "open": N_("To be paid"),
    # Translators: badge of an invoice that was taken back: nothing is to be paid
    "void": N_("Void"),
    # Translators: badge of an invoice whose payment is waited for no more
    "uncollectible": N_("Not collected"),
}

STATE_WORDS: Final[Mapping[str, str]] = {
    "none": N_("No plan"), "confirming": N_("Confirming"), "trialing": N_("Trial"), "active": N_("Active"),
    "past_due": N_("Payment failed"), "unpaid": N_("Unpaid"), "incomplete": N_("Not finished"),
    "incomplete_expired": N_("Expired"), "paused": N_("Paused"), "canceled": N_("Ended"),
    "on_record": N_("Status unknown"), "conflict": N_("Please check"), "on_account": N_("On your account"),
    "comped": N_("Included"), "unavailable": N_("Can't check"),
}
# fmt: on

CHARGING: Final = frozenset({ClaimKind.RENEWS_ON, ClaimKind.CHARGED_THEN})
"""Claims whose amount will be charged."""

NOT_A_SENTENCE: Final = frozenset({ClaimKind.HAS_ACCESS, ClaimKind.LIST_PRICE, ClaimKind.PORTAL_NEWS_DUE})
"""Claims that stand elsewhere than in a card's sentence: beside a name, among the facts, below."""


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
class Reader:
    """Whom the words are for. `now` is the moment at which they are said."""

    catalog: Catalog
    locale: str
    timezone: str
    now: datetime

    @classmethod
    def at(cls, catalog: Catalog, locale: str, timezone: str, now: datetime | None = None) -> "Reader":
        """Return a reader of this moment, or of `now`."""
        return cls(catalog, locale, timezone, now or datetime.now(UTC))


def sentence(claim: Claim, reader: Reader, former_name: Text | None = None) -> str:
    """Return one claim as a sentence; nothing for a claim that is said by other means than a sentence."""
    if claim.says in (ClaimKind.DUE_TODAY, ClaimKind.THEN_EACH, ClaimKind.TRIAL_OFFERED):
        return due_sentence((claim,), reader)
    return say(SENTENCES.get(claim.says, ("",)), facts(claim, reader, former_name))


def checkout_sentence(claim: Claim, reader: Reader, bought: str) -> str:
    """Return what is said of a checkout that sold what `bought` names: a plan, an item, or how many things."""
    known = facts(claim, reader)
    named = {"plan": bought, "item": bought} | ({"ago": known["age"]} if "age" in known else {})
    return say(SENTENCES[claim.says], known | named)


def question_sentence(claims: Sequence[Claim], reader: Reader, reference: str) -> str:
    """Return what stands above the question whether a purchase that was never confirmed was charged."""
    return say(QUESTIONS[claims[0].says], facts(claims[0], reader) | {"reference": reference})


def sentences(claims: Iterable[Claim], reader: Reader, former_name: Text | None = None) -> Sentence:
    """Return what a card's sentence says of these claims, with the first date that it names set apart."""
    before: list[str] = []
    date, after = "", ""
    for claim in claims:
        if claim.says in NOT_A_SENTENCE:
            continue
        known = facts(claim, reader, former_name)
        start, field, end = _(fitting(SENTENCES[claim.says], known)).partition("{date}")
        if field and not date:
            date, after = known["date"], end.format_map(known)
            before.append(start.format_map(known))
        elif date:
            after = sentence_gap().join(text for text in (after, f"{start}{field}{end}".format_map(known)) if text)
        else:
            before.append(f"{start}{field}{end}".format_map(known))
    return Sentence(sentence_gap().join(text for text in before if text or date), date, after)


def due_sentence(claims: Iterable[Claim], reader: Reader) -> str:
    """Return the line under a button: what is due today, what follows, and what is free before.

    That a promotion code can lower it, and whether tax is in it, is said once below all prices.
    """
    by_kind = {claim.says: claim for claim in claims}
    trial, due = by_kind.get(ClaimKind.TRIAL_OFFERED), by_kind.get(ClaimKind.DUE_TODAY)
    if ClaimKind.TRIAL_FOR_NEW in by_kind:
        return _(SENTENCES[ClaimKind.TRIAL_FOR_NEW][0])
    if trial is not None:
        days = trial.days or 0
        free = ngettext("{count} day free for new customers, then {price} (list price).",
                        "{count} days free for new customers, then {price} (list price).", days)  # fmt: skip
        return free.format(count=days, price=price_text(trial, reader.locale))
    if due is None or due.amount is None or due.currency is None:
        return ""
    words = _DUE[due.tax or "none", due.interval]
    return _(words).format(amount=money(due.amount, due.currency, reader.locale))


_DUE: Final[Mapping[tuple[str, str | None], str]] = {
    ("none", "month"): N_("{amount} today, then monthly."),
    ("none", "year"): N_("{amount} today, then yearly."),
    ("none", None): N_("{amount} today."),
    ("included", "month"): N_("{amount} today, then monthly."),
    ("included", "year"): N_("{amount} today, then yearly."),
    ("included", None): N_("{amount} today."),
    ("added", "month"): N_("{amount} plus tax today, then monthly."),
    ("added", "year"): N_("{amount} plus tax today, then yearly."),
    ("added", None): N_("{amount} plus tax today."),
}


def claims_attribute(claims: Iterable[Claim], *, as_of: bool = True) -> str | None:
    """Return what `data-claims` on an element holds: the claims that its words are made of, for programs that read.

    Without `as_of` it is the same at each drawing. That is for what rests on the catalog, which pages follow: a page
    that is drawn once for all visitors has to be the same on each replica.
    """
    held = [{name: value for name, value in claim.wire.items() if as_of or name != "as_of"} for claim in claims]
    return json.dumps(held, separators=(",", ":"), ensure_ascii=False) if held else None


def price_text(claim: Claim, locale: str) -> str:
    """Return a claim's amount with its interval, such as `$29.00 a month`; nothing without an amount."""
    if claim.amount is None or claim.currency is None:
        return ""
    return amount_words(claim.amount, claim.currency, claim.interval, locale)


def charge_text(claim: Claim, locale: str) -> str:
    """Return a sum that will be charged with what is in it: `$14.50 (50% off)`; nothing without an amount."""
    if claim.amount is None or claim.currency is None:
        return ""
    text, notes = money(claim.amount, claim.currency, locale), []
    if claim.percent_off is not None:
        # Translators: said behind a sum in brackets, such as "$14.50 (50% off)"
        notes.append(_("{percentage} off").format(percentage=percent(claim.percent_off, locale)))
    if claim.tax_amount is not None and claim.tax in ("included", "added"):
        tax = money(claim.tax_amount, claim.currency, locale)
        # Translators: said behind a sum in brackets: tax within the price, or on top of the price; the sum holds both
        words = _("{tax} tax included") if claim.tax == "included" else _("{tax} tax added")
        notes.append(words.format(tax=tax))
    if not notes:
        return text
    if len(notes) > 1:
        # Translators: two notes behind a sum in brackets, such as "50% off, $2.00 tax included"
        notes = [_("{first}, {second}").format(first=notes[0], second=notes[1])]
    # Translators: a sum and what is to be known of it, such as "$14.50 (50% off)"
    return _("{amount} ({notes})").format(amount=text, notes=notes[0])


def list_price_fact(claim: Claim, locale: str) -> str:
    """Return what stands beside "List price": the amount, and that the invoice may say another."""
    return _("{price}; discounts and tax are on your invoice").format(price=price_text(claim, locale))


def facts(claim: Claim, reader: Reader, former_name: Text | None = None) -> dict[str, str]:
    """Return what is known of a claim, by the names that its sentences use."""
    name = plan_name(claim.plan, reader.catalog, reader.locale) or claim.account_plan
    if name is None and former_name is not None:
        name = former_name.in_(reader.locale)
    found: dict[str, str | None] = {
        "plan": name,
        "other_plan": plan_name(claim.other_plan, reader.catalog, reader.locale),
        "price": price_text(claim, reader.locale),
        "charge": charge_text(claim, reader.locale) if claim.says in CHARGING else None,
        "word": word_text(claim.word),
    }
    if claim.date is not None:
        found["date"] = short_date(claim.date, reader.locale, reader.timezone, now=reader.now)
        found["age"] = relative(claim.date, reader.locale, now=reader.now)
    return {key: value for key, value in found.items() if value}


def plan_name(plan_id: str | None, catalog: Catalog, locale: str) -> str | None:
    """Return a plan's name, or None for no plan or one that the catalog no longer has."""
    if plan_id is None:
        return None
    try:
        return catalog.plan(plan_id).name.in_(locale)
    except NotInCatalog:
        return None


def word_text(word: str | None) -> str:
    """Return a status word for people: our own badge for one that we know, `On hold` for `on_hold`."""
    if not word:
        return ""
    if word in STATE_WORDS:
        return _(STATE_WORDS[word])
    spaced = " ".join(word.replace("_", " ").replace("-", " ").split())
    return spaced[:1].upper() + spaced[1:]


def say(forms: tuple[str, ...], known: Mapping[str, str]) -> str:
    """Return the first form of which every fact is known, translated and filled."""
    return _(fitting(forms, known)).format_map(known)


def fitting(forms: tuple[str, ...], known: Mapping[str, str]) -> str:
    """Return the first form of which every fact is known."""
    for form in forms:
        if needs(form) <= known.keys():
            return form
    raise ValueError(f"no sentence of {forms} can do with {sorted(known)}")


def needs(form: str) -> set[str]:
    """Return the facts that a form needs."""
    return {name for _literal, name, _spec, _conversion in Formatter().parse(form) if name}
