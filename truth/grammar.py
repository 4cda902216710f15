"""The English that pages may speak of money, dates and state. A sentence of these that it does not know is a failure.

`PATTERNS` are sentences with what they claim; `HARMLESS` are sentences that claim nothing which could be false.
Whatever is in neither is looked at for words of money, time and state (`TELLING`): with one of them nobody has said
what the sentence claims, so nobody can tell whether it is true.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from truth.reading import Reading, Said
from truth.statements import MONTHS, Kind, Money, Statement

_MONTH: Final = f"(?:{'|'.join(MONTHS)})"
DATE: Final = rf"(?:\d{{1,2}} {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?:, \d{{4}})?)"
AMOUNT: Final = r"(?:US\$|\$|€|£|¥)\s?[\d,]+(?:\.\d+)?"
PLAN: Final = r"(?!Your |We |It |You)[A-Za-z][\w-]*(?: [A-Z][\w-]*)?"
AGO: Final = r"(?:\d+ \w+ ago|in \d+ \w+)"
_FIELDS: Final = {
    "plan": f"(?P<plan>{PLAN})", "date": f"(?P<date>{DATE})", "amount": f"(?P<amount>{AMOUNT})",
    "ago": f"(?P<ago>{AGO})", "when": f"(?P<ago>just now|{AGO})", "bought": "(?P<plan>.+?)",
    "interval": "(?P<interval>month|year)", "count": r"(?P<count>\d+)", "word": r"“[^”]*”", "any": ".+?",
    "other": f"(?P<other>{PLAN})",
    "made": rf"(?: \((?:(?P<off>\d+)% off)?(?:, )?(?:(?P<tax>{AMOUNT}) tax (?:included|added))?\))?",
}  # fmt: skip

K = Kind
_SYMBOLS: Final = {"US$": "usd", "$": "usd", "€": "eur", "£": "gbp", "¥": "jpy"}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A sentence about money, dates or state that the grammar does not know."""

    text: str
    where: str


