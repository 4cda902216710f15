"""`/start`: the way into the product (`APP_URL`) for whoever is signed in; a visitor is led through sign-in first."""

from starlette.responses import RedirectResponse, Response

from services.container import Container
from ui.plans.offers import START
from ui.serving.document import PageContext, page
from ui.text.i18n import N_


def register(container: Container) -> None:
    """Add the address."""

    # Translators: title of the page at which the way into the product begins
    @page(container, START, title=N_("Start"), robots="noindex", requires_sign_in=True)
    def start(context: PageContext) -> Response:
        return RedirectResponse(str(context.settings.app_url or "/payment"), 303)
