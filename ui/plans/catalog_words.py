"""Sentences about the catalog as a whole: heads, leads, closing words and descriptions for search engines.

They follow what is sold and what the operator promises (`promises` in `products.json`): without a free plan nothing
starts free, with one plan no customer moves up, and unless it stands there none can cancel any time. What stands in
`texts` is said instead.
"""

from collections.abc import Sequence
from itertools import pairwise

from catalog import Catalog, Interval, Plan, Text
from ui.text.i18n import _, current_locale, sentence_gap


def home_title(catalog: Catalog) -> str:
    """Return the home page's headline."""
    if own := _own(catalog.texts.hero):
        return own
    return _("Plans that grow with your work") if _choice(catalog) else _("Everything in one plan")


def pricing_title(catalog: Catalog) -> str:
    """Return the pricing page's headline."""
    if own := _own(catalog.texts.pricing):
        return own
    return _("Choose the plan that fits") if _choice(catalog) else _("Plans and prices")


def lead(catalog: Catalog) -> str:
    """Return the line under a headline: how one starts, moves up and ends, as far as that is so."""
    if own := _own(catalog.texts.lead):
        return own
    sentences = [
        _("Start free.") if catalog.free_plan is not None else "",
        _("Move up when you need more room.") if _choice(catalog) else "",
        _promise(catalog),
    ]
    said = sentence_gap().join(sentence for sentence in sentences if sentence)
    return said or _("See what's included and what it costs.")


def description(catalog: Catalog) -> str:
    """Return what search engines show of the pricing page."""
    if own := _own(catalog.texts.meta):
        return own
    intervals = {interval for plan in catalog.on_sale for interval in plan.offered}
    sentences = [
        _("Compare plans and prices.") if _choice(catalog) else _("See what's included and what it costs."),
        _("Start free.") if catalog.free_plan is not None else "",
        _("Pay monthly or yearly.") if intervals == set(Interval) else "",
        _("Cancel any time.") if catalog.promises.cancel_any_time else "",
    ]
    return sentence_gap().join(sentence for sentence in sentences if sentence)


def home_head(catalog: Catalog) -> tuple[str, str]:
    """Return the home page's title in tabs, and what search engines show of it."""
    return _own(catalog.texts.meta_title) or home_title(catalog), _own(catalog.texts.meta) or lead(catalog)


def most_popular(catalog: Catalog) -> str:
    """Return the badge of the highlighted plan."""
    # Translators: badge on one plan
    return _own(catalog.texts.most_popular) or _("Most popular")


def plans_lead(catalog: Catalog) -> str:
    """Return what is said of all plans on the home page: that each holds the one before, where each does."""
    plans = [plan for plan in catalog.on_sale if plan.kind != "contact"]
    nested = len(plans) > 1 and all(after.includes == before.id for before, after in pairwise(plans))
    return _("Every plan includes everything in the one before it.") if nested else ""


def closing_words(catalog: Catalog) -> tuple[str, str]:
    """Return the headline and the sentence of a visitor's last call to action."""
    head, sentence = _closing_words(catalog)
    return _own(catalog.texts.closing) or head, _own(catalog.texts.closing_lead) or sentence


def _closing_words(catalog: Catalog) -> tuple[str, str]:
    if catalog.free_plan is None:
        choose = _("Choose the plan that fits") if _choice(catalog) else _("Ready when you are")
        return choose, _("Sign in, choose, and pay on Stripe's page.")
    sentences = [
        _("No card needed.") if catalog.promises.free_without_card else "",
        _("Change to another plan whenever you like.") if catalog.promises.change_any_time and _choice(catalog) else "",
    ]
    said = sentence_gap().join(sentence for sentence in sentences if sentence)
    return _("Start with the free plan"), said or _("See what's included and what it costs.")


def portal_words(catalog: Catalog) -> str:
    """Return what the billing page is for, without a promise that the operator did not make."""
    if catalog.promises.cancel_any_time and catalog.promises.change_any_time and _choice(catalog):
        return _("Change plan, card or address, or cancel, on your billing page.")
    return _("Your plan, your card and your invoices, on your billing page.")


def _own(text: Text | None) -> str:
    """Return the operator's words in the language at work; nothing where there are none."""
    return text.in_(current_locale()) if text is not None else ""


def _choice(catalog: Catalog) -> bool:
    return len(catalog.on_sale) > 1


def _promise(catalog: Catalog) -> str:
    change = catalog.promises.change_any_time and _choice(catalog)
    if change and catalog.promises.cancel_any_time:
        return _("Change or cancel whenever you like.")
    if change:
        return _("Change to another plan whenever you like.")
    return _("Cancel any time.") if catalog.promises.cancel_any_time else ""


def in_groups(plans: Sequence[Plan]) -> list[list[Plan]]:
    """Return the plans by group, the first plan's group first: of each group a user can have one."""
    groups: dict[str, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(plan.group, []).append(plan)
    return list(groups.values())
