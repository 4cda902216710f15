"""What can be known without asking anybody: said by `check`, and in the log of every start."""

from catalog import Catalog
from cli.check_catalog import look_at_catalog, look_at_trials
from cli.check_keys import look_at_keys
from cli.check_shown import look_at_shown
from cli.check_sign_in import look_at_sign_in
from cli.findings import Finding, Level, error, ok, warning
from settings import Settings, SettingsError
from wiring.systems import endpoints


def look_at_files(settings: Settings) -> tuple[list[Finding], Catalog | None]:
    """Return what keys, files and the way to sign in say, and the catalog if there is one."""
    sold, catalog = look_at_catalog(settings)
    found = [*look_at_shown(settings), *look_at_keys(settings), look_at_sign_in(settings)]
    return [*found, *_look_at_webhooks(settings), *sold], catalog


def _look_at_webhooks(settings: Settings) -> list[Finding]:
    """Return who is told of changes, or what is wrong with the file that says so, which the start refuses."""
    try:
        found = endpoints(settings)
    except SettingsError as problem:
        return [error("webhooks", sentence) for sentence in problem.problems]
    return [ok("webhooks", f"Told of changes: {', '.join(one.name for one in found)}.")] if found else []


def doubts(settings: Settings) -> list[Finding]:
    """Return what works and is hardly meant, and what can't work although the app starts."""
    found, catalog = look_at_files(settings)
    said = [warning("settings", sentence) for sentence in settings.warnings()]
    found = [*said, *found, *look_at_trials(settings, catalog, None)]
    return [finding for finding in found if finding.level in (Level.WARNING, Level.ERROR)]
