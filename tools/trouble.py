"""Trouble that there is while a scene (`tools/scenes.py`) is open."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from harness.app_process import Product


@contextmanager
def unreachable(product: Product) -> Iterator[None]:
    """Nobody says what somebody has."""
    with _faults(product, {"operation": "payment", "status": 503}, {"operation": "auth", "status": 503}):
        yield


@contextmanager
def slow_answers(product: Product) -> Iterator[None]:
    """The Payment MS answers, later than a page waits."""
    with _faults(product, {"operation": "payment", "delay": 2.5}):
        yield


@contextmanager
def store_away(product: Product) -> Iterator[None]:
    """What the app keeps can't be read."""
    with closing(sqlite3.connect(product.app.environment["STORAGE_PATH"], timeout=5)) as store:
        store.execute("ALTER TABLE entries RENAME TO away")
        store.commit()
        try:
            yield
        finally:
            store.execute("ALTER TABLE away RENAME TO entries")
            store.commit()


@contextmanager
def _faults(product: Product, *faults: dict[str, Any]) -> Iterator[None]:
    added = [product.control("POST", "/faults", **fault)["id"] for fault in faults]
    try:
        yield
    finally:
        for fault in added:
            product.control("DELETE", f"/faults/{fault}")
