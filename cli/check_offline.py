"""What can be known without asking anybody: said by `check`, and in the log of every start."""

from catalog import Catalog
from cli.check_catalog import look_at_catalog
from cli.check_keys import look_at_keys
from cli.check_sign_in import look_at_sign_in
from cli.findings import Finding, Level, warning
from settings import Settings


def look_at_files(settings: Settings) -> tuple[list[Finding], Catalog | None]:
    """Return what keys, the way to sign in and the catalog's file say, and the catalog if there is one."""
    sold, catalog = look_at_catalog(settings)
    return [*look_at_keys(settings), look_at_sign_in(settings), *sold], catalog


def doubts(settings: Settings) -> list[Finding]:
    """Return what works and is hardly meant, and what can't work although the app starts."""
    found, _catalog = look_at_files(settings)
    said = [warning("settings", sentence) for sentence in settings.warnings()]
    return [finding for finding in (*said, *found) if finding.level in (Level.WARNING, Level.ERROR)]
