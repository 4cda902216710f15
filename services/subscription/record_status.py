"""What one record of the Payment MS is worth, with the account's word where billing has none."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.lifecycle import Lifecycle
from services.subscription.model import GRANTING, LIVE, Reason, Source, State, Subscription
from services.subscription.normalize import NormalizedAccount, NormalizedRecord
from services.subscription.told_terms import told_terms

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
    *,
    grant_by_record: bool = False,
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
        view = record_status(
            entry, account, now, heard=not spoken, settled=entry.product_id not in unsettled,
            grant_by_record=grant_by_record,
        )  # fmt: skip
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
    grant_by_record: bool = False,
) -> Subscription:
    """Return what one record is worth; without `heard` the account's word is about another one, and without `settled`
    its word that it has ended. `grant_by_record` lets it grant its plan where the account says nothing of it."""
    means = account is not None and account.means(entry.plan)
    ended = account is not None and account.state in _ENDED
    heard = heard and means and (settled or not ended)
    speaker = account if heard else None
    state, source, reason, word = _state(entry, speaker, account)
    access = _access(entry, state, account, now)
    if grant_by_record and _grants_by_itself(entry, state, account, now):
        access, reason = True, Reason.GRANTED_BY_RECORD
    lifecycles = [entry.record.lifecycle]
    if speaker is not None and speaker.about(entry.plan) in LIVE:
        lifecycles.append(speaker.lifecycle)
    over = entry.state in _ENDED or entry.record.lifecycle.ended_at is not None
    until = _until(entry, state, source, account, lifecycles, now, access=access)
    return Subscription(
        state=state,
        reason=reason,
        source=source,
        as_of=entry.as_of,
        access=access,
        plan_id=entry.plan.id if entry.plan else None,
        product_id=entry.product_id,
        group=entry.plan.group if entry.plan else None,
        subscription_id=entry.record.subscription_id or None,
        until=until,
        ends=state in LIVE and any(one.ending for one in lifecycles),
        goes_on=_goes_on(entry, state, speaker, lifecycles),
        held=any(one.paused for one in lifecycles),
        over_at_stripe=over,
        word=word,
        told=told_terms(entry.record.details, entry.changes_to, until, now) if state in LIVE else None,
        account_plan=account.plan_word if account is not None and means else None,
    )


def _until(
    entry: NormalizedRecord,
    state: State,
    source: Source,
    account: NormalizedAccount | None,
    lifecycles: Sequence[Lifecycle],
    now: datetime,
    *,
    access: bool,
) -> datetime | None:
    """Return the end of what is paid for; of what ended, no date that is still to come unless access lasts until it."""
    until = entry.record.period_end
    if state is State.TRIALING:
        told = account.until if account is not None and entry.state is None else None  # whose word it is, his date
        until = next((one.trial_end for one in lifecycles if one.trial_end is not None), told or until)
    if state in LIVE:
        return next((one.cancel_at for one in lifecycles if one.cancel_at is not None), until)
    if state is not State.CANCELED:
        return until
    if source is Source.BOTH and account is not None:
        until = account.until or until
    elif not access:
        until = entry.record.lifecycle.ended_at or _end_said(entry, account)
    return None if not access and until is not None and until > now else until


def _end_said(entry: NormalizedRecord, account: NormalizedAccount | None) -> datetime | None:
    """Return when what has ended did so, if somebody says so.

    Its period's end does not: Stripe leaves that where it was when a subscription is canceled in the middle of it.
    """
    ended = account is not None and account.state is State.CANCELED and account.means(entry.plan)
    return account.until if account is not None and ended else None


def _goes_on(
    entry: NormalizedRecord, state: State, speaker: NormalizedAccount | None, lifecycles: Sequence[Lifecycle]
) -> bool:
    """Whether a service says, in words of its own, that it is alive and nothing ends it, and none says otherwise."""
    if state not in (State.ACTIVE, State.TRIALING) or any(one.ending or one.paused for one in lifecycles):
        return False
    billing = entry.state is state and entry.record.lifecycle.goes_on
    account = speaker is not None and speaker.about(entry.plan) is state and speaker.lifecycle.goes_on
    return billing or account


def _state(
    entry: NormalizedRecord, speaker: NormalizedAccount | None, account: NormalizedAccount | None
) -> tuple[State, Source, Reason, str | None]:
    """Return the state with who said so and why, and the word itself where it is not known.

    `speaker` is the account if its word is about this record.
    """
    if entry.state is not None:
        return entry.state, Source.BILLING, Reason.UNKNOWN_WORD if entry.word else Reason.BILLING_SAYS, entry.word
    said = speaker.about(entry.plan) if speaker is not None else None
    if speaker is not None and said is not None and said is not State.NONE and not speaker.lapsed:
        return said, Source.BOTH, Reason.UNKNOWN_WORD if speaker.word else Reason.ACCOUNT_SAYS, speaker.word
    if speaker is not None and speaker.lapsed and said is State.CANCELED and entry.over:
        return State.CANCELED, Source.BOTH, Reason.ACCOUNT_SAYS, None
    if account is None:
        return State.ON_RECORD, Source.BILLING, Reason.ACCOUNT_UNREACHABLE, None
    if entry.over:
        return State.ON_RECORD, Source.BILLING, Reason.PERIOD_OVER, None
    silent = account.about(entry.plan) is None
    return State.ON_RECORD, Source.BILLING, Reason.ACCOUNT_SILENT if silent else Reason.ACCOUNT_DIFFERS, None


def _grants_by_itself(entry: NormalizedRecord, state: State, account: NormalizedAccount | None, now: datetime) -> bool:
    """Whether it has no word, its period runs, and the account was asked and says nothing of its plan."""
    end = entry.record.period_end
    silent = account is not None and account.about(entry.plan) is None
    runs = state is State.ON_RECORD and entry.state is None and end is not None and now < end
    return silent and runs and now - entry.as_of <= BELIEVED_FOR


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
