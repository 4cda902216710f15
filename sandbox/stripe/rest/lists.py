"""Lists by cursor (https://docs.stripe.com/api/pagination): newest first, so many at a time, after or before one."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sandbox.stripe.rest.params import ListParams
from sandbox.stripe.rest.problems import no_such
from sandbox.stripe.rest.shapes import Shape, listing

T = TypeVar("T")


def page_of(
    things: Sequence[T], asked: ListParams, url: str, key: Callable[[T], str], shape: Callable[[T], Shape]
) -> Shape:
    """The asked page; only what is on it is written down."""
    cursor = asked.starting_after or asked.ending_before
    places = {key(thing): place for place, thing in enumerate(things)}
    if cursor and cursor not in places:
        raise no_such("object", cursor, "starting_after" if asked.starting_after else "ending_before")
    if asked.ending_before:
        end = places[cursor]
        start = max(0, end - asked.limit)
        return listing(url, [shape(thing) for thing in things[start:end]], has_more=start > 0)
    start = places[cursor] + 1 if cursor else 0
    end = start + asked.limit
    return listing(url, [shape(thing) for thing in things[start:end]], has_more=end < len(things))
