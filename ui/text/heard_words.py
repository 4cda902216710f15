"""On what a user's page rests, in one reader's words: what each service said and when. Facts are made elsewhere."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from catalog import Text
from services.people.heard import Heard, HeardKind
from ui.text.claim_words import Reader, say, word_text
from ui.text.formats import relative, short_date
from ui.text.i18n import N_, _

JUST_NOW: Final = timedelta(seconds=10)

# fmt: off
SENTENCES: Final[Mapping[HeardKind, tuple[str, ...]]] = {
    HeardKind.BILLING_HAS: (
        # Translators: what billing answered and when: "Billing, 2 minutes ago: Premium, Active, current period until …"
        N_("Billing, {age}: {plan}, {word}, current period until {date}."), N_("Billing, {age}: {plan}, {word}."),
    ),
    HeardKind.BILLING_HAS_UNNAMED: (
        # Translators: "it" is billing; {age} such as "2 minutes ago"
        N_("Billing, {age}: {plan}, until {date}. It doesn't say whether it's running."),
        N_("Billing, {age}: {plan}. It doesn't say whether it's running."),
    ),
    HeardKind.BILLING_NONE: (N_("Billing, {age}: no subscription."),),
    HeardKind.BILLING_SILENT: (N_("Billing can't be asked right now. What it said before is below."),),
    HeardKind.ACCOUNT_HAS: (
        # Translators: what the sign-in service says of the user's plan, and when
        N_("Your account, {age}: {plan}, {word}, until {date}."), N_("Your account, {age}: {plan}, {word}."),
        N_("Your account, {age}: {word}, until {date}."), N_("Your account, {age}: {word}."),
    ),
    HeardKind.ACCOUNT_NONE: (N_("Your account, {age}: no plan."),),
    HeardKind.ACCOUNT_SAYS_NOTHING: (N_("Your account, {age}: nothing about plans."),),
    HeardKind.ACCOUNT_SILENT: (N_("Your account can't be asked right now. What it said before is below."),),
    HeardKind.CAME_BACK: (
        N_("You came back from checkout {age}, and nobody has confirmed the purchase yet. Some payment methods take "
           "days."),
    ),
    HeardKind.WENT_THROUGH: (
        # Translators: {age} is when billing said so, such as "4 minutes ago"
        N_("Your checkout went through, billing said {age}, and nobody has confirmed the purchase yet. Some payment "
           "methods take days."),
    ),
    HeardKind.NOT_BACK: (
        N_("You went to checkout {age} and haven't come back from it. If you paid in another tab, that can take a "
           "while to show."),
    ),
    HeardKind.PORTAL_UNHEARD: (N_("You were in the billing portal, and nothing new has been heard since."),),
    HeardKind.CANCELLATION_UNTOLD: (
        N_("Billing doesn't tell us of a cancellation before it takes effect. The billing portal shows it."),
    ),
    HeardKind.MONEY_UNTOLD: (N_("We can't see discounts and refunds. Your invoices in the billing portal show them."),),
}
# fmt: on

_OF_SOME_PLAN: Final = frozenset({HeardKind.BILLING_HAS, HeardKind.BILLING_HAS_UNNAMED})
"""Facts that are about a plan, whatever it is called."""


def heard_sentence(heard: Heard, reader: Reader) -> str:
    """Return one fact as a sentence or two."""
    return say(SENTENCES[heard.kind], _facts(heard, reader))


def _facts(heard: Heard, reader: Reader) -> dict[str, str]:
    plan = heard.plan.in_(reader.locale) if isinstance(heard.plan, Text) else heard.plan
    if plan is None and heard.kind in _OF_SOME_PLAN:
        # Translators: stands in place of a plan's name that is not known, in a list
        plan = _("Other plan")
    found = {"plan": plan or "", "word": word_text(heard.word)}
    if heard.at is not None:
        now = reader.now
        recent = now - heard.at < JUST_NOW
        # Translators: stands for {ago} in "Last updated {ago}"
        found["age"] = _("just now") if recent else relative(heard.at, reader.locale, now=now)
    if heard.until is not None:
        found["date"] = short_date(heard.until, reader.locale, reader.timezone, now=reader.now)
    return {name: text for name, text in found.items() if text}
