"""What happens before a page is built: who it is in the log, and what the frame shows of them (plan, banners, cart)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from services.sessions.service import Session
from ui.billing.state_banner import prepare_state_banner
from ui.page.context import PageContext
from ui.page.current_user import known_status
from ui.page.stripe_mode_banner import prepare_stripe_mode_banner
from ui.shop.live_cart import prepare_cart

Arrival = Callable[[PageContext], Awaitable[None]]


async def bind_user(context: PageContext) -> None:
    """Name the user, hashed, in the log lines of this request."""
    if isinstance(context.session, Session):
        context.container.users.bind(context.session.user.user_id)


async def observe_status_age(context: PageContext) -> None:
    """Count how old the status is that the page is drawn from."""
    customer_status = known_status(context)
    if customer_status is not None:
        context.container.metrics.observe_age((datetime.now(UTC) - customer_status.as_of).total_seconds())


ARRIVALS: Final[tuple[Arrival, ...]] = (
    bind_user,
    prepare_stripe_mode_banner,
    prepare_state_banner,
    observe_status_age,
    prepare_cart,
)
"""Run in this order before each page."""
