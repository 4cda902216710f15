"""``python app.py register``: create the catalog's plans at the Payment MS, and write their ids into the catalog.

Asks twice: before anything is created, since that can't be undone from here, and before the file is written. A second
run finds the plans and leaves the file as it is.
"""

import argparse
import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from catalog import Catalog, CatalogError, Interval, Item, Plan, format_money
from cli.check_services import payment_ms
from cli.check_storage import look_at_storage, without_harm
from cli.console import Console
from cli.quiet import quiet_logs
from cli.register_answers import (
    Came,
    Interrupted,
    MadeItem,
    Registered,
    currency_problem,
    register_all,
    register_items,
)
from cli.register_file import CatalogText, NotWritten
from cli.register_journal import Journal, JournalBusy
from services.errors import FrontendError
from services.stripe_mode import IdFault, wrong_ids
from settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DONE, UNFINISHED, INTERRUPTED = 0, 1, 130
PATIENCE: Final = 60.0
"""Seconds to wait for an answer: ids that come too late could not be had again."""

_PRICE_ID: Final = re.compile(r"(price|plan)_[A-Za-z0-9_-]{1,240}")


class Stopped(Exception):
    """Nothing more is done; the text says why, and what to do."""


def add_register(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser("register", help="create the catalog's plans at the Payment MS, and keep their ids")
    parser.add_argument("--yes", action="store_true", help="create and write without asking")
    parser.add_argument("--plan", action="append", metavar="ID", help="only this plan; may be given more than once")
    parser.add_argument(
        "--project", metavar="NAME", help="the project's name there (default: AUTH_MS_PROJECT or BRAND_NAME)"
    )
    parser.add_argument("--while-running", action="store_true", help="ask although the app is running")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    console = Console.of_this_process(yes=options.yes)
    with quiet_logs():
        return register(console, only=options.plan, project=options.project, while_running=options.while_running)


def register(
    console: Console, *, only: Sequence[str] | None = None, project: str | None = None, while_running: bool = False
) -> int:
    """Register the plans and return the exit code: 0 all is written, 1 something is left to do, 130 interrupted."""
    try:
        settings = load_settings()
        file = CatalogText(Path(settings.catalog_path))
        plans = _chosen(file, only)
        if not (console.asks or console.yes):
            raise Stopped("Nobody is there to be asked; add --yes to create the plans and write their ids unasked.")
        key = settings.payment_ms_api_key or SecretStr("")
        with Journal.beside(file.path, settings.payment_ms_url, key) as journal:
            _announce(console, settings, file, plans, journal)
            name = project or settings.auth_ms_project or settings.brand_name
            items = file.catalog.items if only is None else ()
            answers, made = asyncio.run(_ask_all(settings, name, plans, items, journal, console, while_running))
            return _keep(console, file, journal, answers, len(plans), made)
    except (SettingsError, CatalogError, NotWritten, Stopped, JournalBusy) as problem:
        console.say(str(problem))
    except OSError as problem:
        console.say(
            f"{problem.filename} can't be used ({problem.strerror}); the ids could not be kept safe without it."
        )
    except (Interrupted, KeyboardInterrupt, EOFError):
        console.say("\nInterrupted. What was created is noted beside the catalog; run this again to write it.")
        return INTERRUPTED
    return UNFINISHED


def _chosen(file: CatalogText, only: Sequence[str] | None) -> list[Plan]:
    """Return the plans to register; raises Stopped for one that can't be, or if there are none."""
    paid = {plan.id: plan for plan in file.catalog.plans if plan.kind == "paid" and plan.on_sale}
    if unknown := [name for name in only or () if name not in paid]:
        raise Stopped(f"{file.path} has no paid plan called {', '.join(unknown)}; it has {', '.join(paid) or 'none'}.")
    plans = [plan for plan in paid.values() if only is None or plan.id in only]
    if not plans:
        raise Stopped(f"{file.path} has no paid plan, so there is nothing to register.")
    return plans


def _announce(console: Console, settings: Settings, file: CatalogText, plans: Sequence[Plan], journal: Journal) -> None:
    """Say what would be created, and ask; raises Stopped for a no."""
    noted = journal.made()
    console.say(f"Plans for the Payment MS at {settings.payment_ms_url} (one that exists there is not created again):")
    for plan in plans:
        prices = ", ".join(f"{format_money(p.amount, p.currency)} a {name}" for name, p in plan.offered.items())
        earlier = ", created earlier and noted" if plan.id in noted else ""
        console.say(f"  {plan.name}: {prices} (now {plan.product_id}{earlier})")
    if lacking := _items_without_ids(file.catalog):
        console.say(
            "The call creates no items, unless the service says that it does (register_items in docs/contract.md). "
            "Otherwise make each a product with a one-time price in Stripe's dashboard, and copy both ids: "
            f"{', '.join(lacking)}."
        )
    if not console.confirm("Create them?"):
        raise Stopped("Nothing was created.")


async def _ask_all(
    settings: Settings,
    project: str,
    plans: Sequence[Plan],
    items: Sequence[Item],
    journal: Journal,
    console: Console,
    while_running: bool,
) -> tuple[list[Registered], list[MadeItem]]:
    storage = await look_at_storage(settings)
    try:
        if unasked := without_harm(settings, storage, while_running=while_running):
            raise Stopped(f"{unasked.detail} {unasked.cure}".strip())
        async with payment_ms(settings, storage.redis, deadline=PATIENCE) as (client, _):
            with suppress(FrontendError):  # then it is asked as one of the first version
                await client.ask_contract()
            if problem := next(filter(None, (currency_problem(plan, client.contract) for plan in plans)), ""):
                raise Stopped(problem)
            answers = await register_all(client, project, plans, journal, console.say)
            hopeless = any(answer.hopeless for answer in answers)
            return answers, [] if hopeless else await register_items(client, project, items, console.say)
    finally:
        if storage.redis is not None:
            await storage.redis.close()


def _items_without_ids(catalog: Catalog) -> list[str]:
    """Return the names of the items whose ids only the sandbox knows."""
    wrong = [found for found in wrong_ids(catalog, sandbox=False) if found.of_item and found.fault is IdFault.SANDBOX]
    numbers = sorted({int(found.place.partition("[")[2].partition("]")[0]) for found in wrong})
    return [str(catalog.items[number].name) for number in numbers]


def _keep(
    console: Console,
    file: CatalogText,
    journal: Journal,
    answers: Sequence[Registered],
    wanted: int,
    items: Sequence[MadeItem] = (),
) -> int:
    """Write the ids, after showing the difference and asking; return the exit code."""
    usable = [answer for answer in answers if answer.came is not Came.FAILED]
    complete = [_with_prices(console, answer) if _is_another(answer) else answer for answer in usable]
    text = file.with_ids(complete, [made for made in items if not made.problem])
    if text == file.text:
        console.say(f"{file.path} is as it should be; nothing was written.")
    else:
        console.say(file.difference(text))
        if not console.confirm(f"Write this to {file.path}?"):
            raise Stopped("Nothing was written. What was created is noted; run this again to write it.")
        file.write(text)
        console.say(f"{file.path} was written.")
    journal.forget([answer.plan.id for answer in usable])
    unproven = [answer for answer in complete if _is_another(answer) and answer.plan.offered.keys() - answer.prices]
    for answer in unproven:
        console.say(
            f"{answer.plan.name}: look at the price ids before anybody buys it. They are still those of "
            f"{answer.plan.product_id}; Stripe's dashboard shows the ones of {answer.product_id}."
        )
    if len(usable) < wanted:
        console.say(f"{wanted - len(usable)} of {wanted} plans are left; run this again when the cause is gone.")
    failed = any(made.problem for made in items)
    return UNFINISHED if unproven or failed or len(usable) < wanted else DONE


def _is_another(answer: Registered) -> bool:
    """Return whether the plan exists as another product than the file's: then the file's prices are not its own."""
    return answer.came is Came.EXISTS and answer.product_id != answer.plan.product_id


def _with_prices(console: Console, answer: Registered) -> Registered:
    """Return the plan with the price ids that the operator types; as it is if nobody types any."""
    if console.yes:
        return answer
    console.say(
        f"{answer.plan.name} exists as {answer.product_id}, and the Payment MS can't be asked for its prices. Copy "
        "their ids from Stripe's dashboard; Enter keeps the one in the file."
    )
    typed: dict[Interval, str] = {}
    for interval, price in answer.plan.offered.items():
        given = console.ask(f"  Price for a {interval} [{price.price_id}]: ").strip()
        while given and not _PRICE_ID.fullmatch(given):
            given = console.ask("  A price's id begins with price_: ").strip()
        if given:
            typed[interval] = given
    return replace(answer, prices=typed) if typed else answer