PATTERNS: Final[tuple[tuple[str, tuple[Kind, ...]], ...]] = (
    # What somebody has, as claims say it
    ("You don't have a subscription.", (K.FREE,)),
    ("Billing has no subscription for you here.", (K.BILLING_LACKS,)),
    ("Billing has no subscription for it here.", (K.BILLING_LACKS_IT,)),
    ("(?:Still s|S)etting up {plan}", (K.CONFIRMING,)),
    ("(?:Still s|S)etting up your plan", (K.CONFIRMING,)),
    ("Waiting for Stripe's confirmation, usually a few seconds.", (K.CONFIRMING,)),
    ("Free until {date}.", (K.TRIALING, K.TRIAL_ENDS)),
    ("Paid until {date}.", (K.PAID_UNTIL,)),
    ("It's paid until {date}.", (K.PAID_UNTIL,)),
    ("Unless it's canceled or paused, it renews then.", (K.RENEWS_UNLESS,)),
    ("A change there may undo your cancellation, and your plan would renew.", (K.ENDS,)),
    ("If it's still canceled, a change there may undo that, and your plan would renew.", ()),
    ("On your account until {date}.", (K.ACCOUNT_UNTIL,)),
    ("Payments are paused.", (K.HELD,)),
    ("Payments are paused until {date}.", (K.HELD,)),
    ("Renews on {date} for {amount}{made}.", (K.RENEWS,)),
    ("Then {amount}{made} is charged, unless you cancel before.", (K.WILL_BE_CHARGED_THEN,)),
    ("Changes to {plan}, {amount} a {interval}, on {date}.", (K.CHANGES,)),
    ("Changes to {plan} on {date}.", (K.CHANGES,)),
    ("Changes to another plan on {date}.", (K.CHANGES,)),
    ("It won't renew.", (K.ENDS,)),
    ("You keep {plan} until its paid time is over.", (K.KEEPS,)),
    ("{plan} ends on {date}", (K.KEEPS,)),
    ("Your plan ends on {date}", (K.KEEPS,)),
    ("Your last payment for {plan} failed", (K.PAST_DUE,)),
    ("Your last payment failed", (K.PAST_DUE,)),
    ("You have an unpaid invoice", (K.UNPAID,)),
    ("Pay it to keep {any}.", (K.UNPAID,)),
    ("{plan} is paused until it's paid.", (K.UNPAID,)),
    ("Your plan is paused until it's paid.", (K.UNPAID,)),
    ("One more step for {plan}", (K.INCOMPLETE,)),
    ("One more step for your plan", (K.INCOMPLETE,)),
    ("Nothing was charged for it.", (K.NEVER_STARTED,)),
    ("{plan} is paused", (K.PAUSED,)),
    ("Your plan is paused", (K.PAUSED,)),
    ("It ended on {date}.", (K.ENDED,)),
    ("We found a {plan} subscription", (K.ON_RECORD,)),
    ("We found a subscription", (K.ON_RECORD,)),
    ("We can't tell if {plan} is still running", (K.ON_RECORD,)),
    ("We can't tell if your plan is still running", (K.ON_RECORD,)),
    ("{plan} isn't confirmed", (K.CONFIRMING,)),
    ("Your purchase isn't confirmed", (K.CONFIRMING,)),
    ("Status: (?P<status>{any}).", (K.CALLED,)),
    ("(?P<status>On hold)", (K.CALLED,)),
    ("You have {plan} access, but billing shows it as ended.", (K.ACCESS,)),
    ("You have access, but billing shows your plan as ended.", (K.ACCESS,)),
    ("You have {plan} access, but billing shows no subscription for it.", (K.ACCESS, K.BILLING_LACKS)),
    ("You have access, but billing shows no subscription.", (K.ACCESS, K.BILLING_LACKS)),
    ("You have {plan} access, but billing shows {any}.", (K.ACCESS,)),
    ("You have access, but billing shows another subscription.", (K.ACCESS,)),
    ("You keep access meanwhile.", (K.ACCESS,)),
    ("Billing shows {plan} as {word}, but it isn't on your account.", (K.BILLING_HAS, K.ACCOUNT_LACKS)),
    ("Billing shows a subscription that isn't on your account.", (K.ON_RECORD,)),
    ("Billing has your subscription, but it isn't on your account yet.", (K.BILLING_HAS, K.ACCOUNT_LACKS)),
    ("{plan} is on your account", (K.ACCOUNT_HAS,)),
    ("A plan is on your account", (K.ACCOUNT_HAS,)),
    ("{plan} is on us", (K.GIVEN,)),
    ("Your plan is on us", (K.GIVEN,)),
    ("You won't be charged.", (K.GIVEN,)),
    ("List price: {amount} a {interval}; discounts and tax are on your invoice", (K.HAS_PRICE,)),
    ("Free until: (?:{date} · )?{ago}", (K.TRIAL_ENDS,)),
    ("Until: (?:{date} · )?{ago}", (K.ACCOUNT_UNTIL,)),
    ("Stripe will e-?mail your receipt.", (K.SUBMITTED,)),
    ("Stripe emails your receipt; your invoices are in the billing portal.", (K.CONFIRMED,)),
    ("Change to yearly billing – save {amount}", (K.SAVING,)),
    ("Total {amount}", ()),
    ("{count} days? free for new customers, then {amount} a {interval} \\(list price\\).", (K.TRIAL_OFFER,)),
    ("Resubscribe to {plan} – {amount} a {interval}", (K.CARD_PRICE,)),
    ("{amount} today.", (K.DUE_TODAY,)),
    ("{amount} (?P<status>plus tax) today.", (K.DUE_TODAY,)),
    ("This checkout went through", (K.CONFIRMED,)),
    ("You bought {plan} in another tab.", (K.CONFIRMED,)),
    # Badges of a subscription
    ("Active", (K.ACTIVE,)), ("Trial", (K.TRIALING,)), ("Payment failed", (K.PAST_DUE,)), ("Unpaid", (K.UNPAID,)),
    ("Not finished", (K.INCOMPLETE,)), ("Expired", (K.NEVER_STARTED,)), ("Paused", (K.PAUSED,)),
    ("Canceled", (K.ENDS,)), ("Ended", (K.ENDED,)), ("On your account", (K.ACCOUNT_HAS,)),
    # What each service said last, and what was known
    ("Billing, {when}: no subscription.", (K.BILLING_SAID_NONE,)),
    ("Billing, {when}: {plan}, until {date}.", (K.BILLING_SAID,)),
    ("Billing, {when}: {plan}, (?P<status>[^,]+), current period until {date}.", (K.BILLING_SAID,)),
    ("Billing, {when}: {plan}, (?P<status>(?!until )[^,]+).", (K.BILLING_SAID,)),
    ("Billing, {when}: {plan}.", (K.BILLING_SAID,)),
    ("Your account, {when}: no plan.", (K.ACCOUNT_SAID_NONE,)),
    ("Your account, {when}: nothing about plans.", (K.ACCOUNT_SILENT,)),
    ("Your account, {when}: {plan}, (?P<status>[^,]+), until {date}.", (K.ACCOUNT_SAID,)),
    ("Your account, {when}: {plan}, (?P<status>(?!until )[^,]+).", (K.ACCOUNT_SAID,)),
    ("Last known: (?P<status>{any}), {ago}.", (K.LAST_KNOWN,)),
    # What somebody has: headlines and sentences of earlier releases
    ("No subscription yet.?", (K.NOTHING_RUNS,)),
    ("You're on the free plan.", (K.FREE,)),
    ("You're on the free plan again.", (K.FREE,)),
    ("Confirming {plan}", (K.CONFIRMING,)),
    ("Still confirming {plan}", (K.CONFIRMING,)),
    ("{plan} isn't confirmed yet", (K.CONFIRMING,)),
    ("(?:Still c|C)onfirming your purchase", (K.CONFIRMING,)),
    ("Your purchase isn't confirmed yet", (K.CONFIRMING,)),
    ("You're back from Stripe.", (K.CONFIRMING,)),
    ("You're trying {plan}", (K.TRIALING,)),
    ("Your trial is running\\.?", (K.TRIALING,)),
    ("Your trial ends on {date}.", (K.TRIALING, K.TRIAL_ENDS)),
    ("You'll be charged {amount} then unless you cancel.", (K.WILL_BE_CHARGED_THEN,)),
    ("You'll be charged (?:then|when it ends) unless you cancel.", (K.WILL_BE_CHARGED_THEN,)),
    ("You're on {plan}", (K.ACTIVE,)),
    ("Welcome to {plan}", (K.ACCESS,)),
    ("Your subscription is active\\.?", (K.ACTIVE,)),
    ("Renews on {date} for {amount}.", (K.RENEWS,)),
    ("Renews on {date}.", (K.RENEWS,)),
    ("{plan} renews on {date}.", (K.RENEWS,)),
    ("{plan} goes on and renews.", (K.RENEWS,)),
    ("{plan} won't renew", (K.ENDS,)),
    ("Your plan won't renew", (K.ENDS,)),
    ("Your plan stays active until {date} and won't renew.", (K.ENDS,)),
    ("Your plan stays active until its paid time is over and won't renew.", (K.ENDS,)),
    ("{plan} needs a payment", (K.PAST_DUE,)),
    ("Your plan needs a payment", (K.PAST_DUE,)),
    ("Your last payment failed.", (K.PAST_DUE,)),
    ("Update your card to keep {any}.", ()),
    ("An invoice for {plan} is open", (K.UNPAID,)),
    ("An invoice is open", (K.UNPAID,)),
    ("{plan} is paused until the open invoice is paid.", (K.UNPAID,)),
    ("Your plan is paused until the open invoice is paid.", (K.UNPAID,)),
    ("{plan} hasn't started yet", (K.INCOMPLETE,)),
    ("Your plan hasn't started yet", (K.INCOMPLETE,)),
    ("Your first payment needs one more step.", (K.INCOMPLETE,)),
    ("{plan} wasn't started", (K.NEVER_STARTED,)),
    ("Your plan wasn't started", (K.NEVER_STARTED,)),
    ("The payment wasn't completed in time.", (K.NEVER_STARTED,)),
    ("{plan} is on hold", (K.PAUSED,)),
    ("Your plan is on hold", (K.PAUSED,)),
    ("Your subscription is paused.", (K.PAUSED,)),
    ("{plan} is paused.", (K.PAUSED,)),
    ("{plan} has ended", (K.ENDED,)),
    ("Your subscription has ended", (K.ENDED,)),
    ("{plan} ended on {date}.", (K.ENDED,)),
    ("Your subscription ended on {date}.", (K.ENDED,)),
    ("{plan} is canceled", (K.ENDED,)),
    ("Your subscription is canceled", (K.ENDED,)),
    ("You keep {plan} until {date}.", (K.KEEPS,)),
    ("It was to end on {date}; the billing portal shows whether it did.", (K.WAS_TO_END,)),
    ("It was canceled and ends on {date}, unless you changed that in the billing portal.", (K.ENDS_UNLESS,)),
    (
        "It was canceled and ends when its paid time is over, unless you changed that in the billing portal.",
        (K.ENDS_UNLESS,),
    ),
    ("You keep your plan until {date}.", (K.KEEPS,)),
    ("You keep your plan until its paid time is over.", (K.KEEPS,)),
    ("Setting up {plan}", (K.ON_RECORD,)),
    ("We found a subscription and can't tell if it has ended.", (K.ON_RECORD,)),
    ("Our billing calls its status {word}, paid until {date}.", (K.ON_RECORD, K.PAID_UNTIL)),
    ("Our billing calls its status {word}.", (K.ON_RECORD,)),
    ("Your account says {plan}, our billing says {other}.", (K.ACCOUNT_HAS,)),
    ("Your account says {plan}, our billing says {word}.", (K.ACCOUNT_HAS,)),
    ("Your account says {plan}, our billing says no subscription.", (K.ACCOUNT_HAS, K.BILLING_LACKS)),
    ("You keep access while we sort this out.", (K.ACCESS,)),
    ("Our billing has {plan} as {word}, your account doesn't have it.", (K.BILLING_HAS, K.ACCOUNT_LACKS)),
    ("{plan} is included", (K.GIVEN,)),
    ("Your plan is included", (K.GIVEN,)),
    ("{plan} was given to you; there is nothing to pay.", (K.GIVEN,)),
    ("It was given to you; there is nothing to pay.", (K.GIVEN,)),
    ("You're paying twice", (K.TWICE,)),
    ("More than one subscription is active.", (K.TWICE,)),
    ("You won't be charged twice, and you can close this page.", (K.ONCE,)),
    ("If you paid, you won't be charged again.", (K.ONCE,)),
    ("You have more than one subscription", (K.MORE_THAN_ONE,)),
    ("Each can charge you.", (K.MORE_THAN_ONE,)),
    ("Your account uses {plan}: cancel {any} in the billing portal.", (K.ACCESS,)),
    ("One of your subscriptions has ended.", (K.ONE_ENDED,)),
    ("Your subscriptions have changed.", (K.ONE_CHANGED,)),
    ("{plan} is active again.", (K.ACTIVE,)),
    ("Plan changed to {plan}.", (K.ACCESS,)),
    ("Canceled: ends {date}.", (K.ENDED,)),
    ("Canceled: your subscription has ended.", (K.ENDED,)),
    # Facts beside a headline, badges
    ("Price: {amount} a {interval}", (K.HAS_PRICE,)),
    ("Renews: {date} · {ago}", (K.RENEWS,)),
    ("Renews: {ago}", (K.RENEWS,)),
    ("Trial ends: (?:{date} · )?{ago}", (K.TRIAL_ENDS,)),
    ("Ends: (?:{date} · )?{ago}", (K.ENDS,)),
    ("Ended: (?:{date} · )?{ago}", (K.ENDED,)),
    ("Paid until: (?:{date} · )?{ago}", (K.PAID_UNTIL,)),
    ("Started: (?:{date} · )?{ago}", ()),
    # Purchases on their way
    ("You left the checkout", ()),
    ("We couldn't find this checkout", ()),
    ("Your billing page shows what you have and what's in progress.", ()),
    ("Nothing was charged, and your plan is unchanged.", (K.NOTHING_CHARGED, K.PLAN_UNCHANGED)),
    ("Nothing was charged\\.?", (K.NOTHING_CHARGED,)),
    ("Your plan is unchanged.", (K.PLAN_UNCHANGED,)),
    ("When you came back, nothing had been charged for this checkout.", (K.NOT_CHARGED_THEN,)),
    ("This checkout ended without a payment, so nothing was charged for it.", (K.CHECKOUT_ENDED,)),
    ("This checkout has ended", (K.CHECKOUT_ENDED,)),
    ("You started a checkout for {bought} {ago}.", (K.STARTED,)),
    ("You went to checkout {when} and haven't come back from it.", (K.STARTED,)),
    ("You (?:already )?started a checkout(?: earlier)?", (K.STARTED,)),
    ("You started a checkout earlier(?: that was never confirmed|, and we don't know if you paid).", (K.STARTED,)),
    ("You also started another checkout.", (K.STARTED,)),
    ("An earlier checkout was never confirmed", (K.STARTED,)),
    ("Your checkout was never confirmed.", (K.STARTED,)),
    ("You ordered {bought} {ago}, and the payment may still be on its way.", (K.CAME_BACK,)),
    ("Your checkout for {bought} isn't confirmed yet.", (K.CAME_BACK,)),
    ("You came back from checkout(?: on {date})?.", (K.CAME_BACK,)),
    ("You came back from checkout {when}, and nobody has confirmed the purchase yet.", (K.CAME_BACK,)),
    ("Your checkout went through, billing said {when}, and nobody has confirmed the purchase yet.", (K.CAME_BACK,)),
    ("Your order is submitted", (K.SUBMITTED,)),
    ("Order placed", (K.ORDERED,)),
    ("(?:Still c|C)onfirming", (K.AWAITED,)), ("Not confirmed", (K.AWAITED,)),
    ("(?P<status>Paid|To be paid|Void|Not collected)", (K.INVOICE_IS,)), ("No invoices yet.", (K.NO_INVOICES,)),
    ("Confirmed", (K.BOUGHT,)),
    ("We hand over what you ordered as soon as the payment arrives.", ()),
    ("Stripe sends the receipt by e-mail.", (K.SUBMITTED,)),
    ("This purchase was confirmed\\.?", (K.CONFIRMED,)),
    ("Since then your subscription has changed.", (K.CHANGED_SINCE,)),
    ("You came back from a checkout for {plan} on {date} that was never confirmed.", (K.CAME_BACK,)),
    ("You came back from a checkout on {date} that was never confirmed.", (K.CAME_BACK,)),
    ("You started a checkout for {plan} on {date} that was never confirmed.", (K.STARTED,)),
    ("You started a checkout on {date} that was never confirmed.", (K.STARTED,)),
    # What is offered
    ("{amount} per month", (K.CARD_PRICE,)),
    ("billed yearly at {amount}", (K.CARD_PRICE,)),
    ("billed yearly at {amount} · {count} months? free", (K.CARD_PRICE, K.SAVING)),
    ("billed yearly at {amount} · Save {count}%", (K.CARD_PRICE, K.SAVING)),
    ("{amount} per year", (K.CARD_PRICE,)),
    ("Save up to {count}%", (K.SAVING,)),
    ("{amount} (?P<status>plus tax) today, then (?P<interval>month|year)ly.", (K.DUE_TODAY,)),
    ("Change or cancel whenever you like.", (K.CANCEL_ANY_TIME,)),
    ("Yearly only, {amount} a year", (K.CARD_PRICE,)),
    ("{plan} {amount} a {interval}", (K.CARD_PRICE,)),
    ("{plan} {count} days? free, then {amount} a {interval}", (K.CARD_PRICE, K.TRIAL_OFFER)),
    ("{amount} today, then (?P<interval>month|year)ly.", (K.DUE_TODAY,)),
    ("{count} days? free, then {amount} a {interval}.", (K.TRIAL_OFFER,)),
    ("{count} months? free", (K.SAVING,)), ("{count} days? free", (K.TRIAL_OFFER,)),
    ("Save {count}%", (K.SAVING,)),
    ("Start free trial", (K.TRIAL_OFFER,)),
    ("Start free", (K.FREE_PLAN_SOLD,)),
    ("Start free, move up when you need more, and cancel any time.", (K.FREE_PLAN_SOLD, K.CANCEL_ANY_TIME)),
    ("Start free.", (K.FREE_PLAN_SOLD,)),
    ("Start with the free plan", (K.FREE_PLAN_SOLD,)),
    ("Move up when you need more room, and change or cancel whenever you like.", (K.CANCEL_ANY_TIME,)),
    ("Cancel any time.", (K.CANCEL_ANY_TIME,)),
    ("Current plan", (K.CURRENT,)),
    ("You move to {other} when {plan} ends.", ()),
    ("In the billing portal; you see the new amount before you confirm.", ()),
    ("Your subscription then goes on.", (K.WOULD_GO_ON,)),
    ("Available from {date}, when your paid time is over.", (K.KEEPS,)),
    ("Available from {date}.", (K.KEEPS,)),
    ("{amount} once.", (K.ITEM_PRICE,)),
    ("(?P<status>Prices include tax).", (K.TAXED,)),
    ("(?P<status>Prices are without tax), which is added at checkout.", (K.TAXED,)),
    ("{amount} a {interval} · {date}", (K.PURCHASE,)),
    ("{amount} · {date}", (K.PURCHASE,)),
    ("{date} · {amount}", (K.INVOICED,)),
    ("{count} days? free, then {amount} a {interval} · {date}", (K.PURCHASE,)),
    ("(?:\\d+ × )?{plan} {amount}", (K.CARD_PRICE,)),
    ("{count} things {amount}", (K.CARD_PRICE,)),
    ("{amount} each", (K.ITEM_PRICE,)),
    ("{amount}", (K.AMOUNT,)),
    ("Sandbox: no money moves.", (K.NO_MONEY_MOVES,)),
)  # fmt: skip

