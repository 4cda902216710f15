"""What the pages' forms post when no script runs or no socket is open: the same use cases, answered by redirects."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.access import Access, client_address
from catalog import Catalog, UnknownPrice
from languages import Offered
from services.container import Container
from services.errors import AccountChanged, FrontendError, NotSignedIn, asked_about
from services.portal import PortalWay
from services.purchase import Purchase, whole_number
from services.sessions.service import Session, account_mark, sign_in_path
from services.web.base_path import base_path, below
from services.web.problem_address import FORGOTTEN_AT, PROBLEM_AT
from services.web.safe_paths import safe_next
from services.web.timezones import is_timezone

A_YEAR: Final = 365 * 24 * 3600
PREFERENCES: Final[Mapping[str, Callable[[str], bool]]] = {
    "locale": lambda text: re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", text) is not None,
    "theme": lambda text: text in ("light", "dark", "system"),
    "timezone": is_timezone,
}
"""The cookies that `ui/page/context.py` reads, and which values they may have."""

_Fields = Mapping[str, str]


def form_routes(container: Container) -> APIRouter:
    """Return the routes that take form fields."""
    router = APIRouter(include_in_schema=False)
    access = Access(container)

    @router.post("/payment/checkout")
    async def check_out(request: Request) -> Response:
        """Start the checkout of one plan or item and go there; what stands in the way is explained by its page."""
        fields = await _fields(request)
        price_id = fields.get("price_id", "")
        page = _page_of(container.catalog, price_id)
        try:
            session = _of_same_account(await access.session(request), fields)
            await access.count_press(request, session)
            purchase = Purchase.from_fields(fields, container.catalog)
            checkout = await container.checkout.start(session, purchase, locale=_language(container, request))
        except NotSignedIn:
            return RedirectResponse(sign_in_path(f"{page}?{urlencode(_choice(fields))}"), 303)
        except FrontendError as error:
            return _explained(page, error, _choice(fields))
        return RedirectResponse(checkout.url, 303)

    @router.post("/payment/portal")
    async def open_portal(request: Request) -> Response:
        """Open the customer portal and go there."""
        fields = await _fields(request)
        here = safe_next(fields.get("return_path") or fields.get("return_to") or "/payment")
        try:
            session = _of_same_account(await access.session(request), fields)
            await access.count_press(request, session)
            way = PortalWay.from_fields(fields)
            return RedirectResponse(
                await container.portal.open(session, here, way, locale=_language(container, request)), 303
            )
        except NotSignedIn:
            return RedirectResponse(sign_in_path(here), 303)
        except FrontendError as error:
            return _explained(here.partition("?")[0], error)

    @router.post("/account/forget")
    async def forget(request: Request) -> Response:
        """Forget what may be forgotten of the user, and sign them out everywhere."""
        fields = await _fields(request)
        try:
            session = _of_same_account(await access.session(request), fields)
            await access.count_press(request, session)
            await container.own_data.forget(session)
        except NotSignedIn:
            return RedirectResponse(sign_in_path("/account/forget"), 303)
        except FrontendError as error:
            return _explained("/account/forget", error)
        now = int(datetime.now(UTC).timestamp())
        answer = RedirectResponse(f"/signed-out?{urlencode({FORGOTTEN_AT: now})}", 303)
        access.forget_cookie(answer)
        return answer

    @router.post("/preferences")
    async def prefer(request: Request) -> Response:
        """Remember the language, theme or time zone for a year."""
        fields = await _fields(request)
        answer = RedirectResponse(safe_next(fields.get("next") or _posted_from(request)), 303)
        for name, allows in PREFERENCES.items():
            value = fields.get(name, "")
            if value and allows(value):
                answer.set_cookie(
                    name, value.replace("/", "%2F"), A_YEAR, path="/", secure=container.sessions.secure, samesite="lax"
                )
        return answer

    _add_cart(router, container, access)
    return router


def _add_cart(router: APIRouter, container: Container, access: Access) -> None:
    @router.post("/cart/checkout")
    async def check_out_cart(request: Request) -> Response:
        """Start the checkout of the cart and go there."""
        fields = await _fields(request)
        try:
            session = _of_same_account(await access.session(request), fields)
            await access.count_press(request, session)
            owner = await access.cart_owner(request, Response())
            cart = await container.cart.apply_quantities(owner, _quantities(fields))
            purchase = cart.purchase.shown_as_cart(fields)
            checkout = await container.checkout.start(session, purchase, locale=_language(container, request))
            return RedirectResponse(checkout.url, 303)
        except NotSignedIn:
            if not fields.get("account"):  # else it was shown to an account, which is signed out now
                with suppress(FrontendError):  # what can't be had is said where it is bought
                    await container.limits.hit(container.policies.carts_by_address, client_address(request))
                    owner = await access.cart_owner(request, Response())
                    await container.cart.apply_quantities(owner, _quantities(fields))
            return RedirectResponse(sign_in_path("/cart"), 303)
        except FrontendError as error:
            return _explained("/cart", error)

    @router.post("/cart/{action}")
    async def change_cart(request: Request, action: str) -> Response:
        """Add to the cart, set one or all quantities, remove a line, or clear it; then back to the page of the form."""
        fields = await _fields(request)
        answer = RedirectResponse(safe_next(fields.get("next", "/cart")), 303)
        price_id = fields.get("price_id", "")
        try:
            quantity = whole_number(fields.get("quantity"))
            await container.limits.hit(container.policies.carts_by_address, client_address(request))
            owner = await access.cart_owner(request, answer)
            match action:
                case "add":
                    await container.cart.add(owner, price_id, 1 if quantity is None else quantity)
                case "quantities":
                    await container.cart.apply_quantities(owner, _quantities(fields))
                case "quantity" if quantity == 0:
                    await container.cart.remove(owner, price_id)
                case "quantity":
                    await container.cart.set_quantity(owner, price_id, -1 if quantity is None else quantity)
                case "remove":
                    await container.cart.remove(owner, price_id)
                case "clear":
                    await container.cart.clear(owner)
                case _:
                    return Response(status_code=404)
        except FrontendError as error:
            return _explained("/cart", error, {"price": price_id[:255]} if price_id else {})
        return answer


def _language(container: Container, request: Request) -> str:
    """Return the language of the page that a form stood on: the reader's choice, else what the browser wants."""
    languages = Offered.by(container.settings.languages, container.settings.default_language)
    return languages.choose(request.cookies.get("locale"), request.headers.get("accept-language", ""))


