"""Whether this replica can do its work, part by part.

`/readyz` says it to load balancers, `/metrics` to Prometheus, `/ops` to people.
"""

import asyncio
from typing import Final

from services.container import Container
from services.errors import StoreUnavailable
from services.storage.sqlite.opened_files import FileReplaced
from services.upstream.client import CircuitState, Upstream

PING_DEADLINE: Final = 2.0

Check = dict[str, object]
"""One part's `status` (`ok`, `degraded` or `failing`), and what there is to say of it: the `problem` and its `cure`
wherever it is not well."""

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
        problem = health.problem or "No page has been drawn yet."
        cure = "Go back to the release, or the NiceGUI, that drew them: docs/compatibility.md."
        return {"status": "failing", "problem": problem, "cure": cure}
    if health.left_off:
        problem = f"Left off, since it does not fit the installed NiceGUI: {', '.join(health.left_off)}."
        cure = "Pages are slower and else the same. docs/compatibility.md says with which releases all fits."
        return {"status": "degraded", "left_off": dict(health.left_off), "problem": problem, "cure": cure}
    return {"status": "ok"}


async def _store(container: Container) -> Check:
    try:
        async with asyncio.timeout(PING_DEADLINE):
            await container.store.ping()
    except (StoreUnavailable, TimeoutError) as error:
        problem = "Sign-ins, carts and locks can't be kept; look at the store."
        cure = "Redis: is it up, full, slow? SQLite: is the disk full, the file writable? It then goes on by itself."
        if isinstance(error.__cause__, FileReplaced):
            problem = "The store's file was replaced under the running app, and neither is written to; restart the app."
            cure = "Restart the app: it takes the file that is there now."
        return {"status": "failing", "problem": problem, "cure": cure}
    return {"status": "ok"}


def _quick_checks(container: Container) -> dict[str, Check]:
    """Return what is known without asking anybody."""
    checks: dict[str, Check] = {}
    for upstream in (container.payment_upstream, container.auth_upstream):
        checks[upstream.name] = _answers(upstream)
    checks["catalog"] = {"version": container.catalog.version} | _degraded(
        container.catalogs.problem, "Mend the file: `python app.py check` names the line. It is read within seconds."
    )
    checks["clock"] = _degraded(
        container.payment_upstream.clock_skew.problem,
        "Set it by NTP, or theirs where the services don't agree.",
    )
    alone = "Limits are counted by this replica alone: Redis does not answer for them."
    checks["limits"] = _degraded(alone if container.limits.degraded else None, "Look at Redis.")
    return checks


def _answers(upstream: Upstream) -> Check:
    """Whether a service answers, and takes our key."""
    circuits = {operation: circuit.state for operation, circuit in upstream.circuits.items()}
    check: Check = {"circuits": {operation: str(state) for operation, state in circuits.items()}}
    if refused := upstream.key_problem:
        return check | _degraded(*refused)
    silent = ", ".join(operation for operation, state in circuits.items() if state is not CircuitState.CLOSED)
    cure = "Is it up, and can this machine reach it? `upstream_call` lines say how calls end. It is tried by itself."
    return check | _degraded(f"Its last calls failed: {silent}." if silent else None, cure)


def _degraded(problem: str | None, cure: str) -> Check:
    return {"status": "degraded", "problem": problem, "cure": cure} if problem else {"status": "ok"}


async def _money(container: Container) -> Check:
    """Whether real money, Stripe's test mode or the sandbox's is taken, and whether that fits the address."""
    problems = await container.stripe_mode.problems()
    mode = "sandbox" if container.settings.sandbox_enabled else str(await container.stripe_mode.mode())
    if container.stripe_mode.mixed is not None:
        problems = (*problems, container.stripe_mode.mixed)
    if not problems:
        return {"status": "ok", "mode": mode}
    return {"status": "degraded", "mode": mode, "problem": problems[0].detail, "cure": problems[0].cure}
