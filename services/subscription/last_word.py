"""What is told of a customer whose session is not at hand: the Auth MS can't be asked, and its last word stands.

It stands unless billing has said since that it is over, and until the end of what was known to be paid or granted when
it was said: a renewal or an end after that is billing's to tell, which can be asked, or the account's, when the user is
back. Without any such date it stands for a day. Its age is told with it; whoever asks decides how old is too old.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.subscription.customer_status import CustomerStatus
from services.subscription.model import GRANTING
from services.subscription.normalize import status_word
from services.subscription.snapshot import UpstreamSnapshot

UNDATED_STANDS_FOR: Final = timedelta(days=1)
"""How long a word without a date stands."""

FRESH: Final = timedelta(seconds=90)
"""How old both services' answers may be to be no memory: an open page asks once a minute."""


@dataclass(frozen=True, slots=True)
class LastWord:
    """What is known of a customer: None where no service ever spoke. `as_of` is the age of the older of both services'
    answers, `memory` says that not all of it was asked just now, `billing_answered` that billing was and did."""

    status: CustomerStatus | None
    as_of: datetime
    memory: bool
    billing_answered: bool


def as_if_said_now(snapshot: UpstreamSnapshot, now: datetime) -> UpstreamSnapshot:
    """Return the snapshot as the rules are to judge it: each word that still stands as if it was said now."""
    records = {product: one.model_copy(update={"as_of": now}) for product, one in snapshot.records.items()}
    account = snapshot.account
    if account is not None and _billing_ended_it(snapshot, account.as_of):
        account = None
    elif account is not None and now < _stands_until(snapshot, account.as_of):
        account = account.model_copy(update={"as_of": now})
    asked = {"billing_failed": None, "account_failed": None}
    return snapshot.model_copy(update={"records": records, "account": account, **asked})


def dated(status: CustomerStatus, as_of: datetime) -> CustomerStatus:
    """Return a status that was judged as if all was said now, with the age that it has."""
    groups = {group: one.model_copy(update={"as_of": as_of}) for group, one in status.groups.items()}
    others = tuple(one.model_copy(update={"as_of": as_of}) for one in status.others)
    current = status.current.model_copy(update={"as_of": as_of})
    return status.model_copy(update={"as_of": as_of, "current": current, "groups": groups, "others": others})


def is_memory(snapshot: UpstreamSnapshot, now: datetime) -> bool:
    """Whether a part of what is told was not asked just now."""
    heard = snapshot.as_of
    failed = snapshot.billing_failed is not None or snapshot.account_failed is not None
    return failed or snapshot.account is None or heard is None or now - heard > FRESH


def _billing_ended_it(snapshot: UpstreamSnapshot, said_at: datetime) -> bool:
    """Whether billing has said since, in words of its own, that nothing the customer has grants access any more."""
    since = [one.record for _product, one in snapshot.on_record if one.as_of > said_at]
    words = [status_word(record.status)[0] for record in since]
    told = [word for word in words if word is not None]
    return bool(told) and all(word not in GRANTING for word in told)


def _stands_until(snapshot: UpstreamSnapshot, said_at: datetime) -> datetime:
    ends = [one.record.period_end for _product, one in snapshot.on_record]
    if snapshot.account is not None and snapshot.account.grant is not None:
        ends.append(snapshot.account.grant.expires_at)
    return max((end for end in ends if end is not None), default=said_at + UNDATED_STANDS_FOR)
