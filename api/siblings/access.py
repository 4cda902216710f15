"""Which service asks: by a bearer token of `SERVICE_TOKENS`, never by a cookie. Off while there is none."""

from typing import Annotated, Final

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.access import client_address
from api.problems import BadRequest
from services.container import Container
from services.errors import ServiceTokenRefused
from services.web.service_tokens import ServiceTokens

_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="serviceToken", description="A token of SERVICE_TOKENS, for other services."
)

_log = structlog.get_logger("security")


class ServiceAccess:
    """The dependency that finds out which service asks."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._tokens = ServiceTokens.of(container.settings.service_tokens)

    async def service(
        self, request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
    ) -> str:
        """Return the service's name, and count its question.

        Without any token in the settings there is nothing here (404). Raises ServiceTokenRefused for another's token,
        and RateLimited for too many questions, or too many wrong tokens from an address.
        """
        if not self._tokens:
            raise BadRequest(404)
        limits, policies = self._container.limits, self._container.policies
        name = self._tokens.service(shown.credentials) if shown is not None else None
        if name is None:
            await limits.hit(policies.refused_services, client_address(request))
            _log.warning("service_refused", reason="a token of nobody" if shown is not None else "no token")
            raise ServiceTokenRefused("no token of SERVICE_TOKENS")
        await limits.hit(policies.services, name)
        return name
