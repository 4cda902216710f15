"""Whether this replica can do its work, part by part: `/readyz` says it to load balancers, `/metrics` to Prometheus."""

import asyncio
from typing import Final

from services.container import Container
from services.errors import StoreUnavailable
from services.storage.sqlite.opened_files import FileReplaced

PING_DEADLINE: Final = 2.0

Check = dict[str, object]
"""One part's `status` (`ok`, `degraded` or `failing`), and what there is to say of it."""

LEVELS: Final = {"ok": 0, "degraded": 1, "failing": 2}
"""The statuses as numbers, for the metric."""


async def readiness(container: Container) -> dict[str, Check]:
    """Return the state of each part; takes 2 s where the store hangs."""
    store, money = await asyncio.gather(_store(container), _money(container))
    checks = {"pages": _pages(container), "store": store, **_quick_checks(container), "money": money}
    container.metrics.note_readiness({name: LEVELS[str(check["status"])] for name, check in checks.items()})
    return checks


def _pages(container: Container) -> Check:
    """What the self-test at the start found."""
    health = container.page_health
    if not health.drawn:
        return {"status": "failing", "problem": health.problem or "No page has been drawn yet."}
    if health.left_off:
        return {"status": "degraded", "left_off": dict(health.left_off)}
    return {"status": "ok"}


async def _store(container: Container) -> Check:
    try:
        async with asyncio.timeout(PING_DEADLINE):
            await container.store.ping()
    except (StoreUnavailable, TimeoutError) as error:
        problem = "Sign-ins, carts and locks can't be kept; look at the store."
        if isinstance(error.__cause__, FileReplaced):
            problem = "The store's file was replaced under the running app, and neither is written to; restart the app."
        return {"status": "failing", "problem": problem}
    return {"status": "ok"}


def _quick_checks(container: Container) -> dict[str, Check]:
    """Return what is known without asking anybody."""
    checks: dict[str, Check] = {}
    for upstream in (container.payment_upstream, container.auth_upstream):
        circuits = {operation: str(circuit.state) for operation, circuit in upstream.circuits.items()}
        status = "degraded" if upstream.degraded else "ok"
        checks[upstream.name] = {"status": status, "circuits": circuits}
        if refused := upstream.key_problem:
            checks[upstream.name] |= {"status": "degraded", "problem": refused[0], "cure": refused[1]}
    problem, version = container.catalogs.problem, container.catalog.version
    checks["catalog"] = {"status": "degraded" if problem else "ok", "version": version}
    if problem:
        checks["catalog"]["problem"] = problem
    problem_of_clock = container.payment_upstream.clock_skew.problem
    checks["clock"] = {"status": "degraded" if problem_of_clock else "ok"}
    if problem_of_clock:
        checks["clock"]["problem"] = problem_of_clock
    checks["limits"] = {"status": "degraded" if container.limits.degraded else "ok"}
    return checks


async def _money(container: Container) -> Check:
    """Whether real money, Stripe's test mode or the sandbox's is taken, and whether that fits the address."""
    problems = await container.stripe_mode.problems()
    mode = "sandbox" if container.settings.sandbox_enabled else str(await container.stripe_mode.mode())
    if container.stripe_mode.mixed is not None:
        problems = (*problems, container.stripe_mode.mixed)
    if not problems:
        return {"status": "ok", "mode": mode}
    return {"status": "degraded", "mode": mode, "problem": problems[0].detail, "cure": problems[0].cure}
