"""The button that opens Stripe's customer portal, where cards, invoices, changes and cancellation live.

Like a checkout it is a form (`/payment/portal`) whose press goes over the socket when there is one. A user without a
billing history is told so; that is no failure.
"""

from nicegui import ui

from services.errors import FrontendError, NotSignedIn
from services.portal import FRONT, PortalWay
from services.sessions.service import sign_in_path
from ui.billing.problem import ProblemPlace, page_wide_problems
from ui.components.button import ActionForm, Look
from ui.page.context import PageContext
from ui.page.current_user import session_now
from ui.text.i18n import _

ACTION = "/payment/portal"
RETURNS_TO = "/payment"
"""The page that knows what to say to a user who is back from the portal."""


def portal_button(
    context: PageContext,
    label: str,
    *,
    look: Look = "secondary",
    problems: ProblemPlace | None = None,
    wide: bool = False,
    testid: str = "",
    way: PortalWay = FRONT,
) -> ActionForm:
    """Draw the button. Problems are said in `problems`, else among the page's banners.

    `way` is where in the portal it leads; to the front where the Payment MS leads nowhere else.
    """
    way = way_there(context, way)

    async def press() -> None:
        await press_portal(context, problems, way)
        form.release()

    form = ActionForm(
        ACTION, portal_fields(way), label, busy_label=_("Opening billing portal…"), look=look,
        wide=wide, icon_after="arrow-top-right-on-square", testid=testid, on_press=press,
    )  # fmt: skip
    return form


def way_there(context: PageContext, way: PortalWay) -> PortalWay:
    """Return the way, as far as the Payment MS can lead there."""
    return way if context.container.portal.leads_straight else FRONT


def portal_fields(way: PortalWay) -> dict[str, str]:
    """Return what the form of a button posts."""
    return {"return_to": RETURNS_TO, **way.fields}


async def press_portal(context: PageContext, problems: ProblemPlace | None, way: PortalWay = FRONT) -> None:
    """Open the portal, or say why not."""
    try:
        session = await session_now(context)
        url = await context.container.portal.open(session, RETURNS_TO, way, locale=context.locale)
    except NotSignedIn:
        ui.navigate.to(sign_in_path(context.here))
    except FrontendError as error:
        (problems or page_wide_problems(context)).show(error)
    else:
        ui.navigate.to(url)
