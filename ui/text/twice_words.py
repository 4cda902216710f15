"""The warning over more than one subscription of a group, in one reader's language: its title, and which to end.

How many there are it does not say: asked by product, billing tells of one of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog import Catalog
from services.claims import Claim, ClaimKind, twice_claims
from services.subscription.model import Subscription
from ui.text.i18n import _
from ui.text.state_words import subscription_name


@dataclass(frozen=True, slots=True)
class TwiceWords:
    """The warning; `claims` are what it rests on."""

    title: str
    sentence: str
    claims: tuple[Claim, ...]


def twice_words(duplicates: Sequence[Subscription], catalog: Catalog, locale: str) -> TwiceWords | None:
    """Return what is said of these subscriptions of one group that can all charge; None where there are none."""
    claims = twice_claims(duplicates)
    if not claims:
        return None
    paid = claims[0].says is ClaimKind.PAYING_TWICE
    title = _("You're paying twice") if paid else _("You have more than one subscription")
    kept, spare = _kept_and_spare(duplicates, catalog, locale)
    if kept:
        forms = (
            _("More than one subscription is active. Your account uses {kept}: cancel {spare} in the billing portal."),
            # Translators: "each" of the subscriptions named in the title, which says that there is more than one
            _("Each can charge you. Your account uses {kept}: cancel {spare} in the billing portal."),
        )
    else:
        forms = (
            _("More than one subscription is active. Cancel what you don't need in the billing portal."),
            _("Each can charge you. Cancel what you don't need in the billing portal."),
        )
    return TwiceWords(title, forms[0 if paid else 1].format(kept=kept, spare=spare), claims)


def _kept_and_spare(duplicates: Sequence[Subscription], catalog: Catalog, locale: str) -> tuple[str, str]:
    """Return the name of the plan that the account uses, and those of the others; nothing where two have access, or
    where they are of one name."""
    # Translators: stands in a sentence in place of a plan's name: "Your account uses another plan"
    names = [subscription_name(one, catalog, locale) or _("another plan") for one in duplicates]
    used = [name for name, one in zip(names, duplicates, strict=True) if one.access]
    spare = [name for name, one in zip(names, duplicates, strict=True) if not one.access]
    if len(used) != 1 or used[0] in spare:
        return "", ""
    return used[0], ", ".join(dict.fromkeys(spare))