HARMLESS: Final[tuple[str, ...]] = (
    # What each service said last, below a card: that it said so is true whatever is so
    "Why does it say this\\?", "Nothing has been heard yet.",
    "Billing, {when}: Other plan.*", "Your account, {when}: [^,]+(?:, until {date})?.",
    "It doesn't say whether it's running.", "(?:Billing|Your account) can't be asked right now.",
    "What it said before is below.", "Some payment methods take days.", "Other plan",
    "If you paid in another tab, that can take a while to show.",
    "You were in the billing portal, and nothing new has been heard since.", "The billing portal shows it.",
    "Billing doesn't tell us of a cancellation before it takes effect.", "We can't see discounts and refunds.",
    "Your invoices in the billing portal show them.",
    "Invoices and payment methods: In the billing portal", "Cancel plan", "Invoices", "Invoice(?: [\\w-]+)?", "View",
    "We can't show your invoices right now.", "The billing portal has them.",
    "By subscribing you agree to our terms.", "All plans",
    "You have an unfinished checkout for .*", "Go on with .*", "Your plan, orders and invoices.",
    "(?:See your )?[Oo]rders",
    "See what happened to this payment.", "One-time payment.", "Add a promo code at checkout.",
    "Thanks for your order", "Checkout canceled", "It's no longer one of our plans.", "Contact us about it.",
    "Payment submitted", "Payment confirmed", "Plan added to your account", "No plan", "Manage subscription",
    "Has it ended\\?", "Changes in the billing portal can take a while to show here.",
    "Resubscribe(?: to {plan})?", "If you canceled for the end of the period, your plan may still look active here .*",
    "Its current status isn't known right now; the billing portal shows it.",
    "You can close this page.",
    "Quote the reference when you contact us.", "We haven't heard from Stripe yet", "We're checking your plan",
    "We can't look up your billing", "The billing portal shows the details.",
    "Your account and billing disagree about your plan.", "Status unknown",
    "A free trial is for new customers; Stripe shows what is due today.", "Back from checkout",
    "We'll get started once .*", "Unless you paid in another tab, nothing was charged.", "If you did(?:n't)?, .*",
    "If you paid, .*", "Billing can't use your account's ID, and trying again won't help.",
    "Answer the question above to choose a plan.", "We can't check right now whether you paid in another tab.",
    "It can take a while to show here.", "Start a new one", "Start a new one only if you didn't pay.",
    "We don't know if you paid.", "If you were charged, contact us first.",
    "Start a new one only if you weren't charged, or if that subscription has ended.",
    "If you were charged, contact us before you start a new one.",
    "Continue, or start a new one\\?",
    "Wait for that before you buy again.", "Your cart has changed",
    "If the other page is still open, don't pay there too.", "Your purchase shows here once it's confirmed.",
    "Your cart changed while this page was open.", "Review it, then continue.",
    "Continue with that one, or start a new one: if the other page is still open, don't pay there too.",
    "Stripe emails the receipt to the address you entered there.", "Last updated {ago}",
    "Did you pay there\\?", "Free", "Basic", "Premium", "Enterprise", "Backup", "Plans", "Price",
    "Ends soon",
    "We don't know what came after that(?:; the billing portal shows it)?\\.", "No plans are for sale right now.",
    "Don't buy it again.",
    "Order it again\\?", "Order again",
    "There's a subscription under your email address", "A new one would be charged on top of it.",
    "Billing has a subscription under your email address, from before you signed in here.",
    "Contact us first.",
    "If you were charged, contact us and quote the reference.",
    "You can choose a plan again once your purchase is confirmed.",
    "Please check", "Can't check", "Included", "Open",
    "Submitted", "per month", "billed monthly", "Monthly only", "Always free", "Monthly", "Yearly", "Billing period",
    "Choose a plan", "Manage", "Change plan", "Keep my plan", "Update payment method", "Pay invoice",
    "Finish payment", "Continue your checkout", "Try again", "Resume", "Subscribe again", "See plans",
    "Check again", "Contact us", "Has this subscription ended\\?", "Were you charged\\?", "Subscribe to {plan}",
    "Change to {any}", "Choose {plan}", "Start {plan} instead", "Continue, or start {plan} instead\\?",
    "Yes, it has ended: show the plans", "I wasn't charged – show the plans", "It has ended – continue",
    "I wasn't charged – continue", "Open billing portal", "Invoices and payment methods",
    "Billing is handled by Stripe.", "We never see your card.", "Billing", "Cart",
    "We're waiting for confirmation; this page updates by itself.",
    "This takes longer than usual.", "No confirmation has reached us in ten minutes.",
    "Check again later, or contact us with the reference.", "It's safe to leave this page: it goes on without you.",
    "Leave and come back", "Reference to quote:.*", "Its current status isn't known right now.",
    "The billing portal shows what that means.", "We're sorting this out.",
    "Your account and our billing disagree about your plan\\.?", "We're checking your plan",
    "You can subscribe again after that.", "We can't check (?:your subscription )?right now\\.?",
    "Checked {ago}", "This is from {ago}.",
    "You can choose a plan (?:again once|once|again when) {any}.", "You can change plans once {any}.",
    "Your subscription", "Your billing status", "This link doesn't belong to a checkout of yours.",
    "Here's what we know about your account:", "See your billing page in a minute.", "Your purchase",
    "See your purchase", "You already came back from this checkout", "What has become of it is on its own page.",
    "No checkout of yours is open here", "You're signed out", "Sign in again to see your plan and your orders.",
    "You can choose one at any time.", "Sign in to (?:see|continue).*",
    "Sign in to return to what you chose.", "Continue to checkout",
    "You chose", "You can continue where you left off.", "Check the billing portal first\\.?",
    "If it's still running there, a new subscription would be charged on top of it.",
    "You can choose a plan below.", "If you were charged, contact us before you subscribe again\\.?.*",
    "Checking what you have…", "Most popular",
    "Included with every account.", "No card needed.",
    "Change to another plan whenever you like.", "Your plan, your invoices, your card",
    "See what you have, change it or cancel it on the billing page.", "Go to billing",
    "Every plan includes everything in the one before it.",
    "Change plan, card or address, or cancel, on your billing page.", "Pay at Stripe",
    "Nothing to pay, nothing to install.", "Pick a plan and pay on Stripe's page.", "Your card never reaches us.",
    "Back from Stripe", "Payment service has it", "Your account has it", "Features on", "Done", "Waiting for this now",
    "Not yet", "Not needed", "\\d{1,2}:\\d{2}", "Paid once, nothing renews.",
    "You can enter a promotion code at Stripe.", "Nothing renews.",
    "One-time purchases: no subscription, nothing renews.", "Total", "{count} items?", "{count} in your cart.",
    "We see no change yet.", "What you changed (?:in the portal|there) shows here by itself.*",
    "You're back from the billing portal.", "Invoices and older purchases are in the billing portal.",
    "Items you add will stay here, even after you sign in.", "Nothing bought here yet.", "Purchases",
    "You have no billing history yet.", "It starts with your first purchase.", "No billing history yet",
    "See how far it is", "Continue", "Plans and prices", "Compare plans", "Choose the plan that fits", "Prices?",
    "Our prices changed while this page was open.", "Review the new price.",
    "The free trial isn't included", "A free trial is for new customers.",
    "Review what is due today.",
    "The price has changed", "Show the new prices",
    "You already have a subscription\\.?", "Change it in the billing portal.",
    "You already started a checkout\\.?",
    "Continue with that one, or cancel it first.", "Payments are unavailable(?: right now)?\\.?",
    "That price isn't available.", "Choose again on the pricing page.", "Opening a page never charges you\\.",
    "Choose another quantity.", "Your account says.*", "We can't check your subscription",
    "We can't check your subscription right now, so we didn't start a checkout.",
    "Your account and billing disagree about your plan, so we didn't start a checkout.",
    "Another (?:window|account).*", "Try again in .*", "Your session has ended.",
    "Then you confirm your order and go to checkout.", "Then you're back in your cart, with everything in it.",
    "Use an account you already have.", "We no longer sell .*", "(?:Someone signed in|Check which account).*",
    "Plans that grow with your work", "Cancel what you don't need in the billing portal.", "Talk to us",
    "This (?:page )?needs {any}",
    "For {plan} members", "This page opens with {plan} and every plan that includes it.", "You're in",
    "Everything in {plan}, plus", "Too many requests", "Wait a moment, then try again.",
    "Put here what your members get.", "One line above the page's function guards it.", "Buy now", "Subscription",
    "You left the checkout", "Go to billing", "Stay in control", "A plan", "To try",
    "Checkout shows the final amount before you pay, with any tax and promotion code.", "for new subscriptions",
    "Your plan, your card and your invoices, on your billing page.", "Yearly only", "per year",
    "See what's included and what it costs.", "Everything in one plan",
    "Sign in, choose, and pay on Stripe's page.", "See what each plan includes.",
    "Did you change your plan in the portal\\?", "Changes in the billing portal can take a while to show here.",
    "If you chose another plan there, a new subscription would be charged on top of it.",
    "Check there first.", "I chose no other plan there – continue",
    "Ready when you are", "Move up when you need more room.",
    "A promotion code can lower .*", "Sign-in is unavailable right now.",
    "We got a lot of requests in a short time.", "We can't do that right now",
)  # fmt: skip

