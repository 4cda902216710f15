"""What a page knows of the person it is drawn for: their session as it is now, and what they have.

Pages draw from memory where it is young enough, and otherwise ask with a bounded patience: a slow service never keeps
a page from opening. What arrives later comes over the socket (`ui/billing/live.py`).
"""

import asyncio
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Final

import structlog
from nicegui import Client, ui

from services.errors import FrontendError, NotSignedIn
from services.live_status.schedule import Scope
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import State, Subscription
from ui.page.context import PageContext
from ui.text.state_words import StateWords, describe

YOUNG: Final = timedelta(seconds=2)
"""Memory younger than this is drawn without asking: what it says was said just now.

Not while a purchase is under way: its next page is what says how it went.
"""

_KEPT_WORDS: Final = 16

PATIENCE: Final = 1.5
"""How many seconds a page waits for both services before it is drawn from memory, or with a place kept free."""

QUEUED_PATIENCE: Final = 0.25
"""The same for the first page of a user of whom nothing is remembered, while others wait for the Payment MS: it is
asked about each product then, one question at a time for everybody, and a page that comes at once can be read."""

_log = structlog.get_logger(__name__)


def signed_in(context: PageContext) -> Session:
    """Return the session of a page that needs one; raises NotSignedIn for a visitor."""
    if not isinstance(context.session, Session):
        raise NotSignedIn("a page for signed-in people")
    return context.session


async def session_now(context: PageContext) -> Session:
    """Return the session as the store has it now: a press may come long after the page was drawn.

    The cookie of the open socket is asked as well: on a browser's first page the request had none yet. Raises
    NotSignedIn when it has ended since, StoreUnavailable and SignInUnavailable when no service can say.
    """
    name = context.container.sessions.cookie_name
    for cookie in (context.request.cookies.get(name), cookie_of_socket(ui.context.client, name)):
        found = await context.container.sessions.find(cookie) if cookie else None
        if isinstance(found, Session):
            return found
    raise NotSignedIn("the session ended while the page was open")


def cookie_of_socket(client: Client, name: str) -> str | None:
    """Return a cookie as the page's open socket has it, or None."""
    header = (client.environ or {}).get("HTTP_COOKIE", "")
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found is not None else None


async def remembered_status(context: PageContext) -> CustomerStatus | None:
    """Return what is known of this page's user without asking a service, and keep it in the page context.

    None for a visitor, and when nothing is known or the store can't say: no page fails for it.
    """
    if not context.status_asked and isinstance(context.session, Session):
        refresher = context.container.status.refresher
        try:
            context.customer_status = await refresher.remembered(refresher.customer_of(context.session))
            context.status_asked = True
        except FrontendError as error:
            _log.warning("standing_unknown", code=error.code, cause=str(error))
            return None
    return known_status(context)


def known_status(context: PageContext) -> CustomerStatus | None:
    """Return the status that this page's page is drawn from."""
    return context.customer_status


async def find_status(context: PageContext, *, fresh: bool = False, scope: Scope = "relevant") -> CustomerStatus | None:
    """Return what the user has, from young memory, else asked now, else from older memory; `fresh` asks in any case.

    `scope` is what is asked about: "shown" by the page that says "nothing". News is shown in the user's other open tabs
    as well. None when nothing is known and no service answered within `PATIENCE` seconds, or `QUEUED_PATIENCE` where
    there is a queue: the answer then comes over the socket. Raises NotSignedIn when the sign-in has ended.
    """
    session = signed_in(context)
    known, refresher = await remembered_status(context), context.container.status.refresher
    if not fresh and known is not None and _stands(known, scope) and not refresher.is_outdated(known.customer):
        return known
    try:
        async with asyncio.timeout(_patience(context, known, fresh=fresh)):
            found = await refresher.ask(session, scope, fresh=fresh)
            context.customer_status = found
            if known is not None and not found.same_as(known):
                await context.container.status.changed(found)  # else their other tabs learn of it a minute later
    except TimeoutError:
        _log.info("page_drawn_from_memory", path=context.path, known=known is not None)
    except NotSignedIn:
        raise
    except FrontendError as error:
        _log.warning("standing_unknown", code=error.code, cause=str(error))
    return known_status(context)


def _stands(known: CustomerStatus, scope: Scope) -> bool:
    """Whether memory may be drawn as it is: not "nothing" by the page that says so, for billing may have said that of
    some plans long before."""
    says_nothing = scope == "shown" and known.current.state is State.NONE
    return is_settled(known) and not says_nothing and datetime.now(UTC) - known.as_of < YOUNG


def _patience(context: PageContext, known: CustomerStatus | None, *, fresh: bool) -> float:
    queued = context.container.payment_upstream.waiting > 0
    return QUEUED_PATIENCE if queued and known is None and not fresh else PATIENCE


def is_settled(customer_status: CustomerStatus) -> bool:
    """Whether nothing is expected to change soon: both services answered, and no purchase is under way."""
    return not customer_status.stale and customer_status.confirming is None and customer_status.open is None


def words_for(context: PageContext, customer_status: CustomerStatus) -> StateWords:
    """Return the words of the user's current state in this page's language and zone."""
    return words_of(context, customer_status.current)


def words_of(context: PageContext, subscription: Subscription) -> StateWords:
    """Return the words of one subscription: made once for each change, however many parts of the page speak of it."""
    return context.part(_SpokenWords, _SpokenWords).of(context, subscription)


def _note_shown(context: PageContext, subscription: Subscription, words: StateWords) -> None:
    """Have it kept what this page says of a subscription to its user."""
    if not isinstance(context.session, Session):
        return
    status = context.customer_status
    current = status is None or any(one is subscription for one in status.groups.values())
    group = subscription.group or "plans"
    subject = group if current else f"{group}, {subscription.subscription_id or subscription.product_id}"
    customer = context.container.refresher.customer_of(context.session)
    context.container.shown.note(customer, subject, words.claims)


def note_problem(context: PageContext, error: FrontendError, reference: str = "") -> None:
    """Have it kept that a page says to its user that something went wrong, and which reference stands below it."""
    if isinstance(context.session, Session):
        customer = context.container.refresher.customer_of(context.session)
        context.container.shown.note_problem(customer, error.code, reference or error.request_id or "")


class _SpokenWords:
    """The words that a page made last, for as long as nothing they depend on differs, the minute included."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[Subscription, StateWords]] = {}

    def of(self, context: PageContext, subscription: Subscription) -> StateWords:
        """Return the words of a subscription as they are now."""
        now = datetime.now(UTC)
        minute = now.replace(second=0, microsecond=0)
        key = (id(subscription), context.locale, context.timezone, context.catalog.version, minute)
        made = self._made.get(key)
        if made is not None:
            return made[1]
        words = describe(subscription, context.catalog, context.locale, context.timezone, now=now)
        _note_shown(context, subscription, words)
        if len(self._made) >= _KEPT_WORDS:
            self._made.clear()
        self._made[key] = (subscription, words)  # kept with it, so that no other object gets its id meanwhile
        return words
