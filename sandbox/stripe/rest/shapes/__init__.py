"""How Stripe's API writes its objects down, in the version that `VERSION` names (https://docs.stripe.com/api).

Names and types are those of Stripe's own library, and a test compares them.
"""

from datetime import datetime
from typing import Final, TypeAlias

VERSION: Final = "2026-08-26.dahlia"

Shape: TypeAlias = dict[str, object]


def unix(moment: datetime) -> int:
    return int(moment.timestamp())


def unix_or_none(moment: datetime | None) -> int | None:
    return unix(moment) if moment else None


def nulls(names: str) -> Shape:
    """Fields that are there and empty."""
    return dict.fromkeys(names.split())


def listing(url: str, items: list[Shape], *, has_more: bool = False) -> Shape:
    return {"object": "list", "data": items, "has_more": has_more, "url": url}
