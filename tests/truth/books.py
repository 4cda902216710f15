"""A sandbox's books with one customer, and the oracle over them."""

from datetime import datetime, timedelta
from pathlib import Path

from sandbox.auth.accounts import AccountPlan, person
from sandbox.control.scenarios import subscribe
from sandbox.in_process import InProcessSandbox, settings_in_memory
from sandbox.stripe.objects import StripeSubscription
from truth.catalogs import BASE, CatalogOfStory
from truth.facts import facts_of, told_of
from truth.oracle import History, Verdict
from truth.rule import sold_in
from truth.statements import Kind, Statement

ADA = person("ada@example.com")


class Books:
    """A sandbox with one customer, and an oracle that knows it."""

    def __init__(self, folder: Path) -> None:
        catalog = CatalogOfStory(folder / "products.json")
        self.sandbox = InProcessSandbox(settings_in_memory(catalog_path=catalog.path))
        self.state = self.sandbox.state
        self.history = History("UTC")
        self.observe()

    def observe(self) -> None:
        truth = facts_of(self.state, ADA.user_id, self.state.clock.now())
        self.history.observe(truth, told_of(self.state, ADA.user_id, truth), sold_in(BASE))

    def subscribe(self, price: str = "price_sandbox_premium_month") -> StripeSubscription:
        line = next(line for line in self.state.prices.plans() if line.price_id == price)
        made = subscribe(self.state, ADA.user_id, ADA.email, line)
        self.observe()
        return made

    def passes(self, time: timedelta) -> None:
        self.observe()
        self.sandbox.scheduler.advance(time)
        self.observe()

    def passes_hour(self) -> None:
        self.passes(timedelta(hours=1))

    def grant(self, **said: str) -> None:
        """Let the account say so, an hour ago."""
        self.state.accounts.set_grant(ADA.user_id, AccountPlan(**said))
        self.passes_hour()

    def judge(self, kind: Kind, **said: object) -> Verdict:
        return self.history.judge(Statement(kind, "…", **said), self.state.clock.now())  # type: ignore[arg-type]

    def judge_of_then(self, session_id: str, drawn_at: datetime) -> Verdict:
        said = Statement(Kind.NOT_CHARGED_THEN, "…", subject=session_id)
        return self.history.judge(said, self.state.clock.now(), drawn_at)
