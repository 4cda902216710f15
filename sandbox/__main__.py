"""``python -m sandbox``: start everything, say where it is in one JSON line, stop on SIGTERM."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from pydantic import ValidationError

from sandbox.apps import build_apps
from sandbox.database import DatabaseInUse
from sandbox.listeners import address_of, bind, serve, stop_on_signals, stop_with_parent
from sandbox.payment.app_push import AppPush
from sandbox.scheduler import Scheduler
from sandbox.settings import PaymentMs, SandboxSettings
from sandbox.state import Addresses, SandboxState
from sandbox.stripe.posting import EndpointPoster


async def run(settings: SandboxSettings, parent: int | None = None) -> None:
    """Until a signal comes, or the parent is gone. Raises OSError for a taken port, DatabaseInUse for a taken file."""
    with contextlib.ExitStack() as stack:
        has_payment = settings.payment_ms is PaymentMs.RECORDED
        ports = (*((settings.payment_port,) if has_payment else ()), settings.auth_port, settings.stripe_port)
        sockets = [stack.enter_context(bind(settings.host, port)) for port in ports]
        *payment, auth, stripe = map(address_of, sockets)
        stripe_url = settings.public_url.rstrip("/") or stripe
        state = SandboxState(settings, Addresses(payment[0] if payment else "", auth, stripe_url))
        stack.callback(state.database.close)
        scheduler, push, poster = Scheduler(state), AppPush(state), EndpointPoster(state)
        all_apps = build_apps(state, scheduler)
        apps = all_apps if has_payment else (all_apps.auth, all_apps.stripe)
        stop, ready = asyncio.Event(), asyncio.Event()
        stop_on_signals(stop)
        helpers = [asyncio.create_task(scheduler.run()), asyncio.create_task(_announce(state, stripe, ready))]
        if parent is not None:
            helpers.append(asyncio.create_task(stop_with_parent(stop, parent)))
        for helper in helpers:
            helper.add_done_callback(lambda task: stop.set() if _failed(task) else None)
        try:
            await serve(list(zip(apps, sockets, strict=True)), stop, ready)
        finally:
            for helper in helpers:
                helper.cancel()
            outcomes = await asyncio.gather(*helpers, return_exceptions=True)
            await push.close()
            await poster.close()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome


async def _announce(state: SandboxState, stripe: str, ready: asyncio.Event) -> None:
    await ready.wait()
    line = {
        "payment_ms_url": state.addresses.payment,
        "auth_ms_url": state.addresses.auth,
        "stripe_url": state.addresses.stripe,
        "control_url": f"{stripe}/control",
        "api_key": state.settings.api_key.get_secret_value(),
        "pid": os.getpid(),
    }
    print(json.dumps(line), flush=True)


def _failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=(__doc__ or "").split("\n")[0])
    for name in ("payment", "auth", "stripe"):
        parser.add_argument(f"--{name}-port", type=int, help="0 takes a free one")
    parser.add_argument("--host")
    parser.add_argument("--database", type=Path, help="the SQLite file, or :memory:")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the starting process is gone")
    return parser.parse_args()


def main() -> int:
    parent = os.getppid()
    arguments = vars(_arguments())
    follow = arguments.pop("exit_with_parent")
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        env_file = os.environ.get("SANDBOX_ENV_FILE", ".env") or None
        asyncio.run(run(SandboxSettings(_env_file=env_file, **given), parent if follow else None))
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(map(str, problem["loc"])).upper()
            print(f"SANDBOX_{name}: {problem['msg']}.", file=sys.stderr)
        return 2
    except DatabaseInUse as error:
        print(f"Another sandbox uses this file; set SANDBOX_DATABASE. ({error})", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"Can't listen: {error.strerror}. Set SANDBOX_PAYMENT_PORT, _AUTH_PORT or _STRIPE_PORT.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
