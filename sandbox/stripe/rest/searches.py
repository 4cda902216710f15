"""Searches, as far as a Payment MS needs them: `metadata['user_id']:'u1' AND status:'active'`; paged by number.

As at Stripe, what was made within the last minute is not found yet (https://docs.stripe.com/search#data-freshness).
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from pydantic import Field

from sandbox.stripe.rest.params import CallParams
from sandbox.stripe.rest.problems import bad_request
from sandbox.stripe.rest.shapes import Shape

_CLAUSE: Final = re.compile(
    r"""^(?:(?P<field>[a-z_]+)|metadata\[(?P<q>['"])(?P<key>[^'"]+)(?P=q)\]):\s*(?P<value>.+)$"""
)

_NOT_YET: Final = timedelta(minutes=1)

T = TypeVar("T", bound="Searchable")


class SearchParams(CallParams):
    query: str = Field(min_length=1)
    limit: int = Field(default=10, ge=1, le=100)
    page: str = ""


class Searchable(Protocol):
    @property
    def created(self) -> datetime: ...


def found(params: SearchParams, things: Sequence[T], url: str, shape: Callable[[T], Shape], now: datetime) -> Shape:
    """The things that hold all clauses of the query, newest first."""
    things = [one for one in things if one.created <= now - _NOT_YET]
    clauses = [_clause(text) for text in re.split(r"\s+AND\s+", params.query.strip())]
    shapes = [one for one in map(shape, things) if all(_holds(one, *clause) for clause in clauses)]
    start = int(params.page) if params.page.isdigit() else 0
    end = start + params.limit
    more = end < len(shapes)
    return {
        "object": "search_result",
        "data": shapes[start:end],
        "has_more": more,
        "next_page": str(end) if more else None,
        "url": url,
    }


def _clause(text: str) -> tuple[str, str, str]:
    """A field, a key of metadata (or empty), and the value that is asked for."""
    match = _CLAUSE.match(text.strip())
    if match is None:
        raise bad_request(f"We were unable to parse your search query: {text}", param="query")
    value = match["value"].strip()
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    value = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
    return match["field"] or "metadata", match["key"] or "", value


def _holds(shape: Shape, field: str, key: str, value: str) -> bool:
    if field not in shape:
        raise bad_request(f"Field `{field}` is an unsupported search field.", param="query")
    known = shape[field]
    if key:
        return isinstance(known, dict) and known.get(key) == value
    if isinstance(known, bool):
        return str(known).lower() == value
    return known is not None and str(known) == value
