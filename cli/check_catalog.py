"""What is sold: can the file be read, and can its ids work where the site stands."""

from collections.abc import Iterator
from datetime import UTC, datetime

import languages
from catalog import Catalog, CatalogError, Plan, Price, load_catalog, may_be_drawing
from cli.findings import Finding, error, ok, warning
from services.payment_contract.features import ContractFeature, PaymentContract
from services.stripe_mode import IdFault, WrongId, is_public, wrong_ids
from settings import SANDBOX_API_KEY, Settings
from ui.theme import item_drawings


def look_at_catalog(settings: Settings) -> tuple[list[Finding], Catalog | None]:
    """Return a finding for each problem of the file, or of its ids, and the catalog if there is one."""
    try:
        catalog = load_catalog(settings.catalog_path)
    except CatalogError as problem:
        cure = f"Correct {settings.catalog_path}."
        return [error("catalog", f"{fault}.", cure) for fault in problem.problems], None
    return _look_inside(settings, catalog)


def _look_inside(settings: Settings, catalog: Catalog) -> tuple[list[Finding], Catalog]:
    in_force = catalog.in_force(datetime.now(UTC), trials=True, shop=settings.shop)  # `look_at_trials` says if offered
    plans, items = len(in_force.on_sale), len(in_force.items)
    findings = [ok("catalog", f"{settings.catalog_path} sells {plans} plans and {items} items.")]
    findings += _lives(settings, catalog, in_force)
    findings += _untranslated(settings, catalog)
    findings += _pictures(catalog)
    return [*findings, *look_at_ids(settings, catalog)], in_force


def look_at_ids(settings: Settings, catalog: Catalog) -> list[Finding]:
    """Return a finding for each way in which ids are wrong, those of items apart, since another cure helps there."""
    wrong = _wrong(settings, catalog)
    places: dict[tuple[str, str], list[str]] = {}
    for found in wrong:
        places.setdefault((found.reason, _cure(found)), []).append(found.place)
    if not wrong:
        return [ok("catalog_ids", "Products and prices are named by ids of their kind.")]
    return [
        error("catalog_ids", f"{reason[:1].upper()}{reason[1:]}: {_few(where)}.", cure)
        for (reason, cure), where in places.items()
    ]


def sandbox_ids_refused(settings: Settings, catalog: Catalog) -> str:
    """Return why the app must not start: a real key, and ids that only the sandbox knows. Nothing when it may."""
    key = settings.payment_ms_api_key
    if settings.allow_sandbox_ids or key is None or key.get_secret_value() == SANDBOX_API_KEY:
        return ""
    places = [found.place for found in _wrong(settings, catalog) if found.fault is IdFault.SANDBOX]
    if not places:
        return ""
    return (
        f"{settings.catalog_path} has ids of the sandbox ({_few(places)}) and PAYMENT_MS_API_KEY is a real key, so "
        "nothing could be bought. Run python app.py register, or copy the ids from Stripe's dashboard; "
        "ALLOW_SANDBOX_IDS=true starts all the same."
    )


def _wrong(settings: Settings, catalog: Catalog) -> tuple[WrongId, ...]:
    public = settings.secure_cookies and is_public(settings.public_url)
    return wrong_ids(catalog, sandbox=settings.sandbox_enabled, public=public)


def _pictures(catalog: Catalog) -> Iterator[Finding]:
    """Yield the names of pictures that there are none of: a parcel is shown instead."""
    ours = item_drawings.names()
    unknown = [
        f"items[{index}].image"
        for index, item in enumerate(catalog.items)
        if item.image.removesuffix(".svg") not in ours and (not item.picture_file or may_be_drawing(item))
    ]
    if unknown:
        detail = f"No drawing has this name, so a parcel is shown: {_few(unknown)}."
        yield warning("catalog_pictures", detail, f"Name one of {', '.join(ours)}, or a file beside the catalog.")


def _lives(settings: Settings, catalog: Catalog, in_force: Catalog) -> Iterator[Finding]:
    """Yield what is allowed and probably not meant: a catalog that sells nothing, prices that are over."""
    prices = list(_priced(catalog))
    if not in_force.on_sale and not in_force.items:
        cure = "Take retired off a plan, or give it a price that is sold."
        yield warning("catalog", f"{settings.catalog_path} offers nothing: every plan and price is retired.", cure)
    now = datetime.now(UTC)
    if over := [place for place, plan, price in prices if price.until is not None and price.until <= now]:
        yield warning("catalog_until", f"No longer sold: {_few(over)}.", "Remove until, or say retired instead.")
    gone = [f"plans[{n}]" for n, plan in enumerate(in_force.plans) if not plan.retired and not plan.on_sale]
    if gone:
        yield warning(
            "catalog_retired", f"All prices are retired: {_few(gone)}.", "Say retired on the plan, or sell it."
        )


def look_at_trials(settings: Settings, catalog: Catalog | None, contract: PaymentContract | None) -> list[Finding]:
    """Return that trials stand in the catalog and none is offered.

    Without a contract the service was not asked: where its word decides nothing is known.
    """
    given = settings.payment_ms_gives_trials
    if given is None:
        given = contract is None or contract.has(ContractFeature.TRIAL_DAYS)
    trials = [place for place, plan, price in _priced(catalog) if price.trial_days and plan.on_sale] if catalog else []
    if given or not trials:
        return []
    reason = "nothing says that the Payment MS gives trials: none is offered"
    if settings.payment_ms_gives_trials is False:
        reason = "PAYMENT_MS_GIVES_TRIALS is false: none is offered"
    cure = "Set PAYMENT_MS_GIVES_TRIALS=true if it gives them; a checkout charges at once if it does not."
    return [warning("catalog_trials", f"trial_days stand in {_few(trials)}, but {reason}.", cure)]


def _untranslated(settings: Settings, catalog: Catalog) -> Iterator[Finding]:
    """Yield one warning for the operator's own words that readers of an offered language would see in English."""
    offered = {_language(locale) for locale in settings.languages or languages.available()} - {"en"}
    lacking = {
        place: missing
        for place, text in catalog.own_texts()
        if not isinstance(text.root, str) and (missing := sorted(offered - {_language(name) for name in text.root}))
    }
    if lacking:
        what = _few([f"{place} ({', '.join(missing)})" for place, missing in lacking.items()])
        yield warning("catalog_texts", f"Shown in English in these languages: {what}.", "Add their translations.")


def _language(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0]


def _priced(catalog: Catalog) -> Iterator[tuple[str, Plan, Price]]:
    for index, plan in enumerate(catalog.plans):
        for interval, price in plan.prices.items():
            yield f"plans[{index}].prices.{interval}", plan, price


def _few(places: list[str]) -> str:
    shown = ", ".join(places[:3])
    return shown if len(places) <= 3 else f"{shown} and {len(places) - 3} more"


def _cure(found: WrongId) -> str:
    if found.fault is IdFault.KIND:
        return "Copy the right ids from Stripe's dashboard; a price's begins with price_."
    if found.of_item:
        return "Make the item a product with a one-time price in Stripe's dashboard, and copy both ids."
    return "Run python app.py register, or copy the ids from Stripe's dashboard."
