"""What one record of the Payment MS is worth, with the account's word where billing has none."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.subscription.model import GRANTING, Reason, Source, State, Subscription
from services.subscription.normalize import NormalizedAccount, NormalizedRecord

BELIEVED_FOR: Final = timedelta(minutes=10)
"""How long the last word on access is believed while it can't be asked for again."""

_ENDED: Final = frozenset({State.CANCELED, State.INCOMPLETE_EXPIRED})
_RANK: Final = (
    State.PAST_DUE,
    State.UNPAID,
    State.ACTIVE,
    State.TRIALING,
    State.INCOMPLETE,
    State.PAUSED,
    State.ON_RECORD,
    State.CANCELED,
    State.INCOMPLETE_EXPIRED,
)


def record_statuses(
    records: Sequence[NormalizedRecord],
    account: NormalizedAccount | None,
    now: datetime,
    unsettled: Collection[str | None] = (),
) -> tuple[Subscription, ...]:
    """Return what the records are worth, the most urgent first.

    `unsettled` are products with a record that came with a purchase of which the account has not yet been seen to know:
    that it calls something ended is then about an earlier subscription. Billing can list one subscription under two
    products after a change of plan: of those the one that the account names is kept, else the one paid for longest. An
    account's word that names no plan speaks for one record only.
    """

    def order(entry: NormalizedRecord) -> tuple[bool, float]:
        end = entry.record.period_end
        named = account is not None and account.means(entry.plan)
        return not named, -(end.timestamp() if end is not None else 0.0)

    kept: dict[str, Subscription] = {}
    spoken = False
    for entry in sorted(records, key=order):
        view = record_status(entry, account, now, heard=not spoken, settled=entry.product_id not in unsettled)
        spoken = spoken or (view.source is Source.BOTH and account is not None and account.plan is None)
        kept.setdefault(view.subscription_id or entry.product_id, view)
    return tuple(sorted(kept.values(), key=lambda view: _RANK.index(view.state)))


def record_status(
    entry: NormalizedRecord,
    account: NormalizedAccount | None,
    now: datetime,
    *,
    heard: bool = True,
    settled: bool = True,
) -> Subscription:
    """Return what one record is worth; without `heard` the account's word is about another one, and without `settled`
    its word that it has ended."""
    means = account is not None and account.means(entry.plan)
    ended = account is not None and account.state in _ENDED
    heard = heard and means and (settled or not ended)
    state, source, reason, word = _state(entry, account if heard else None, account)
    access = _access(entry, state, account, now)
    until = entry.record.period_end
    if state is State.CANCELED and source is Source.BOTH and account is not None:
        until = account.until or until
    if state is State.CANCELED and not access and until is not None and until > now:
        until = None
    return Subscription(
        state=state,
        reason=reason,
        source=source,
        as_of=entry.as_of,
        access=access,
        plan_id=entry.plan.id if entry.plan else None,
        product_id=entry.product_id,
        subscription_id=entry.record.subscription_id or None,
        until=until,
        ends=entry.record.lifecycle.ending,
        word=word,
        account_plan=account.plan_word if account is not None and means else None,
    )


def _state(
    entry: NormalizedRecord, speaker: NormalizedAccount | None, account: NormalizedAccount | None
) -> tuple[State, Source, Reason, str | None]:
    """Return the state with who said so and why, and the word itself where it is not known.

    `speaker` is the account if its word is about this record.
    """
    if entry.state is not None:
        return entry.state, Source.BILLING, Reason.UNKNOWN_WORD if entry.word else Reason.BILLING_SAYS, entry.word
    said = speaker.about(entry.plan) if speaker is not None else None
    contradicted = entry.over and said in (State.ACTIVE, State.TRIALING)
    contradicted = contradicted or (speaker is not None and speaker.lapsed and not entry.over)
    if speaker is not None and said is not None and said is not State.NONE and not contradicted:
        return said, Source.BOTH, Reason.UNKNOWN_WORD if speaker.word else Reason.ACCOUNT_SAYS, speaker.word
    if entry.over:
        return State.CANCELED, Source.BILLING, Reason.PERIOD_OVER, None
    if account is None:
        return State.ON_RECORD, Source.BILLING, Reason.ACCOUNT_UNREACHABLE, None
    silent = account.about(entry.plan) is None
    return State.ON_RECORD, Source.BILLING, Reason.ACCOUNT_SILENT if silent else Reason.ACCOUNT_DIFFERS, None


def _access(entry: NormalizedRecord, state: State, account: NormalizedAccount | None, now: datetime) -> bool:
    """The account's word decides; where it says nothing of this plan, billing's own word does, each for a while."""
    if account is None:
        return False
    end = entry.record.period_end
    if account.about(entry.plan) is None:
        paid = entry.state is State.CANCELED and end is not None and now < end
        return now - entry.as_of <= BELIEVED_FOR and (entry.state in GRANTING or paid)
    if not account.access or not account.means(entry.plan) or now - account.as_of > BELIEVED_FOR:
        return False
    if state is State.CANCELED:
        end = account.until if account.state is State.CANCELED else end
        return end is not None and now < end
    return state in GRANTING or (account.plan is not None and state is not State.INCOMPLETE_EXPIRED)
