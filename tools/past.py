"""Puts things into a running product's past: what the clock alone would bring about, and nobody wants to wait for.

Writes into the app's store file beside the app, as a restart of it would find things.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

from catalog import load_catalog
from harness.app_process import ROOT, Product
from services.auth_ms import PlanGrant
from services.checkout_record import Checkout, CheckoutEvent
from services.payment_ms import SubscriptionRecord
from services.subscription.snapshot import UpstreamSnapshot


def came_back(product: Product, user_id: str, ago: timedelta) -> None:
    """Let the user have come back that long ago from all their checkouts, which were opened before."""
    then = (datetime.now(UTC) - ago).isoformat()
    with _store(product) as store:
        store.execute(
            "UPDATE fields SET value = ? WHERE key = ? AND field LIKE ?",
            (then, f"checkouts:{user_id}", f"%.{CheckoutEvent.RETURNED}"),
        )
        for field, text in store.execute(
            "SELECT field, value FROM fields WHERE key = ? AND field NOT LIKE '%.%'", (f"checkouts:{user_id}",)
        ).fetchall():
            checkout = Checkout.model_validate_json(text)
            moved = {"started_at": checkout.started_at - ago, "ends_at": checkout.expires_at - ago}
            store.execute(
                "UPDATE fields SET value = ? WHERE key = ? AND field = ?",
                (checkout.model_copy(update=moved).model_dump_json(), f"checkouts:{user_id}", field),
            )


def had_premium(product: Product, user_id: str, ago: timedelta) -> None:
    """Let both services have said that long ago that the user has Premium; the app must not have asked since."""
    now = datetime.now(UTC)
    then, end = now - ago, now + timedelta(days=20)
    snapshot = UpstreamSnapshot()
    for plan in load_catalog(ROOT / "products.json").plans:
        if plan.product_id is not None:
            record = SubscriptionRecord(exists=False, product_id=plan.product_id)
            if plan.id == "premium":
                record = SubscriptionRecord(True, plan.product_id, "active", "sub_1", "cus_1", end)
            snapshot = snapshot.with_record(plan.product_id, record, then)
    snapshot = snapshot.with_account(PlanGrant("active", "premium", end), then)
    with _store(product) as store:
        store.execute("INSERT INTO entries VALUES (?, ?, NULL)", (f"evidence:{user_id}", snapshot.model_dump_json()))


@contextmanager
def _store(product: Product) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(product.app.environment["STORAGE_PATH"], timeout=5)) as connection, connection:
        yield connection
