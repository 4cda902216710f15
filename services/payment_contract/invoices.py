"""A customer's invoices as a service of the second version tells them: number, day, sum, state, Stripe's page of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pydantic import AwareDatetime

from services.upstream.responses import read_moment

_CURRENCY: Final = re.compile(r"[a-zA-Z]{3}", re.ASCII)
_LONGEST: Final = 64


class InvoiceStatus(StrEnum):  # the same name as the sandbox's, which writes what is read here
    """Stripe's words for an invoice. Drafts are not told."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


@dataclass(frozen=True, slots=True)
class Invoice:  # the same name as the sandbox's, which writes what is read here
    """One invoice; `amount` is its total in minor units. `url` is Stripe's page of it, None where there is none."""

    number: str
    created: AwareDatetime
    amount: int
    currency: str
    status: InvoiceStatus
    url: str | None = None


def read_invoices(content: object) -> tuple[Invoice, ...] | None:
    """Return the invoices in an answer's object, newest first, without those that can't be read.

    None for no list, and for one of which nothing can be read: that is no list of none.
    """
    rows = content.get("invoices") if isinstance(content, Mapping) else None
    if not isinstance(rows, list):
        return None
    found = tuple(sorted(_readable(rows), key=lambda invoice: invoice.created, reverse=True))
    told = [row for row in rows if not (isinstance(row, Mapping) and row.get("status") == "draft")]
    return found if found or not told else None


def _readable(rows: list[object]) -> Iterator[Invoice]:
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        number, amount, currency = row.get("number"), row.get("amount"), row.get("currency")
        created, status = read_moment(row.get("created")), row.get("status")
        if not isinstance(amount, int) or isinstance(amount, bool) or created is None:
            continue
        if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
            continue
        if not isinstance(status, str) or status not in set(InvoiceStatus):
            continue
        text = number[:_LONGEST] if isinstance(number, str) else ""
        yield Invoice(
            text, created, amount, currency.lower(), InvoiceStatus(status), _page(row.get("hosted_invoice_url"))
        )


def _page(value: object) -> str | None:
    """Return an https address, or one of this machine; a browser is sent to nothing else."""
    if not isinstance(value, str) or len(value) > 4096:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))
    return value if secure and parts.hostname and parts.username is None else None
