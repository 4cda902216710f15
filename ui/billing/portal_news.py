"""What changed while the user was in the billing portal, or that nothing has yet. Coming back proves nothing."""

from services.portal import PortalVisit as PortalVisit
from services.subscription.checkout_matching import ENDED
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import State, Subscription
from ui.components.notice import Kind, notice
from ui.page.context import PageContext
from ui.page.current_user import words_of
from ui.text.i18n import _, as_sentence, sentence_gap
from ui.text.state_words import subscription_name

_RUNNING = (State.ACTIVE, State.TRIALING)
_HELD = (*_RUNNING, State.PAST_DUE)
"""States in which a changed plan is one that the user has; in others their own words say what there is."""
_OWED = (State.PAST_DUE, State.UNPAID, State.INCOMPLETE)
_GOOD = (*_RUNNING, State.PAUSED, State.CANCELED, State.NONE)
"""States that may be what the user wanted."""


def portal_changes(context: PageContext, before: CustomerStatus, after: CustomerStatus) -> tuple[str, ...]:
    """Return a sentence for each difference that a reader of both would see; nothing while there is none."""
    if after.stale:
        return ()
    old, new = before.current, after.current
    said: list[str] = []
    changed = new.plan_id is not None and old.plan_id != new.plan_id and new.live
    if changed and new.state in _HELD:
        said.append(_("Plan changed to {plan}.").format(plan=_name(context, new)))
    if (_over(new) and not _over(old)) or (_over(old) and not _over(new) and new.state in _RUNNING):
        said.append(_said(context, new))
    elif old.state not in _RUNNING and new.state in _RUNNING and old.plan_id == new.plan_id:
        active = new.state is State.ACTIVE  # what was on hold in its trial is a trial again
        said.append(_("{plan} is active again.").format(plan=_name(context, new)) if active else _said(context, new))
    elif new.state is State.PAUSED and old.state is not State.PAUSED:
        said.append(_("{plan} is paused.").format(plan=_name(context, new)))
    elif (new.state in _OWED and old.state not in _OWED) or (changed and new.state not in _HELD):
        said.append(_said(context, new))
    if not said and (gone := _gone(before, after)):
        ended = any(_has_ended(one, before, after) for one in gone)
        # Translators: after a visit to the billing portal: one of several is not told of any more
        changed_words = _("One of your subscriptions has ended.") if ended else _("Your subscriptions have changed.")
        said.append(changed_words)
    if not said and old.state in _RUNNING and new.state in _RUNNING and old.until and new.until != old.until:
        said.append(_said(context, new))
    return tuple(said)


News = tuple[Kind, str]


def portal_words(context: PageContext, stay: PortalVisit | None, customer_status: CustomerStatus | None) -> News | None:
    """Return what to say to a user who is back from the portal, and how; None for one who is not."""
    if stay is None:
        return None
    if stay.before is None or customer_status is None:
        return "info", _("You're back from the billing portal. Changes there can take a while to show here.")
    changes = portal_changes(context, stay.before, customer_status)
    if changes:
        return "success" if customer_status.current.state in _GOOD else "info", sentence_gap().join(changes)
    return "info", _(
        "No changes so far. Updates can take a while. If you canceled for the end of the period, your plan may still "
        "look active here – the billing portal is up to date."
    )


def portal_news(news: News | None) -> None:
    """Draw the notice of `portal_words`."""
    if news is not None:
        with notice(*news):
            return


def _gone(before: CustomerStatus, after: CustomerStatus) -> list[Subscription]:
    """Return which of several are not told of as alive any more; what the services contradict each other about is.

    A service that tells of one of each product may have told of another one of it since: that it told of both shows
    that it tells of all.
    """
    alive = [side for side in _sides(after) if side.state not in ENDED]
    products = [one.product_id for one in before.all if one.live]
    return [
        one
        for one in before.duplicates
        if one.subscription_id not in {other.subscription_id for other in alive}
        and (one.product_id not in {other.product_id for other in alive} or products.count(one.product_id) > 1)
    ]


def _has_ended(one: Subscription, before: CustomerStatus, after: CustomerStatus) -> bool:
    """Whether one that is gone has ended: it is told of as ended, or the service tells of all there are.

    Where it tells of one of each product, it may have become one of another product, behind that one's own.
    """
    ended = {side.subscription_id for side in _sides(after) if side.state in ENDED}
    tells_of_all = one.told is not None or [each.product_id for each in before.all].count(one.product_id) > 1
    return one.subscription_id in ended or tells_of_all


def _sides(customer_status: CustomerStatus) -> list[Subscription]:
    return [side for one in customer_status.all for side in (one, one.last_known) if side is not None]


def _over(subscription: Subscription) -> bool:
    return subscription.ends or subscription.state in (State.CANCELED, State.NONE)


def _said(context: PageContext, new: Subscription) -> str:
    """Return the headline and the sentence of what there is now: what its claims say, and no more."""
    words = words_of(context, new)
    return sentence_gap().join(text for text in (as_sentence(words.headline), words.sentence) if text)


def _name(context: PageContext, subscription: Subscription) -> str:
    return subscription_name(subscription, context.catalog, context.locale) or _("Your plan")
