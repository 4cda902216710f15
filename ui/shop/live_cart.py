"""The cart of whoever looks, on every open page of theirs: its count beside the link, its lines where they are shown.

`prepare_cart` is one of `ui/serving/arrivals.py`: every page does so. A page listens for changes from
when its socket is connected until NiceGUI deletes its client. There is no timer: whoever
changes a cart announces it (`services/cart.py`).
"""

from collections.abc import Callable

import structlog
from nicegui import Client, background_tasks, ui

from services.cart import Cart, user_owner, visitor_owner
from services.errors import FrontendError, NotSignedIn
from services.sessions.service import Session, Visitor, session_key
from services.storage.pubsub import Subscriber, Topic
from ui.nicegui_ext.page_views import is_closed
from ui.page.context import PageContext
from ui.page.current_user import cookie_of_socket

_log = structlog.get_logger(__name__)


class LiveCart:
    """One page's connection to its cart."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._client: Client = ui.context.client
        self._owner = ""
        self._listeners: list[Subscriber] = []
        self._callbacks: list[Callable[[Cart], None]] = []
        self._looking = False
        self._look_again = False
        self._client.on_connect(self._connected)
        self._client.on_delete(self._close)

    def on_change(self, callback: Callable[[Cart], None]) -> None:
        """Call `callback` with the cart whenever it may have changed, in the page's context."""
        self._callbacks.append(callback)

    def look(self) -> None:
        """Read the cart soon; many calls at once read it once or twice."""
        if self._looking:
            self._look_again = True
        elif self._owner and not is_closed(self._client):
            self._looking = True
            _task = background_tasks.create(self._read(), name="live cart")

    async def _connected(self) -> None:
        pubsub = self._context.container.pubsub
        try:
            who = await shopper(self._context)
        except FrontendError as error:
            _log.info("cart_not_followed", code=error.code)
            return
        if is_closed(self._client) or self._owner == owner_of(who):
            self.look()
            return
        self._close()
        self._owner = owner_of(who)
        self._listeners = [pubsub.listen(Topic.CART, self._owner, lambda _text: self.look())]
        if isinstance(who, Visitor):
            ended = pubsub.listen(Topic.SESSION_ENDED, session_key(who.id), lambda _text: self._reload())
            self._listeners.append(ended)
        self.look()

    async def _read(self) -> None:
        try:
            while True:
                self._look_again = False
                cart: Cart = await self._context.container.cart.read(self._owner)
                if is_closed(self._client):
                    return
                with self._client:
                    self._show(cart)
                if not self._look_again:
                    return
        except FrontendError as error:
            _log.warning("cart_unknown", code=error.code, cause=str(error))
        finally:
            self._looking = False

    def _show(self, cart: Cart) -> None:
        if self._context.frame is not None:
            self._context.frame.show_cart_count(cart.count)
        for callback in self._callbacks:
            callback(cart)

    def _reload(self) -> None:
        """A user signed in in another tab: this one belongs to them now."""
        if not is_closed(self._client):
            with self._client:
                ui.navigate.to(self._context.here)

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []


def live_cart(context: PageContext) -> LiveCart:
    """Return this page's `LiveCart`, made at the first call."""
    return context.part(LiveCart, lambda: LiveCart(context))


async def prepare_cart(context: PageContext) -> None:
    """Count the cart for the frame, and follow it. No page fails for a cart that can't be read."""
    if not context.catalog.items:
        return
    live_cart(context)
    cart = await known_cart(context)
    context.cart_count = cart.count if cart is not None else 0


async def known_cart(context: PageContext) -> Cart | None:
    """Return the cart that a page is drawn from, read once a visit; None when the store can't say."""
    if context.cart is None:
        who = context.session
        try:
            context.cart = Cart() if who is None else await context.container.cart.read(owner_of(who))
        except FrontendError as error:
            _log.warning("cart_unknown", code=error.code, cause=str(error))
    return context.cart


async def shopper(context: PageContext) -> Session | Visitor:
    """Return who shops on this page as the store has it now.

    The cookie of the open socket is asked first: on a browser's first page the request had none yet. Raises NotSignedIn
    when the sign-in has ended or no cookies are kept, StoreUnavailable and SignInUnavailable when no service knows.
    """
    sessions, name = context.container.sessions, context.container.sessions.cookie_name
    for cookie in (cookie_of_socket(ui.context.client, name), context.request.cookies.get(name)):
        found = await sessions.find(cookie) if cookie else None
        if isinstance(found, Session) or (isinstance(found, Visitor) and context.user is None):
            return found
    raise NotSignedIn("no known user is behind the page's cookie")


async def buyer(context: PageContext) -> Session:
    """Return the signed-in session of this page as it is now. Raises like `shopper`, and NotSignedIn for a visitor."""
    found = await shopper(context)
    if not isinstance(found, Session):
        raise NotSignedIn("a visitor wants to buy")
    return found


async def cart_owner(context: PageContext) -> str:
    """Return whose cart this page changes. Raises like `shopper`."""
    return owner_of(await shopper(context))


def owner_of(who: Session | Visitor) -> str:
    """Return whose cart belongs to a browser."""
    return user_owner(who) if isinstance(who, Session) else visitor_owner(who.id)
