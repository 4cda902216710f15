"""The button that opens Stripe's customer portal, where cards, invoices, changes and cancellation live.

Like a checkout it is a form (`/payment/portal`) whose press goes over the socket when there is one. A user without a
billing history is told so; that is no failure.
"""

from nicegui import ui

from services.errors import FrontendError, NotSignedIn
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
) -> ActionForm:
    """Draw the button. Problems are said in `problems`, else among the page's banners."""

    async def press() -> None:
        await press_portal(context, problems)
        form.release()

    form = ActionForm(
        ACTION, {"return_to": RETURNS_TO}, label, busy_label=_("Opening billing portal…"), look=look,
        wide=wide, icon_after="arrow-top-right-on-square", testid=testid, on_press=press,
    )  # fmt: skip
    return form


async def press_portal(context: PageContext, problems: ProblemPlace | None) -> None:
    """Open the portal, or say why not."""
    try:
        session = await session_now(context)
        url = await context.container.portal.open(session, RETURNS_TO)
    except NotSignedIn:
        ui.navigate.to(sign_in_path(context.here))
    except FrontendError as error:
        (problems or page_wide_problems(context)).show(error)
    else:
        ui.navigate.to(url)
