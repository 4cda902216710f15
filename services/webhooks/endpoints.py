"""Who is told what: `webhooks.json`, with an address, secrets and a list of events for each endpoint."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from standardwebhooks import Webhook

from services.errors import WebhooksUnusable
from services.webhooks.model import EventKind

_PLAIN_URL: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:_]+(/[A-Za-z0-9._~-]+)+", re.ASCII)
_ALL: Final = "*"


class Endpoint(BaseModel):
    """One receiver. Of several secrets each signs: a receiver that changes over takes either."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    url: str
    secrets: Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=3)]
    events: Annotated[tuple[str, ...], Field(min_length=1)] = (_ALL,)

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        if _PLAIN_URL.fullmatch(url) is None:
            raise ValueError("must be http(s)://host/path, with a path and without user, query or fragment")
        return url

    @field_validator("secrets")
    @classmethod
    def _usable(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            try:
                Webhook(secret.get_secret_value())
            except Exception:  # whatever the library raises at it, it is not shown: it may hold the secret
                raise ValueError("must be whsec_ and base64; python app.py events secret makes one") from None
            if len(secret.get_secret_value()) < 38:
                raise ValueError("must hold 24 random bytes or more; python app.py events secret makes one")
        return secrets

    @field_validator("events")
    @classmethod
    def _known(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        kinds = [kind.value for kind in EventKind]
        for name in events:
            if not any(_matches(name, kind) for kind in kinds):
                raise ValueError(f"{name} is no event; there are * and {', '.join(kinds)}")
        return events

    def wants(self, kind: EventKind) -> bool:
        """Whether this endpoint is to get events of a kind."""
        return any(_matches(name, kind.value) for name in self.events)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoints: Annotated[tuple[Endpoint, ...], Field(max_length=20)]


def read_endpoints(path: str) -> tuple[Endpoint, ...]:
    """Return the endpoints in a file, none for no file. Raises WebhooksUnusable with what is wrong with it."""
    if not path:
        return ()
    try:
        found = _File.model_validate_json(Path(path).read_bytes()).endpoints
    except OSError as error:
        raise WebhooksUnusable(f"WEBHOOKS_PATH: {path} can't be read ({error.strerror}).") from None
    except ValidationError as error:
        raise WebhooksUnusable(f"WEBHOOKS_PATH: {path}: {_first(error)}.") from None
    if len({one.name for one in found}) < len(found):
        raise WebhooksUnusable(f"WEBHOOKS_PATH: {path} names an endpoint twice; give each its own name.")
    return found


def _matches(wanted: str, kind: str) -> bool:
    """Whether a name in a list means a kind: itself, all of its family (`subscription.*`), or all."""
    return wanted in (_ALL, kind) or (wanted.endswith(".*") and kind.startswith(wanted[:-1]))


def _first(error: ValidationError) -> str:
    detail = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in detail["loc"]) or "the file"
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{place}: {reason[:1].lower()}{reason[1:]}"


def by_name(endpoints: Sequence[Endpoint]) -> dict[str, Endpoint]:
    """Return the endpoints by their names."""
    return {one.name: one for one in endpoints}
