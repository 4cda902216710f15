"""Questions that buyers ask, folded to one line each."""

from collections.abc import Sequence

from catalog import Question
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.i18n import _
from ui.theme.icons import icon


def questions(context: PageContext, asked: Sequence[Question]) -> None:
    """Draw the questions with their answers, and where to ask another one."""
    with Tag("div", classes="questions"):
        with Tag("div", classes="stack"):
            Tag("h2", _("Questions and answers"), id="questions-title")
            support = context.settings.support_url
            if support:
                with Tag("p", classes="muted"):
                    # Translators: after the list of questions and answers
                    Tag("span", _("Something else?") + " ")
                    Tag("a", _("Ask us"), href=support)
        with Tag("div"):
            for question in asked:
                with Tag("details", classes="question"):
                    with Tag("summary"):
                        Tag("h3", context.text(question.q))
                        icon("plus")
                    Tag("p", context.text(question.a))
