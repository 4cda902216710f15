"""Asking the Payment MS for each plan, one at a time, and what became of it."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from catalog import Interval, Item, Plan
from cli.explain import explain
from cli.register_journal import Journal, Made, MadePrice
from services.errors import FrontendError, RequestRefused
from services.payment_contract.features import ContractFeature, PaymentContract
from services.payment_ms import ItemRegistration, PaymentMS, PlanRegistration

CURRENCY = "usd"
"""In the contract's first version the call has no field for a currency, and prices are made in this one."""

_NAMES = {Interval.MONTH: "monthly", Interval.YEAR: "yearly"}


class Came(StrEnum):
    """What became of a plan."""

    MADE = "made"
    NOTED = "noted"
    EXISTS = "exists"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Registered:
    """A plan's ids at the Payment MS. For one that existed, the ids of its prices can't be had; then there are none."""

    plan: Plan
    came: Came
    product_id: str = ""
    prices: dict[Interval, str] = field(default_factory=dict)
    problem: str = ""
    hopeless: bool = False
    """The service itself failed, so the other plans need not be asked for."""


@dataclass(frozen=True, slots=True)
class MadeItem:
    """An item's ids at the Payment MS, or what was wrong with it."""

    item: Item
    product_id: str = ""
    price_id: str = ""
    problem: str = ""


class Interrupted(Exception):
    """A signal came. What had been asked by then has been answered and noted."""


def request_for(plan: Plan) -> PlanRegistration:
    """Return what to ask the service for; its texts in English."""
    amounts = {interval: price.amount for interval, price in plan.offered.items()}
    return PlanRegistration(
        name=str(plan.name),
        description=str(plan.tagline),
        features=tuple(str(feature.text) for feature in plan.features),
        monthly=amounts.get(Interval.MONTH),
        yearly=amounts.get(Interval.YEAR),
        id=plan.id,
        group=plan.group,
        currency=next((price.currency for price in plan.offered.values()), ""),
    )


def currency_problem(plan: Plan, contract: PaymentContract) -> str:
    """Return why a plan's prices can't be made in their currency; nothing where they can. All of a plan have one."""
    currency = next(price.currency for price in plan.offered.values())
    if currency == CURRENCY or contract.has(ContractFeature.REGISTER_ITEMS):
        return ""
    return (
        f"{plan.name} is sold in {currency}, and the Payment MS does not say that it makes prices in another currency "
        f"than {CURRENCY} (register_items in docs/contract.md); create that plan in Stripe's dashboard, and name the "
        "others by --plan."
    )


async def register_items(
    client: PaymentMS, project: str, items: Sequence[Item], say: Callable[[str], None]
) -> list[MadeItem]:
    """Return what became of each item, in order; none for a service that takes no items.

    One that takes them tells the ids again whenever it is asked, so that none can be lost and nothing is noted.
    """
    if not client.contract.has(ContractFeature.REGISTER_ITEMS):
        return []
    found = [await _register_item(client, project, item) for item in items]
    for made in found:
        say(f"  {made.item.name}: {made.problem or f'is {made.product_id}'}")
    return found


async def _register_item(client: PaymentMS, project: str, item: Item) -> MadeItem:
    price = item.price
    asked = ItemRegistration(item.id, str(item.name), str(item.description), price.amount, price.currency)
    try:
        result = await client.register_products(project, (), (asked,))
    except FrontendError as problem:
        what, cure = explain(problem, "Payment MS", "PAYMENT_MS_URL")
        return MadeItem(item, problem=f"{what} {cure}")
    if len(result.items) != 1:
        return MadeItem(item, problem="The Payment MS named no ids for it.")
    made = result.items[0]
    if (made.amount, made.currency.lower()) != (price.amount, price.currency):
        return MadeItem(item, problem="The Payment MS has another price for it. Make the two agree by hand.")
    return MadeItem(item, made.product_id, made.price_id)


async def register_all(
    client: PaymentMS, project: str, plans: Sequence[Plan], journal: Journal, say: Callable[[str], None]
) -> list[Registered]:
    """Return what became of each plan, in order; after a failure of the service itself no other is asked for.

    One plan a request, so that one that exists does not hide the others. On SIGINT or SIGTERM the answer under way is
    awaited and noted, then Interrupted is raised.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    found: list[Registered] = []
    try:
        for plan in plans:
            if stop.is_set():
                raise Interrupted
            noted = journal.made().get(plan.id)
            answer = _from_made(plan, noted, Came.NOTED) if noted else await _register(client, project, plan, journal)
            say(f"  {plan.name}: {_told(answer)}")
            found.append(answer)
            if answer.hopeless:
                break
        if stop.is_set():
            raise Interrupted
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return found


async def _register(client: PaymentMS, project: str, plan: Plan, journal: Journal) -> Registered:
    try:
        result = await client.register_products(project, (request_for(plan),))
    except RequestRefused as problem:
        return Registered(plan, Came.FAILED, problem=f"Refused by the Payment MS: {problem.detail}.")
    except FrontendError as problem:
        what, cure = explain(problem, "Payment MS", "PAYMENT_MS_URL")
        return Registered(plan, Came.FAILED, problem=f"{what} {cure}", hopeless=True)
    if result.existing_product_id is not None:
        return Registered(plan, Came.EXISTS, result.existing_product_id)
    product = result.products[0]
    prices = {
        interval: MadePrice(price_id=made.price_id, amount=made.amount, currency=made.currency.lower())
        for interval, name in _NAMES.items()
        if (made := product.prices.get(name)) is not None
    }
    return _from_made(plan, journal.note(plan.id, product.product_id, prices), Came.MADE)


def _from_made(plan: Plan, made: Made, came: Came) -> Registered:
    """Return the ids, unless the service's prices are not those that we sell: those must not go into the catalog."""
    for interval, price in plan.offered.items():
        at_service = made.prices.get(interval)
        if at_service is None:
            problem = f"The Payment MS named no price for a {interval}."
        elif (at_service.amount, at_service.currency) != (price.amount, price.currency):
            problem = (
                f"The Payment MS made {at_service.amount} {at_service.currency} a {interval}, the catalog says "
                f"{price.amount} {price.currency}."
            )
        else:
            continue
        return Registered(plan, Came.FAILED, made.product_id, problem=f"{problem} Make the two agree by hand.")
    return Registered(plan, came, made.product_id, {name: price.price_id for name, price in made.prices.items()})


def _told(answer: Registered) -> str:
    match answer.came:
        case Came.MADE:
            return f"created as {answer.product_id}"
        case Came.NOTED:
            return f"created earlier as {answer.product_id}, not written yet"
        case Came.EXISTS:
            return f"exists already as {answer.product_id}"
        case Came.FAILED:
            return answer.problem
