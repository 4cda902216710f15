"""What a year saves, in words, and beside which plans they may stand.

A saving is said above the cards only if it holds for every plan that has a price there; else each card says its own.
"""

from collections.abc import Iterable

from catalog import Catalog, Interval, Plan, Saving
from ui.text.i18n import _, ngettext


def saving_words(saving: Saving) -> str:
    """Return what a yearly plan saves: whole months where it comes out even, else percent."""
    if saving.months >= 1 and saving.percent == saving.months * 100 // 12:
        return ngettext("{count} month free", "{count} months free", saving.months).format(count=saving.months)
    return _("Save {percent}%").format(percent=saving.percent)


def shared_saving(catalog: Catalog, plans: Iterable[Plan]) -> str:
    """Return what may be said beside the choice of interval, above all these plans.

    It is each one's saving if they save the same, "up to" the largest if all save something, and nothing if one does
    not: it would stand beside a plan that is no cheaper by the year.
    """
    savings = [catalog.yearly_saving(plan) for plan in plans if plan.offered]
    found = [saving for saving in savings if saving is not None]
    if not found or len(found) < len(savings):
        return ""
    words = {saving_words(saving) for saving in found}
    if len(words) == 1:
        return words.pop()
    return _("Save up to {percent}%").format(percent=max(saving.percent for saving in found))


def own_saving(catalog: Catalog, plan: Plan, shared: str) -> str:
    """Return what a plan's own card says of its saving; nothing where it stands above the cards already."""
    saving = catalog.yearly_saving(plan)
    words = saving_words(saving) if saving is not None else ""
    return words if words != shared else ""


def saved_by_the_year(plan: Plan, monthly: int | None, currency: str | None) -> int | None:
    """Return what a year costs less than twelve of somebody's own monthly payments; None where it is no less."""
    year = plan.offered.get(Interval.YEAR)
    if year is None or monthly is None or currency != year.currency:
        return None
    saved = 12 * monthly - year.amount
    return saved if saved > 0 else None
