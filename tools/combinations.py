"""What each combination of services can and can't know: one life after the other, played against the sandbox.

`python -m tools.combinations` writes the table into `docs/states.md`; a test plays it again and compares.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from cli.quiet import quiet_logs
from sandbox.in_process import InProcessSandbox, settings_in_memory
from sandbox.state import Addresses
from services.claims import ClaimKind, subscription_claims
from services.container import Container
from services.purchase import Purchase
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from settings import load_settings
from truth.addresses import AUTH, PAYMENT, STRIPE
from truth.outside import InProcessTransport
from ui.text.state_words import describe
from wiring.build import build

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "states.md"
BEGINS: Final = "<!-- combinations: made by `python -m tools.combinations` -->\n"
ENDS: Final = "<!-- end of combinations -->"
MONTHLY: Final = "price_sandbox_premium_month"
BASIC: Final = "price_sandbox_basic_month"
A_PERIOD: Final = 32.0
_BESIDE: Final = (ClaimKind.HAS_ACCESS, ClaimKind.LIST_PRICE, ClaimKind.PORTAL_NEWS_DUE)


@dataclass(frozen=True, slots=True)
class Combination:
    """One pair of services, as the sandbox plays it, and what the operator has set."""

    title: str
    sandbox: Mapping[str, object]
    app: Mapping[str, object] = field(default_factory=dict)


COMBINATIONS: Final = (
    Combination("billing with words and ends, account speaks", {"status_shape": "detailed"}),
    Combination("billing with words, account speaks", {"status_shape": "documented"}),
    Combination("billing without words, account speaks", {"status_shape": "running"}),
    Combination("billing with words, silent account", {"status_shape": "documented", "plan_place": "silent"}),
    Combination("billing without words, silent account", {"status_shape": "running", "plan_place": "silent"}),
    Combination(
        "the same with `GRANT_BY_RECORD`",
        {"status_shape": "running", "plan_place": "silent"},
        {"grant_by_record": True},
    ),
)


class Customer:
    """One customer of one combination: what they do, and what the app then makes of it."""

    def __init__(self, combination: Combination, folder: Path) -> None:
        self.sandbox = InProcessSandbox(
            settings_in_memory(**combination.sandbox), Addresses(PAYMENT, AUTH, STRIPE)
        )  # fmt: skip
        settings = load_settings(
            _env_file=None, storage_path=str(folder / "store.sqlite3"), public_url="http://localhost:8081",
            session_idle_days=365, session_max_age_days=365,
            **combination.app,
        )  # fmt: skip
        self._running = build(
            settings,
            payment_transport=InProcessTransport(PAYMENT, self.sandbox.payment),
            auth_transport=InProcessTransport(AUTH, self.sandbox.auth),
            now=self._now,
        )
        self.app: Container = self._running.container
        self._control = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.sandbox.stripe), base_url=f"{STRIPE}/control/"
        )
        self._session: Session | None = None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.sandbox.state.clock.timestamp(), UTC)

    async def control(self, method: str, path: str, **body: object) -> dict[str, object]:
        """Call the sandbox's control panel."""
        answer = await self._control.request(method, path, json=body or None)
        answer.raise_for_status()
        found: dict[str, object] = answer.json()
        return found

    async def session(self) -> Session:
        """Return the sign-in, made at the first call."""
        if self._session is None:
            made = await self.control("POST", "users", email="ada@example.com", name="Ada")
            start = await self.app.sessions.begin_sign_in("google", "/")
            done = await self.app.sessions.complete_sign_in(
                token=start.token, state=None, auth_code=str(made["auth_code"]), old_session_id=None
            )
            self._session = done.session
        return self._session

    async def buy(self) -> None:
        """Buy Premium by the month and come back."""
        session, catalog = await self.session(), self.app.catalog
        offer = catalog.offer(MONTHLY)
        checkout = await self.app.checkout.start(session, Purchase.of(offer))
        await self.control("POST", f"pay/{checkout.session_id}", card="4242424242424242")
        await self.app.checkout.record_return(session, checkout.session_id, checkout.return_key)

    async def act(self, action: str, **how: object) -> None:
        """Do something to the subscription, in the portal or by sales."""
        newest = self.sandbox.state.subscriptions.of((await self.session()).user.user_id)[-1]
        await self.control("POST", f"subscriptions/{newest.id}/{action}", **how)

    async def days(self, number: float) -> None:
        """Let time pass."""
        await self.control("POST", "clock/advance", days=number)

    async def set(self, **settings: object) -> None:
        """Change settings of the sandbox."""
        await self.control("PATCH", "settings", **settings)

    async def status(self) -> CustomerStatus:
        """Return what the app makes of both services' answers; what was noted of a purchase is in it."""
        session = await self.session()
        await self.app.refresher.ask(session, "all", fresh=True)
        return await self.app.refresher.ask(session, "all", fresh=True)

    async def close(self) -> None:
        """End app and sandbox."""
        await self._control.aclose()
        await self._running.stop()
        self.sandbox.close()