TELLING: Final = re.compile(
    r"[$€£¥]\s?\d|\d\s?%|\b(?:pa(?:y|id|ys|yment|yments)|charg\w+|renew\w*|cancel\w*|trial\w*|free|active|ends?|ended|"
    r"expire\w*|subscri\w+|invoice\w*|price\w*|plans?|order\w*|confirm\w*|due|owe\w*|refund\w*|discount\w*|tax\w*|"
    r"money|billing|checkout|month\w*|year\w*|today|until|on hold|paused?|given|gift)\b|" + DATE,
    re.IGNORECASE,
)


def _compiled(pattern: str) -> "re.Pattern[str]":
    """Return a pattern with its fields filled in. A full stop at its end is one; other marks are those of `re`."""
    if pattern.endswith(".") and not pattern.endswith((".*", "\\.")):
        pattern = pattern[:-1] + "\\."
    return re.compile(re.sub(r"\{([a-z]+)\}", lambda field: _FIELDS[field[1]], pattern))


_PATTERNS: Final = tuple((_compiled(pattern), kinds) for pattern, kinds in PATTERNS)
_HARMLESS: Final = tuple(_compiled(pattern) for pattern in HARMLESS)
_cache: dict[str, tuple[tuple[Kind, dict[str, str | None]], ...] | None] = {}


