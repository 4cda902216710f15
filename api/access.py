"""Who asks: the session behind a request's cookie, as dependencies of the routes. No body, path or query says it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.cart import user_owner, visitor_owner
from services.container import Container
from services.entitlements.model import Entitlement
from services.errors import NotSignedIn
from services.rate_limits import address_key
from services.sessions.service import Session, Visitor


class Access:
    """The dependencies that find out who asks."""

    def __init__(self, container: Container) -> None:
        self._container = container

    async def browser(self, request: Request) -> Session | Visitor | None:
        """Return who is behind the cookie: a signed-in user, a visitor, or None without a cookie of ours.

        Raises StoreUnavailable and SignInUnavailable when neither can say.
        """
        sessions = self._container.sessions
        found = await sessions.find(request.cookies.get(sessions.cookie_name, ""))
        if isinstance(found, Session):
            self._container.users.bind(found.user.user_id)
        return found

    async def session(self, request: Request) -> Session:
        """Return the signed-in session; raises NotSignedIn, and what `browser` raises."""
        found = await self.browser(request)
        if not isinstance(found, Session):
            raise NotSignedIn("no session behind the cookie" if found else "no cookie of ours")
        return found

    async def cart_owner(self, request: Request, response: Response) -> str:
        """Return whose cart is meant; a browser without a cookie gets one."""
        found = await self.browser(request)
        if found is None:
            found = Visitor(self.new_cookie(response))
        return user_owner(found) if isinstance(found, Session) else visitor_owner(found.id)

    async def count_press(self, request: Request, session: Session) -> None:
        """Count a press that leads to Stripe, for the user and then for the address. Raises RateLimited.

        What is refused to a user counts for no address: neighbours behind the same one are not to pay for it.
        """
        limits, policies = self._container.limits, self._container.policies
        await limits.hit(policies.presses, session.user.user_id)
        await limits.hit(policies.presses_by_address, client_address(request))

    def new_cookie(self, response: Response) -> str:
        """Give the browser a session cookie with a new id, and return the id."""
        sessions = self._container.sessions
        cookie = sessions.new_cookie()
        self.set_cookie(response, cookie)
        session_id = sessions.id_of(cookie)
        if session_id is None:
            raise RuntimeError("a cookie that was just signed can't be read")
        return session_id

    def set_cookie(self, response: Response, cookie: str) -> None:
        """Set the session cookie to this value."""
        sessions = self._container.sessions
        response.set_cookie(sessions.cookie_name, cookie, **sessions.cookie_attributes)

    def forget_cookie(self, response: Response) -> None:
        """Take the session cookie from the browser."""
        sessions = self._container.sessions
        kept = sessions.cookie_attributes
        response.delete_cookie(
            sessions.cookie_name, kept["path"], secure=kept["secure"], httponly=kept["httponly"],
            samesite=kept["samesite"],
        )  # fmt: skip

    def require(self, feature: str) -> Callable[[Session], Awaitable[Entitlement]]:
        """Return a dependency for routes that need a feature: it raises NotSignedIn or FeatureRequired for others."""

        async def required(session: Annotated[Session, Depends(self.session)]) -> Entitlement:
            return await self._container.entitlements.require(session, feature)

        return required

    def require_plan(self, plan_id: str) -> Callable[[Session], Awaitable[Entitlement]]:
        """Return a dependency for routes of members only: it raises NotSignedIn or PlanRequired for others."""

        async def required(session: Annotated[Session, Depends(self.session)]) -> Entitlement:
            return await self._container.entitlements.require_plan(session, plan_id)

        return required


def client_address(request: Request) -> str:
    """Return what limits count as one address."""
    return address_key(request.client.host if request.client else "")
