"""What is true of one user, from the sandbox's books alone: Stripe's, and what each service was told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.auth.accounts import AccountPlan
from sandbox.settings import StatusShape
from sandbox.state import SandboxState
from sandbox.stripe.objects import LIVE, StripeSubscription
from sandbox.truth.model import SessionTruth, SubscriptionTruth
from sandbox.truth.report import truth_about
from truth.catalogs import PRODUCT

FREE: Final = "free"
"""The plan that an account names of somebody who has none: it is of the first group, and has no price at Stripe."""

UNSAID: Final = "on record"
"""The word for what the running service says of a subscription: that there is one."""


@dataclass(frozen=True, slots=True)
class Sub:
    """A subscription. `charge` is what its renewal will take, in minor units, with its currency; None for nothing."""

    id: str
    plan: str
    group: str
    status: str
    created: datetime
    period_end: datetime
    paid_until: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    trial_end: datetime | None
    renews: bool
    held: bool
    charge: tuple[int, str] | None
    amount: int
    currency: str
    interval: str
    session: str
    made_of: tuple[int, int, int] = (0, 0, 0)
    """That charge before discount and tax, the discount, and the tax, in the list currency."""
    change: tuple[datetime, str, int, str, str] | None = None
    """When another plan comes that is booked: its id, its list price with currency and interval."""

    @property
    def live(self) -> bool:
        """Whether it has not ended: Stripe has two words for an end, and a service without words says nothing."""
        return self.status not in ("canceled", "incomplete_expired", UNSAID)

    @property
    def charging(self) -> bool:
        """Whether it can charge: Stripe's own list of words."""
        return self.status in LIVE

    def __str__(self) -> str:
        ends = f", ends {self.ends_at:%d %b %Y}" if self.ends_at else ""
        next_one = f"{self.charge[0]} {self.charge[1]} then" if self.charge else "nothing more to pay"
        return f"{self.status} {self.plan} by the {self.interval}, {next_one}, until {self.period_end:%d %b %Y}{ends}"


@dataclass(frozen=True, slots=True)
class Account:
    """The Auth MS's word. `speaks` is False where it says nothing of plans."""

    speaks: bool
    status: str = ""
    plan: str = ""
    until: datetime | None = None
    group: str | None = None
    """The group of the plan that it names; of what nobody sells or has, and of none, the first; None where silent."""

    def __str__(self) -> str:
        return f"{self.status} {self.plan} until {self.until}" if self.speaks else "silent"


@dataclass(frozen=True, slots=True)
class PaidSession:
    """A checkout session at Stripe; `paid_at` is when it was completed, `money` whether money was taken through it."""

    id: str
    mode: str
    status: str
    created: datetime
    paid_at: datetime | None
    lines: tuple[tuple[str, int, int, str, int], ...]
    """Price id, quantity, amount of one, currency, days of trial."""
    plan: str

    @property
    def total(self) -> int:
        """What it asks for."""
        return sum(quantity * amount for _price, quantity, amount, _currency, _trial in self.lines)

    def __str__(self) -> str:
        return f"{self.id[:14]} {self.status} of {self.plan or 'items'}{' paid' if self.paid_at else ''}"


@dataclass(frozen=True, slots=True)
class Facts:
    """The truth about a user at one moment, or what one service holds for it."""

    at: datetime
    subs: tuple[Sub, ...]
    account: Account
    sessions: tuple[PaidSession, ...] = ()
    invoices: tuple[tuple[datetime, int, str, str], ...] = ()
    """The day of each of Stripe's invoices, its total and currency, and Stripe's word for its state."""
    ahead: timedelta = timedelta()
    """How far Stripe's clock is ahead of the app's, in whole seconds."""
    second: bool = False
    """Whether the Payment MS keeps the contract's second version: then it says itself what renews, at which price."""

    @property
    def there(self) -> tuple[Sub, ...]:
        """Those, and what a service without words says that there is: it may be alive."""
        return tuple(sub for sub in self.subs if sub.live or sub.status == UNSAID)

    @property
    def alive(self) -> tuple[Sub, ...]:
        """The subscriptions that have not ended."""
        return tuple(sub for sub in self.subs if sub.live)


def facts_of(state: SandboxState, user_id: str, at: datetime) -> Facts:
    """Return what is true at Stripe, and what the account says."""
    truth = truth_about(state, user_id, with_events=False)
    subs = tuple(_true_sub(one) for one in truth.subscriptions)
    sessions = tuple(_session(one) for one in truth.sessions)
    invoices = tuple((one.created, one.amount, one.currency, str(one.status)) for one in truth.charges)
    second = state.runtime_settings.current.contract == 2
    groups = {FREE: "main", **{sub.plan: sub.group for sub in subs}}
    groups |= {one.plan: one.group or "main" for one in state.prices.plans()}
    ahead = timedelta(seconds=round((state.clock.now() - at).total_seconds()))
    return Facts(at, subs, _account(truth.account, groups), sessions, invoices, ahead, second)


