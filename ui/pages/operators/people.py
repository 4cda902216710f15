"""`/ops/people`: why somebody's pages say what they say, for those who run the app, with OPS_TOKEN as the password.

It reads what is kept and changes nothing. Every look is a line of the log. In English only.
"""

from typing import Final

import structlog
from starlette.responses import PlainTextResponse, Response

from services.container import Container
from services.errors import PageNotFound
from services.people.record import FoundPerson
from services.rate_limits import address_key
from services.subscription.grant_rules import GrantRules
from services.web.operator_token import shows_token
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.pages.ops import CHALLENGE, REFUSED
from ui.people.drawn import draw_explanation, draw_not_found
from ui.people.explanation import PersonExplanation, explain
from ui.serving.document import PageContext, page
from ui.theme.style_sheet import page_style

TITLE: Final = "People"
LEAD: Final = "Why somebody's pages say what they say, by what was heard last. Each look is written to the log."
LABEL: Final = "User id, reference, session, subscription or email address"
LOOK: Final = "Explain"
LONGEST: Final = 255

_log = structlog.get_logger(__name__)


def register(container: Container) -> None:
    """Add the page; without OPS_TOKEN it is not there."""
    token = container.settings.ops_token

    @page(container, "/ops/people", title=TITLE, robots="noindex")
    async def ops_people(context: PageContext) -> Response | None:
        if token is None:
            raise PageNotFound
        if not shows_token(context.request.headers.get("authorization", ""), token):
            return PlainTextResponse(REFUSED, 401, CHALLENGE)
        asked = context.query.get("who", "").strip()[:LONGEST]
        found = await container.people.find(asked) if asked else ()
        explained = await explained_person(container, found[0]) if len(found) == 1 else None
        if asked:
            note_look(context, found)
        context.head.style = page_style("ops")
        with frame(context), Tag("div", classes="ops", lang="en", dir="ltr"):
            _draw_form(asked)
            if explained is not None:
                draw_explanation(explained)
            elif asked:
                draw_not_found(found)
        return None


async def explained_person(container: Container, person: FoundPerson) -> PersonExplanation:
    """Return why somebody's pages say what they say now."""
    settings = container.settings
    grants = GrantRules.of(settings.gift_words, by_record=settings.grant_by_record)
    return explain(await container.people.read(person), container.catalog, grants=grants)


def note_look(context: PageContext, found: tuple[FoundPerson, ...]) -> None:
    """Write down that somebody with the token looked at these people, and from where."""
    client = context.request.client
    _log.info(
        "person_looked_at",
        user_hashes=[context.container.users.of(person.user_id or person.customer) for person in found],
        found=len(found),
        address=address_key(client.host if client is not None else ""),
    )


def _draw_form(asked: str) -> None:
    with Tag("div", classes="ops-head"):
        Tag("h1", TITLE)
        Tag("p", LEAD, classes="muted")
    with Tag("form", method="get", action="/ops/people", classes="person-form", role="search"):
        Tag("label", LABEL, for_="person-asked", classes="small")
        with Tag("div", classes="person-asking"):
            Tag(
                "input", id="person-asked", name="who", type="search", value=asked, required=True, maxlength=LONGEST,
                autocomplete="off", spellcheck="false", testid="person-asked",
            )  # fmt: skip
            button(LOOK, submit=True, testid="person-explain")
