"""Which money: whether purchases are Stripe's test mode or real, and whether that fits the place where the site stands.

Only the id of a checkout session tells (`cs_test_…`, `cs_live_…`), so what was seen last is kept in the store,
for the other replicas and for the next start. Ids in the catalog tell when they are the sandbox's, or ids of the wrong
kind. Banners, `/readyz` and `python app.py check` all read the same facts from here.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import structlog

from catalog import Catalog
from services.errors import N_, StoreUnavailable
from services.storage.port import Store
from services.storage.rows import RowKind, read_row
from settings_rules import is_loopback

READ_EVERY: Final = 60.0
"""Seconds after which the store is asked again what other replicas have seen."""

_log = structlog.get_logger(__name__)
_KEY: Final = "money_mode"
_SANDBOX_ID: Final = re.compile(r"(prod|price|plan)_sandbox(_|$)", re.IGNORECASE)
_TEST_ID: Final = re.compile(r"(prod|price|plan)_test(_|$)", re.IGNORECASE)
_KINDS: Final = {
    "prod": "a product",
    "price": "a price",
    "plan": "a price",
    "cus": "a customer",
    "sub": "a subscription",
    "cs": "a checkout session",
    "pi": "a payment",
    "in": "an invoice",
    "sk": "a secret key",
    "pk": "a publishable key",
    "rk": "a restricted key",
}
"""What the first part of an id stands for at Stripe; a product's id can be chosen freely, so it need not have one."""


class StripeMode(StrEnum):
    """Which money a checkout session asks for."""

    TEST = "test"
    LIVE = "live"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StripeModeProblem:
    """The wrong money for the place. ``banner`` is for every page's visitors, the rest for the operator."""

    code: str
    banner: str
    detail: str
    cure: str


class IdFault(StrEnum):
    """Why an id in the catalog is wrong where it stands."""

    KIND = "kind"
    """It is the id of something else."""

    SANDBOX = "sandbox"
    """Only the sandbox knows it."""

    TEST = "test"
    """Its name says that it is for tests, and customers pay here."""


@dataclass(frozen=True, slots=True)
class WrongId:
    """An id in the catalog that can't work: where it stands, and why. Never the id itself, it could be a secret."""

    place: str
    fault: IdFault
    reason: str

    @property
    def of_item(self) -> bool:
        """Whether it is an item's: those are not registered with the plans."""
        return self.place.startswith("items[")


SANDBOX_IN_PUBLIC: Final = StripeModeProblem(
    "sandbox_in_public",
    N_("This site is a sandbox. No money moves and nothing you buy here is real."),
    "PUBLIC_URL is a public address, but the sandbox is on: no customer can pay.",
    "Set PAYMENT_MS_API_KEY (and remove SANDBOX), or make PUBLIC_URL this machine's own address.",
)
TEST_MODE_IN_PUBLIC: Final = StripeModeProblem(
    "test_mode_in_public",
    N_("This site is in test mode. Cards aren't charged and nothing you buy here is real."),
    "PUBLIC_URL is a public address, but the Payment MS opens checkouts in Stripe's test mode (cs_test_…).",
    "Give the Payment MS Stripe's live keys, and use its live project's key as PAYMENT_MS_API_KEY.",
)


MODES_MIXED: Final = StripeModeProblem(
    "stripe_modes_mixed",
    "",
    "The Payment MS opens checkouts in one of Stripe's modes and tells of subscriptions in the other: what is bought "
    "here is not what it has on record.",
    "Give the Payment MS keys and a webhook secret of one mode, and a database that has known no other.",
)
"""For the operator alone: a service of the contract's second version names the mode of each subscription."""


def mode_of(session_id: str) -> StripeMode:
    """Return which money a checkout session's id stands for."""
    if session_id.startswith("cs_live_"):
        return StripeMode.LIVE
    return StripeMode.TEST if session_id.startswith("cs_test_") else StripeMode.UNKNOWN


def is_public(public_url: str) -> bool:
    """Return whether users on other machines can come to this address."""
    return not is_loopback(urlsplit(public_url).hostname or "")


def stripe_mode_problems(public_url: str, *, sandbox: bool, mode: StripeMode) -> tuple[StripeModeProblem, ...]:
    """Return what is wrong with taking this kind of money at this address."""
    if not is_public(public_url):
        return ()
    if sandbox:
        return (SANDBOX_IN_PUBLIC,)
    return (TEST_MODE_IN_PUBLIC,) if mode is StripeMode.TEST else ()