def statements_of(
    reading: Reading, where: str, subject: str = "", *, visitor: bool = False
) -> Iterator[Statement | Unknown]:
    """Yield everything that a page says, and the sentences that nobody has told the grammar about.

    `subject` is the checkout that the page is about, `visitor` whether it was drawn for somebody unknown. A badge of a
    purchase or an invoice is about the one whose sum and day stand before it, in the same row.
    """
    rows: dict[str, Statement] = {}
    for said in reading.said:
        if said.inside("picture") and "per month" not in said.text:
            continue  # a drawing of the billing page, for show: only its price is one
        if said.inside("footer") or (said.inside("site-header") and not said.inside("sandbox-strip")):
            yield from _frame(said, where)
            continue
        known = _known(said.text)
        if known is None:
            if TELLING.search(said.text) and not said.inside("plan-tagline"):
                yield Unknown(said.text, where)
            continue
        for kind, fields in known:
            statement = _statement(kind, fields, said, where, subject, visitor=visitor)
            if said.row is not None and statement.money is None and said.row in rows:
                statement = replace(statement, money=rows[said.row].money, day=rows[said.row].day)
            elif said.row is not None:
                rows[said.row] = statement
            yield statement


def _frame(said: Said, where: str) -> Iterator[Statement]:
    """The header says which plan somebody has access to; its other words are the same for everybody."""
    if said.inside("badge-brand"):
        yield Statement(Kind.ACCESS, said.text, plan=said.text, where=where)


