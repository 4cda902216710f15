"""What may be said after a visit to the portal: each difference between what was known before and what is known now."""

from typing import Final

from services.claims.model import Claim, ClaimKind
from services.claims.status import claim_about
from services.subscription.checkout_matching import ENDED
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import State, Subscription

_RUNNING: Final = (State.ACTIVE, State.TRIALING)
_HELD: Final = (*_RUNNING, State.PAST_DUE)
"""States in which a changed plan is one that the user has; in others their own words say what there is."""
_OWED: Final = (State.PAST_DUE, State.UNPAID, State.INCOMPLETE)


def portal_news_claims(before: CustomerStatus, after: CustomerStatus) -> tuple[Claim, ...]:
    """Return a claim for each difference that a reader of both would see; nothing while there is none.

    `state_changed` stands for what may be said of the subscription as it is now: its own claims say that.
    """
    if after.stale:
        return ()
    old, new = before.current, after.current
    says: list[ClaimKind] = []
    changed = new.plan_id is not None and old.plan_id != new.plan_id and new.live
    if changed and new.state in _HELD:
        says.append(ClaimKind.PLAN_CHANGED)
    if (_over(new) and not _over(old)) or (_over(old) and not _over(new) and new.state in _RUNNING):
        says.append(ClaimKind.STATE_CHANGED)
    elif old.state not in _RUNNING and new.state in _RUNNING and old.plan_id == new.plan_id:
        # what was on hold in its trial is a trial again
        says.append(ClaimKind.ACTIVE_AGAIN if new.state is State.ACTIVE else ClaimKind.STATE_CHANGED)
    elif new.state is State.PAUSED and old.state is not State.PAUSED:
        says.append(ClaimKind.PAUSED_SINCE)
    elif (new.state in _OWED and old.state not in _OWED) or (changed and new.state not in _HELD):
        says.append(ClaimKind.STATE_CHANGED)
    if not says and (gone := _gone(before, after)):
        ended = any(_has_ended(one, before, after) for one in gone)
        says.append(ClaimKind.ONE_ENDED if ended else ClaimKind.ONE_CHANGED)
    if not says and old.state in _RUNNING and new.state in _RUNNING and old.until and new.until != old.until:
        says.append(ClaimKind.STATE_CHANGED)
    return tuple(claim_about(new, kind) for kind in says)


def _gone(before: CustomerStatus, after: CustomerStatus) -> list[Subscription]:
    """Return which of several are not told of as alive any more; what the services contradict each other about is.

    A service that tells of one of each product may have told of another one of it since: that it told of both shows
    that it tells of all.
    """
    alive = [side for side in _sides(after) if side.state not in ENDED]
    return [
        one
        for one in before.duplicates
        if one.subscription_id not in {other.subscription_id for other in alive}
        and (one.product_id not in {other.product_id for other in alive} or _is_one_of_several(one, before))
    ]


def _has_ended(one: Subscription, before: CustomerStatus, after: CustomerStatus) -> bool:
    """Whether one that is gone has ended: it is told of as ended, or the service tells of all there are.

    Where it tells of one of each product, it may have become one of another product, behind that one's own.
    """
    ended = {side.subscription_id for side in _sides(after) if side.state in ENDED}
    return one.subscription_id in ended or one.told is not None or _is_one_of_several(one, before)


def _is_one_of_several(one: Subscription, before: CustomerStatus) -> bool:
    """Whether more than one of its product was told of."""
    return [each.product_id for each in before.all if each.live].count(one.product_id) > 1


def _sides(customer_status: CustomerStatus) -> list[Subscription]:
    return [side for one in customer_status.all for side in (one, one.last_known) if side is not None]


def _over(subscription: Subscription) -> bool:
    return subscription.ends or subscription.state in (State.CANCELED, State.NONE)
