"""What a Payment MS of one's own tells the Auth MS of a user: one plan, or all subscriptions."""

from collections.abc import Mapping
from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from sandbox.auth.accounts import AccountPlan
from sandbox.clock import rfc3339


class KnownSubscription(BaseModel):
    """A subscription as the contract's second version tells it, live ones before ended ones."""

    status: str = Field(min_length=1)
    product_id: str = ""
    current_period_end: AwareDatetime | None = None
    cancel_at_period_end: bool = False
    cancel_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None

    @property
    def will_end(self) -> bool:
        return self.ended_at is None and (self.cancel_at_period_end or self.cancel_at is not None)

    @property
    def expires_at(self) -> AwareDatetime | None:
        return self.ended_at or self.cancel_at or self.current_period_end


class SubscriptionNews(BaseModel):
    """`status` in Stripe's words, `plan` as the catalog has it, `expires_at` the end of what is paid.

    Of `subscriptions` the first says whether it ends and when, and what of the other three is absent.
    """

    user_id: str = Field(min_length=1)
    status: str | None = None
    plan: str | None = None
    expires_at: AwareDatetime | None = None
    subscriptions: list[KnownSubscription] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.status and self.subscriptions is None:
            raise ValueError("status or subscriptions is needed")
        return self


def plan_told(news: SubscriptionNews, plan_of: Mapping[str, str], ending: str) -> AccountPlan:
    """The plan of an account after this news.

    `plan_of` knows the plan of each product that is sold, `ending` is the account's word for one that won't renew.
    """
    first = news.subscriptions[0] if news.subscriptions else None
    if first is None:
        return _plan(news.status or "none", news.plan, news.expires_at)
    status = ending if first.will_end else news.status or first.status
    plan = news.plan or plan_of.get(first.product_id, first.product_id)
    return _plan(status, plan, first.expires_at or news.expires_at)


def _plan(status: str, plan: str | None, expires_at: AwareDatetime | None) -> AccountPlan:
    if status == "none":
        return AccountPlan()
    return AccountPlan(status=status, plan=plan or "", expires_at=rfc3339(expires_at) if expires_at else None)