def wrong_ids(catalog: Catalog, *, sandbox: bool, public: bool = False) -> tuple[WrongId, ...]:
    """Return the ids that are of another kind than their place asks for, or that only the sandbox knows.

    At a `public` https address those that call themselves a test's are wrong too.
    """
    return tuple(_wrong_ids(catalog, sandbox, public))


def _wrong_ids(catalog: Catalog, sandbox: bool, public: bool) -> Iterator[WrongId]:
    for place, value, is_price in _ids(catalog):
        kind = _KINDS.get(value.partition("_")[0]) if "_" in value else None
        wanted = "a price" if is_price else "a product"
        if kind is not None and kind != wanted:
            yield WrongId(place, IdFault.KIND, f"is the id of {kind}, where the id of {wanted} must stand")
        elif is_price and kind is None:
            yield WrongId(place, IdFault.KIND, "does not begin with price_, as the ids of Stripe's prices do")
        elif not sandbox and _SANDBOX_ID.match(value):
            yield WrongId(place, IdFault.SANDBOX, "is an id of the sandbox, which the Payment MS does not know")
        elif public and not sandbox and _TEST_ID.match(value):
            yield WrongId(place, IdFault.TEST, "is a test's id by its name, behind a public https address")


def _ids(catalog: Catalog) -> Iterator[tuple[str, str, bool]]:
    """Yield place and value of each id, and whether it must be a price's."""
    for index, plan in enumerate(catalog.plans):
        if plan.product_id is not None:
            yield f"plans[{index}].product_id", plan.product_id, False
        for place, product in enumerate(plan.former_product_ids):
            yield f"plans[{index}].former_product_ids[{place}]", product, False
        for interval, price in plan.prices.items():
            yield f"plans[{index}].prices.{interval}.price_id", price.price_id, True
        for place, price_id in enumerate(plan.former_price_ids):
            yield f"plans[{index}].former_price_ids[{place}]", price_id, True
    for index, item in enumerate(catalog.items):
        yield f"items[{index}].product_id", item.product_id, False
        yield f"items[{index}].price.price_id", item.price.price_id, True


class StripeModeService:
    """What has been seen of the money, kept in the store. A store that is away changes nothing and raises nothing."""

    def __init__(
        self, store: Store, *, public_url: str, sandbox: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._public_url = public_url
        self._sandbox = sandbox
        self._clock = clock
        self._mode = StripeMode.UNKNOWN
        self._told = StripeMode.UNKNOWN
        self._mixed_logged = False
        self._stored = StripeMode.UNKNOWN
        self._read_at = float("-inf")

    async def note(self, session_id: str) -> None:
        """Learn from a checkout session that the Payment MS has just opened. Never raises."""
        mode = mode_of(session_id)
        if mode is StripeMode.UNKNOWN:
            return
        self._mode = mode
        if mode is self._stored:
            return
        try:
            await self._store.put(_KEY, mode, None)
        except StoreUnavailable:
            return  # logged by the store; the next session is noted again
        self._stored = mode

    def note_record(self, *, live: bool) -> None:
        """Learn from a subscription that the Payment MS tells of, where it says which mode it is of."""
        self._told = StripeMode.LIVE if live else StripeMode.TEST
        if self.mixed is not None and not self._mixed_logged:
            _log.error("stripe_modes_mixed", checkouts=self._mode.value, subscriptions=self._told.value)
        self._mixed_logged = self.mixed is not None

    @property
    def mixed(self) -> StripeModeProblem | None:
        """Return that checkouts and subscriptions are of different modes, as far as this replica has seen both."""
        known = StripeMode.UNKNOWN not in (self._mode, self._told)
        return MODES_MIXED if known and self._mode is not self._told else None

    async def mode(self) -> StripeMode:
        """Return the mode of the last session that any replica has seen, as known at most a minute ago."""
        if self._clock() - self._read_at >= READ_EVERY:
            self._read_at = self._clock()
            try:
                found = read_row(RowKind.STRIPE_MODE, await self._store.get(_KEY), StripeMode)
            except StoreUnavailable:
                return self._mode  # logged by the store; what this replica knows still holds
            if found is not None:
                self._mode = self._stored = found
        return self._mode

    async def problems(self) -> tuple[StripeModeProblem, ...]:
        """Return what is wrong; each has a banner for every page, and is an error in ``/readyz``. Never raises."""
        await self.mode()
        return self.known_problems()

    def known_problems(self) -> tuple[StripeModeProblem, ...]:
        """Return what is wrong as far as this replica knows, without asking the store."""
        return stripe_mode_problems(self._public_url, sandbox=self._sandbox, mode=self._mode)