def _posted_from(request: Request) -> str:
    """Return the path of the page that a form stood on, as the browser says; the guards saw that it is one of ours."""
    return below(urlsplit(request.headers.get("referer", "")).path, base_path()) or "/"


def _of_same_account(session: Session, fields: _Fields) -> Session:
    """Return the session; raises AccountChanged when the form says that its page was drawn for another user."""
    if fields.get("account", "") not in ("", account_mark(session.user.user_id)):
        raise AccountChanged("the form is of a page of another account")
    return session


def _quantities(fields: _Fields) -> dict[str, int]:
    """Return what stood in the fields of a posted cart (`quantity.` and the price's id); 0 for an empty one."""
    return {
        name.removeprefix("quantity."): whole_number(text) or 0
        for name, text in fields.items()
        if name.startswith("quantity.")
    }


async def _fields(request: Request) -> _Fields:
    """Return the form's text fields; a name that stands twice has its last value."""
    form = await request.form(max_files=0, max_fields=50)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


def _page_of(catalog: Catalog, price_id: str) -> str:
    """Return the page on which that price is bought."""
    try:
        offer = catalog.offer(price_id)
    except UnknownPrice:
        return "/payment"
    return "/payment" if offer.item is None else "/shop"


def _choice(fields: _Fields) -> dict[str, str]:
    """Return what the form had chosen, for the page to show it chosen again."""
    chosen = {"price": fields.get("price_id", "")[:255], "quantity": fields.get("quantity", "")[:12]}
    return {name: text for name, text in chosen.items() if text}


def _explained(page: str, error: FrontendError, choice: Mapping[str, str] | None = None) -> Response:
    """Return the way to the page that puts the error into words by its code, and by the checkout it is about.

    The moment goes with it: what is said of money is true then, and not when the address is opened again.
    """
    query = {**(choice or {}), PROBLEM_AT: str(int(datetime.now(UTC).timestamp())), "problem": error.code}
    asked = asked_about(error)
    if asked is not None:
        query["checkout"] = asked.id
    return RedirectResponse(f"{page}?{urlencode(query)}", 303)
