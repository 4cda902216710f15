"""``python app.py check``: the operator's doctor. Looks at everything the app needs; changes and buys nothing."""

import argparse
import asyncio
from typing import TYPE_CHECKING, Final

from cli.check_catalog import look_at_trials
from cli.check_clock import look_at_clock
from cli.check_customers import look_at_customers
from cli.check_offline import look_at_files
from cli.check_public import look_at_public_url
from cli.check_services import look_at_auth_ms, look_at_payment_ms, payment_ms
from cli.check_storage import look_at_storage, without_harm
from cli.findings import Finding, as_json, as_text, error, ok, sound, warning
from cli.live_checkout import open_live_checkout
from cli.quiet import quiet_logs
from services.stripe_mode import StripeMode, is_public, stripe_mode_problems
from settings import Settings, SettingsError, load_settings

INTERRUPTED: Final = 130

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_check(commands: "Commands") -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser("check", help="look at everything the app needs, and say what is wrong")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--live-checkout", metavar="PRICE", help="also open a checkout session for this price")
    parser.add_argument("--before-start", action="store_true", help="ask nobody: only what a start would refuse or log")
    parser.add_argument("--while-running", action="store_true", help="try the key although the app is running")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        with quiet_logs():
            findings = (
                check_before_start()
                if options.before_start
                else asyncio.run(check(options.live_checkout, while_running=options.while_running))
            )
    except KeyboardInterrupt:
        return INTERRUPTED
    print(as_json(findings) if options.json else as_text(findings))
    return 0 if sound(findings) else 1


def check_before_start() -> list[Finding]:
    """Return what is known without asking anybody: services, store and proxy may come later than a container."""
    try:
        settings = load_settings()
    except SettingsError as problem:
        return [error("settings", sentence) for sentence in problem.problems]
    known, catalog = look_at_files(settings)
    return [*_look_at_settings(settings), *known, *look_at_trials(settings, catalog, None)]


async def check(live_checkout: str | None = None, *, while_running: bool = False) -> list[Finding]:
    """Return everything there is to say about this installation; with a price, open a checkout session for it."""
    try:
        settings = load_settings()
    except SettingsError as problem:
        return [error("settings", sentence) for sentence in problem.problems]
    known, catalog = look_at_files(settings)
    storage = await look_at_storage(settings)
    findings = [*_look_at_settings(settings), *known, storage.finding]
    unasked = without_harm(settings, storage, while_running=while_running)
    mode = storage.mode
    try:
        async with payment_ms(settings, storage.redis) as (client, clock):
            findings += await look_at_payment_ms(settings, catalog, client, clock, unasked)
            if live_checkout:
                opened, seen = await open_live_checkout(settings, catalog, client, live_checkout, unasked)
                findings.append(opened)
                mode = mode if seen is StripeMode.UNKNOWN else seen
    finally:
        if storage.redis is not None:
            await storage.redis.close()
    answered, auth_ahead = await look_at_auth_ms(settings)
    findings += look_at_customers(settings, storage)
    findings += [*answered, look_at_clock({"the Payment MS": clock.ahead, "the Auth MS": auth_ahead})]
    findings += await look_at_public_url(settings)
    return [*findings, *_look_at_money(settings, mode)]


def _look_at_settings(settings: Settings) -> list[Finding]:
    """Return that the settings are valid, and their warnings; those on a public PUBLIC_URL are errors elsewhere."""
    told_elsewhere = is_public(settings.public_url)
    shown = [text for text in settings.warnings() if not (told_elsewhere and text.startswith("PUBLIC_URL is "))]
    where = "sandbox mode" if settings.sandbox_enabled else "with a Payment MS"
    return [ok("settings", f"All are valid ({where})."), *(warning("settings", text) for text in shown)]


def _look_at_money(settings: Settings, mode: StripeMode) -> list[Finding]:
    problems = stripe_mode_problems(settings.public_url, sandbox=settings.sandbox_enabled, mode=mode)
    if problems:
        return [error("money", problem.detail, problem.cure) for problem in problems]
    if settings.sandbox_enabled:
        return [ok("money", "Sandbox: no money moves, and only this machine sees it.")]
    words = {
        StripeMode.LIVE: "The last checkout asked for real money.",
        StripeMode.TEST: "The last checkout was in Stripe's test mode.",
        StripeMode.UNKNOWN: "Unknown until a checkout is opened (--live-checkout PRICE opens one).",
    }
    return [ok("money", words[mode])]
