"""The button that opens Stripe's customer portal, where cards, invoices, changes and cancellation live.

Like a checkout it is a form (`/payment/portal`) whose press goes over the socket when there is one. Somebody without a
billing history is told so; that is no failure.
"""

from nicegui import ui

from services.errors import FrontendError, NotSignedIn
from services.session import sign_in_path
from ui.components.button import ActionForm, Look
from ui.components.problem import ProblemPlace
from ui.i18n import _
from ui.knowledge import session_now
from ui.visit import Visit

ACTION = "/payment/portal"
RETURNS_TO = ("/payment", "/account")
"""Pages that know what to say to somebody who is back from the portal; from elsewhere people come to the first."""


def portal_button(
    visit: Visit,
    label: str,
    *,
    look: Look = "secondary",
    problems: ProblemPlace | None = None,
    wide: bool = False,
    testid: str = "",
) -> ActionForm:
    """Draw the button. Problems are said in `problems`, else among the page's banners."""

    async def press() -> None:
        await press_portal(visit, problems)
        form.release()

    form = ActionForm(
        ACTION, {"return_to": return_path(visit)}, label, busy_label=_("Opening billing portal…"), look=look,
        wide=wide, icon_after="arrow-top-right-on-square", testid=testid, on_press=press,
    )  # fmt: skip
    return form


async def press_portal(visit: Visit, problems: ProblemPlace | None) -> None:
    """Open the portal, or say why not."""
    try:
        session = await session_now(visit)
        url = await visit.site.portal.open(session, return_path(visit))
    except NotSignedIn:
        ui.navigate.to(sign_in_path(visit.here))
    except FrontendError as error:
        (problems or _among_banners(visit)).show(error)
    else:
        ui.navigate.to(url)


def _among_banners(visit: Visit) -> ProblemPlace:
    """Return the place for problems of buttons that have none near them, among the page's banners."""
    place = visit.extras.get("banner_problems")
    if isinstance(place, ProblemPlace):
        return place
    if visit.frame is None:
        return ProblemPlace(visit)
    with visit.frame.banners:
        place = visit.extras["banner_problems"] = ProblemPlace(visit)
    visit.frame.banners.set(hidden=False)
    return place


def return_path(visit: Visit) -> str:
    """Return where the portal's back link leads."""
    return visit.path if visit.path in RETURNS_TO else RETURNS_TO[0]
