"""`/members`: a page that only members of a plan can open, drawn with our own light elements.

EXTENSIONS=examples.members_page make run
"""

from typing import Final

from services.container import Container
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.extensions import Extension
from ui.page.frame import frame
from ui.serving.document import page
from ui.serving.plan_guard import members_only
from ui.text.i18n import N_, _
from ui.text.state_words import plan_name

PLAN: Final = "premium"
"""The plan that opens the page; plans that include it open it too."""


def register(container: Container) -> None:
    """Add the page."""

    # Translators: a page that only customers of some plans open
    @page(container, "/members", title=N_("Members"), robots="noindex", requires_sign_in=True)
    @members_only(PLAN)
    def members(context: PageContext) -> None:
        name = plan_name(PLAN, container.catalog, context.locale) or PLAN
        with frame(context):
            with Tag("div", classes="page-head"):
                Tag("h1", _("For {plan} members").format(plan=name))
                Tag("p", _("This page opens with {plan} and every plan that includes it.").format(plan=name),
                    classes="lead")  # fmt: skip
            with Tag("section", classes="card stack", testid="members-only", aria_labelledby="members-title"):
                Tag("h2", _("You're in"), id="members-title", classes="card-heading")
                Tag("p", _("Put here what your members get. One line above the page's function guards it."))
                with Tag("div", classes="actions"):
                    button(_("Go to your account"), "secondary", href="/account")


EXTENSION = Extension(register)