def told_of(
    state: SandboxState, user_id: str, truth: Facts, told_to_own: Iterable[StripeSubscription] | None = None
) -> Facts | None:
    """Return what the Payment MS was told where that is not the truth any more (news late or lost), else None.

    Its word may be repeated then: that it is behind is nobody's fault here. The running service's answer has no status.
    Of a service outside the sandbox, `told_to_own` is what Stripe answered it last.
    """
    recorded = [record.subscription for record in state.records.of(user_id)] if told_to_own is None else told_to_own
    known = {one.id: one for one in recorded if one.user_id == user_id or told_to_own is None}
    mine = {sub.id: sub for sub in truth.subs}
    same = _same_to_the_price if truth.second else _same
    if len(known) == len(mine) and all(sub.id in mine and same(mine[sub.id], sub) for sub in known.values()):
        return None
    silent = state.runtime_settings.current.status_shape is StatusShape.RUNNING and not truth.second
    groups = {one.plan: one.group or "main" for one in state.prices.plans()}
    told = sorted((_told_sub(one, groups, silent=silent) for one in known.values()), key=lambda sub: sub.created)
    return replace(truth, subs=tuple(told))


def _same(true: Sub, told: StripeSubscription) -> bool:
    mine = (true.status, true.plan, true.period_end, true.ends_at is not None)
    return mine == (told.status, _plan_told(told), told.period_end, told.will_end)


def _same_to_the_price(true: Sub, told: StripeSubscription) -> bool:
    mine = (true.amount, true.interval, true.held, true.change)
    return _same(true, told) and mine == (told.amount, told.interval, told.pause_collection is not None, _change(told))


def _change(one: StripeSubscription | SubscriptionTruth) -> tuple[datetime, str, int, str, str] | None:
    change = one.scheduled_change
    if change is None:
        return None
    line = change.line
    return change.at, line.plan, line.amount * one.quantity, line.currency, line.interval or "month"


def _plan_told(told: StripeSubscription) -> str:
    """Return the plan under whose product the Payment MS lists it: some leave that as it was at the purchase."""
    return told.product_id.removeprefix(PRODUCT)


def _true_sub(one: SubscriptionTruth) -> Sub:
    renewal = one.renewal_charge
    charge = (renewal.amount, renewal.currency) if renewal is not None else None
    due = renewal.due if renewal is not None else None
    return Sub(
        id=one.id, plan=one.plan, group=one.group or "main", status=one.status, created=one.created,
        period_end=one.period_end, paid_until=one.paid_until, ends_at=one.ends_at, ended_at=one.ended_at,
        trial_end=one.trial_end, renews=one.renews, held=one.pause_collection is not None, charge=charge,
        amount=one.list_amount, currency=one.list_currency, interval=one.interval, session=one.session_id,
        change=_change(one), made_of=(due.subtotal, due.discount, due.tax) if due is not None else (0, 0, 0),
    )  # fmt: skip


def _told_sub(one: StripeSubscription, groups: Mapping[str, str], *, silent: bool) -> Sub:
    """Return what it was told. What it lists under the product of the purchase is of that product's group."""
    plan, group = _plan_told(one), one.group or "main"
    group = group if plan == one.plan else groups.get(plan, group)
    return Sub(
        id=one.id, plan=plan, group=group, status=UNSAID if silent else one.status, created=one.created,
        period_end=one.period_end, paid_until=one.period_end, ends_at=one.ends_at,
        ended_at=one.ended_at, trial_end=one.trial_end, renews=not silent and _goes_on(one),
        held=one.pause_collection is not None, charge=None, amount=one.amount, currency=one.currency,
        interval=one.interval, session=one.session_id, change=_change(one),
    )  # fmt: skip


def _goes_on(one: StripeSubscription) -> bool:
    """Whether what a service holds says that it renews. It is asked only of one that says so in words of its own."""
    return one.status in ("active", "trialing") and not one.will_end and one.pause_collection is None


def _session(one: SessionTruth) -> PaidSession:
    lines = tuple((x.price_id, x.quantity, x.amount, x.currency, x.trial_days) for x in one.lines)
    return PaidSession(one.id, one.mode, str(one.status), one.created, one.completed_at, lines, one.lines[0].plan)


def _account(grant: AccountPlan | None, groups: Mapping[str, str]) -> Account:
    if grant is None:
        return Account(False)
    return Account(True, grant.status, grant.plan, _moment(grant.expires_at), groups.get(grant.plan, "main"))


def _moment(value: object) -> datetime | None:
    """Return the moment that the Auth MS means, as somebody reads it who wants to understand; None for none."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None or not 2000 <= moment.year < 9000:
        return None
    if isinstance(value, str) and len(value) == len("2026-12-31"):
        moment = moment.replace(hour=12)  # a day is that day wherever somebody reads it
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
