"""What is sold: can the file be read, and can its ids work where the site stands."""

from catalog import Catalog, CatalogError, load_catalog
from cli.findings import Finding, error, ok
from services.stripe_mode import wrong_ids
from settings import Settings


def look_at_catalog(settings: Settings) -> tuple[list[Finding], Catalog | None]:
    """Return a finding for each problem of the file, or of its ids, and the catalog if there is one."""
    try:
        catalog = load_catalog(settings.catalog_path)
    except CatalogError as problem:
        cure = f"Correct {settings.catalog_path}."
        return [error("catalog", f"{fault}.", cure) for fault in problem.problems], None
    plans, items = len(catalog.plans), len(catalog.items)
    findings = [ok("catalog", f"{settings.catalog_path} sells {plans} plans and {items} items.")]
    wrong = wrong_ids(catalog, sandbox=settings.sandbox_enabled)
    places: dict[str, list[str]] = {}
    for found in wrong:
        places.setdefault(found.reason, []).append(found.place)
    findings += [
        error("catalog_ids", f"{reason[:1].upper()}{reason[1:]}: {_few(where)}.", _cure(reason))
        for reason, where in places.items()
    ]
    if not wrong:
        findings.append(ok("catalog_ids", "Products and prices are named by ids of their kind."))
    return findings, catalog


def _few(places: list[str]) -> str:
    shown = ", ".join(places[:3])
    return shown if len(places) <= 3 else f"{shown} and {len(places) - 3} more"


def _cure(reason: str) -> str:
    if "sandbox" in reason:
        return "Run python app.py register, or copy the ids from Stripe's dashboard."
    return "Copy the right ids from Stripe's dashboard; a price's begins with price_."
