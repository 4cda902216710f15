"""How customers are known, and who says what they may use: what this installation has seen of both services so far."""

from collections.abc import Iterator

from cli.check_storage import Storage
from cli.findings import Finding, ok, skipped, warning
from services.storage.marks import Mark
from settings import Settings


def look_at_customers(settings: Settings, storage: Storage) -> list[Finding]:
    """Return by which id billing knows customers, and whether the account has ever spoken of plans."""
    return [*_customer_id(settings, storage), *_plans(settings, storage)]


def _customer_id(settings: Settings, storage: Storage) -> Iterator[Finding]:
    if settings.customer_id == "email":
        yield ok("customer_id", "The Payment MS is asked by e-mail address, as by the front end that was there before.")
        return
    if storage.marks is not None and Mark.RECORD_UNDER_EMAIL in storage.marks:
        detail = "A subscription is on record under a user's e-mail address, and customers are known by user id."
        cure = "Set CUSTOMER_ID=email: else every subscriber from before is a new customer (docs/migration.md)."
        yield warning("customer_id", detail, cure)
        return
    yield ok(
        "customer_id",
        "Customers are known by user id. If another front end sent the e-mail address until now, CUSTOMER_ID=email "
        "keeps its subscribers (docs/migration.md).",
    )


def _plans(settings: Settings, storage: Storage) -> Iterator[Finding]:
    by_record = settings.grant_by_record
    if storage.marks is None:
        yield skipped("account_plans", "Whether the Auth MS speaks of plans is not known: the store can't be read now.")
    elif Mark.ACCOUNT_SPOKE_OF_PLANS in storage.marks:
        yield ok("account_plans", "The Auth MS has spoken of plans.")
    elif Mark.ACCOUNT_ANSWERED not in storage.marks:
        yield ok("account_plans", "Whether the Auth MS speaks of plans is known after the first sign-in.")
    elif by_record:
        detail = "The Auth MS has never spoken of plans: a record in billing whose period runs grants its plan."
        yield ok("account_plans", detail)
    else:
        detail = "The Auth MS has never spoken of plans in any answer, so nobody gets what they paid for."
        cure = (
            "Have it answer subscription_status and subscription_plan; or set GRANT_BY_RECORD=true: a record in "
            "billing then grants its plan until its end, also of who has canceled or not paid."
        )
        yield warning("account_plans", detail, cure)