async def _bought(ada: Customer) -> None:
    await ada.buy()


async def _set_to_end(ada: Customer) -> None:
    await ada.buy()
    await ada.status()
    await ada.act("cancel-at-period-end")


async def _ended(ada: Customer) -> None:
    await _set_to_end(ada)
    await ada.days(A_PERIOD)


async def _renewal_unheard(ada: Customer) -> None:
    await ada.buy()
    await ada.status()
    await ada.set(webhook_mode="lose")
    await ada.days(A_PERIOD + 4)


async def _payment_failed(ada: Customer) -> None:
    await ada.buy()
    await ada.status()
    await ada.set(renewals="fail")
    await ada.days(A_PERIOD - 1)


async def _changed(ada: Customer) -> None:
    await ada.set(record_stays_under_old_product=True)
    await ada.buy()
    await ada.status()
    await ada.act("switch", price_id=BASIC)


async def _never_listed(ada: Customer) -> None:
    await ada.set(webhook_reach="auth")
    await ada.buy()
    await ada.days(2)


async def _never_heard_of(ada: Customer) -> None:
    await ada.set(webhook_mode="lose")
    await ada.buy()
    await ada.days(2)


LIVES: Final[tuple[tuple[str, Callable[[Customer], Awaitable[None]]], ...]] = (
    ("Premium is bought", _bought),
    ("it is canceled for the period's end", _set_to_end),
    ("that period is over", _ended),
    ("it renews, and the news is lost", _renewal_unheard),
    ("the payment of a renewal fails", _payment_failed),
    ("it is changed to Basic in the portal, the record stays", _changed),
    ("bought, and only the account hears of it; two days later", _never_listed),
    ("bought, and no service ever hears of it; two days later", _never_heard_of),
)


async def rows() -> list[str]:
    """Return the table's lines: a life a line, a combination a column."""
    head = ["what happens", *(one.title for one in COMBINATIONS)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for name, play in LIVES:
        cells = [await _cell(combination, play) for combination in COMBINATIONS]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return lines


async def _cell(combination: Combination, play: Callable[[Customer], Awaitable[None]]) -> str:
    with tempfile.TemporaryDirectory(prefix="combination-") as folder:
        ada = Customer(combination, Path(folder))
        try:
            await play(ada)
            status, catalog, now = await ada.status(), ada.app.catalog, ada._now()
        finally:
            await ada.close()
    current = status.current
    words = describe(current, catalog, "en", "UTC", now=now)
    said = [f"`{one.says}`" for one in subscription_claims(current, catalog, now) if one.says not in _BESIDE]
    plan = f" {words.plan}" if words.plan else ""
    access = "access" if current.access else "no access"
    return f"`{words.shown}`{plan}, {access}: {', '.join(said)}"


def write(lines: Sequence[str]) -> None:
    """Put the table into the page."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGINS)
    _old, end, after = rest.partition(ENDS)
    PAGE.write_text(before + begin + "\n".join(["", *lines, ""]) + end + after, encoding="utf-8")


def main() -> int:
    """Play, and write."""
    with quiet_logs():
        write(asyncio.run(rows()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
