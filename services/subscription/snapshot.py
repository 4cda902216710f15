"""What both services said about one customer, and when: the raw material of `services/subscription/reconcile.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from catalog import FormerPlan, Plan
from services.auth_ms import PlanGrant
from services.payment_ms import SubscriptionRecord
from services.storage.rows import StoredMoment


class RecordResponse(BaseModel):
    """The Payment MS's answer about one product. `as_of` is when it was asked.

    `plan` is what a subscription on record was sold as, as the catalog last said: it may be taken out of it.
    `further` are other live subscriptions to the same product, of which only a service that lists all tells.
    """

    model_config = ConfigDict(frozen=True)

    record: SubscriptionRecord
    as_of: StoredMoment
    plan: FormerPlan | None = None
    further: tuple[SubscriptionRecord, ...] = ()

    @property
    def each(self) -> tuple["RecordResponse", ...]:
        """One answer for each subscription that exists."""
        records = (self.record, *self.further)
        return tuple(self.model_copy(update={"record": one, "further": ()}) for one in records if one.exists)


class AccountResponse(BaseModel):
    """The Auth MS's answer. `grant` None means that it says nothing about a plan."""

    model_config = ConfigDict(frozen=True)

    grant: PlanGrant | None
    as_of: StoredMoment


class UpstreamSnapshot(BaseModel):
    """The latest answers about one customer, kept when a later question fails.

    `billing_failed` and `account_failed` say that the last question to that service got no answer, so what stands here
    is memory. They hold the error's code for logs and notices. `looked_at` is when billing last answered everything it
    was asked, which is less than all there is when nothing else can differ.
    """

    model_config = ConfigDict(frozen=True)

    records: Mapping[str, RecordResponse] = {}
    account: AccountResponse | None = None
    billing_failed: str | None = None
    account_failed: str | None = None
    looked_at: StoredMoment | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Return a kept snapshot; raises `ValueError` for one that has no place for what both services said."""
        snapshot = cls.model_validate_json(text)
        if not snapshot.model_fields_set >= {"records", "account"}:
            raise ValueError("no snapshot of both services' answers")
        return snapshot

    def with_record(
        self,
        product_id: str,
        record: SubscriptionRecord,
        now: datetime,
        plan: Plan | None = None,
        further: tuple[SubscriptionRecord, ...] = (),
    ) -> Self:
        """Return the snapshot with a new answer about one product; `plan` is what the catalog sells it as, if it does.

        For a product that it does not know (any more), what was remembered of its plan stays.
        """
        before = self.records.get(product_id)
        named = before.plan if before is not None else None
        if plan is not None:
            named = FormerPlan(plan.id, plan.name, plan.group, product_id)
        answer = RecordResponse(record=record, as_of=now, plan=named if record.exists else None, further=further)
        return self.model_copy(update={"records": {**self.records, product_id: answer}})

    def with_account(self, grant: PlanGrant | None, now: datetime) -> Self:
        """Return the snapshot with a new answer of the Auth MS."""
        return self.model_copy(update={"account": AccountResponse(grant=grant, as_of=now), "account_failed": None})

    def with_memory_of(self, older: "UpstreamSnapshot", now: datetime) -> Self:
        """Return this snapshot, with answers of `older` where they are the younger ones or the only ones.

        What failed is this snapshot's word: it is the latest. An answer of `older` that is from later than `now` comes
        from a replica whose clock is ahead, and is not taken for the younger one.
        """
        records = dict(older.records)
        for product, answer in self.records.items():
            known = records.get(product)
            records[product] = known if known is not None and answer.as_of < known.as_of <= now else answer
        account, looked_at = self.account, self.looked_at
        if looked_at is None or (older.looked_at is not None and looked_at < older.looked_at <= now):
            looked_at = older.looked_at
        if account is None or (older.account is not None and account.as_of < older.account.as_of <= now):
            account = older.account
        return self.model_copy(update={"records": records, "account": account, "looked_at": looked_at})

    def over(self, older: "UpstreamSnapshot") -> Self:
        """Return this snapshot, with answers of `older` only where it has none, whatever the clocks said."""
        return self.model_copy(
            update={
                "records": {**older.records, **self.records},
                "account": self.account or older.account,
                "looked_at": self.looked_at or older.looked_at,
            }
        )

    @property
    def as_of(self) -> datetime | None:
        """The age of the older of the two services' latest answers, None when neither ever answered."""
        answers = [answer.as_of for answer in self.records.values()]
        billing = max([*answers, self.looked_at] if self.looked_at is not None else answers, default=None)
        account = self.account.as_of if self.account is not None else None
        return min((moment for moment in (billing, account) if moment is not None), default=None)

    @property
    def content(self) -> object:
        """What was said, without when: two of the same content are the same to a reader."""
        records = {product: (answer.record, answer.further) for product, answer in self.records.items()}
        account = None if self.account is None else (self.account.grant,)
        return records, account, self.billing_failed, self.account_failed

    @property
    def products_on_record(self) -> tuple[str, ...]:
        """The products for which billing has a subscription on record, alive or not."""
        return tuple(product for product, answer in self.records.items() if answer.record.exists)

    @property
    def on_record(self) -> tuple[tuple[str, RecordResponse], ...]:
        """Each subscription on record, alive or not, with its product."""
        return tuple((product, one) for product, answer in self.records.items() for one in answer.each)

    @property
    def subscription_ids(self) -> tuple[str, ...]:
        """The ids of all subscriptions on record."""
        ids = (answer.record.subscription_id for _product, answer in self.on_record)
        return tuple(sorted(name for name in ids if name))

    def knows_all(self, products: tuple[str, ...]) -> bool:
        """Whether there is an answer about each of these products."""
        return all(product in self.records for product in products)