def _known(text: str) -> tuple[tuple[Kind, dict[str, str | None]], ...] | None:
    """Return what a sentence claims, each with its fields; None for one that the grammar does not know."""
    if text not in _cache:
        _cache[text] = _match(text)
    return _cache[text]


def _match(text: str) -> tuple[tuple[Kind, dict[str, str | None]], ...] | None:
    for pattern, kinds in _PATTERNS:
        found = pattern.fullmatch(text) or pattern.fullmatch(text.removesuffix("."))
        if found is not None:
            return tuple((kind, found.groupdict()) for kind in kinds)
    bare = text.removesuffix(".")
    return () if any(pattern.fullmatch(text) or pattern.fullmatch(bare) for pattern in _HARMLESS) else None


def _statement(
    kind: Kind, fields: dict[str, str | None], said: Said, where: str, subject: str, *, visitor: bool
) -> Statement:
    plan = fields.get("plan")
    count = fields.get("count")
    return Statement(
        kind,
        said.text,
        plan=None if plan in (None, "Your plan") else plan,
        day=fields.get("date"),
        ago=fields.get("ago"),
        money=money_in(fields.get("amount")),
        interval=fields.get("interval"),
        count=int(count) if count else None,
        card=said.plan,
        items=said.items,
        group=said.group,
        box=said.box,
        where=where,
        subject=subject,
        visitor=visitor,
        word=fields.get("status"),
        refusal=said.inside("problem"),
        off=int(off) if (off := fields.get("off")) else None,
        tax=money_in(fields.get("tax")),
    )


def money_in(text: str | None) -> Money | None:
    """Return an amount as written in English: `$29.00`, `€39`, `¥800`."""
    if text is None:
        return None
    symbol = re.match(r"[^\d\s]+", text)
    currency = _SYMBOLS.get(symbol[0] if symbol else "", "?")
    whole, _, cents = re.sub(r"[^\d.]", "", text).partition(".")
    digits = 0 if currency == "jpy" else 2
    return Money(int(whole) * 10**digits + int((cents or "").ljust(digits, "0")[:digits] or 0), currency)
