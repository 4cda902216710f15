"""Bodies read strictly: duplicate keys, NaN and deep nesting are refused, not guessed at (OWASP ASVS 15.3)."""

import json
from collections.abc import Callable, Coroutine
from typing import NoReturn

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response


def read_json(body: bytes) -> object:
    """Return the value of a body that means one thing only; raises JSONDecodeError for any other."""
    try:
        return json.loads(body, object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(type(error).__name__, "", 0) from None


class StrictRequest(Request):
    """A request whose JSON means one thing only."""

    async def json(self) -> object:
        """Return the body's value; raises JSONDecodeError, which FastAPI answers with 422."""
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its body as a `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[object, object, Response]]:
        """Return FastAPI's handler, given the stricter request."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
