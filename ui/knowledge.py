"""What a page knows of the person it is drawn for: their session as it is now, and what they have.

Pages draw from memory where it is young enough, and otherwise ask with a bounded patience: a slow service never keeps
a page from opening. What arrives later comes over the socket (`ui/components/live.py`).
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import structlog

from services.checkouts import Checkouts
from services.errors import FrontendError, NotSignedIn
from services.session import Session
from services.standing import Standing
from ui.state_words import StateWords, describe
from ui.visit import Visit

YOUNG: Final = timedelta(seconds=60)
"""Memory younger than this is drawn without asking: the live watch looks as soon as the page is connected.

Not while a purchase is under way: a browser without a script has no watch, and its next page is what says how it went.
"""

PATIENCE: Final = 1.5
"""How many seconds a page waits for both services before it is drawn from memory, or with a place kept free."""

_log = structlog.get_logger(__name__)


def signed_in(visit: Visit) -> Session:
    """Return the session of a page that needs one; raises NotSignedIn for a visitor."""
    if not isinstance(visit.session, Session):
        raise NotSignedIn("a page for signed-in people")
    return visit.session


async def session_now(visit: Visit) -> Session:
    """Return the session as the store has it now: a press may come long after the page was drawn.

    Raises NotSignedIn when it has ended since, StoreUnavailable and SignInUnavailable when nobody can say.
    """
    cookie = visit.request.cookies.get(visit.site.sessions.cookie_name, "")
    found = await visit.site.sessions.find(cookie)
    if not isinstance(found, Session):
        raise NotSignedIn("the session ended while the page was open")
    return found


async def remember_standing(visit: Visit) -> Standing | None:
    """Return what is known of this visit's user without asking a service, and keep it in the visit.

    None for a visitor, and when nothing is known or the store can't say: no page fails for it.
    """
    if "standing" not in visit.extras and isinstance(visit.session, Session):
        inquiry = visit.site.status.inquiry
        try:
            visit.extras["standing"] = await inquiry.remembered(inquiry.customer_of(visit.session))
        except FrontendError as error:
            _log.warning("standing_unknown", code=error.code, cause=str(error))
            return None
    return known_standing(visit)


def known_standing(visit: Visit) -> Standing | None:
    """Return the standing that this visit's page is drawn from."""
    standing = visit.extras.get("standing")
    return standing if isinstance(standing, Standing) else None


async def find_standing(visit: Visit, *, fresh: bool = False) -> Standing | None:
    """Return what the user has, from young memory, else asked now, else from older memory; `fresh` asks in any case.

    None when nothing is known and nobody answered within `PATIENCE` seconds: the answer then comes over the socket.
    Raises NotSignedIn when the sign-in has ended.
    """
    session = signed_in(visit)
    known = await remember_standing(visit)
    if not fresh and known is not None and is_settled(known) and datetime.now(UTC) - known.as_of < YOUNG:
        return known
    try:
        async with asyncio.timeout(PATIENCE):
            visit.extras["standing"] = await visit.site.status.inquiry.ask(session, fresh=fresh)
    except TimeoutError:
        _log.info("page_drawn_from_memory", path=visit.path, known=known is not None)
    except NotSignedIn:
        raise
    except FrontendError as error:
        _log.warning("standing_unknown", code=error.code, cause=str(error))
    return known_standing(visit)


def is_settled(standing: Standing) -> bool:
    """Whether nothing is expected to change soon: both services answered, and no purchase is under way."""
    return not standing.stale and standing.confirming is None and standing.open is None


def words_for(visit: Visit, standing: Standing) -> StateWords:
    """Return the words of somebody's current state in this visit's language and zone."""
    return describe(standing.current, visit.site.catalog, visit.locale, visit.timezone, wait=standing.wait)


def checkouts_of(visit: Visit) -> Checkouts:
    """Return the record of checkouts."""
    record: Checkouts = cast(Any, visit.site).checkouts
    return record
