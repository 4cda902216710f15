"""That a user opened the billing portal, and what the services said of them then.

What is done there reaches us late or never: a cancellation for the period's end changes nothing that today's Payment
MS tells. So from a visit on less is said of a subscription, until a service says something else of it than it did then.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter

from services.auth_ms import PlanGrant
from services.payment_ms import SubscriptionRecord
from services.storage.rows import StoredMoment
from services.subscription.snapshot import UpstreamSnapshot

_ACCOUNT: Final = ""
_CHARGE: Final = ":charge"
_RECORD: Final = TypeAdapter(SubscriptionRecord)
_GRANT: Final = TypeAdapter(PlanGrant | None)
_MONEY_TO_COME: Final = {"next_charge", "nothing_next"}


class PortalTrace(BaseModel):
    """When the portal was last opened, and a digest of what was said then: by product, and of the account."""

    model_config = ConfigDict(frozen=True)

    left_at: StoredMoment
    said: Mapping[str, str] = {}

    def unanswered(self, product_id: str | None, snapshot: UpstreamSnapshot, *, account_speaks: bool = True) -> bool:
        """Whether neither service has said anything new of this product since.

        The account counts where it speaks of the product's group: what it says of another one is no news of this.
        """
        now = digests(snapshot)
        asked = (product_id or _ACCOUNT, _ACCOUNT) if account_speaks else (product_id or _ACCOUNT,)
        charge = f"{product_id}{_CHARGE}"
        if charge in now and now[charge] != self.said.get(charge):
            return False
        return all(self.said.get(name) == now.get(name) for name in asked)

    def account_changed(self, snapshot: UpstreamSnapshot) -> bool:
        """Whether the account says something else than it did at the visit; false where it said nothing then."""
        return self.record_changed(_ACCOUNT, snapshot)

    def record_changed(self, product_id: str, snapshot: UpstreamSnapshot) -> bool:
        """Whether billing says something else of a product than it did at the visit; false where it said nothing."""
        return product_id in self.said and self.said[product_id] != digests(snapshot).get(product_id)


def trace_of(snapshot: UpstreamSnapshot | None, left_at: datetime) -> PortalTrace:
    """Return the trace of a visit that begins now."""
    return PortalTrace(left_at=left_at, said=digests(snapshot) if snapshot is not None else {})


def digests(snapshot: UpstreamSnapshot) -> dict[str, str]:
    """Return what was said, in a form that can be compared and tells nothing."""
    said: dict[str, str] = {}
    for product, answer in snapshot.records.items():
        said[product] = _digest(b"".join(map(_written, (answer.record, *answer.further))))
        details = answer.record.details
        if details is not None and (details.nothing_next or details.next_charge is not None):
            said[f"{product}{_CHARGE}"] = _digest(_RECORD.dump_json(answer.record, include={"details": _MONEY_TO_COME}))
    if snapshot.account is not None:
        said[_ACCOUNT] = _digest(_GRANT.dump_json(snapshot.account.grant))
    return said


def _written(record: SubscriptionRecord) -> bytes:
    """Return a record as it is compared: one without details as every release before them wrote it.

    What is charged next is compared by itself: that it is no longer told is no answer.
    """
    return _RECORD.dump_json(record, exclude={"details": _MONEY_TO_COME} if record.details else {"details"})


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
