"""A product with a catalog file and a marketing site of its own, and the steps that tests of the shop share."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from harness.app_process import NO_AUTHORITIES, Product, free_port, running_product
from harness.cluster import until
from tools.chromium import wait_until_connected

PRODUCTS = json.loads((Path(__file__).parents[2] / "products.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class ProductWithCatalog:
    """A product with a catalog file of its own, and the origin that may frame its prices."""

    product: Product
    catalog: Path
    marketing: str
    first_version: str

    def sell(self, document: dict[str, Any]) -> None:
        """Put another catalog into the file of the running app, in one step."""
        draft = self.catalog.with_suffix(".draft")
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(self.catalog)

    def until_first_catalog(self) -> None:
        """Wait until the app sells what it started with: a page that opens before is drawn anew under one's hands."""
        assert until(lambda: catalog_version(self.product) == self.first_version)


def catalog_version(product: Product) -> str:
    """Which catalog the app has in force."""
    ready = httpx.get(f"{product.url}/readyz", timeout=10.0, trust_env=False, verify=NO_AUTHORITIES)
    return str(ready.json()["checks"]["catalog"]["version"])


@contextmanager
def running_shop(folder: Path) -> Iterator[ProductWithCatalog]:
    """Start an app and a sandbox that share a catalog file in `folder`."""
    catalog = folder / "products.json"
    catalog.write_text(json.dumps(PRODUCTS), encoding="utf-8")
    marketing = f"http://127.0.0.1:{free_port()}"
    settings = {"CATALOG_PATH": str(catalog), "EMBED_ORIGINS": marketing}
    with running_product(folder, app=settings, catalog_path=str(catalog), webhook_delay="1") as product:
        yield ProductWithCatalog(product, catalog, marketing, catalog_version(product))


def at_the_shop(page: Page, path: str = "/shop") -> None:
    """Open a page and wait until its socket is connected."""
    page.goto(path)
    wait_until_connected(page)
